"""GraphQL over HTTP: all audits of the npm package graphql-http pass, including SHOULD and MAY."""

from __future__ import annotations

import shutil
import subprocess

import orjson
import pytest

from tests.api import ROOT
from tests.servers import serving

NODE = ROOT / "tests" / "node"


@pytest.mark.skipif(shutil.which("node") is None, reason="no node: install it, then `npm ci --prefix tests/node`")
@pytest.mark.skipif(not (NODE / "node_modules").is_dir(), reason="no graphql-http: `npm ci --prefix tests/node`")
@pytest.mark.parametrize("plans", ["true", "false"], ids=["plans", "executor"])
def test_all_61_audits_pass(sqlite_url: str, plans: str) -> None:
    with serving(sqlite_url, VOLTGRAPH_PLANS=plans) as server:
        command = ["node", str(NODE / "audit.mjs"), f"{server.url}/graphql"]
        verdicts = orjson.loads(subprocess.run(command, capture_output=True, check=True, timeout=60).stdout)
    assert [verdict for verdict in verdicts if verdict["status"] != "ok"] == []
    assert len({verdict["id"] for verdict in verdicts}) == 61
