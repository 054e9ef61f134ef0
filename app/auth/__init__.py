"""Callers: who sends a request, and how much. May import errors and models."""
