"""Types of API keys."""
