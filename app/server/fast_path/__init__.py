"""Responses to /graphql without ASGI. May import app.server.connections."""
