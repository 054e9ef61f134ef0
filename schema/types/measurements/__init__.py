"""Types of measurements and cells."""
