"""Values as PyBaMM expressions. May import battery.checks."""
