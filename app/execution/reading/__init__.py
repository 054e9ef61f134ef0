"""Reading and writing of files in child processes: uploads by a worker; parts of tables and documents by a server."""
