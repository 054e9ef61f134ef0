"""Responses to /graphql without ASGI. May import app.server.connections; the server imports it, and timeouts import
`eager`."""
