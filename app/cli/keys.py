"""`python -m app keys`: create, list and revoke API keys, also while the server runs."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, TypeVar

import typer
from rich.console import Console
from rich.table import Column, Table

from app.auth.keys import PREFIX_LENGTH, Key, KeyStore, open_keys
from app.cli.terminal import printable, shown
from app.database.connect import database_url
from app.models.columns import instant_text
from app.settings import Settings

T = TypeVar("T")
cli = typer.Typer(no_args_is_help=True, help="Manage API keys. Once a key exists, every request needs one.")
console = Console()


def _with_keys(work: Callable[[KeyStore], Awaitable[T]]) -> T:
    async def opened() -> T:
        async with open_keys(database_url(Settings().database_url)) as keys:
            return await work(keys)

    return asyncio.run(opened())


@cli.command()
def create(
    organization: Annotated[str, typer.Option(help="Organization of the key.")] = "local",
    user: Annotated[
        str | None, typer.Option(help="User of the key, stored with the pipelines that it creates.")
    ] = None,
    email: Annotated[str | None, typer.Option(help="Email of the user.")] = None,
    project: Annotated[list[str] | None, typer.Option(help="Limit the key to this project; repeatable.")] = None,
    read_only: Annotated[bool, typer.Option("--read-only", help="Limit the key to reading.")] = False,
) -> None:
    """Create a key and print it. It is shown only once."""
    fields: dict[str, Any] = {"user_id": user, "email": email, "projects": project, "read_only": read_only}
    print(_with_keys(lambda keys: keys.create(organization, **fields)))  # noqa: T201  only the key, for a pipe


@cli.command(name="list")
def show() -> None:
    """List all keys by their prefixes, including revoked ones."""
    listed = Table(Column("prefix", no_wrap=True, min_width=PREFIX_LENGTH))
    for name in ("organization", "user", "email", "projects", "may", "created", "revoked"):
        listed.add_column(name, overflow="fold")
    for key in _with_keys(lambda keys: keys.all()):
        listed.add_row(*map(shown, _row(key)))
    console.print(listed)


def _row(key: Key) -> list[str]:
    projects = ", ".join(sorted(key.projects)) if key.projects else "all"
    made, revoked = (instant_text(at)[:19] if at else "" for at in (key.created_at, key.revoked_at))
    holder = (key.organization_id, key.user_id or "", key.email or "")
    return [key.prefix, *holder, projects, "read" if key.read_only else "read, write", made, revoked]


@cli.command()
def revoke(prefix: Annotated[str, typer.Argument(help="The key's prefix, as `list` shows it.")]) -> None:
    """Revoke a key. A running server refuses it within two seconds."""
    if not _with_keys(lambda keys: keys.revoke(prefix)):
        raise typer.BadParameter(f"No valid key {printable(prefix)}.")
