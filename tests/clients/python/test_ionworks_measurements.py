"""Measurements by the official client and its data loader, unmodified."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.clients.python.conftest import FAKE, Connect
from tests.clients.python.official import MISSING
from tests.servers import Server, serving

ROWS, HALF = 20_000, 10_000


@pytest.fixture(scope="module")
def reading(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Server that reads uploads by the client's own libraries."""
    pytest.importorskip("ionworksdata", reason=MISSING)
    folder = tmp_path_factory.mktemp("reading")
    ingest = "tests.clients.python.polars_ingest:ingest"
    executor = "tests.clients.python.polars_ingest:FakeExecutor"
    with serving(
        f"sqlite:///{folder}/runs.db", **FAKE | {"VOLTGRAPH_INGEST": ingest, "VOLTGRAPH_EXECUTOR": executor}
    ) as server:
        yield server


def _discharge_and_charge() -> Any:
    import numpy
    import pandas

    time = numpy.arange(ROWS) * 1.0
    first = time < HALF
    return pandas.DataFrame(
        {
            "Time [s]": time,
            "Current [A]": numpy.where(first, 1.0, -1.0),
            "Voltage [V]": numpy.where(first, 4.1 - time * 1e-4, 3.1 + (time - HALF) * 1e-4),
            "Step count": (~first).astype(int),
            "Cycle count": numpy.zeros(ROWS, int),
        }
    )


def test_a_measurement_is_created_read_and_deleted(
    reading: Server, connect: Connect, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import ionworksdata

    client = connect(reading)
    monkeypatch.setenv("HOME", str(tmp_path))  # of the client's cache
    monkeypatch.setenv("IONWORKS_API_URL", reading.url)
    monkeypatch.setenv("IONWORKS_API_KEY", "any")
    specification = client.cell_spec.create_or_get({"name": "NMC", "form_factor": "R2032"})
    assert client.cell_spec.create_or_get({"name": "NMC"}).id == specification.id
    cell = client.cell_instance.create_or_get(specification.id, {"name": "NMC-001"})
    frame = _discharge_and_charge()
    detail = {"measurement": {"name": "1C", "protocol": {"name": "1C"}, "tags": ["hppc"]}, "time_series": frame}
    made = client.cell_measurement.create(cell.id, detail)
    assert client.cell_measurement.create_or_get(cell.id, detail).id == made.id
    assert [each.id for each in client.cell_measurement.list(cell.id, tags_all=["HPPC"])] == [made.id]
    assert client.resolve_measurement("NMC", "NMC-001", "1C").id == made.id
    assert client.measurement.get(made.id).id == made.id
    read = client.cell_measurement
    assert read.time_series(made.id, use_cache=False).shape == (ROWS, 5)
    part = read.time_series(made.id, use_cache=False, row_range=(100, 200))
    assert list(part["Time [s]"]) == [float(second) for second in range(100, 200)]
    assert len(read.steps(made.id, use_cache=False)) == 2
    whole = read.detail(made.id, use_cache=False)
    assert [len(whole.steps), len(whole.cycles), len(whole.time_series)] == [2, 1, ROWS]
    options = {"first_step": 0, "last_step": 0}
    loader = ionworksdata.DataLoader.from_db(made.id, options=options, use_cache=False)
    assert len(loader.data) == HALF
    assert loader.to_config() == {"data": f"db:{made.id}", "options": options}
    assert read.update(made.id, {"notes": "x"}).notes == "x"
    read.delete(made.id)
    assert list(read.list(cell.id)) == []
