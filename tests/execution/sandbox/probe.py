"""Executor that tries what its configuration names, as hostile code in a job's process would."""

from __future__ import annotations

import ctypes
import errno
import mmap
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from app.execution.executor import Fault, Job, Outcome, Progress, Values
from app.execution.sandbox.kernel import MACHINE, prctl, syscall
from app.execution.sandbox.syscalls import ARCHITECTURES, REFUSED

DONE = "done"
MEBIBYTE = 1 << 20


class ProbeExecutor:
    """Executor that reports the outcome of each attempt: `done`, or the name of its error."""

    def check(self, jobs: Sequence[Job]) -> list[list[Fault]]:
        return [[] for _ in jobs]

    def run(self, job: Job, inputs: Values, report: Callable[[Progress], None]) -> Outcome:
        if (bomb := job.config.get("bomb")) is not None:
            BOMBS[bomb]()
        found = {name: attempt(name, given) for name, given in job.config.get("attempts", {}).items()}
        return Outcome({"type": "ProbeResult", "found": found, "folder": os.getcwd(), "pid": os.getpid()})


def attempt(name: str, given: list[Any]) -> str:
    """Return `done` with what was found, or the error of an attempt."""
    try:
        found = ATTEMPTS[name.partition(" ")[0]](*given)
    except OSError as error:
        return errno.errorcode.get(error.errno or 0, str(error))
    except RuntimeError as error:
        return str(error)
    return DONE if found is None else f"{DONE}: {found}"


def _call(name: str, *arguments: Any) -> None:
    number = REFUSED[name][ARCHITECTURES[MACHINE][1]]
    if number is None:
        raise OSError(errno.ENOSYS, "absent on this machine")
    syscall(number, *arguments)


def _write(path: str) -> None:
    with open(path, "ab") as file:
        file.write(b"x")


def _connect(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), 2):
        pass


def _connect_unix(path: str) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        made.connect(path)


def _fork() -> None:
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            time.sleep(600)
        os._exit(0)


def _read_memory(pid: int) -> None:
    with open(f"/proc/{pid}/mem", "rb") as file:
        file.seek(0x400000)
        file.read(1)


def _thread() -> None:
    threading.Thread(target=time.sleep, args=(0,)).start()


def _descriptors() -> str:
    found = []
    for each in range(3, 256):
        try:
            os.fstat(each)
        except OSError:
            continue
        found.append(each)
    return str(len(found))


def _temporary(path: str) -> None:
    os.close(os.open(path, os.O_TMPFILE | os.O_RDWR))


ATTEMPTS: dict[str, Callable[..., Any]] = {
    "read": lambda path: len(Path(path).read_bytes()),
    "list": lambda path: len(os.listdir(path)),
    "write": _write,
    "make": lambda path: os.mkdir(path),
    "unlink": lambda path: os.unlink(path),
    "rename": lambda path: os.rename(path, path + ".moved"),
    "chmod": lambda path: os.chmod(path, 0o777),
    "link": lambda path: os.link(path, "linked"),
    "symlink": lambda path: os.symlink(path, "linked"),
    "utime": lambda path: os.utime(path),
    "truncate": lambda path: os.truncate(path, 0),
    "unnamed": _temporary,
    "environ": lambda: sorted(name for name in os.environ if "VOLTGRAPH" in name or "KEY" in name),
    "connect": _connect,
    "unix": _connect_unix,
    "udp": lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).close(),
    "fork": _fork,
    "exec": lambda: subprocess.run(["/bin/true"], check=True).returncode,
    "execve": lambda: os.execv("/bin/true", ["true"]),
    "thread": _thread,
    "signal": lambda pid: os.kill(pid, 0),
    "priority": lambda pid: os.setpriority(os.PRIO_PROCESS, pid, 19),
    "memory": _read_memory,
    "peek": lambda pid: _call("process_vm_readv", pid, None, 0, None, 0, 0),
    "trace": lambda pid: _call("ptrace", 16, pid, None, None),
    "prlimit": lambda pid: __import__("resource").prlimit(pid, 7),
    "orphan": lambda: prctl(1, 0),
    "session": lambda: os.setsid(),
    "descriptors": _descriptors,
    "call": lambda name: _call(name, 0, 0, 0, 0, 0),
}


def _allocate() -> None:
    kept = []
    while True:
        kept.append(bytearray(8 * MEBIBYTE))


def _map() -> None:
    kept = []
    while True:
        try:
            kept.append(mmap.mmap(-1, 64 * MEBIBYTE))
        except OSError as error:
            raise MemoryError from error
        kept[-1][0] = 1


def _abort_without_memory() -> None:
    """End as C++ does when an allocation fails and nothing catches that."""
    os.write(2, b"terminate called after throwing an instance of 'std::bad_alloc'\n  what():  std::bad_alloc\n")
    os.abort()


def _spin() -> None:
    signal.signal(signal.SIGXCPU, signal.SIG_IGN)
    while True:
        pass


def _fork_bomb() -> None:
    while True:
        os.fork()


def _fill_file() -> None:
    with open("big", "wb") as file:
        while True:
            file.write(bytes(MEBIBYTE))


def _fill_folder() -> None:
    for number in range(1 << 20):
        with open(f"part-{number}", "wb") as file:
            file.write(bytes(MEBIBYTE))
            file.flush()
        time.sleep(0.001)


def _open_files() -> None:
    kept = []
    while True:
        kept.append(os.open("/dev/null", os.O_RDONLY))


def _print() -> None:
    sys.stdout.write("token vg_0123456789ab_" + "A" * 43 + "\n")
    sys.stderr.write("postgresql://me:hunter2@db/x\n")
    warnings.warn("this is odd", stacklevel=1)
    time.sleep(0.5)  # the three pipes are read in any order, and the next lines fill the log
    for number in range(100_000):
        sys.stdout.write(f"line {number}\n")


def _crash() -> None:
    ctypes.string_at(0)


def _talk() -> None:
    sys.stdout.write("first\n")
    time.sleep(3)
    sys.stdout.write("last\n")


BOMBS: dict[str, Callable[[], None]] = {
    "allocate": _allocate,
    "map": _map,
    "abort": _abort_without_memory,
    "spin": _spin,
    "fork": _fork_bomb,
    "file": _fill_file,
    "folder": _fill_folder,
    "open": _open_files,
    "print": _print,
    "talk": _talk,
    "crash": _crash,
}
