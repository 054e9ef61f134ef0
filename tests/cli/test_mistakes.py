"""Ordinary mistakes: each answers with one to three lines that say what to do, and its exit code."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import make_url
from typer.testing import CliRunner

from app.cli.checks import doctor
from app.cli.commands import cli
from app.database.connect import database_url, exclusive
from app.database.migrations import migrate
from app.database.sqlite import driver
from tests.api import ROOT
from tests.servers import Postgres, stop

EXAMPLE = str(ROOT / "examples" / "capacity.json")


@dataclass(frozen=True, slots=True)
class Said:
    code: int
    out: str
    err: str


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith(("VOLTGRAPH_", "OTEL_")):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def said(*arguments: str, **variables: str) -> Said:
    """Return what a command answers. It raises nothing but its exit."""
    result = CliRunner().invoke(cli, arguments, env=variables | {"COLUMNS": "100"})
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return Said(result.exit_code, result.stdout, result.stderr)


def assert_short(answer: Said, code: int, *words: str) -> None:
    """Check that an answer has one to three lines, of at most 400 characters, that hold the words."""
    lines = answer.err.strip().split("\n")
    assert answer.code == code, answer
    assert 1 <= len(lines) <= 3, answer.err
    assert max(map(len, lines)) <= 400
    for word in words:
        assert word in answer.err, (word, answer.err)


@contextmanager
def busy_port() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def closed_port() -> int:
    with busy_port() as port:
        return port


COMMANDS = [["serve", "--port", "0"], ["run", EXAMPLE], ["migrate"], ["keys", "create"], ["keys", "list"]]
WITH_SERVERS = [*COMMANDS, ["worker"]]


@pytest.mark.parametrize("command", [*WITH_SERVERS, ["backup", "copy.db"]], ids=" ".join)
@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("mysql://u@h/d", ["Database URL", "sqlite:///", "postgresql://", "mysql"]),
        ("postgres://u:p@ss/w#rd@h/d", ["%40", "postgresql://USER:PASSWORD@HOST"]),
        ("postgresql://u:s3cret:x@h:54x/d", ["%40", "It is no URL"]),
        ("nonsense", ["It is no URL"]),
        ("sqlite://", ["sqlite:///FILE"]),
    ],
)
def test_a_wrong_database_url(command: list[str], url: str, words: list[str]) -> None:
    answer = said(*command, "--database-url", url)
    assert_short(answer, 2, *words)
    assert "s3cret" not in answer.err
    assert answer == said(*command, VOLTGRAPH_DATABASE_URL=url)


@pytest.mark.parametrize("command", WITH_SERVERS, ids=" ".join)
def test_postgresql_that_is_down(command: list[str]) -> None:
    answer = said(*command, "--database-url", f"postgresql://u:s3cret@127.0.0.1:{closed_port()}/d")
    assert_short(answer, 3, "PostgreSQL at 127.0.0.1:", "does not answer", "Start it")
    assert "s3cret" not in answer.err


def test_an_unknown_host_of_postgresql() -> None:
    assert_short(said("migrate", "--database-url", "postgresql://u@nowhere.invalid/d"), 3, "unknown host", "%40")


def test_an_unknown_database_of_postgresql(postgres: Postgres) -> None:
    url = make_url(postgres.new_database()).set(database="absent").render_as_string(hide_password=False)
    assert_short(said("migrate", "--database-url", url), 3, "no database 'absent'", "createdb")


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_folder_that_is_missing_or_not_writable(command: list[str], tmp_path: Path) -> None:
    assert_short(said(*command, "--database-url", f"sqlite:///{tmp_path}/no/x.db"), 3, "does not exist", "Create it")
    assert_short(said(*command, "--database-url", "sqlite:////proc/x.db"), 3, "cannot be written", "--database-url")
    (tmp_path / "folder").mkdir()
    assert_short(said(*command, "--database-url", f"sqlite:///{tmp_path}/folder"), 3, "is a folder")


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_file_that_is_no_database(command: list[str], tmp_path: Path) -> None:
    file = tmp_path / "notes.db"
    file.write_text("These are notes, and no database.")
    assert_short(said(*command, "--database-url", f"sqlite:///{file}"), 3, "no SQLite database", "--database-url")
    assert file.read_text() == "These are notes, and no database."


def test_a_damaged_database(tmp_path: Path) -> None:
    file = tmp_path / "damaged.db"
    file.write_bytes(b"SQLite format 3\0" + b"x" * 8_000)
    assert_short(said("migrate", "--database-url", f"sqlite:///{file}"), 3, "cannot be read", "backup")


def test_damaged_keys(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/sound.db"
    assert said("migrate", "--database-url", url).code == 0
    (tmp_path / "sound.db.keys").write_bytes(b"SQLite format 3\0" + b"x" * 8_000)
    assert_short(said("keys", "list", "--database-url", url), 3, "sound.db.keys cannot be read", "backup")
    diagnosis = said("doctor", "--database-url", url)
    assert diagnosis.code == 3
    assert "backup" in diagnosis.out


@pytest.mark.parametrize("command", [["keys", "list"], ["doctor"]], ids=" ".join)
def test_a_file_that_a_server_writes(command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(driver, "BUSY_TIMEOUT", 20)
    file = tmp_path / "written.db"
    url = f"sqlite:///{file}"
    asyncio.run(migrate(database_url(url)))
    assert said("keys", "list", "--database-url", url).code == 0  # makes the file of keys
    with closing(driver.connect(str(file))) as writer:
        writer.execute("PRAGMA journal_mode=WAL; BEGIN IMMEDIATE; CREATE TABLE written (id)").fetchall()
        answer = said(*command, "--database-url", url)
        assert answer.code == 0, answer
        # From here on, no other process can read it.
        writer.execute("COMMIT; PRAGMA locking_mode=EXCLUSIVE; DROP TABLE written").fetchall()
        locked = said(*command, "--database-url", url)
    assert locked.code == 3, locked
    shown = " ".join(f"{locked.out} {locked.err}".replace("│", " ").split())
    assert "database is locked. Try again." in shown
    assert "backup" not in shown


@pytest.mark.parametrize("command", [["serve", "--port", "0"], ["run", EXAMPLE], ["migrate"]], ids=" ".join)
def test_a_file_that_a_server_uses(command: list[str], tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/used.db"
    with exclusive(database_url(url)):
        named = f"`voltgraph {command[0]}` another file"
        assert_short(said(*command, "--database-url", url), 3, f"in use by the process {os.getpid()}", named)


def test_a_file_that_another_server_takes_meanwhile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = f"sqlite:///{tmp_path}/used.db"
    monkeypatch.setattr("app.cli.serve.check_database", lambda _: None)
    with exclusive(database_url(url)):
        answer = said("serve", "--port", "0", "--database-url", url)
    assert_short(answer, 3, f"in use by the process {os.getpid()}", "`voltgraph serve` another file")
    assert "Traceback" not in answer.err


def test_servers_that_start_at_once_on_one_file(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "app", "serve", "--port", "0", "--database-url", f"sqlite:///{tmp_path}/one.db"]
    environment = os.environ | {"VOLTGRAPH_WORKERS": "0"}
    servers = [
        subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    try:
        ended = [each for each in servers if _ends(each)]
        assert len(ended) == len(servers) - 1
        for each in ended:
            assert_short(Said(each.wait(), "", each.stderr.read() if each.stderr else ""), 3, "In use", "another file")
    finally:
        for each in servers:
            stop(each)
            each.communicate()


def _ends(server: subprocess.Popen[str]) -> bool:
    """Return whether a server ends before it says where it serves."""
    assert server.stdout is not None
    return "http://" not in server.stdout.readline()


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_database_of_a_newer_version(command: list[str], tmp_path: Path) -> None:
    file = tmp_path / "newer.db"
    asyncio.run(migrate(database_url(f"sqlite:///{file}")))
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    assert_short(said(*command, "--database-url", f"sqlite:///{file}"), 3, "newer Voltgraph", "9999", "Install")


def test_a_port_in_use() -> None:
    with busy_port() as port:
        assert_short(said("serve", "--port", str(port)), 3, f"Port {port} of 127.0.0.1 is in use", "--port 0")
    assert_short(said("serve", "--host", "nowhere.invalid", "--port", "4999"), 3, "'nowhere.invalid'", "127.0.0.1")
    assert_short(said("serve", "--host", "192.0.2.1", "--port", "4999"), 3, "192.0.2.1", "address of this machine")


def test_a_port_that_is_taken_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("check_port", "check_listener"):
        monkeypatch.setattr(f"app.cli.serve.{name}", lambda *_: None)
    with busy_port() as port:
        assert said("serve", "--port", str(port)).code == 3
        answer = said("serve", "--port", "0", VOLTGRAPH_METRICS_PORT=str(port))
    assert_short(answer, 3, f"127.0.0.1, port {port}", "in use", "VOLTGRAPH_METRICS_PORT")


@pytest.fixture(params=["serve", "worker"])
def server(request: pytest.FixtureRequest, postgres: Postgres) -> list[str]:
    """Command that serves until it is stopped, unless something is wrong."""
    if request.param == "serve":
        return ["serve", "--port", "0"]
    return ["worker", "--database-url", postgres.new_database()]


def test_a_port_for_metrics_in_use(server: list[str]) -> None:
    with busy_port() as port:
        answer = said(*server, VOLTGRAPH_METRICS_PORT=str(port))
    assert_short(answer, 3, f"127.0.0.1, port {port}", "in use", "VOLTGRAPH_METRICS_PORT")
    answer = said(*server, VOLTGRAPH_METRICS_PORT=str(port), VOLTGRAPH_METRICS_HOST="192.0.2.1")
    assert_short(answer, 3, "192.0.2.1", "VOLTGRAPH_METRICS_PORT")


def test_one_port_for_metrics_and_the_api() -> None:
    port = str(closed_port())
    assert_short(said("serve", "--port", port, VOLTGRAPH_METRICS_PORT=port), 3, f"port {port}, the port of the API")


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"OTEL_TRACES_EXPORTER": "zipkin"}, ["OTEL_TRACES_EXPORTER may be", "zipkin"]),
        ({"OTEL_TRACES_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, ["grpc"]),
        ({"OTEL_TRACES_EXPORTER": "otlp", "OTEL_BSP_SCHEDULE_DELAY": "-1"}, ["OTEL_*", "schedule_delay"]),
    ],
)
def test_traces_that_cannot_be_sent(server: list[str], variables: dict[str, str], words: list[str]) -> None:
    assert_short(said(*server, **variables), 2, "Traces", *words)
    answer = said("doctor", **variables)
    assert answer.code == 3
    assert words[-1] in answer.out


def test_traces_without_the_extra(server: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.resources", None)
    assert_short(said(*server, OTEL_TRACES_EXPORTER="console"), 2, "Install the extra `telemetry`")


def test_a_worker_on_sqlite() -> None:
    answer = said("worker")
    assert answer.code == 2
    assert "`serve`" in answer.err


def test_an_address_of_graphql_is_an_address_of_a_server() -> None:
    port = closed_port()
    for address in (f"http://127.0.0.1:{port}/graphql", f"http://127.0.0.1:{port}/", f"http://127.0.0.1:{port}"):
        assert_short(said("run", EXAMPLE, "--server", address), 3, f"http://127.0.0.1:{port} does not answer")


@pytest.mark.parametrize("address", ["127.0.0.1:8000", "localhost", "ftp://a", "http://[::1"])
def test_an_address_that_is_no_url(address: str) -> None:
    assert_short(said("run", EXAMPLE, "--server", address), 2, "http://HOST:PORT")


@pytest.mark.parametrize(
    ("text", "words"),
    [("", ["JSON"]), ("{'a': 1}", ["JSON"]), ("[]", ["one JSON object"]), ('{"options": 1}', ["`options`"])],
)
def test_a_file_that_is_no_pipeline(text: str, words: list[str], tmp_path: Path) -> None:
    (tmp_path / "p.json").write_text(text)
    assert_short(said("run", "p.json"), 2, *words)


def test_a_folder_of_the_output_that_is_missing() -> None:
    answer = said("run", EXAMPLE, "--output", "no/results.json")
    assert answer.code == 2
    assert "--output does not exist" in answer.err


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("VOLTGRAPH_PROT", "did you mean VOLTGRAPH_PORT?"),
        ("VOLTGRAPH_DATABSE_URL", "did you mean VOLTGRAPH_DATABASE_URL?"),
        ("VOLTGRAPH_XYZ", "`voltgraph doctor`"),
    ],
)
def test_an_unknown_variable(name: str, words: str) -> None:
    answer = said("schema", **{name: "1"})
    assert answer.code == 0
    assert answer.err.count("\n") == 1
    assert f"{name} is no setting and has no effect: {words}" in answer.err
    assert said("schema", VOLTGRAPH_KEY="vg_1", VOLTGRAPH_WORKERS="1").err == ""


def test_every_wrong_value_of_a_variable() -> None:
    answer = said("doctor", VOLTGRAPH_PORT="x", VOLTGRAPH_WORKERS="-1")
    assert_short(answer, 2, "VOLTGRAPH_PORT", "VOLTGRAPH_WORKERS")


def test_a_key_is_told_with_its_database(tmp_path: Path) -> None:
    answer = said("keys", "create")
    assert answer.out.startswith("vg_")
    assert f"Key of sqlite:///voltgraph.db, in the folder {tmp_path}" in answer.err
    assert "does not exist yet" in answer.err
    url = f"sqlite:///{tmp_path}/real.db"
    assert said("migrate", "--database-url", url).code == 0
    answer = said("keys", "create", "--database-url", url)
    assert f"Key of {url}" in answer.err
    assert "does not exist" not in answer.err
    assert (tmp_path / "real.db.keys").exists()
    assert answer.out.strip()[:15] in said("keys", "list", "--database-url", url).out
    assert said("keys", "revoke", answer.out.strip()[:15], "--database-url", url).code == 0


def test_migrations_and_backups_tell_their_progress(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/x.db"
    first = said("migrate", "--database-url", url)
    assert "100%" in first.err
    again = said("migrate", "--database-url", url)
    assert "is up to date: 0 migrations" in " ".join(again.out.split())
    copied = said("backup", "copy.db", "--database-url", url)
    assert copied.code == 0
    assert f"copy.db is a copy of {tmp_path}/x.db" in copied.out
    assert said("backup", "no/copy.db", "--database-url", url).code == 2
    assert said("backup", "other.db").code == 2


def test_pruning_tells_its_progress(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/x.db"
    (tmp_path / "p.json").write_text(json.dumps({"elements": {"a": {"element_type": "entry", "values": {"v": 3}}}}))
    ran = said("run", "p.json", "--database-url", url, VOLTGRAPH_EXECUTOR="app.execution.fake:FakeExecutor")
    assert ran.code == 0, ran
    counted = said("prune", "--older-than", "0m", "--dry-run", "--database-url", url)
    assert (counted.code, counted.err) == (0, "")
    assert "Would delete: 1 pipelines" in counted.out
    first = said("prune", "--older-than", "0m", "--database-url", url)
    assert first.code == 0, first
    assert "Deleting" in first.err
    assert "100%" in first.err
    assert "Deleted: 1 pipelines" in first.out
    again = said("prune", "--older-than", "0m", "--database-url", url)
    assert (again.code, again.err) == (0, "")
    assert "Deleted: 0 pipelines" in again.out


def test_missing_battery_software_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.cli.checks.extras.find_spec", lambda name: None)
    answer = said("doctor")
    assert "pip install 'voltgraph[battery]'" in " ".join(answer.out.replace("│", " ").split())
    assert answer.code == 0
    assert "Battery" not in said("doctor", VOLTGRAPH_EXECUTOR="app.execution.fake:FakeExecutor").err


def test_doctor_finds_what_is_wrong(tmp_path: Path, database_url: str) -> None:
    answer = said("doctor", "--database-url", database_url)
    assert answer.code == 0, answer
    for title in doctor.CHECKS:
        assert title in answer.out
    assert ("PostgreSQL" in answer.out) == database_url.startswith("postgresql")
    (tmp_path / "open.db").touch(0o644)
    assert "chmod 600" in said("doctor", "--database-url", f"sqlite:///{tmp_path}/open.db").out
    with busy_port() as port:
        answer = said("doctor", "--database-url", "sqlite:////no/x.db", VOLTGRAPH_PORT=str(port), VOLTGRAPH_PROT="1")
    text = " ".join(answer.out.replace("│", " ").split())
    assert answer.code == 3
    for words in ("does not exist", "is in use", "VOLTGRAPH_PORT?"):
        assert words in text


def test_results_go_to_a_file_and_a_pipe(tmp_path: Path) -> None:
    fake = {"element_type": "data_fit", "fake": {}, "values": {"v": 3}}
    (tmp_path / "p.json").write_text(json.dumps({"elements": {"a": fake}}))
    answer = said("run", "p.json", "--json", "--output", "o.json", VOLTGRAPH_EXECUTOR="app.execution.fake:FakeExecutor")
    assert answer.code == 0, answer
    printed = json.loads(answer.out)
    assert printed == json.loads((tmp_path / "o.json").read_text())
    assert (printed["status"], printed["elements"][0]["parameterValues"]) == ("COMPLETED", {"v": 3})
