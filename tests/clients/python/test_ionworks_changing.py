"""Changing, cancelling and deleting pipelines with the official client."""

from __future__ import annotations

from typing import Any

import pytest

from tests.clients.python.official import ended, ionworks, told


def test_new_texts(client: Any) -> None:
    id = told(client, {}, name="old", description="kept")
    changed = client.pipeline.update(id, name="new")
    assert (changed.name, changed.description) == ("new", "kept")
    assert client.pipeline.update(id, description="too").description == "too"
    assert client.pipeline.get(id).name == "new"


def test_a_change_of_nothing_is_not_sent(client: Any) -> None:
    with pytest.raises(ValueError, match="At least one"):
        client.pipeline.update(told(client, {}))


def test_a_running_one_is_canceled(client: Any) -> None:
    id = told(client, {"seconds": 60}, {})
    canceled = client.pipeline.cancel(id)
    assert (canceled.status, canceled.is_terminal, canceled.is_failed) == ("canceled", True, True)
    statuses = [each["status"] for each in client.get(f"/pipelines/{id}/elements")]
    assert statuses == ["canceled", "canceled"]
    with pytest.raises(ionworks.IonworksError, match=f"Pipeline {id} canceled"):
        client.pipeline.wait_for_completion(id, verbose=False)


def test_to_cancel_what_has_ended_changes_nothing(client: Any) -> None:
    id = told(client, {})
    done = ended(client, id)
    assert client.pipeline.cancel(id) == done


def test_a_deleted_one_is_gone(client: Any) -> None:
    id = told(client, {})
    ended(client, id)
    assert client.pipeline.delete(id) is None
    with pytest.raises(ionworks.IonworksError, match=r"The pipeline does not exist\.") as raised:
        client.pipeline.get(id)
    assert raised.value.status_code == 404


def test_a_running_one_is_not_deleted(client: Any) -> None:
    id = told(client, {"seconds": 60})
    with pytest.raises(ionworks.IonworksError) as raised:
        client.pipeline.delete(id)
    assert (raised.value.status_code, raised.value.error_code) == (409, "INVALID_STATE")
    client.pipeline.cancel(id)
    client.pipeline.delete(id)
