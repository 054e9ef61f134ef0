"""Execution of pipelines: queue, worker, child processes of jobs. May import pipelines, database, auth, errors and
models."""
