"""Types of the account: the caller, its limits and rights, its projects, and the server."""
