"""Ingest of measurement files: hostile bytes to normalised Parquet, in child processes only. It needs the extra `data`.
May import battery.checks and battery.warnings."""

from app.battery.ingest.ingestion import ingest

__all__ = ["ingest"]
