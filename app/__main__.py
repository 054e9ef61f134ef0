"""Command line in a checkout that is not installed: `python -m app`."""

from app.cli.commands import cli

if __name__ == "__main__":
    cli()
