"""Commands `python -m app list`, `start`, `cancel` and `rerun`."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.auth.keys import open_keys
from app.database.connect import database_url as parsed
from tests.api import ROOT, Api, operation
from tests.execution.conftest import FAKE
from tests.servers import Server, serving

ID = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(f"sqlite:///{tmp_path_factory.mktemp('listed')}/listed.db", **FAKE) as server:
        yield server


def app(*arguments: str, server: Server | str, key: str = "") -> tuple[int, str, str]:
    url = server if isinstance(server, str) else server.url
    environment = os.environ | {"COLUMNS": "100", "VOLTGRAPH_KEY": key}
    line = [sys.executable, "-W", "error", "-m", "app", *arguments, "--server", url]
    ran = subprocess.run(line, capture_output=True, text=True, cwd=ROOT, env=environment, timeout=120, check=False)
    return ran.returncode, ran.stdout, ran.stderr


def send(server: Server, name: str, **variables: Any) -> Any:
    body = {"query": operation(name), "variables": variables}
    [payload] = httpx.post(f"{server.url}/graphql", json=body, timeout=30).json()["data"].values()
    return payload


def create(server: Server, *configs: dict[str, Any], **fields: Any) -> str:
    elements = {f"e{n}": {"element_type": "data_fit", **config} for n, config in enumerate(configs or ({},))}
    input = {"projectId": "p", "elementsByName": elements, **fields}
    id: str = send(server, "CreatePipeline", input=input)["pipeline"]["id"]
    return id


def test_the_list_is_filtered(served: Server) -> None:
    ids = [create(served, projectId="listed", name=name) for name in ("Fit \x1b[31m[1]", "fit [bold]2", "other")]
    send(served, "CancelPipeline", id=ids[1])
    code, out, _ = app("list", "--project", "listed", server=served)
    assert code == 0
    assert ID.findall(out) == ids[::-1]
    assert "Fit \\x1b[31m[1]" in out
    assert "fit [bold]2" in out
    code, out, _ = app("list", "--project", "listed", "--name", "FIT", "--status", "Canceled", "--json", server=served)
    assert (code, [each["id"] for each in json.loads(out)]) == (0, [ids[1]])
    code, out, err = app("list", "--project", "listed", "--limit", "2", server=served)
    assert (code, ID.findall(out), err) == (0, ids[:0:-1], "2 of 3; --limit takes more.\n")
    code, _, err = app("list", "--status", "done", server=served)
    assert code == 2
    assert "'done' is not one of" in err


def test_a_wrong_id_is_refused_alone(served: Server) -> None:
    first, second = create(served, {"fake": {"seconds": 600}}), create(served)
    code, out, err = app("start", first, "none", second, first, server=served)
    assert (code, out.split()) == (1, [first, "running", second, "running"])
    assert err == "none id: The pipeline does not exist.\n"
    code, out, err = app("cancel", first, server=served)
    assert (code, out.split(), err) == (0, [first, "canceled"], "")


def test_a_rerun_with_the_mended_file_repeats_nothing(served: Server, tmp_path: Path) -> None:
    configs: list[dict[str, Any]] = [{"values": {"a": 1}}, {"fake": {"fail": "MODEL_ERROR"}}]
    id = create(served, *configs, name="fit")
    assert app("start", id, server=served)[0] == 0
    while not send(served, "PipelineProgress", id=id)["isTerminal"]:
        pass
    file = tmp_path / "mended.json"
    mended = {"e0": {"element_type": "data_fit", **configs[0]}, "e1": {"element_type": "data_fit", "values": {"b": 2}}}
    file.write_text(json.dumps({"project_id": "p", "elements": mended}))
    code, out, err = app("rerun", id, "--set", str(file), "--watch", server=served)
    assert code == 0, err
    assert "fit (rerun)" in err
    assert "1 of 2 elements taken over" in err
    assert re.search(r"e1 +│ COMPLETED │ b +│ 2", out)
    code, out, _ = app("rerun", id, "--from", "e0", "--name", "again", "--no-start", server=served)
    assert (code, out.split()[1:]) == (0, ["pending"])
    assert app("rerun", id, "--watch", server=served)[0] == 1  # it fails again
    file.write_text(json.dumps({"e3": {}}))
    code, _, err = app("rerun", id, "--set", str(file), "--from", "e9", server=served)
    assert code == 2
    assert "No element of the pipeline is named 'e3'. Its elements are 'e0', 'e1'." in err
    assert "input.from: No element of the pipeline is named 'e9'." in err


@pytest.mark.parametrize(("content", "said"), [("[1]", "must hold an object"), ("{", "JSON"), ('"x"', "must hold")])
def test_a_file_without_configurations_is_refused(tmp_path: Path, content: str, said: str) -> None:
    file = tmp_path / "wrong.json"
    file.write_text(content)
    code, _, err = app("rerun", "id", "--set", str(file), server="http://127.0.0.1:9")
    assert code == 2
    assert said in err
    assert "Traceback" not in err


@pytest.mark.parametrize("arguments", [("list",), ("start", "id"), ("cancel", "id"), ("rerun", "id")])
def test_without_a_server_it_says_so(arguments: tuple[str, ...]) -> None:
    code, _, err = app(*arguments, server="http://127.0.0.1:9")
    assert (code, err) == (3, "Server http://127.0.0.1:9 does not answer: is it started, and is its port right?\n")


async def test_a_key_limits_what_it_does(sqlite_url: str) -> None:
    async with open_keys(parsed(sqlite_url)) as keys:
        reading = await keys.create("o", read_only=True)
        writing = await keys.create("o")
    with serving(sqlite_url) as server:
        async with httpx.AsyncClient(base_url=server.url, headers={"x-api-key": writing}) as http:
            id = (await Api(http).create())["id"]
        assert app("list", server=server)[0] == 2
        assert app("list", server=server, key=reading)[0] == 0
        code, _, err = app("start", id, server=server, key=reading)
        assert (code, "for reading only" in err) == (1, True)
        assert app("start", id, server=server, key=writing)[:2] == (0, f"{id} running\n")


def test_commands_that_need_no_server_import_none() -> None:
    names = ["list", "start", "cancel", "rerun", "logs", "export", "upload", "keys", "backup", "prune"]
    load = "import sys; from app.cli.commands import Commands; "
    load += "[Commands().get_command(None, name) for name in sys.argv[1:]]"
    found = "print({'strawberry', 'fastapi', 'uvicorn'} & {*sys.modules})"
    printed = subprocess.check_output([sys.executable, "-c", f"{load}; {found}", *names], cwd=ROOT, text=True)
    assert printed.strip() == "set()"
