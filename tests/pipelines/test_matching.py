"""Filters have the same meaning in Python, where changes are matched, as in SQL, where lists are read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

from sqlmodel import select

from app.auth.caller import Caller
from app.database import changes
from app.database.connect import database_url as parsed
from app.database.connect import open_database
from app.database.writes.mutations import run_in
from app.models.enums import ElementType, JobErrorCode, PipelineStatus
from app.models.tables import Pipeline, PipelineElement, PipelineLabel
from app.pipelines.lists.filters import known
from app.pipelines.lists.labels import dump, fold
from schema.types.lists.filters import DateTimeRange, PipelineFilter

CALLER = Caller("o", "ada")
AT = datetime(2026, 11, 23, 10, tzinfo=UTC)
NAMES = ["Straße", "STRASSE", "100% _done", "İstanbul", "ΣΊΣΥΦΟΣ", "a\\b", "plain"]
TYPES: list[list[ElementType]] = [[], [ElementType.DATA_FIT], [ElementType.DATA_FIT, ElementType.VALIDATION]]

RANGES = [
    DateTimeRange(),
    DateTimeRange(after=AT),
    DateTimeRange(before=AT),
    DateTimeRange(after=AT - timedelta(seconds=1), before=AT + timedelta(seconds=1)),
]
LABELS: list[list[str]] = [[], ["a"], ["Straße", "a"], ["b"]]
FILTERS: list[dict[str, Any]] = [
    {},
    *({"name_contains": text} for text in ("", "strasse", "ß", "%", "_", "\\", "İ", "i̇", "σίσυφος", "X" * 6000)),
    *({"statuses": list(statuses)} for statuses in ([], [PipelineStatus.PENDING], list(PipelineStatus))),
    *({"error_codes": codes} for codes in ([], [JobErrorCode.MODEL_ERROR], list(JobErrorCode))),
    *({"element_types": types} for types in ([], [ElementType.VALIDATION], [ElementType.CALCULATION], TYPES[2])),
    *({"created_by_email": email} for email in ("", "a@b.c", "A@B.C")),
    *({"project_id": project} for project in ("p", "P")),
    *({f"{at}_{side}": AT} for at in ("created", "updated") for side in ("after", "before")),
    {"statuses": [PipelineStatus.FAILED], "element_types": [ElementType.DATA_FIT], "name_contains": "s"},
    *({"ids": ids} for ids in ([], ["1", "4", "none"])),
    *({"project_ids": ids} for ids in ([], ["p"], ["p", "P", "none"])),
    *({"name_starts_with": text} for text in ("", "strasse", "STR", "%", "a\\", "i̇", "tr", "X" * 6000)),
    *({"labels_all": labels} for labels in ([], ["STRASSE"], ["a", "A", " a "], ["straße", "a"], ["a", "none"])),
    *({"labels_any": labels} for labels in ([], ["STRASSE"], ["a", "none"], ["none"])),
    {"created_by_me": True},
    {"created_by_me": False},
    *({name: range} for name in ("started", "finished") for range in RANGES),
    *({f"duration_at_{side}": seconds} for side in ("least", "most") for seconds in (0.0, 1.5, 2.0)),
]
FILTERS += [{"not_": PipelineFilter(**fields)} for fields in FILTERS]
FILTERS += [
    {name: [PipelineFilter(**each) for each in pair]}
    for name in ("and_", "or_")
    for pair in zip(FILTERS[1::2], FILTERS[::-2], strict=False)
]
FILTERS += [{"and_": []}, {"or_": []}, {"not_": PipelineFilter(or_=[PipelineFilter(not_=PipelineFilter())])}]


def rows() -> list[tuple[Pipeline, list[PipelineElement]]]:
    found = []
    for number, (name, types) in enumerate(product(NAMES, TYPES)):
        at = AT + timedelta(microseconds=number % 3 - 1)
        failed = number % 2 == 0
        pipeline = Pipeline(
            id=str(number),
            organization_id="o",
            project_id="pP"[number % 2],
            created_by_email=[None, "a@b.c", ""][number % 3],
            name=name,
            folded_name=name.casefold(),
            status=PipelineStatus.FAILED if failed else PipelineStatus.PENDING,
            error_code=JobErrorCode.MODEL_ERROR if failed else None,
            created_at=at,
            updated_at=at + timedelta(microseconds=number % 2),
            user_id=[None, "ada", "bob"][number % 3],
            started_at=[None, at, at + timedelta(seconds=1)][number % 3],
            finished_at=[None, at, at + timedelta(seconds=3)][number % 3],
            duration=[None, 0.0, 2.0, 1.5][number % 4],
            labels=dump(LABELS[number % 4]),
        )
        elements = [
            PipelineElement(
                id=f"{number}-{order}",
                pipeline_id=pipeline.id,
                organization_id="o",
                name=str(order),
                element_order=order,
                element_type=type,
                created_at=at,
                updated_at=at,
                job_config="{}",
            )
            for order, type in enumerate(types, start=1)
        ]
        found.append((pipeline, elements))
    return found


async def test_the_same_pipelines_match(database_url: str) -> None:
    async with open_database(parsed(database_url), 100) as database:

        async def store(session: Any) -> None:
            for pipeline, elements in rows():
                session.add(pipeline)
                await session.flush()
                session.add_all(elements)
                labels = LABELS[int(pipeline.id) % 4]
                session.add_all([PipelineLabel(pipeline_id=pipeline.id, folded_label=fold(each)) for each in labels])

        await database.write(store)
        async with database.read() as session:
            pipelines = list(await session.exec(select(Pipeline)))
            states = {
                row.id: known(row.id, changes.take_snapshot(row, await run_in(session, changes.read_types(row.id))))
                for row in pipelines
            }
            for fields in FILTERS:
                filter = PipelineFilter(**fields).plain(CALLER)
                listed = set(await session.exec(select(Pipeline.id).where(*filter.clauses())))
                assert {id for id, state in states.items() if filter.matches(state)} == listed, fields
