"""Key store: keys are stored as digests, and valid until they are revoked."""

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import aclosing

import pytest

from app.auth.keys import FORM, TOGETHER, Key, KeyRing, KeyStore, open_keys
from app.database.connect import database_url as parsed
from app.errors import Busy


@pytest.fixture
async def store(database_url: str):  # type: ignore[no-untyped-def]
    async with open_keys(parsed(database_url)) as opened:
        yield opened


@pytest.fixture
async def ring(store: KeyStore) -> AsyncIterator[KeyRing]:
    async with aclosing(KeyRing(store)) as opened:
        yield opened


async def test_a_key_stands_for_what_it_was_made_for(store: KeyStore, ring: KeyRing) -> None:
    secret = await store.create("org", user_id="u", email="u@example.org", projects=["b", "a"], read_only=True)
    assert FORM.fullmatch(secret)
    key = await ring.holder(secret)
    assert key is not None
    assert (key.organization_id, key.user_id, key.email, key.read_only) == ("org", "u", "u@example.org", True)
    assert key.projects == frozenset("ab")
    assert secret.startswith(key.prefix)


async def test_the_secret_is_not_kept(store: KeyStore) -> None:
    secret = await store.create("org")
    [key] = await store.all()
    kept = "".join(map(str, (getattr(key, name) for name in key.__slots__)))
    assert secret.removeprefix(key.prefix + "_") not in kept
    assert key.digest not in repr(key)


async def test_a_changed_key_is_none(store: KeyStore, ring: KeyRing) -> None:
    secret = await store.create("org")
    for wrong in ("", secret[:-1], secret + "a", secret[:-1] + ("a" if secret[-1] != "a" else "b"), secret.upper()):
        assert await ring.holder(wrong) is None
    assert await ring.holder(secret)


async def test_a_revoked_key_is_none_and_stays_listed(store: KeyStore, ring: KeyRing) -> None:
    secret = await store.create("org")
    prefix = (await store.all())[0].prefix
    assert await store.revoke(prefix)
    assert not await store.revoke(prefix)
    assert await ring.holder(secret) is None
    [key] = await store.all()
    assert key.revoked_at is not None


async def test_keys_are_needed_from_the_first_on_for_ever(
    store: KeyStore, ring: KeyRing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.auth.keys.FRESH", 0.0)
    assert not await ring.wanted()
    await store.create("org")
    assert await ring.wanted()
    await store.revoke((await store.all())[0].prefix)
    assert await ring.wanted()
    assert await KeyRing(store).wanted()


async def test_who_asks_at_the_same_time_has_one_read(
    store: KeyStore, ring: KeyRing, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret, find, reads = await store.create("org"), store.find, list[str]()

    async def counted(prefixes: Collection[str]) -> dict[str, Key]:
        reads.extend(prefixes)
        return await find(prefixes)

    monkeypatch.setattr(store, "find", counted)
    found = await asyncio.gather(*(ring.holder(secret) for _ in range(1000)))
    assert [key.organization_id for key in found if key] == ["org"] * 1000
    assert len(reads) == 1


async def test_unknown_keys_cost_few_reads_and_crowd_nobody_out(
    store: KeyStore, ring: KeyRing, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret, find, reads = await store.create("org"), store.find, list[int]()

    async def counted(prefixes: Collection[str]) -> dict[str, Key]:
        reads.append(len(prefixes))
        return await find(prefixes)

    monkeypatch.setattr(store, "find", counted)
    monkeypatch.setattr("app.auth.keys.REMEMBERED", 700)
    assert await ring.holder(secret)
    strangers = [f"vg_{number:012x}_{'a' * 43}" for number in range(2000)]
    found = await asyncio.gather(*map(ring.holder, strangers), ring.holder(secret))
    assert [key for key in found if key] == [await ring.holder(secret)]
    assert sum(reads) == 2001  # the valid key was read once before
    assert len(reads) <= 1 + -(-2000 // TOGETHER) + 1
    assert len(ring._unknown) <= 700
    assert not ring._looked_for
    assert not ring._being_read


async def test_a_valid_key_waits_for_no_more_than_two_reads(
    store: KeyStore, ring: KeyRing, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret, find, reads = await store.create("org"), store.find, list[int]()

    async def slow(prefixes: Collection[str]) -> dict[str, Key]:
        reads.append(len(prefixes))
        await asyncio.sleep(0)
        return await find(prefixes)

    monkeypatch.setattr(store, "find", slow)
    strangers = [asyncio.ensure_future(ring.holder(f"vg_{number:012x}_{'a' * 43}")) for number in range(100)]
    await asyncio.sleep(0)
    assert await ring.holder(secret)
    assert len(reads) <= 2
    await asyncio.gather(*strangers)


async def test_while_keys_cannot_be_read_all_who_wait_are_told_so(
    store: KeyStore, ring: KeyRing, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(prefixes: Collection[str]) -> dict[str, Key]:
        raise OSError("away")

    secret, find = await store.create("org"), store.find
    monkeypatch.setattr(store, "find", broken)
    outcomes = await asyncio.gather(*(ring.holder(secret) for _ in range(3)), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [Busy] * 3
    monkeypatch.setattr(store, "find", find)
    assert await ring.holder(secret)


async def test_the_end_waits_for_reads_whose_caller_left(store: KeyStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """The store closes next, and a connection that returns to it later stays open."""
    ring, ended = KeyRing(store), list[str]()

    async def slow(*_: object) -> dict[str, Key]:
        await asyncio.sleep(0.2)
        ended.append("read")
        return {}

    monkeypatch.setattr(store, "find", slow)
    monkeypatch.setattr(store, "any", slow)
    callers = [asyncio.create_task(each) for each in (ring.find("vg_0"), ring.wanted())]
    await asyncio.sleep(0.05)
    for each in callers:
        each.cancel()
    await ring.aclose()
    assert ended == ["read", "read"]


async def test_the_end_waits_for_a_running_write_of_uses(store: KeyStore, monkeypatch: pytest.MonkeyPatch) -> None:
    ring, note, ended = KeyRing(store), store.note_uses, list[Collection[str]]()

    async def slow(prefixes: Collection[str]) -> None:
        await asyncio.sleep(0.2)
        await note(prefixes)
        ended.append(prefixes)

    monkeypatch.setattr(store, "note_uses", slow)
    key = await ring.holder(await store.create("org"))
    await asyncio.sleep(0.05)
    await ring.aclose()
    assert key is not None
    assert ended == [{key.prefix}]
