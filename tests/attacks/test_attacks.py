"""Single malicious requests: none makes the server fail or delays other clients."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.attacks import documents, requests
from tests.attacks.attack import SMALL, Attack
from tests.attacks.conftest import Target
from tests.faults.waiting import told

SHORTLY, LONGER = 50.0, 500.0
"""Milliseconds for which one body may block the event loop: one of up to 1 MiB, and a longer one."""
TRIES = 3
"""Repetitions, because other work on this machine delays the server too, but not repeatedly."""
MOST_MEMORY = 1200 * 2**20


@pytest.mark.slow
@pytest.mark.parametrize(
    "attacks", [documents.documents, documents.bodies, requests.http, requests.gets, requests.rest]
)
async def test_requests_are_refused_and_hold_up_nobody(target: Target, attacks: Callable[[], Iterator[Attack]]) -> None:
    wrong, lines = [], []
    for attack in attacks():
        status, stall = await target.under(attack)
        allowed = SHORTLY if attack.size <= SMALL else LONGER
        for _ in range(TRIES - 1):
            if stall > allowed:
                stall = min(stall, (await target.under(attack))[1])
        lines.append(f"{attack.name:40} {attack.size:>11,} {status:>3} {stall:7.1f} ms")
        if stall > allowed or status not in attack.answers:
            wrong.append(lines[-1])
    told("\n".join([*lines, f"at most {target.memory / 2**20:.0f} MiB of memory"]))
    assert wrong == []
    assert target.memory < MOST_MEMORY
    assert (await target.http.get("/readyz")).status_code == 200
