"""Data Fits: parameters, optimisation, and uncertainty."""
