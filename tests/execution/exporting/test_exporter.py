"""BPX documents of a real server: written in a child process with limits."""

from __future__ import annotations

from typing import Any

import pytest

from app.errors import RequestError
from app.execution.reading.exporter import Exporter, _checked
from app.settings import Settings

pytest.importorskip("pybamm", reason="needs the extra `battery`")


async def test_a_child_process_writes_a_document() -> None:
    async with Exporter(Settings()) as exporter:
        charged: list[float] = []
        found = await exporter.bpx({"a [m]": 1.5, "text": "b"}, "Cell", charged.append)
        assert charged[0] == 0.0 < charged[1]
        assert found["document"]["Parameterisation"] == {"User-defined": {"a [m]": 1.5}}
        assert "text" in {each["name"] for each in found["omitted"]}


@pytest.mark.parametrize(
    "result", [None, {}, {"document": 3, "omitted": []}, {"document": {}, "omitted": [{"name": 1}]}]
)
def test_another_answer_is_not_trusted(result: Any) -> None:
    with pytest.raises(RequestError):
        _checked({"kind": "result", "result": result})
