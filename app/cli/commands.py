"""The commands of `python -m app`."""

from typing import Any

import typer
from pydantic import ValidationError
from typer.core import TyperGroup

from app.cli import keys
from app.cli.database import backup, migrate, prune
from app.cli.fitting.command import fit
from app.cli.logs import logs
from app.cli.run import run
from app.cli.schema import schema
from app.cli.serve import serve
from app.cli.terminal import console, shown
from app.cli.upload import upload
from app.cli.worker import worker
from app.errors import WrongDocuments
from app.settings import Settings


class Commands(TyperGroup):
    """Command group that reports every invalid setting and exits with status 2."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except ValidationError as error:
            if error.title != Settings.__name__:
                raise
            for fault in error.errors(include_input=False, include_url=False):
                name, why = str(fault["loc"][0]).upper(), fault["msg"].removeprefix("Value error, ")
                console.print(shown(f"VOLTGRAPH_{name}", "red"), shown(why), soft_wrap=True)
            raise typer.Exit(2) from None
        except WrongDocuments as error:
            for why in error.faults:
                console.print(shown("VOLTGRAPH_TRUSTED_DOCUMENTS", "red"), shown(why), soft_wrap=True)
            raise typer.Exit(2) from None


cli = typer.Typer(
    cls=Commands, no_args_is_help=True, add_completion=False, help="Voltgraph: pipelines for battery models."
)
cli.add_typer(keys.cli, name="keys")
for command in (serve, run, fit, upload, logs, worker, migrate, backup, prune, schema):
    cli.command()(command)
