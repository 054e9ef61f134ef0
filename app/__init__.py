"""The server: everything but GraphQL. Only `main.py` imports `schema`."""
