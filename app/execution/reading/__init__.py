"""Reading of files: uploads by a worker, and parts of stored tables by a server, in child processes only."""
