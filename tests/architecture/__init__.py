"""The rules of the code base and its documents."""
