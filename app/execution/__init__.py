"""Running pipelines: the durable engine, its worker, and the child process that does an element's work."""
