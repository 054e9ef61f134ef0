"""Checks of pipelines before they run, each in a child process of the server."""
