"""Responses to /graphql without ASGI. May import app.server.connections, timeouts and responses; main and
app.server.uvicorn switch it on."""
