"""The commands of `voltgraph`."""

from collections.abc import Callable
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from app import __version__
from app.cli import keys
from app.cli.checking.command import check
from app.cli.checks.doctor import doctor
from app.cli.checks.mistakes import explanation
from app.cli.checks.settings import unknown_variables
from app.cli.database import backup, migrate, prune
from app.cli.fitting.command import fit
from app.cli.pipelines.changing import cancel, rerun, start
from app.cli.pipelines.export import export
from app.cli.pipelines.listing import list_pipelines
from app.cli.pipelines.logs import logs
from app.cli.run import run
from app.cli.schema import schema
from app.cli.serve import serve
from app.cli.terminal import console, shown, stderr
from app.cli.upload import upload
from app.cli.worker import worker


class Commands(TyperGroup):
    """Command group that answers ordinary mistakes with a few lines and an exit code instead of a traceback."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except Exception as error:
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


cli.add_typer(keys.cli, name="keys")
COMMANDS: list[Callable[..., None]] = [serve, run, check, fit, upload, list_pipelines, start, cancel, rerun, logs]
COMMANDS += [export, worker, migrate, backup, prune, doctor, schema]
for command in COMMANDS:
    cli.command("list" if command is list_pipelines else None)(command)
