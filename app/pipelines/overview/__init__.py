"""Overview: projects, workers and the queue, in numbers."""
