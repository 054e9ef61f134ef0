"""Pipelines: rules, reads and changes. May import database, auth, errors and models."""
