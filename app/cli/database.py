"""`python -m app migrate`, `python -m app backup` and `python -m app prune`."""

import asyncio
import re
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from app.cli.terminal import console, shown
from app.database import retention
from app.database.connect import FileInUse, backend_of, database_url, exclusive, open_database
from app.database.migrations import migrate as bring_up_to_date
from app.models.columns import now
from app.models.sql import is_file
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
    if is_file(url) and not Path(str(url.database)).exists():
        raise typer.BadParameter(f"Unknown database {url.database}.")
    try:
        backend_of(url).back_up(url, file)
    except NotImplementedError as error:
        raise typer.BadParameter(str(error)) from None
    except FileExistsError as error:
        raise typer.BadParameter(f"{error} exists already.") from None
    console.print(shown(f"{file} is a copy of {url.database}."))


AGE = re.compile(r"(\d+(?:\.\d+)?)([dhm])")
UNITS = {"d": "days", "h": "hours", "m": "minutes"}


def parse_age(text: str) -> timedelta:
    """Parse an age such as `30d`, `12h` or `15m`. Raises BadParameter."""
    found = AGE.fullmatch(text.strip())
    if found is None:
        raise typer.BadParameter(f"{text!r:.50} is no age: write 30d, 12h or 15m.")
    try:
        age = timedelta(**{UNITS[found[2]]: float(found[1])})
        now() - age
    except OverflowError:
        raise typer.BadParameter(f"{text!r:.50} is before the first year.") from None
    return age


def prune(
    older_than: Annotated[str, typer.Option(help="Age of what is deleted, such as 30d, 12h or 15m.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count what would be deleted.")] = False,
) -> None:
    """Delete the pipelines that ended before an age, with results, series and checkpoints; and old idempotency keys.

    A SQLite file must not be served meanwhile; it is rewritten without free space.
    """
    url, age = database_url(Settings().database_url), parse_age(older_than)
    if is_file(url) and not Path(str(url.database)).exists():
        raise typer.BadParameter(f"Unknown database {url.database}.")
    try:
        with exclusive(url):
            removed = asyncio.run(_prune(age, dry_run))
            if not dry_run:
                backend_of(url).compact(url)
    except FileInUse as error:
        raise typer.BadParameter(f"{error}: stop it first, or let it delete old runs by VOLTGRAPH_KEEP_DAYS.") from None
    console.print(shown(f"{'Would delete' if dry_run else 'Deleted'}: {removed}."))


async def _prune(age: timedelta, dry_run: bool) -> retention.Removed:
    settings = Settings()
    url = database_url(settings.database_url)
    await bring_up_to_date(url)
    async with open_database(url, settings.max_waiting_writes) as database:
        return await (retention.count if dry_run else retention.prune)(database, now() - age)
