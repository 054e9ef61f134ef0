"""Data Fits: parameters, optimisation, uncertainty. May import the rest of battery, except configuration."""
