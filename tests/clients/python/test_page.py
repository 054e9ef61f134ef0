"""Python snippets of docs/clients.md: they run unchanged against a listening server."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from tests.api import ROOT
from tests.clients.python.official import MISSING
from tests.servers import Server

pytest.importorskip("gql", reason=MISSING)

HERE = "127.0.0.1:8000"
SNIPPETS = re.findall(r"^```python\n(.*?)^```$", (ROOT / "docs" / "clients.md").read_text(), re.MULTILINE | re.DOTALL)


def printed(snippet: str, server: Server) -> str:
    assert HERE in snippet
    code = snippet.replace(HERE, server.url.removeprefix("http://"))
    ran = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def expected(snippet: str) -> str:
    """Return the output that the comment at the end of a snippet announces."""
    return snippet.rstrip().rpartition("# ")[2] + "\n"


def test_each_prints_what_it_says(battery: Server) -> None:
    official, graphql = SNIPPETS
    assert printed(official, battery) == expected(official)
    assert printed(graphql, battery) == expected(graphql)
