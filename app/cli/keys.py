"""`voltgraph keys`: create, list and revoke API keys, also while the server runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Column, Table
from sqlalchemy.engine import URL

from app.auth.keys import PREFIX_LENGTH, Key
from app.cli.checks.preflight import with_keys
from app.cli.checks.settings import DatabaseUrl, settings_with
from app.cli.terminal import printable, shown, stderr
from app.database.connect import database_url as parsed
from app.database.connect import shown_url
from app.models.columns import instant_text
from app.models.sql import is_file

cli = typer.Typer(no_args_is_help=True, help="Manage API keys. Once a key exists, every request needs one.")
console = Console()


def _url(given: str | None) -> URL:
    return parsed(settings_with(database_url=given).database_url)


def _announce(url: URL) -> None:
    """Tell which database a new key belongs to: a forgotten URL makes a key that no server takes."""
    stderr.print(
        shown(f"Key of {shown_url(url)}" + (f", in the folder {Path.cwd()}" if is_file(url) else "")), soft_wrap=True
    )
    if is_file(url) and not Path(str(url.database)).exists():
        stderr.print(
            shown(f"{url.database} does not exist yet. Is another database meant? --database-url names it.", "yellow"),
            soft_wrap=True,
        )


@cli.command()
def create(
    organization: Annotated[str, typer.Option(help="Organization of the key.")] = "local",
    user: Annotated[
        str | None, typer.Option(help="User of the key, stored with the pipelines that it creates.")
    ] = None,
    email: Annotated[str | None, typer.Option(help="Email of the user.")] = None,
    project: Annotated[list[str] | None, typer.Option(help="Limit the key to this project; repeatable.")] = None,
    read_only: Annotated[bool, typer.Option("--read-only", help="Limit the key to reading.")] = False,
    admin: Annotated[
        bool, typer.Option("--admin", help="Let the key create, list and revoke keys of its organization by the API.")
    ] = False,
    database_url: DatabaseUrl = None,
) -> None:
    """Create a key and print it. It is shown only once."""
    if admin and read_only:
        raise typer.BadParameter("A key for reading only cannot manage keys.", param_hint="--admin")
    fields: dict[str, Any] = {"user_id": user, "email": email, "projects": project, "read_only": read_only}
    fields["is_admin"] = admin
    url = _url(database_url)
    _announce(url)
    print(with_keys(url, lambda keys: keys.create(organization, **fields)))  # noqa: T201  only the key, for a pipe


@cli.command(name="list")
def show(database_url: DatabaseUrl = None) -> None:
    """List all keys by their prefixes, including revoked ones."""
    listed = Table(Column("prefix", no_wrap=True, min_width=PREFIX_LENGTH))
    for name in ("organization", "user", "email", "projects", "may", "created", "last used", "revoked"):
        listed.add_column(name, overflow="fold")
    for key in with_keys(_url(database_url), lambda keys: keys.all()):
        listed.add_row(*map(shown, _row(key)))
    console.print(listed)


def _row(key: Key) -> list[str]:
    projects = ", ".join(sorted(key.projects)) if key.projects else "all"
    times = (instant_text(at)[:19] if at else "" for at in (key.created_at, key.last_used_at, key.revoked_at))
    holder = (key.organization_id, key.user_id or "", key.email or "")
    may = "read" if key.read_only else "read, write, manage keys" if key.is_admin else "read, write"
    return [key.prefix, *holder, projects, may, *times]


@cli.command()
def revoke(
    prefix: Annotated[str, typer.Argument(help="The key's prefix, as `list` shows it.")],
    database_url: DatabaseUrl = None,
) -> None:
    """Revoke a key. A running server refuses it within two seconds."""
    if not with_keys(_url(database_url), lambda keys: keys.revoke(prefix)):
        raise typer.BadParameter(f"No valid key {printable(prefix)}.")
