"""Rules of the code base and its documents."""
