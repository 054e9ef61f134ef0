"""The processes of a running server."""

import asyncio
from pathlib import Path

from tests.servers import Server


def children(server: Server) -> set[str]:
    """Return the processes that run jobs: those forked from the server's fork server."""
    found = set()
    for zygote in below(server.process.pid):
        found |= set(below(int(zygote)))
    return found


async def only_child(server: Server) -> int:
    """Return the only process that runs a job. An element is RUNNING before its process exists, and the process of the
    previous job may still exist: the process must be the only one twice in a row."""
    before: set[str] = set()
    async with asyncio.timeout(20):
        while len(before) != 1 or before != children(server):
            before = children(server)
            await asyncio.sleep(0.05)
    return int(before.pop())


def below(pid: int) -> list[str]:
    """Return the living children of a process."""
    return [pid for task in Path(f"/proc/{pid}/task").glob("*/children") for pid in task.read_text().split()]
