"""HTTP for both APIs. May import execution, pipelines, database, auth, errors, models and settings."""
