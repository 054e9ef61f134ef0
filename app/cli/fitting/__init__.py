"""Command `fit`: from a measurement file to a fitted parameter. May import every package."""
