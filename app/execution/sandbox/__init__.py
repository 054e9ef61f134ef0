"""Sandbox of jobs: limits, capabilities, Landlock and seccomp of child processes."""
