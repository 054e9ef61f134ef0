"""Measured data. May import battery.checks."""
