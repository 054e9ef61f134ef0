"""Warnings of results. May import battery.checks and battery.objectives."""
