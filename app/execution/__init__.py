"""Execution of pipelines: the durable queue, the worker, and the child process of each job."""
