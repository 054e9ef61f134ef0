"""Errors and identity, as the official client shows them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.clients.python.conftest import Connect
from tests.clients.python.official import ENTRY, ionworks, told
from tests.servers import Server

ONE = {"elements": {"known": ENTRY}}
Locked = tuple[Server, dict[str, str]]


def test_who_a_key_is(locked: Locked, connect: Connect) -> None:
    server, keys = locked
    me = connect(server, keys["ours"]).whoami()
    assert (me["id"], me["email"], me["authorized_organization"]["id"]) == ("ada", "ada@lab.example", "ours")


def test_the_health_of_the_server(client: Any) -> None:
    assert client.health_check() == {"status": "ok"}


def test_a_wrong_key_is_unauthenticated(locked: Locked, connect: Connect) -> None:
    with pytest.raises(ionworks.IonworksError, match="Send a valid API key") as raised:
        connect(locked[0], "vg_wrong").pipeline.list()
    assert (raised.value.status_code, raised.value.error_code) == (401, "UNAUTHENTICATED")


def test_a_token_is_a_key_too(locked: Locked, connect: Connect) -> None:
    server, keys = locked
    client = connect(server, None, token=keys["ours"], organization_id="ours")
    assert client.pipeline.list().total == 0


def test_another_organization_is_refused(locked: Locked, connect: Connect) -> None:
    server, keys = locked
    with pytest.raises(ionworks.IonworksError, match="not of the organization") as raised:
        connect(server, keys["ours"], organization_id="theirs").pipeline.list()
    assert raised.value.status_code == 403


def test_a_project_that_the_key_may_not_use(locked: Locked, connect: Connect) -> None:
    server, keys = locked
    client = connect(server, keys["narrowed"], project_id="cells")
    assert client.pipeline.create(ONE).id
    with pytest.raises(ValueError, match="Access denied: The project 'others'"):
        client.pipeline.create(ONE, project_id="others")
    with pytest.raises(ionworks.IonworksError, match="may not use this project") as raised:
        client.pipeline.list(project_id="others")
    assert raised.value.error_code == "FORBIDDEN"


def test_a_key_for_reading_changes_nothing(locked: Locked, connect: Connect) -> None:
    server, keys = locked
    id = told(connect(server, keys["ours"], project_id="read"), {})
    client = connect(server, keys["reading"], project_id="read")
    assert client.pipeline.get(id).id == id
    with pytest.raises(ionworks.IonworksError) as raised:
        client.pipeline.update(id, name="mine")
    assert (raised.value.status_code, raised.value.error_code) == (403, "FORBIDDEN")


def test_what_is_anothers_is_not_there(locked: Locked, connect: Connect) -> None:
    server, keys = locked
    id = told(connect(server, keys["ours"]), {})
    for ask in ("get", "result", "cancel", "delete"):
        with pytest.raises(ionworks.IonworksError, match=r"The pipeline does not exist\.") as raised:
            getattr(connect(server, keys["theirs"]).pipeline, ask)(id)
        assert (raised.value.status_code, raised.value.error_code) == (404, "NOT_FOUND")


def test_every_problem_with_its_place(client: Any) -> None:
    with pytest.raises(ionworks.IonworksError) as raised:
        client.post("/pipelines", {"name": 7, "elements": {"fit": {"element_type": "data_fitt"}, "known": 7}})
    assert raised.value.status_code == 422
    places = {tuple(fault["loc"]): fault["msg"] for fault in raised.value.message}
    assert places.keys() >= {
        ("body", "project_id"),
        ("body", "name"),
        ("body", "elements", "fit", "element_type"),
        ("body", "elements", "known"),
    }
    assert "'data_fitt' is no element type" in str(raised.value)
