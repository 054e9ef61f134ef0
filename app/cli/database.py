"""`python -m app migrate` and `python -m app backup`."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from app.cli.terminal import console, shown
from app.database.connect import database_url, exclusive
from app.database.migrations import migrate as bring_up_to_date
from app.database.sqlite.backup import back_up
from app.settings import Settings


def migrate() -> None:
    """Bring the database up to date, without serving it."""
    url = database_url(Settings().database_url)
    with exclusive(url):
        asyncio.run(bring_up_to_date(url))
    console.print(shown(f"{url.render_as_string(hide_password=True)} is up to date."))


def backup(file: Annotated[Path, typer.Argument(dir_okay=False, help="Path of the copy.")]) -> None:
    """Copy the SQLite database and its keys, also while a server runs."""
    url = database_url(Settings().database_url)
    if not url.drivername.startswith("sqlite"):
        raise typer.BadParameter("PostgreSQL has pg_dump for this.")
    if not Path(str(url.database)).exists():
        raise typer.BadParameter(f"Unknown database {url.database}.")
    try:
        back_up(url, file)
    except FileExistsError as error:
        raise typer.BadParameter(f"{error} exists already.") from None
    console.print(shown(f"{file} is a copy of {url.database}."))
