"""PostgreSQL of the system, in the oldest version that pages name, as its own user runs it."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.server.test_nginx import free_port
from tests.servers import stop

BIN = Path("/usr/lib/postgresql/15/bin")


@pytest.fixture(scope="module")
def postgres_15() -> Iterator[str]:
    """Start PostgreSQL 15; return the URL of an empty database in it."""
    if not BIN.is_dir() or os.geteuid() != 0:
        pytest.skip("PostgreSQL 15 is not installed, or cannot be started as another user")
    folder, port = Path(tempfile.mkdtemp(prefix="postgres-15-")), free_port()
    shutil.chown(folder, "postgres")
    as_postgres = ["runuser", "-u", "postgres", "--"]
    options = ["-A", "trust", "-U", "voltgraph", "-D", str(folder / "data")]
    subprocess.run([*as_postgres, str(BIN / "initdb"), *options], check=True, capture_output=True, cwd="/")
    serve = [str(BIN / "postgres"), "-D", str(folder / "data"), "-p", str(port), "-k", str(folder), "-c", "fsync=off"]
    with subprocess.Popen([*as_postgres, *serve], cwd="/", stderr=subprocess.DEVNULL) as process:
        try:
            ready = [str(BIN / "pg_isready"), "-h", "127.0.0.1", "-p", str(port)]
            end = time.monotonic() + 30
            while subprocess.run(ready, capture_output=True).returncode:
                assert time.monotonic() < end, "PostgreSQL 15 did not start"
                time.sleep(0.1)
            make = [str(BIN / "createdb"), "-h", "127.0.0.1", "-p", str(port), "-U", "voltgraph", "voltgraph"]
            subprocess.run(make, check=True)
            yield f"postgresql://voltgraph@127.0.0.1:{port}/voltgraph"
        finally:
            stop(process)
            shutil.rmtree(folder, ignore_errors=True)
