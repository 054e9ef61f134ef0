"""Mutations: each succeeds or fails alone, whatever the others of its round do."""

import asyncio
from collections.abc import AsyncIterator
from threading import current_thread, main_thread
from typing import Any

import pytest
from sqlalchemy import text
from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.auth.caller import Caller
from app.database.changes import Change
from app.database.connect import database_url as parsed
from app.database.connect import open_database
from app.database.interface import Database
from app.database.sqlite import rounds
from app.database.writes.mutations import LONG, SHORT, Batchable, Memory, Pace, Steps, run_in
from app.errors import NotUnique, ProblemCode, Rejected, not_found
from app.models.columns import now
from app.models.sql import sql_of
from app.models.tables import IdempotencyKey
from app.pipelines.transactions import statements


def row(key: str) -> dict[str, Any]:
    at = now()
    return {
        "organization_id": "o",
        "project_id": "p",
        "key": key,
        "fingerprint": "f",
        "pipeline_id": "p",
        "created_at": at,
    }


def adding(key: str, *, then: Exception | None = None) -> Steps[str]:
    yield statements.INSERT_KEY, row(key)
    yield Change("o", key, None, None)
    if then is not None:
        raise then
    return key


def counting() -> Steps[int]:
    memory = yield Memory.MEMORY
    memory["count"] = memory.get("count", 0) + 1
    return int(memory["count"])


def refusing() -> Steps[str]:
    found = yield statements.LOCK, {"organization": "o", "pipeline": "none"}
    assert found == []
    raise not_found("pipeline", "id")


