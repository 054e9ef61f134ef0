"""Console sessions of README.md and docs/: they run, and print the shown output."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.main import get_command

from app.cli.commands import COMMANDS, cli
from tests.api import ROOT
from tests.servers import Server, serving, stop

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
SHOWN_ADDRESS = "127.0.0.1:8000"
ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")
KEY = re.compile(r"vg_[0-9a-f]{12}_(?:[\w-]{20,}|…)")
MAX_WORDS = 1_500
OTHER_WORDS = {"voltgraph", "restored"}
"""Words after the name that are no commands: images and databases have it too."""
Step = tuple[str, str]
"""A command and the output that the page shows for it."""


def sessions(page: Path) -> list[list[Step]]:
    """Return the console blocks of a page, each as commands with their outputs."""
    blocks = re.findall(r"^```console\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL)
    return [_steps(block) for block in blocks]


def _steps(block: str) -> list[Step]:
    steps = []
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        lines = part.rstrip("\n").split("\n")
        length = 1 + next((i for i in range(len(lines)) if _is_complete("\n".join(lines[: i + 1]))), 0)
        steps.append(("\n".join(lines[:length]), "\n".join(lines[length:])))
    return steps


def _is_complete(command: str) -> bool:
    """Return whether the quotes of a command are closed, and its last line is not continued."""
    return command.count("'") % 2 == 0 and not command.endswith("\\")


class Session:
    """Runner of the commands of one block against a server; keeps the ids and keys that they print."""

    def __init__(self, server: Server, database: str) -> None:
        self._address = server.url.removeprefix("http://")
        self._environment = os.environ | {"VOLTGRAPH_DATABASE_URL": database, "COLUMNS": "120"}
        self._real: dict[str, str] = {}

    def run(self, command: str, shown: str) -> str:
        """Return the output with each id and key replaced by the one on the page."""
        command = command.replace(SHOWN_ADDRESS, self._address).replace(".venv/bin/", f"{Path(sys.executable).parent}/")
        for pretended, real in self._real.items():
            command = command.replace(pretended, real)
        ran = subprocess.run(
            ["bash", "-c", command], capture_output=True, text=True, cwd=ROOT, env=self._environment, timeout=120
        )
        assert ran.returncode in (0, 28), ran.stderr  # 28: curl reached the time limit of a stream
        return self._as_shown(ran.stdout.rstrip("\n"), shown)

    def _as_shown(self, output: str, shown: str) -> str:
        for pattern in (ID, KEY):
            for real, pretended in zip(pattern.findall(output), pattern.findall(shown), strict=False):
                self._real[pretended] = real
                if pattern is KEY:  # later commands abbreviate the secret
                    self._real[pretended.rpartition("_")[0] + "_…"] = real
                output = output.replace(real, pretended)
        return output


@pytest.fixture
def database(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/pages.db"


@pytest.fixture
def server(database: str) -> Iterator[Server]:
    with serving(database, VOLTGRAPH_WORKERS="2") as server:
        yield server


def session_of(page: str, beginning: str) -> list[Step]:
    """Return the block of a page whose first command begins with `start`."""
    [found] = [each for each in sessions(ROOT / page) if each[0][0].startswith(beginning)]
    return found


def test_each_session_is_run_by_a_test_here() -> None:
    first = [(page.name, session[0][0].split("\n")[0][:40]) for page in PAGES for session in sessions(page)]
    pages = ["README.md"] * 4 + ["api.md", "operating.md"] + ["tutorial.md"] * 5  # the last by test_tutorial
    assert [name for name, _ in first] == pages, first


def test_the_banner_is_that_of_serve(database: str, tmp_path: Path) -> None:
    [(_, shown)] = session_of("README.md", "make run")
    environment = os.environ | {"VOLTGRAPH_DATABASE_URL": database, "COLUMNS": "200"}
    command = [sys.executable, "-m", "app", "serve", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environment) as process:
        assert process.stdout is not None
        try:
            printed = "".join(process.stdout.readline() for _ in shown.split("\n"))
        finally:
            stop(process)
    printed = re.sub(r"127\.0\.0\.1:\d+", SHOWN_ADDRESS, printed).replace(f"{tmp_path}/pages.db", "voltgraph.db")
    assert printed.rstrip("\n") == shown
    assert re.search(r"^run:.*\n\t\$\(BIN\)/voltgraph serve$", (ROOT / "Makefile").read_text(), re.MULTILINE)


def test_run_prints_the_table_of_the_readme(server: Server, database: str) -> None:
    [(command, shown)] = session_of("README.md", ".venv/bin/voltgraph run")
    assert Session(server, database).run(command, shown).endswith(shown)


def test_the_readme_creates_starts_and_reads_a_pipeline(server: Server, database: str) -> None:
    [creating, starting, reading] = next(each for each in sessions(ROOT / "README.md") if len(each) == 3)
    session = Session(server, database)
    for command, shown in (creating, starting):
        assert session.run(command, shown) == shown
    end = time.monotonic() + 60
    while '"RUNNING"' in (printed := session.run(*reading)) and time.monotonic() < end:
        time.sleep(0.2)
    assert printed == reading[1]


def test_the_readme_shows_every_problem_of_wrong_input(server: Server, database: str) -> None:
    [(command, shown)] = [each[0] for each in sessions(ROOT / "README.md") if "data_fitt" in each[0][0]]
    assert Session(server, database).run(command, shown) == shown, command


def test_a_subscription_sends_the_event_that_the_page_shows(database: str, tmp_path: Path) -> None:
    [(command, shown)] = session_of("docs/api.md", "curl -sN")
    fake = {"VOLTGRAPH_EXECUTOR": "app.execution.fake:FakeExecutor", "VOLTGRAPH_WORKERS": "1"}
    with serving(database, **fake) as server:
        id = _create(server, "Cell 7")
        events = tmp_path / "events"
        stream = command.replace("curl -sN", "curl -sN --max-time 30").replace(
            SHOWN_ADDRESS, server.url.removeprefix("http://")
        )
        with subprocess.Popen(["bash", "-c", f"{stream} > {events}"], start_new_session=True) as process:
            _until(lambda: events.exists() and ":" in events.read_text())
            _send(server, "mutation ($id: ID!) { startPipeline(id: $id) { userErrors { code } } }", id=id)
            _until(lambda: events.read_text().count("\ndata: {") >= 1)
            os.killpg(process.pid, 15)
        printed = "\n".join(line for line in events.read_text().split("\n") if line and not line.startswith(":"))
        assert printed.replace(id, ID.findall(shown)[0]).startswith(shown)


def test_a_key_is_made_and_taken_within_seconds(server: Server, database: str) -> None:
    session = Session(server, database)
    [creating, asking] = session_of("docs/operating.md", ".venv/bin/voltgraph keys create")
    assert session.run(*creating) == creating[1]
    _until(lambda: session.run(*asking) == asking[1])


def test_no_page_is_long() -> None:
    for page in PAGES:
        assert len(page.read_text().split()) <= MAX_WORDS, page.name


def test_commands_and_options_of_the_pages_exist() -> None:
    group: Any = get_command(cli)
    found = 0
    for page in PAGES:
        for name, rest in re.findall(r"(?<![\w/.@])(?:\S*bin/)?voltgraph ([a-z]+)((?: [^`\n]*)?)", _code(page)):
            if name not in COMMANDS:
                assert name in OTHER_WORDS, (page.name, name)
                continue
            command, words = group.get_command(None, name), rest.split()
            if hasattr(command, "commands") and words:
                assert words[0] in command.commands, (page.name, words[0])
                command = command.commands[words[0]]
            known = {option for parameter in command.params for option in parameter.opts}
            given = {word.partition("=")[0] for word in words if word.startswith("--")}
            assert given <= known, (page.name, name, given - known)
            found += 1
    assert found > 20


def _code(page: Path) -> str:
    """Return the code of a page: blocks of shell, and code within lines."""
    text = page.read_text()
    blocks = re.findall(r"^```(?:sh|console)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    without = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    return "\n".join([*(re.sub(r"\\\\\n\s*", "", block) for block in blocks), *re.findall(r"`([^`\n]+)`", without)])


def test_links_lead_somewhere() -> None:
    for page in [*PAGES, ROOT / "app" / "battery" / "BATTERY.md"]:
        for target in re.findall(r"\]\(([^)#:\s]+)(?:#[\w-]+)?\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_anchors_are_headings() -> None:
    for page in PAGES:
        for target, anchor in re.findall(r"\]\(([^)#:\s]*)#([\w-]+)\)", page.read_text()):
            text = (page.parent / target).read_text() if target else page.read_text()
            headings = {
                re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in re.findall(r"^#+ (.*)$", text, re.M)
            }
            assert anchor in headings, f"{page.name} links to {target}#{anchor}"


def _create(server: Server, name: str) -> str:
    input = {
        "projectId": "cells",
        "name": name,
        "elements": [{"name": "fit", "elementType": "DATA_FIT", "jobConfig": {"fake": {"seconds": 20}}}],
    }
    query = "mutation ($input: CreatePipelineInput!) { createPipeline(input: $input) { pipeline { id } } }"
    id: str = _send(server, query, input=input)["createPipeline"]["pipeline"]["id"]
    return id


def _send(server: Server, query: str, **variables: object) -> dict[str, dict[str, dict[str, str]]]:
    answer = httpx.post(f"{server.url}/graphql", json={"query": query, "variables": variables}, timeout=20).json()
    data: dict[str, dict[str, dict[str, str]]] = answer["data"]
    return data


def _until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.1)
