"""Code in the pages beside console sessions: it runs, or is checked as far as this machine allows."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from pathlib import Path

import httpx
import yaml
from graphql import parse, validate
from sqlalchemy import make_url

from app.database.connect import database_url as parsed
from app.database.migrations import head, migrate
from schema import schema
from tests.api import ROOT, operation
from tests.architecture.test_pages import PAGES, SHOWN_ADDRESS
from tests.servers import Postgres, serving

SHELL = {
    "docs/hosting/backup.md": ("here", "tests/deploy/test_topology.py"),
    "docs/hosting/containers.md": ("needs Docker", "needs Docker"),
    "docs/hosting/index.md": ("tests/package/test_wheel.py",),
    "docs/hosting/proxies.md": ("tests/deploy/test_files.py",),
    "docs/hosting/scaling.md": ("tests/deploy/test_topology.py",),
    "docs/hosting/systemd.md": ("changes the machine", "changes the machine"),
    "docs/hundred-cells.md": (
        "tests/execution/test_hundred_cells.py",
        "tests/cli/test_pipelines.py",
        "tests/cli/test_pipelines.py",
    ),
    "docs/measurements.md": ("here",),
}
"""Blocks of shell by page: the test that runs their commands, with other paths and ports, or why none does."""


def blocks(page: Path, language: str) -> list[str]:
    """Return the blocks of a language in a page."""
    return re.findall(rf"^```{language}\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL)


def test_each_block_of_shell_has_its_test() -> None:
    found = {str(page.relative_to(ROOT)): len(blocks(page, "sh")) for page in PAGES}
    assert {name: count for name, count in found.items() if count} == {k: len(each) for k, each in SHELL.items()}
    named = {name for each in SHELL.values() for name in each if name.startswith("tests/")}
    assert [name for name in named if not (ROOT / name).exists()] == []
    for page in PAGES:
        for block in blocks(page, "sh"):
            subprocess.run(["bash", "-n", "-c", block], check=True, capture_output=True)


def test_graphql_of_the_pages_is_valid() -> None:
    found = [block for page in PAGES for block in blocks(page, "graphql")]
    assert len(found) >= 2
    for block in found:
        assert validate(schema._schema, parse(block.replace("{ … }", "{}"))) == [], block


def test_an_upload_is_sent_by_the_command_of_its_page(tmp_path: Path) -> None:
    [command] = blocks(ROOT / "docs" / "measurements.md", "sh")
    (tmp_path / "discharge.csv").write_text("Time [s],Current [A],Voltage [V]\n0,1,4\n1,1,3.9\n")
    with serving(f"sqlite:///{tmp_path}/upload.db") as server:
        variables = {"input": {"projectId": "p", "name": "d", "fileName": "discharge.csv"}}
        body = {"query": operation("CreateMeasurement"), "variables": variables}
        made = httpx.post(f"{server.url}/graphql", json=body, timeout=30).json()["data"]["createMeasurement"]
        command = command.replace(SHOWN_ADDRESS, server.url.removeprefix("http://"))
        command = command.replace("/uploads/TOKEN", made["upload"]["url"]).replace("curl", "curl -sf")
        subprocess.run(["bash", "-c", command], check=True, cwd=tmp_path, timeout=60)


def test_a_backup_is_made_by_the_command_of_its_page(tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path}/voltgraph.db"
    asyncio.run(migrate(parsed(database)))
    command = blocks(ROOT / "docs" / "hosting" / "backup.md", "sh")[0]
    command = command.replace("sqlite:////var/lib/voltgraph/voltgraph.db", database)
    command = command.replace("/backup/", f"{tmp_path}/copy-of-").replace("voltgraph backup", "-m voltgraph backup")
    subprocess.run(["bash", "-c", f"{sys.executable} {command}"], check=True, cwd=ROOT, env=os.environ, timeout=60)
    assert (tmp_path / "copy-of-voltgraph.db").stat().st_size > 0


def test_the_owner_that_the_page_of_postgresql_creates_can_migrate(postgres: Postgres) -> None:
    statements, _ = blocks(ROOT / "docs" / "hosting" / "postgresql.md", "sql")
    postgres.execute(statements.replace("hexadecimal digits", "a0"))
    url = make_url(postgres.new_database()).set(username="voltgraph", password="a0", database="voltgraph")
    try:
        applied: list[None] = []
        asyncio.run(migrate(parsed(url.render_as_string(hide_password=False)), applied=lambda: applied.append(None)))
        assert len(applied) == int(head())
    finally:
        postgres.execute("DROP DATABASE voltgraph; DROP ROLE voltgraph;")


def test_prometheus_is_set_up_with_files_that_exist() -> None:
    [block] = blocks(ROOT / "docs" / "hosting" / "monitoring.md", "yaml")
    given = yaml.safe_load(block)
    assert all((ROOT / "deploy" / file).exists() for file in given["rule_files"])
    assert given["scrape_configs"][0].get("metrics_path", "/metrics") == "/metrics"
