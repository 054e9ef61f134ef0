"""Types of results: outcomes, parameters, failures and series."""
