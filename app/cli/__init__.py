"""The command line. May import every package."""
