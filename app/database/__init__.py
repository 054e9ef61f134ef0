"""Storage of rows and their change events. May import auth, errors and models."""
