"""Benchmark of Voltgraph, beside other servers and alone: `make bench` writes RESULTS.md."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from tests.bench import compare, documents, draining, growth, memory, mutations, subscribers
from tests.bench.load import require_wrk
from tests.bench.report import Options, write
from tests.bench.works import WORKS

Section = tuple[str, Callable[[Options, Path], str]]

SECTIONS: dict[str, Section] = {
    "sqlite": ("Beside other servers, on SQLite", compare.on_sqlite),
    "postgres": ("Beside another server, on PostgreSQL", compare.on_postgres),
    "mutations": ("Mutations of existing pipelines", mutations.single),
    "many": ("Mutations of a hundred pipelines at once", mutations.many),
    "queue": ("A queue that drains", draining.queue),
    "subscribers": (f"{subscribers.NUMBER:,} equal subscribers", subscribers.crowd),
    "growth": ("As the tables grow", growth.tables),
    "pages": ("As pages grow", growth.pages),
    "unselected": ("Large configurations that nobody selects", memory.unselected),
    "memory": ("Memory", memory.resident),
    "documents": ("A document's first time", documents.first_time),
}


def main(
    sections: Annotated[list[str] | None, typer.Argument(help="Sections to run; default: all.")] = None,
    rounds: Annotated[int, typer.Option(help="Rounds of each comparison.")] = 5,
    seconds: Annotated[int, typer.Option(help="Seconds of load on each server in each round.")] = 3,
    work: Annotated[
        list[str] | None, typer.Option(help="Work to compare: one, list, create or update; default: all.")
    ] = None,
    small: Annotated[bool, typer.Option(help="Compare growth over 50,000 pipelines, not 1,000,000.")] = False,
) -> None:
    """Measure, print, and write RESULTS.md."""
    require_wrk()
    options = Options(rounds, seconds, work or list(WORKS), small)
    for name in sections or SECTIONS:
        title, measure = SECTIONS[name]
        folder = Path(tempfile.mkdtemp(prefix="voltgraph-bench-"))
        try:
            text = measure(options, folder)
        finally:
            shutil.rmtree(folder)
        typer.echo(f"\n{title}\n\n{text}")
        write(name, title, text)


if __name__ == "__main__":
    typer.run(main)
