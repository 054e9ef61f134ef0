"""The processes of a running server."""

import asyncio
from pathlib import Path

from tests.servers import Server


def children(server: Server) -> set[str]:
    """The processes below a server's own that do a job: those that were forked from the one kept ready."""
    found = set()
    for zygote in below(server.process.pid):
        found |= set(below(int(zygote)))
    return found


async def only_child(server: Server) -> int:
    """The one process that does a job. An element is at work before its process is there, and the process of the job
    before may not be gone: what is seen twice and alone is the one."""
    before: set[str] = set()
    async with asyncio.timeout(20):
        while len(before) != 1 or before != children(server):
            before = children(server)
            await asyncio.sleep(0.05)
    return int(before.pop())


def below(pid: int) -> list[str]:
    """The processes that another one started and that still live."""
    return [pid for task in Path(f"/proc/{pid}/task").glob("*/children") for pid in task.read_text().split()]
