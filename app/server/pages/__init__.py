"""Pages for browsers: sources and builds."""
