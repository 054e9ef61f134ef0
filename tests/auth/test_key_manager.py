"""Keys over the API: administrators manage the keys of their organization, with their own rights at most."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import ExitStack, aclosing
from dataclasses import replace
from functools import partial
from itertools import product
from pathlib import Path
from time import sleep
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel.ext.asyncio.session import AsyncSession
from typer.testing import CliRunner

from app.auth.caller import LOCAL, Caller
from app.auth.key_manager import MAX_TEXT, KeyDraft, KeyManager
from app.auth.keys import FRESH, PREFIX_LENGTH, KeyRing, KeyStore, open_keys
from app.cli.commands import cli
from app.database.audit import audit_in
from app.database.connect import database_url as parsed
from app.errors import Rejected, RequestError
from app.main import create_app
from app.models.enums import AuditAction
from app.settings import Settings
from tests.api import Api, operation
from tests.servers import serving

CREATE, LIST, REVOKE = (operation(name) for name in ("CreateApiKey", "ApiKeys", "RevokeApiKey"))
ENTRIES = """query($filter: AuditFilter, $first: Int, $after: String) {
  auditLog(filter: $filter, first: $first, after: $after) {
  nodes { projectId key objectType } pageInfo { hasNextPage endCursor } } }"""
ADMIN = Caller("org", key="vg_admin", is_admin=True)
NARROW = Caller("org", projects=frozenset("ab"), key="vg_narrow", is_admin=True)


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[KeyStore]:
    async with open_keys(parsed(database_url)) as opened:
        yield opened


async def with_key(store: KeyStore, caller: Caller) -> Caller:
    """Return the caller with a key of its rights."""
    projects, may_read_only = caller.projects, not caller.may_write
    secret = await store.create("org", projects=projects, read_only=may_read_only, is_admin=caller.is_admin)
    return replace(caller, key=secret[:PREFIX_LENGTH])


@pytest.mark.parametrize(
    "caller",
    [
        LOCAL,
        Caller("org", key="vg_plain"),
        Caller("org", may_write=False, key="vg_reader", is_admin=True),
    ],
)
async def test_only_administrators_manage_keys(store: KeyStore, caller: Caller) -> None:
    manager = KeyManager(store)
    prefix = (await store.create("org"))[:PREFIX_LENGTH]
    for work in (manager.all(caller), manager.create(caller, KeyDraft()), manager.revoke(caller, prefix)):
        with pytest.raises(RequestError, match="administrator"):
            await work
    [key] = await store.all()
    assert key.revoked_at is None


async def test_an_administrator_sees_its_organization_and_its_projects(store: KeyStore) -> None:
    made = {name: (await store.create("org", projects=name))[:PREFIX_LENGTH] for name in ("a", "ab", "abc")}
    made["all"], theirs = (await store.create("org"))[:PREFIX_LENGTH], (await store.create("others"))[:PREFIX_LENGTH]
    manager, admin, narrow = KeyManager(store), await with_key(store, ADMIN), await with_key(store, NARROW)
    mine = {admin.key, narrow.key}
    assert {key.prefix for key in await manager.all(admin)} == set(made.values()) | mine
    assert {key.prefix for key in await manager.all(narrow)} == {made["a"], made["ab"], narrow.key}
    for caller, prefix in ((narrow, made["abc"]), (narrow, made["all"]), (admin, theirs), (admin, "vg_none")):
        with pytest.raises(Rejected, match="does not exist"):
            await manager.revoke(caller, prefix)
    assert not [key for key in await store.all() if key.revoked_at]
    revoked = await manager.revoke(narrow, made["ab"])
    assert (revoked.revoked_at is not None, revoked.revoked_by) == (True, narrow.key)
    assert await manager.revoke(admin, made["ab"]) == revoked


async def test_a_revoked_key_manages_no_keys_though_it_is_cached(store: KeyStore) -> None:
    manager, admin = KeyManager(store), await with_key(store, ADMIN)
    other, _ = await manager.create(admin, KeyDraft(is_admin=True))
    assert await store.revoke(str(admin.key))
    for work in (manager.create(admin, KeyDraft()), manager.revoke(admin, other.prefix)):
        with pytest.raises(RequestError, match="no longer valid"):
            await work
    assert [key.revoked_at is None for key in await store.all()] == [False, True]


async def test_all_problems_are_told(store: KeyStore) -> None:
    draft = KeyDraft("", "x" * (MAX_TEXT + 1), ["a", "c", ""], read_only=True, is_admin=True)
    narrow = await with_key(store, NARROW)
    with pytest.raises(Rejected) as refused:
        await KeyManager(store).create(narrow, draft)
    assert [each.path for each in refused.value.problems] == [
        ("user_id",), ("email",), ("project_ids", 1), ("project_ids", 2), ("is_admin",)
    ]  # fmt: skip
    with pytest.raises(Rejected, match="Name 1 to 1,000 projects"):
        await KeyManager(store).create(narrow, KeyDraft(projects=[]))
    assert len(await store.all()) == 1


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    mine=st.none() | st.frozensets(st.sampled_from("abc"), min_size=1),
    asked=st.none() | st.lists(st.sampled_from("abcd"), max_size=4),
    read_only=st.booleans(),
    is_admin=st.booleans(),
    administers=st.booleans(),
    writes=st.booleans(),
)
async def test_no_key_makes_a_key_with_more_rights(
    store: KeyStore, mine: Any, asked: Any, read_only: bool, is_admin: bool, administers: bool, writes: bool
) -> None:
    caller = Caller("org", projects=mine, may_write=writes, key="vg_maker", is_admin=administers)
    caller = await with_key(store, caller)
    before = {key.prefix for key in await store.all()}
    try:
        key, secret = await KeyManager(store).create(caller, KeyDraft(None, None, asked, read_only, is_admin))
    except (Rejected, RequestError):
        assert {key.prefix for key in await store.all()} == before
        return
    assert administers
    assert writes
    async with aclosing(KeyRing(store)) as ring:
        assert await ring.holder(secret) == key
    assert key.organization_id == "org"
    assert mine is None or (key.projects is not None and key.projects <= mine)
    assert asked is None or key.projects == frozenset(asked)


@pytest.fixture
async def audited(database_url: str) -> AsyncIterator[Api]:
    """API over entries of two organizations in each project and in none, by two keys."""
    app = create_app(Settings(database_url=database_url, workers=0))
    client = httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://localhost")
    async with app.router.lifespan_context(app), client as http:
        for organization, project, key in product(("org", "others"), ("a", "b", "c", ""), ("vg_1", "vg_2")):
            row = SimpleNamespace(
                __tablename__="pipeline", id=uuid4().hex, name="n", organization_id=organization, project_id=project
            )
            caller = Caller(organization, key=key)
            await app.state.services.database.write(partial(audit_in_session, caller, row))
        yield Api(http, app.state.services.database)


async def audit_in_session(caller: Caller, row: Any, session: AsyncSession) -> None:
    await audit_in(session, caller, AuditAction.CREATED, row)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    organization=st.sampled_from(["org", "others", "third"]),
    mine=st.none() | st.frozensets(st.sampled_from("abc"), min_size=1),
    is_admin=st.sampled_from([True, True, False]),
    read_only=st.booleans(),
    filter=st.fixed_dictionaries(
        {}, optional={"projectId": st.sampled_from("abcd"), "key": st.sampled_from(["vg_1", "vg_2"])}
    ),
    pages=st.sampled_from([3, 100]),
)
async def test_no_key_reads_entries_of_others(
    audited: Api,
    store: KeyStore,
    organization: str,
    mine: frozenset[str] | None,
    is_admin: bool,
    read_only: bool,
    filter: dict[str, str],
    pages: int,
) -> None:
    secret = await store.create(organization, projects=mine, read_only=read_only, is_admin=is_admin)
    everything = {(project, key) for project in ("a", "b", "c", "") for key in ("vg_1", "vg_2")}
    theirs = everything if organization != "third" else set()
    if mine is not None:
        theirs = {(project, key) for project, key in theirs if project in mine}
    wanted = {
        (project, key)
        for project, key in theirs
        if filter.get("projectId", project) == project and filter.get("key", key) == key
    }
    found: list[tuple[str, str]] = []
    after = None
    while True:
        variables = {"filter": filter, "first": pages, "after": after}
        answer = await audited.send({"query": ENTRIES, "variables": variables}, **{"x-api-key": secret})
        if "errors" in answer:
            assert [each["extensions"]["code"] for each in answer["errors"]] == ["FORBIDDEN"]
            hides = mine is not None and filter.get("projectId", min(mine)) not in mine
            assert not is_admin or read_only or hides
            assert not found
            return
        page = answer["data"]["auditLog"]
        found += [(each["projectId"] or "", each["key"]) for each in page["nodes"] if each["objectType"] == "PIPELINE"]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert is_admin
    assert sorted(found) == sorted(wanted)


async def test_the_last_use_is_stored(store: KeyStore) -> None:
    secrets = [await store.create("org") for _ in range(2)]
    ring = KeyRing(store)
    assert await ring.holder(secrets[1])
    assert not await ring.holder(secrets[0][:-1] + "!")
    await ring.aclose()
    unused, used = await store.all()
    assert (unused.last_used_at, used.last_used_at is not None) == (None, True)


async def test_a_store_of_an_earlier_version_gets_the_columns(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/old.db"
    with sqlite3.connect(f"{tmp_path}/old.db.keys") as old:
        old.execute(
            "CREATE TABLE api_key (prefix VARCHAR PRIMARY KEY, digest VARCHAR NOT NULL,"
            " organization_id VARCHAR NOT NULL, user_id VARCHAR, email VARCHAR, projects TEXT,"
            " read_only BOOLEAN NOT NULL, created_at VARCHAR NOT NULL, revoked_at VARCHAR)"
        )
        old.execute(
            "INSERT INTO api_key VALUES ('vg_0', 'd', 'org', NULL, NULL, NULL, 0, '2026-01-01T00:00:00.000000Z', NULL)"
        )
    for _ in range(2):
        async with open_keys(parsed(url)) as store:
            [key] = await store.all()
            assert (key.prefix, key.is_admin, key.last_used_at) == ("vg_0", False, None)


def test_keys_are_managed_over_the_api(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/served.db"
    arguments = ["keys", "create", "--admin", "--project", "cells"]
    admin = CliRunner().invoke(cli, arguments, env={"VOLTGRAPH_DATABASE_URL": url}).output.split()[-1]
    with serving(url) as server, ExitStack() as opened:

        def client(key: str) -> httpx.Client:
            return opened.enter_context(httpx.Client(base_url=server.url, headers={"X-API-Key": key}, trust_env=False))

        http = client(admin)

        def run(query: str, client: httpx.Client = http, **variables: Any) -> Any:
            answer = client.post("/graphql", json={"query": query, "variables": variables}).json()
            return (
                answer["errors"][0]["extensions"]["code"]
                if answer.get("errors")
                else next(iter(answer["data"].values()))
            )

        made = run(CREATE, input={"email": "ada@example.org", "projectIds": ["cells"], "readOnly": True})
        assert made["userErrors"] == []
        assert made["secret"].startswith(made["apiKey"]["prefix"])
        refused = run(CREATE, input={"projectIds": ["others"]})
        assert (refused["apiKey"], refused["secret"]) == (None, None)
        assert [(each["code"], each["field"]) for each in refused["userErrors"]] == [
            ("FORBIDDEN", ["input", "projectIds", "0"])
        ]
        reader = client(made["secret"])
        assert run("{ viewer { email isAdmin } }", reader) == {"email": "ada@example.org", "isAdmin": False}
        assert run("{ viewer { isAdmin } }") == {"isAdmin": True}
        assert run(LIST, reader) == run(CREATE, reader, input={}) == "FORBIDDEN"
        listed = run(LIST)
        assert [(each["email"], each["isAdmin"], each["createdBy"]) for each in listed] == [
            (None, True, None), ("ada@example.org", False, listed[0]["prefix"])
        ]  # fmt: skip
        assert made["secret"] not in str(listed)
        assert run(operation("AuditLog"), reader) == "FORBIDDEN"
        assert run(REVOKE, prefix=made["apiKey"]["prefix"])["apiKey"]["revokedBy"] == listed[0]["prefix"]
        assert run(REVOKE, prefix="vg_none")["userErrors"][0]["field"] == ["prefix"]
        pipeline = {"projectId": "cells", "elementsByName": {"a": {"element_type": "entry", "values": {}}}}
        created = run(operation("CreatePipeline"), input=pipeline)["pipeline"]
        [entry] = run(operation("AuditLog"), filter={"objectId": created["id"]})["nodes"]
        assert (entry["action"], entry["objectType"], entry["key"]) == ("CREATED", "PIPELINE", listed[0]["prefix"])
        sleep(2 * FRESH)
        assert run("{ viewer { email } }", reader) == "UNAUTHENTICATED"