@pytest.fixture(params=["here", "by a thread"], autouse=True)
def _where(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite runs short mutations on the event loop."""
    if request.param != "here":
        monkeypatch.setattr(rounds, "MOST_HERE", -1)


@pytest.fixture(name="database")
async def _database(database_url: str) -> AsyncIterator[Database]:
    async with open_database(parsed(database_url), 10_000) as database:
        yield database


async def keys(database: Database) -> list[str]:
    async with database.read() as session:
        return sorted(await session.exec(select(IdempotencyKey.key)))


async def outcomes(database: Database, *mutations: Any, size: int = SHORT) -> list[Any]:
    return await asyncio.gather(*(database.mutate(each, size) for each in mutations), return_exceptions=True)


async def test_what_is_refused_harms_no_other(database: Database) -> None:
    first, refused, last = await outcomes(database, lambda: adding("a"), refusing, lambda: adding("b"))
    assert (first, last) == ("a", "b")
    assert isinstance(refused, Rejected)
    assert refused.problems[0].code is ProblemCode.NOT_FOUND
    assert await keys(database) == ["a", "b"]


@pytest.mark.parametrize("size", [SHORT, LONG])
async def test_a_failure_after_a_write_is_undone_alone(database: Database, size: int) -> None:
    late = lambda: adding("late", then=not_found("pipeline"))  # noqa: E731
    first, failed, last = await outcomes(database, lambda: adding("a"), late, lambda: adding("b"), size=size)
    assert (first, last) == ("a", "b")
    assert isinstance(failed, Rejected)
    assert await keys(database) == ["a", "b"]


async def test_a_key_that_exists_is_not_unique(database: Database) -> None:
    assert await outcomes(database, lambda: adding("a")) == ["a"]
    failed, other = await outcomes(database, lambda: adding("a"), lambda: adding("b"))
    assert isinstance(failed, NotUnique)
    assert other == "b"


async def test_only_what_was_committed_is_told(database: Database) -> None:
    await database.listen()
    with database.broker.subscribe(Caller("o")) as subscriber:
        late = lambda: adding("late", then=ValueError("late"))  # noqa: E731
        *_, failed, _ = await outcomes(database, lambda: adding("a"), late, lambda: adding("b"))
        assert isinstance(failed, ValueError)
        told: set[str] = set()
        async with asyncio.timeout(10):
            while len(told) < 2:
                told |= set(await subscriber.take(10))
    assert told == {"a", "b"}


async def test_steps_run_within_a_session(database: Database) -> None:
    async def work(session: Any) -> int:
        await run_in(session, adding("a"))
        return await run_in(session, counting())

    def counting() -> Steps[int]:
        rows = yield statements.lock_many, {"organization": "o", "ids": ["x", "y"]}
        yield statements.INSERT_KEY, [row("b"), row("c")]
        yield statements.INSERT_KEY, []
        return len(rows)

    assert await database.write(work) == 0
    assert await keys(database) == ["a", "b", "c"]


def adding_each(calls: list[list[str]], keys: list[str]) -> Steps[list[str | Rejected]]:
    """Add keys, except `none`; `late` fails after the write, `early` before it."""
    calls.append(keys)
    if "early" in keys:
        raise ValueError("early")
    yield statements.INSERT_KEY, [row(key) for key in keys if key != "none"]
    if "late" in keys:
        raise ValueError("late")
    return [not_found("key") if key == "none" else key for key in keys]


async def test_equal_mutations_of_a_round_share_their_statements(database: Database) -> None:
    calls, others = list[list[str]](), [["other"]]
    begun = [Batchable(adding_each, (calls,), key) for key in ("a", "none", "b")]
    begun += [Batchable(adding_each, (others,), "c"), Batchable(adding_each, (calls,), "d")]
    first, refused, *rest = await outcomes(database, *begun)
    assert [first, *rest] == ["a", "b", "c", "d"]
    assert isinstance(refused, Rejected)
    assert await keys(database) == ["a", "b", "c", "d"]
    if database.reads_inline:
        assert (calls, others) == ([["a", "none", "b"], ["d"]], [["other"], ["c"]])


@pytest.mark.parametrize("failing", ["early", "late"])
async def test_a_failure_among_equal_mutations_is_undone_alone(database: Database, failing: str) -> None:
    begun = [Batchable(adding_each, ([],), key) for key in ("a", failing, "b", "none")]
    first, failed, last, refused = await outcomes(database, *begun)
    assert (first, last) == ("a", "b")
    assert isinstance(failed, ValueError)
    assert isinstance(refused, Rejected)
    assert await keys(database) == ["a", "b"]


async def test_what_may_take_long_leaves_the_event_loop(database: Database) -> None:
    on_loop: list[bool] = []

    def slow() -> Steps[str]:
        yield statements.LOCK, {"organization": "o", "pipeline": "none"}
        yield Pace.LONG
        on_loop.append(current_thread() is main_thread())
        return (yield from adding("slow"))

    assert await outcomes(database, lambda: adding("a"), slow, lambda: adding("b")) == ["a", "slow", "b"]
    assert await keys(database) == ["a", "b", "slow"]
    assert on_loop == [not database.reads_inline]


async def test_more_than_a_round_keep_their_order(database: Database) -> None:
    many = [lambda key=f"{i:03}": adding(key) for i in range(300)]
    assert await outcomes(database, *many) == [f"{i:03}" for i in range(300)]
    assert len(await keys(database)) == 300


async def test_one_that_need_not_be_durable_leaves_later_ones_durable(database: Database) -> None:
    key = await database.mutate(lambda: adding("a"), is_durable=False)
    assert key == "a"
    modes = [await _mode(database), await database.mutate(lambda: adding("b")), await _mode(database)]
    assert modes in (["FULL", "b", "FULL"], ["on", "b", "on"])


async def _mode(database: Database) -> str:
    """Return the durability of the commits of the next transaction."""
    is_sqlite = sql_of(database.dialect).is_file
    query = text("PRAGMA synchronous" if is_sqlite else "SHOW synchronous_commit")

    async def read(session: AsyncSession) -> str:
        found = (await session.exec(query)).scalar_one()  # type: ignore[call-overload]
        return {2: "FULL"}.get(found, str(found))

    return await database.write(read)


async def test_mutations_share_a_memory_until_one_does_not_ask_for_it(database: Database) -> None:
    begun = [counting, counting, lambda: adding("a"), counting, refusing, counting]
    outcomes = await asyncio.gather(*map(database.mutate, begun), return_exceptions=True)
    counts = [outcome for outcome in outcomes if isinstance(outcome, int)]
    assert counts == ([1, 2, 1, 1] if database.reads_inline else [1, 1, 1, 1])


async def test_a_memory_does_not_outlive_a_round_that_was_undone(database: Database) -> None:
    def failing() -> Steps[int]:
        yield from counting()
        yield statements.INSERT_KEY, row("a")
        raise RuntimeError

    outcomes = await asyncio.gather(*map(database.mutate, (counting, failing, counting)), return_exceptions=True)
    assert outcomes[0] == outcomes[2] == 1
    assert isinstance(outcomes[1], RuntimeError)


def lasting(key: str, *, then: Exception | None = None) -> Steps[int]:
    memory = yield Memory.LASTING
    memory["count"] = memory.get("count", 0) + 1
    yield statements.INSERT_KEY, row(key)
    if then is not None:
        raise then
    return int(memory["count"])


async def test_a_lasting_memory_ends_with_another_write_and_an_undone_one(database: Database) -> None:
    async def other(session: AsyncSession) -> None:
        await session.exec(text("SELECT 1"))  # type: ignore[call-overload]

    async def count(key: str) -> int:
        return await database.mutate(lambda: lasting(key))

    counts = [await count("a"), await count("b")]
    await database.mutate(lambda: adding("c"))
    counts.append(await count("d"))
    await database.write(other)
    counts.append(await count("e"))
    with pytest.raises(RuntimeError):
        await database.mutate(lambda: lasting("f", then=RuntimeError()))
    counts.append(await count("g"))
    assert counts == ([1, 2, 3, 1, 1] if database.reads_inline else [1] * 5)
