"""Creating pipelines with the official client."""

from __future__ import annotations

from typing import Any

import ionworks_schema as iws
import pytest

from tests.clients.python.official import ENTRY, ended, ionworks
from tests.servers import Server

KNOWN = iws.direct_entries.DirectEntry(parameters={"Electrode area [m2]": 0.1027}, source="datasheet")


def test_a_pipeline_of_schema_objects(client: Any) -> None:
    pipeline = iws.Pipeline({"known": KNOWN, "Q": iws.calculations.ElectrodeCapacity(electrode="positive")})
    made = client.pipeline.create(pipeline, name="of objects", description="two elements")
    assert (made.name, made.description, made.is_failed) == ("of objects", "two elements", False)
    kept = {each["name"]: each["job_config"] for each in client.get(f"/pipelines/{made.id}/elements")}
    assert kept == pipeline.to_config()["elements"]


def test_a_pipeline_of_a_dictionary(client: Any) -> None:
    given = {"name": "of a dictionary", "elements": {"known": ENTRY}, "options": {"live_progress_updates": True}}
    made = client.pipeline.create(given)
    assert made.name == "of a dictionary"
    assert client.get(f"/pipelines/{made.id}")["options"] == {"live_progress_updates": True}


def test_one_whose_shape_is_wrong_is_not_sent(client: Any) -> None:
    with pytest.raises(ValueError, match="Invalid pipeline configuration"):
        client.pipeline.create({"elements": {"fit": {"element_type": "data_fit"}}})
    assert client.pipeline.list().total == 0


def test_addresses_come_from_the_environment(fake: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IONWORKS_API_URL", fake.url + "/")
    monkeypatch.setenv("IONWORKS_API_KEY", "any")
    monkeypatch.setenv("IONWORKS_PROJECT_ID", "of the environment")
    client = ionworks.Ionworks()
    made = client.pipeline.create(iws.Pipeline({"known": KNOWN}))
    assert ended(client, made.id).status == "completed"
    assert [each.id for each in client.pipeline.list()] == [made.id]
    client.session.close()
