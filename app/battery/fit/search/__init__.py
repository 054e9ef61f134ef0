"""Search: restarts, derivatives, convergence. May import the rest of battery.fit, except run."""
