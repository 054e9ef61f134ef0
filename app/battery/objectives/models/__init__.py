"""Models of objectives. May import battery.checks and battery.expressions."""
