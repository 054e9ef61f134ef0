"""PostgreSQL: pools and notifications. May import app.database, auth, errors and models."""
