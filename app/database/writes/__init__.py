"""Writes without the ORM: statements compiled once, and group commit."""
