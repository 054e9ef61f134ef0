"""Official client as installed from PyPI, and helpers for its tests."""

from __future__ import annotations

from typing import Any

import pytest

MISSING = "the extra `clients` is not installed: `make test-clients` brings it"
ionworks = pytest.importorskip("ionworks", reason=MISSING)

ENTRY = {"element_type": "entry", "values": {"a": 1}}


def told(client: Any, *fakes: dict[str, Any], kind: str = "entry", **fields: Any) -> str:
    """Submit a pipeline whose elements, from `e0`, have instructions for the fake executor; return its id. The client's
    configuration schema does not know `fake`, so the pipeline is sent by the client's own POST."""
    elements = {
        f"e{number}": {"element_type": kind, "values": {f"v{number}": number}, "fake": fake}
        for number, fake in enumerate(fakes)
    }
    body = {"project_id": client.project_id, "elements": elements, **fields}
    return str(client.post("/pipelines", body)["id"])


def ended(client: Any, id: str, seconds: int = 30) -> Any:
    """Return the submission of a pipeline once it is terminal."""
    return client.pipeline.wait_for_completion(
        id, timeout=seconds, poll_interval=0.05, verbose=False, raise_on_failure=False
    )


def job_of(client: Any, id: str, name: str = "e0") -> str:
    """Return the job of an element."""
    [job] = [each["job_id"] for each in client.get(f"/pipelines/{id}/elements") if each["name"] == name]
    return str(job)
