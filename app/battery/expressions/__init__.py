"""Values as PyBaMM expressions. May import battery.checks and battery.parameter_names."""
