"""Free parameters of a fit. May import battery.checks and battery.expressions."""
