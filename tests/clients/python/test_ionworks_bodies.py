"""Large bodies: the official client compresses those of 512 KiB and more."""

from __future__ import annotations

from typing import Any

import pytest

from tests.clients.python.conftest import FAKE, Connect
from tests.clients.python.official import ended, ionworks
from tests.servers import serving


def elements(samples: int) -> dict[str, Any]:
    values = {f"sample {number}": number / 7 for number in range(samples)}
    return {"elements": {"known": {"element_type": "entry", "values": values}}}


def packed(client: Any) -> list[str | None]:
    """Record how the client encodes the bodies that it sends."""
    encodings: list[str | None] = []
    client.session.hooks["response"].append(
        lambda answer, **_: encodings.append(answer.request.headers.get("Content-Encoding"))
    )
    return encodings


def test_a_packed_body_comes_back_equal(client: Any) -> None:
    given = elements(40_000)
    encodings = packed(client)
    made = client.pipeline.create(given)
    assert encodings == ["gzip"]
    [element] = client.get(f"/pipelines/{made.id}/elements")
    assert element["job_config"] == given["elements"]["known"]
    ended(client, made.id)
    assert client.pipeline.result(made.id).element("known").parameter_values == given["elements"]["known"]["values"]


def test_one_that_unpacks_to_too_much_is_refused(sqlite_url: str, connect: Connect) -> None:
    with serving(sqlite_url, VOLTGRAPH_MAX_UNPACKED_BYTES="1000000", **FAKE) as server:
        client = connect(server)
        with pytest.raises(ionworks.IonworksError, match="longer than 1,000,000 bytes") as raised:
            client.pipeline.create(elements(40_000))
        assert raised.value.status_code == 413
