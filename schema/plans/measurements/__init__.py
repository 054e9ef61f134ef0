"""Plans of measurements and cells."""
