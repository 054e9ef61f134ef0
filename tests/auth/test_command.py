"""Command `keys` beside a running server, and a server that other machines can reach."""

import subprocess
import sys
from pathlib import Path
from time import monotonic, sleep

import httpx
import pytest
from rich.console import Console
from typer.testing import CliRunner

from app.auth.keys import FORM, FRESH
from app.cli import keys as keys_command
from app.cli.commands import cli
from tests.servers import ROOT, serving


@pytest.fixture(autouse=True)
def _database(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOLTGRAPH_DATABASE_URL", sqlite_url)


def keys(*arguments: str) -> str:
    result = CliRunner().invoke(cli, ["keys", *arguments], env={"COLUMNS": "200"})
    assert result.exit_code == 0, result.output
    return result.stdout.strip()


def test_a_key_is_shown_once_and_listed_by_its_prefix() -> None:
    secret = keys("create", "--organization", "ours", "--project", "a", "--project", "b", "--read-only")
    assert FORM.fullmatch(secret)
    listed = keys("list")
    assert secret.rpartition("_")[0][:15] in listed
    assert secret not in listed
    assert "a, b" in listed


HOSTILE = "[red]x[/red]\x1b[2J\u202e[link=http://evil]u[/link]"
SEEN = "[red]x[/red]\\x1b[2J\\u202e[link=http://evil]u[/link]"


def test_what_a_key_holds_does_nothing_to_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys_command, "console", Console(width=500))
    keys("create", "--organization", HOSTILE)
    keys("create", "--user", HOSTILE, "--project", "[/]")
    keys("create", "--email", HOSTILE)
    listed = keys("list")
    assert listed.count(SEEN) == 3
    assert "[/]" in listed
    assert "\x1b" not in listed
    assert "\u202e" not in listed


def test_an_unknown_prefix_cannot_be_revoked() -> None:
    assert CliRunner().invoke(cli, ["keys", "revoke", "vg_none"]).exit_code == 2


def test_keys_are_made_and_revoked_while_the_server_runs(sqlite_url: str) -> None:
    with serving(sqlite_url) as server, httpx.Client(base_url=server.url, trust_env=False) as http:
        secret = keys("create")
        wait_for(http, None, 401)
        wait_for(http, secret, 200)
        keys("revoke", secret[:15])
        wait_for(http, secret, 401)


def wait_for(http: httpx.Client, secret: str | None, status: int) -> None:
    """Wait for a response within the time for which the server caches keys."""
    headers = {"x-api-key": secret} if secret else {}
    end = monotonic() + FRESH + 2
    while (found := http.get("/pipelines", headers=headers).status_code) != status:
        assert monotonic() < end, found
        sleep(0.05)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "no.such.host.invalid"])
def test_a_server_that_others_reach_needs_keys(host: str) -> None:
    command = [sys.executable, "-m", "app", "serve", "--host", host, "--port", "0"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 2
    assert "keys create" in done.stdout


def test_with_a_key_it_serves_other_addresses(sqlite_url: str) -> None:
    keys("create")
    with serving(sqlite_url, VOLTGRAPH_HOST="0.0.0.0") as server:
        assert httpx.get(f"{server.url}/pipelines", trust_env=False).status_code == 401


def test_told_so_it_serves_anyone(sqlite_url: str, tmp_path: Path) -> None:
    with serving(sqlite_url, VOLTGRAPH_HOST="0.0.0.0", VOLTGRAPH_ALLOW_ANYONE="true") as server:
        headers = {"host": "anything.example"}
        assert httpx.get(f"{server.url}/pipelines", headers=headers, trust_env=False).status_code == 200
