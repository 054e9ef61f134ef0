"""Adaptive polling: a worker with rare polls takes a submitted pipeline at once."""

import asyncio
import threading
from pathlib import Path
from time import monotonic

import httpx
import pytest

from app.execution import polling
from app.execution.polling import QueuePoller
from tests.execution.conftest import FAKE, Runs
from tests.servers import serving


async def test_what_is_started_begins_at_once_and_what_waited_for_it_right_after(tmp_path: Path) -> None:
    settings = FAKE | {"VOLTGRAPH_WORKERS": "1"}
    with serving(f"sqlite:///{tmp_path}/runs.db", "tests.execution.seldom", **settings) as server:
        async with httpx.AsyncClient(base_url=server.url, timeout=30) as http:
            runs = Runs(http)
            await asyncio.sleep(2 * polling.LASTING)
            for id in [await runs.start({"seconds": 1.2 * polling.LASTING}) for _ in range(3)]:
                assert (await runs.end(id, seconds=10))["status"] == "COMPLETED"


def waited(wait: QueuePoller) -> float:
    began = monotonic()
    assert not wait.wait(0.01)
    return monotonic() - began


def paced(monkeypatch: pytest.MonkeyPatch, **seconds: float) -> QueuePoller:
    """Polling with other constants."""
    for name, given in seconds.items():
        monkeypatch.setattr(polling, name, given)
    return QueuePoller(alone=True)


def test_looks_are_frequent_after_a_sign(monkeypatch: pytest.MonkeyPatch) -> None:
    wait = paced(monkeypatch, EAGER=0.01, LASTING=60, IDLE=60)
    wait.soon()
    for _ in range(3):
        assert waited(wait) < 20


def test_looks_are_seldom_a_while_later_and_a_sign_ends_the_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    wait = paced(monkeypatch, EAGER=0.01, LASTING=0, IDLE=0.5)
    wait.soon()
    assert waited(wait) < 0.5
    assert waited(wait) >= 0.5
    wait = paced(monkeypatch, IDLE=60)
    threading.Timer(0.1, wait.soon).start()
    assert 0.05 <= waited(wait) < 20


def test_signs_that_follow_on_each_other_are_one() -> None:
    wait = QueuePoller(alone=True)
    wait.soon()
    wait.wait(polling.EAGER)
    began = monotonic()
    threading.Timer(polling.EAGER / 2, wait.soon).start()
    wait.soon()
    assert not wait.wait(polling.EAGER)
    assert polling.EAGER * 0.9 <= monotonic() - began < 1.5


def test_the_end_waits_for_no_distance(monkeypatch: pytest.MonkeyPatch) -> None:
    wait = paced(monkeypatch, EAGER=60)
    wait.soon()
    wait.wait(60)
    wait.soon()
    threading.Timer(0.05, wait.set).start()
    began = monotonic()
    assert wait.wait(60)
    assert monotonic() - began < 20


def test_conflicts_with_other_workers_are_waited_for() -> None:
    wait = QueuePoller(alone=False)
    began = monotonic()
    wait.wait(0.5)
    assert monotonic() - began >= 0.5


def test_a_sign_given_before_a_wait_ends_it_and_the_end_ends_all() -> None:
    wait = QueuePoller(alone=True)
    wait.soon()
    assert not wait.wait(60)
    wait.set()
    wait.soon()
    assert wait.wait(60)
