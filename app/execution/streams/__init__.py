"""Streams from child processes: pipes of logs, and samples of series."""
