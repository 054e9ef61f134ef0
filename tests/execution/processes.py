"""The processes of a running server."""

from pathlib import Path

from tests.servers import Server


def children(server: Server) -> set[str]:
    """The processes below a server's own that do a job: those that were forked from the one kept ready."""
    found = set()
    for zygote in below(server.process.pid):
        found |= set(below(int(zygote)))
    return found


def below(pid: int) -> list[str]:
    """The processes that another one started and that still live."""
    return [pid for task in Path(f"/proc/{pid}/task").glob("*/children") for pid in task.read_text().split()]
