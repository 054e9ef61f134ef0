"""Checks of raw JSON before any of it is decoded. May import errors and the executor's boundary."""
