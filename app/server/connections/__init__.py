"""Connections: framing, limits, WebSockets. Imports nothing but libraries."""
