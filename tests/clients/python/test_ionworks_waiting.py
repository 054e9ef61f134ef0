"""Waiting for pipelines with the official client."""

from __future__ import annotations

from typing import Any

import pytest

from tests.clients.python.official import ended, ionworks, told


def test_to_completion(client: Any, capsys: pytest.CaptureFixture[str]) -> None:
    id = told(client, {"seconds": 0.3})
    done = client.pipeline.wait_for_completion(id, timeout=20, poll_interval=0.1)
    assert (done.status, done.is_terminal, done.is_failed) == ("completed", True, False)
    assert "Pipeline finished with status: completed" in capsys.readouterr().out


def test_a_failure_is_raised_with_our_message(client: Any) -> None:
    id = told(client, {"fail": "MODEL_ERROR", "message": "The cell has no anode."})
    with pytest.raises(ionworks.IonworksError, match=r"The cell has no anode\."):
        client.pipeline.wait_for_completion(id, timeout=20, poll_interval=0.05, verbose=False)


def test_a_failure_is_answered_to_who_asks_for_it(client: Any) -> None:
    done = ended(client, told(client, {"refuse": "It cannot be."}))
    assert (done.status, done.is_failed) == ("failed", True)
    assert "It cannot be." in done.error


def test_one_that_takes_too_long(client: Any) -> None:
    id = told(client, {"seconds": 60})
    with pytest.raises(TimeoutError, match=r"did not complete within 0 seconds"):
        client.pipeline.wait_for_completion(id, timeout=0, verbose=False)
    assert client.pipeline.cancel(id).is_terminal
