"""The server: everything but GraphQL. Only `main` imports `schema`."""
