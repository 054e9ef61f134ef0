"""SQLite: one writer, readers without the ORM. May import app.database, auth, errors and models."""
