"""Probes find the same pipelines as lists without them, whatever is few."""

from __future__ import annotations

import re
from pathlib import Path
from random import Random
from typing import Any

import apsw
import pytest

from app.models.enums import PipelineStatus
from app.pipelines.lists import probes
from app.pipelines.lists.predicates import Predicate
from app.pipelines.lists.probes import NUMBERED, find_few, match_expression
from tests.api import Api

QUERY = """query ($f: PipelineFilter, $o: PipelineOrder!) {
  pipelines(filter: $f, orderBy: $o) { totalCount nodes { name } pageInfo { hasNextPage } }
  pipelineCounts(filter: $f) { status count }
}"""
NAMES = ["Straße 1", "STRASSE 2", 'quote " AND', "a%b_c", "été", "ab", "plain"]
LATER, EARLIER = "2100-01-01T00:00:00Z", "2000-01-01T00:00:00Z"
ELEMENTS: list[dict[str, Any]] = [
    {"name": "fit 1"},
    {"name": "none"},
    {"nameContains": "FIT"},
    {"nameContains": "it 3", "types": ["DATA_FIT"]},
    {"nameContains": "t"},
    {"name": "fit 1", "nameContains": "t 1", "statuses": ["PENDING", "CANCELED"]},
    {"nameContains": "none"},
    {"types": ["VALIDATION"]},
    {"statuses": ["PENDING"]},
    {"types": []},
    {},
]
FILTERS: list[dict[str, Any]] = [
    *({"nameContains": text} for text in ("strasse", "SSE 2", '" AND', "%b_", "été", "ab", "none", "x" * 300)),
    *({"nameStartsWith": text} for text in ("strasse", "plain", "AB", "lain")),
    *({"labelsAll": labels} for labels in (["A"], ["a", "odd"], ["none"])),
    *({"labelsAny": labels} for labels in (["a", "odd"], ["none"], [])),
    *(
        {name: {side: at}}
        for name in ("started", "finished")
        for side in ("after", "before")
        for at in (LATER, EARLIER)
    ),
    *({name: at} for name in ("updatedAfter", "updatedBefore", "createdAfter") for at in (LATER, EARLIER)),
    *({name: seconds} for name in ("durationAtLeast", "durationAtMost") for seconds in (0, 1e9)),
    *({"projectIds": ids} for ids in (["p"], ["p", "q"], ["none"], [])),
    *({"descriptionContains": text} for text in ("ABOUT X", "é", "X1", "t", "none", "zz")),
    *({"nameContains": text} for text in ("S", "ß", "2", "z", "ue", "zz")),
    *({"nameStartsWith": text} for text in ("s", "st", "L", "zz")),
    *({"elementTypes": kinds} for kinds in (["DATA_FIT"], ["VALIDATION"], [])),
    *({"element": each} for each in ELEMENTS),
    {"or": [{"nameContains": "strasse"}, {"descriptionContains": "x1"}, {"ids": ["none"]}]},
    {"or": [{"nameContains": "none"}, {"element": {"name": "none"}}]},
    {"and": [{"nameContains": "strasse"}, {"projectIds": ["p"]}]},
    {"statuses": ["PENDING", "CANCELED"]},
    {"statuses": ["PENDING", "RUNNING"]},
    {"labelsAny": ["a"], "nameContains": "strasse", "updatedAfter": EARLIER},
    {"not": {"labelsAny": ["a"]}, "updatedAfter": EARLIER, "projectIds": ["p", "q"]},
]
ORDERS = [("CREATED_AT", "DESC"), ("UPDATED_AT", "ASC"), ("NAME", "ASC"), ("DURATION", "DESC"), ("STARTED_AT", "ASC")]


@pytest.fixture
async def rows(api: Api) -> Api:
    for number, name in enumerate(NAMES):
        labels = ["a", "odd"] if number % 2 else ["A"][: number % 3]
        element: dict[str, Any] = {"name": f"fit {number}", "elementType": "DATA_FIT", "jobConfig": {}}
        given = {
            "labels": labels,
            "elements": [element][: number % 2],
            "description": (None, f"About X{number} é")[number % 2],
        }
        id = (await api.create(name="before", projectId="pq"[number % 2], **given))["id"]
        await api.run("UpdatePipeline", id=id, input={"name": name})
        if number % 3 == 0:
            await api.run("StartPipeline", id=id)
        if number % 3 < 2:
            await api.run("CancelPipeline", id=id)
    gone = (await api.create(name="strasse gone", labels=["a"]))["id"]
    await api.run("DeletePipeline", id=gone)
    return api


