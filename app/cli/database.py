"""`voltgraph migrate`, `voltgraph backup` and `voltgraph prune`."""

import asyncio
import re
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress

from app.cli.checks.preflight import check_database
from app.cli.checks.settings import DatabaseUrl, settings_with
from app.cli.terminal import console, shown, stderr
from app.database import retention
from app.database.connect import FileInUse, backend_of, exclusive, open_database, shown_url
from app.database.connect import database_url as parsed
from app.database.migrations import migrate as bring_up_to_date
from app.database.migrations import pending
from app.models.columns import now
from app.models.sql import is_file
from app.settings import Settings


def migrate(database_url: DatabaseUrl = None) -> None:
    """Bring the database up to date, without serving it."""
    url = parsed(settings_with(database_url=database_url).database_url)
    steps = pending(check_database(url))
    with exclusive(url), Progress(console=stderr, disable=not steps) as progress:
        task = progress.add_task("Migrating", total=steps)
        asyncio.run(bring_up_to_date(url, applied=lambda: progress.advance(task)))
    console.print(shown(f"{shown_url(url)} is up to date: {steps} migrations applied."), soft_wrap=True)


def backup(
    file: Annotated[Path, typer.Argument(dir_okay=False, help="Path of the copy.")], database_url: DatabaseUrl = None
) -> None:
    """Copy the SQLite database and its keys, also while a server runs."""
    url = parsed(settings_with(database_url=database_url).database_url)
    if is_file(url) and not Path(str(url.database)).exists():
        raise typer.BadParameter(f"Unknown database {url.database}. Name it by --database-url sqlite:///FILE.")
    if not file.parent.is_dir():
        raise typer.BadParameter(f"The folder {file.parent} does not exist.")
    try:
        with Progress(console=stderr, transient=True) as progress:
            task = progress.add_task("Copying", total=None)
            backend_of(url).back_up(
                url, file, lambda left, total: progress.update(task, total=total, completed=total - left)
            )
    except NotImplementedError as error:
        raise typer.BadParameter(str(error)) from None
    except FileExistsError as error:
        raise typer.BadParameter(f"{error} exists already.") from None
    console.print(shown(f"{file} is a copy of {url.database}."), soft_wrap=True)


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
    database_url: DatabaseUrl = None,
) -> None:
    """Delete the pipelines that ended before an age, with results, series and checkpoints; and old idempotency keys.

    A SQLite file must not be served meanwhile; it is rewritten without free space.
    """
    settings, age = settings_with(database_url=database_url), parse_age(older_than)
    url = parsed(settings.database_url)
    if is_file(url) and not Path(str(url.database)).exists():
        raise typer.BadParameter(f"Unknown database {url.database}. Name it by --database-url sqlite:///FILE.")
    check_database(url, writes=False)
    try:
        with exclusive(url):
            removed = asyncio.run(_prune(settings, age, dry_run))
            if not dry_run:
                backend_of(url).compact(url)
    except FileInUse as error:
        raise typer.BadParameter(f"{error}: stop it first, or let it delete old runs by VOLTGRAPH_KEEP_DAYS.") from None
    console.print(shown(f"{'Would delete' if dry_run else 'Deleted'}: {removed}."))


async def _prune(settings: Settings, age: timedelta, dry_run: bool) -> retention.Removed:
    url = parsed(settings.database_url)
    await bring_up_to_date(url)
    async with open_database(url, settings.max_waiting_writes) as database:
        before = now() - age
        found = await retention.count(database, before)
        if dry_run:
            return found
        with Progress(console=stderr, disable=not found.total) as progress:
            task = progress.add_task("Deleting", total=found.total)
            return await retention.prune(database, before, removed_some=lambda number: progress.advance(task, number))
