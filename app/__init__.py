"""The server: everything but GraphQL. Only `main.py` imports `schema`."""

__version__ = "0.1.0"
"""Version of Voltgraph, for the wheel, `--version`, the banner and /livez."""
