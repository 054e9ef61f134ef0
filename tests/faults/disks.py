"""Failing disks under a running server, simulated by failing system calls."""

from __future__ import annotations

import errno
import os
import resource
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.servers import Server, serving

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Disk:
    """Server whose disk fails within the context `failing`."""

    server: Server
    database: str
    failing: Callable[[], AbstractContextManager[None]]


Make = Callable[[str, Path, dict[str, str]], AbstractContextManager[Disk]]
"""Copy a database file to a disk and serve it with some settings; other files of the server are in another folder."""


@contextmanager
def limited(database: str, folder: Path, settings: dict[str, str]) -> Iterator[Disk]:
    """Limit the length of files to one page."""

    @contextmanager
    def failing() -> Iterator[None]:
        before = resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (4096, before[1]))
        yield
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, before)

    with serving(database, **settings) as server:
        yield Disk(server, database, failing)


@contextmanager
def full(database: str, folder: Path, settings: dict[str, str]) -> Iterator[Disk]:
    """File system of its own that is full within the context `failing`."""
    there, filling = folder / "disk", folder / "disk" / "filling"
    there.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=48m", "none", there], capture_output=True).returncode:
        pytest.skip("file systems cannot be mounted here")

    @contextmanager
    def failing() -> Iterator[None]:
        with filling.open("wb", buffering=0) as file, suppress(OSError):
            while True:
                file.write(bytes(4096))
        yield
        filling.unlink()

    try:
        shutil.copy(database.removeprefix("sqlite:///"), there / "test.db")
        with serving(f"sqlite:///{there}/test.db", **settings) as server:
            yield Disk(server, f"sqlite:///{there}/test.db", failing)
    finally:
        subprocess.run(["umount", "--lazy", there], check=True)


def refusing(number: int, suffix: str = "") -> Make:
    """Disk on which writes and syncs of files whose names continue with `suffix` fail."""

    @contextmanager
    def make(database: str, folder: Path, settings: dict[str, str]) -> Iterator[Disk]:
        flag = folder / "flag"

        @contextmanager
        def failing() -> Iterator[None]:
            (folder / "new").write_text(str(number))
            (folder / "new").rename(flag)
            yield
            flag.unlink()

        file = Path(database.removeprefix("sqlite:///")).resolve()
        preloaded = {"LD_PRELOAD": _library(folder), "FAULT_FLAG": str(flag), "FAULT_PREFIX": f"{file}{suffix}"}
        with serving(database, **settings, **preloaded) as server:
            yield Disk(server, database, failing)

    return make


def _library(folder: Path) -> str:
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        pytest.skip("there is no C compiler")
    library = folder / "failing.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", library, HERE / "failing.c", "-ldl"], check=True)
    return os.fspath(library)


FAULTS: dict[str, Make] = {
    "file-size": limited,
    "full": full,
    "EIO": refusing(errno.EIO),
    "ENOSPC": refusing(errno.ENOSPC),
}