async def answers(api: Api) -> list[Any]:
    found = []
    for place, filter in enumerate(FILTERS):
        for field, direction in (ORDERS[place % len(ORDERS)], ORDERS[(place + 2) % len(ORDERS)]):
            order = {"field": field, "direction": direction}
            found.append((filter, order, await api.data(QUERY, f=filter, o=order)))
    return found


async def test_answers_do_not_depend_on_what_is_few(rows: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    found = []
    for few in (0, 2, 1000):
        monkeypatch.setattr(probes, "FEW", few)
        found.append(await answers(rows))
    monkeypatch.setattr(probes, "MOST_PROBES", 0)
    plain = await answers(rows)
    assert sum(bool(data["pipelines"]["nodes"]) for _, _, data in plain) > len(plain) / 3
    for each in found:
        assert each == plain


def test_texts_of_clients_are_no_expressions() -> None:
    assert match_expression('a" OR "b') == '"a"" " AND """ O" AND " OR" AND "OR " AND "R """ AND " ""b"'
    assert match_expression("x" * 1000) == '"xxx"'


async def test_a_vacuum_keeps_the_numbers_of_rows(sqlite_url: str, tmp_path: Path) -> None:
    """The index of names identifies pipelines by `rowid`."""
    database = apsw.Connection(sqlite_url.removeprefix("sqlite:///"))
    columns = "id, organization_id, project_id, name, folded_name, status, created_at, updated_at, attempt"
    insert = f"INSERT INTO pipeline ({columns}) VALUES (?, 'o', 'p', 'n', ?, 'PENDING', '', '', 0)"
    database.executemany(insert, [(f"{300 - number:03}", f"name {number}") for number in range(1, 257)])
    database.execute("DELETE FROM pipeline WHERE id LIKE '%1'")
    before = database.execute("SELECT rowid, id FROM pipeline ORDER BY id").fetchall()
    assert len(before) == 231
    database.execute("VACUUM")
    assert database.execute("SELECT rowid, id FROM pipeline ORDER BY id").fetchall() == before
    database.execute("VACUUM INTO ?", (str(tmp_path / "copy.db"),))
    copy = apsw.Connection(str(tmp_path / "copy.db"))
    assert copy.execute("SELECT rowid, id FROM pipeline ORDER BY id").fetchall() == before
    search = "SELECT rowid FROM pipeline_search WHERE pipeline_search MATCH ?"
    found = copy.execute(f"SELECT id FROM pipeline WHERE rowid IN ({search})", ('"e 4"',)).fetchall()
    assert len(found) == sum("e 4" in f"name {number}" for number in range(1, 257) if (300 - number) % 10 != 1)
    copy.execute("INSERT INTO pipeline_search (pipeline_search) VALUES ('integrity-check')")


async def test_new_rows_enter_the_indexes_without_a_scan_of_the_others(sqlite_url: str) -> None:
    database = apsw.Connection(sqlite_url.removeprefix("sqlite:///"))
    [[trigger]] = database.execute("SELECT sql FROM sqlite_master WHERE name = 'pipeline_search_index'")
    queries = re.findall(r"SELECT number[^;]+", trigger)
    assert len(queries) == 2
    for query in queries:
        first, second = (row[3] for row in database.execute(f"EXPLAIN QUERY PLAN {query}"))
        assert first == "SCAN pipeline_search_new"
        assert second.startswith("SEARCH pipeline ")


def found_texts(database: apsw.Connection) -> tuple[set[int], set[int]]:
    """Return the numbers that the indexes of names and descriptions hold, by their trigrams."""
    names, descriptions = (
        {number for (number,) in database.execute(f"SELECT DISTINCT doc FROM {table}_terms")}
        for table in ("pipeline_search", "pipeline_search_description")
    )
    return names, descriptions


def segments(database: apsw.Connection) -> list[Any]:
    return database.execute("SELECT id, block FROM pipeline_search_data ORDER BY id").fetchall()


@pytest.fixture
def named(sqlite_url: str) -> apsw.Connection:
    """A database with 256 pipelines, whose names are indexed."""
    database = apsw.Connection(sqlite_url.removeprefix("sqlite:///"))
    with database:
        for number in range(1, 257):
            add_named(database, number)
    assert found_texts(database) == (set(range(1, 257)), set(range(1, 257)))
    return database


def add_named(database: apsw.Connection, number: int) -> None:
    columns = "id, organization_id, project_id, name, folded_name, description, status, created_at, updated_at, attempt"
    insert = f"INSERT INTO pipeline ({columns}) VALUES (?, 'o', 'p', 'n', ?, ?, 'PENDING', '', '', 0)"
    database.execute(insert, (f"{number:03}", f"name {number}", f"text {number}"))


def test_removed_texts_do_not_write_the_index_one_by_one(named: apsw.Connection) -> None:
    before = segments(named)
    named.execute("DELETE FROM pipeline WHERE rowid BETWEEN 11 AND 200")
    named.execute("UPDATE pipeline SET folded_name = 'other' WHERE rowid < 5")
    assert segments(named) == before
    named.execute("DELETE FROM pipeline WHERE rowid = 256")
    assert segments(named) != before
    left = {*range(1, 11), *range(201, 256)}
    assert found_texts(named) == (left, left)
    search = "SELECT rowid FROM pipeline_search WHERE pipeline_search MATCH ? ORDER BY rowid"
    assert named.execute(search, ('"oth"',)).fetchall() == [(number,) for number in range(1, 5)]
    assert named.execute(search, ('"nam"',)).fetchall() == [(number,) for number in sorted(left - {1, 2, 3, 4})]


def test_the_indexes_hold_the_present_texts_after_any_changes(named: apsw.Connection) -> None:
    draw = Random(1)
    named.execute("BEGIN")
    for number in range(300, 2000):
        [[some]] = named.execute("SELECT rowid FROM pipeline ORDER BY random() LIMIT 1")
        change = draw.choice(["add", "rename", "describe", "forget", "delete", "delete last"])
        match change:
            case "add":
                add_named(named, number)
            case "rename":
                named.execute("UPDATE pipeline SET folded_name = ? WHERE rowid = ?", (f"other {number}", some))
            case "describe":
                named.execute("UPDATE pipeline SET description = ? WHERE rowid = ?", (f"about {number}", some))
            case "forget":
                named.execute("UPDATE pipeline SET description = NULL WHERE rowid = ?", (some,))
            case "delete":
                named.execute("DELETE FROM pipeline WHERE rowid = ? AND rowid % 7 <> 0", (some,))
            case "delete last":  # its number is used again
                named.execute("DELETE FROM pipeline WHERE rowid = (SELECT max(rowid) FROM pipeline) AND rowid > 20")
    named.execute("INSERT OR IGNORE INTO pipeline_search_old VALUES (0, NULL, NULL)")  # brings the indexes up to date
    for table, text in (("pipeline_search", "folded_name"), ("pipeline_search_description", "description")):
        named.execute(f"INSERT INTO {table} ({table}) VALUES ('integrity-check')")
        rows = named.execute(f"SELECT rowid, {text} FROM pipeline WHERE {text} IS NOT NULL").fetchall()
        wanted = {(rowid, trigram) for rowid, text in rows for trigram in trigrams(str(text))}
        assert set(named.execute(f"SELECT doc, term FROM {table}_terms")) == wanted


def trigrams(text: str) -> set[str]:
    padded = f"{probes.START}{text}{probes.END * 2}"
    return {padded[place : place + 3] for place in range(len(padded) - 2)}


@pytest.mark.parametrize("status", list(PipelineStatus)[:1])
async def test_statuses_are_probed_for_other_orders_only(api: Api, status: PipelineStatus) -> None:
    condition = Predicate("status", "in", (status,))
    assert next(find_few([condition], "created_at", NUMBERED), None) is None
    assert next(find_few([condition], "duration", NUMBERED), None) is not None
