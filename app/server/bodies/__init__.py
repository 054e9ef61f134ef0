"""Request bodies: limits, decompression, strict JSON. May import what app.server may."""
