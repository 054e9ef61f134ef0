"""Encoding of stored values as JSON, in Python and by the database."""
