"""Transports: HTTP, server-sent events, WebSocket. May import every package of schema."""
