"""Command line: `voltgraph`, or `python -m voltgraph`."""

from app.cli.commands import cli

if __name__ == "__main__":
    cli()
