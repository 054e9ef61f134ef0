"""The commands of `voltgraph`. The module of a command is imported when it is used: most need no server, whose import
takes two seconds."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.exceptions import TyperException
from typer.main import get_command

from app import __version__
from app.cli.checks.settings import unknown_variables
from app.cli.terminal import console, shown, stderr

COMMANDS = {
    "serve": (".serve", "serve"),
    "run": (".run", "run"),
    "check": (".checking.command", "check"),
    "fit": (".fitting.command", "fit"),
    "upload": (".upload", "upload"),
    "list": (".pipelines.listing", "list_pipelines"),
    "start": (".pipelines.changing", "start"),
    "cancel": (".pipelines.changing", "cancel"),
    "rerun": (".pipelines.changing", "rerun"),
    "logs": (".pipelines.logs", "logs"),
    "export": (".pipelines.export", "export"),
    "worker": (".worker", "worker"),
    "migrate": (".database", "migrate"),
    "backup": (".database", "backup"),
    "prune": (".database", "prune"),
    "keys": (".keys", "cli"),
    "doctor": (".checks.doctor", "doctor"),
    "schema": (".schema", "schema"),
}
"""Module and function, or group, of each command."""


@contextmanager
def _uncollected() -> Iterator[None]:
    """Collect no garbage. Imports make a quarter of a million objects that stay; looking through them takes a sixth
    of the time."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


class Commands(TyperGroup):
    """Group of the commands. It answers ordinary mistakes with a few lines and an exit code instead of a traceback."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in COMMANDS:
            return None
        module, name = COMMANDS[cmd_name]
        with _uncollected():
            found = getattr(import_module(module, __package__), name)
        if isinstance(found, typer.Typer):
            return get_command(found)
        own = typer.Typer(add_completion=False)
        own.command(cmd_name)(found)
        return get_command(own)

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except (typer.Exit, typer.Abort, TyperException):
            raise
        except Exception as error:
            from app.cli.checks.mistakes import explanation  # it imports the database

            typed = self.get_command(ctx, ctx.invoked_subcommand or "")
            has_server = typed is not None and any(option.name == "server" for option in typed.params)
            found = explanation(error, ctx.invoked_subcommand or "", has_server)
            if found is None:
                raise
            code, lines = found
            for title, text in lines:
                stderr.print(shown(title, "red"), shown(text), soft_wrap=True)
            raise typer.Exit(code) from None


cli = typer.Typer(cls=Commands, no_args_is_help=True)


def _version(wanted: bool) -> None:
    if wanted:
        console.print(f"voltgraph {__version__}", highlight=False)
        raise typer.Exit(0)


@cli.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Voltgraph: pipelines for battery models."""
    for name, near in unknown_variables():
        advice = f"did you mean {near}?" if near else "`voltgraph doctor` lists the settings."
        stderr.print(shown(name, "yellow"), f"is no setting and has no effect: {advice}", soft_wrap=True)
