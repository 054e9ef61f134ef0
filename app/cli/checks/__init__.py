"""Checks before a command works, and answers to ordinary mistakes."""
