"""Rows with all cases: every status, nulls and values, ties in every order, two organizations."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import delete

from app.auth.caller import LOCAL
from app.database.interface import Database
from app.models.columns import instant_text
from app.models.enums import (
    HISTORY,
    ElementType,
    JobErrorCode,
    JobLogStream,
    JobStatus,
    PipelineElementStatus,
    PipelineStatus,
    SeriesSource,
)
from app.models.tables import (
    Checkpoint,
    IdempotencyKey,
    JobLogLine,
    Pipeline,
    PipelineElement,
    PipelineLabel,
    SeriesChannel,
)
from app.pipelines.lists.labels import dump, fold
from app.pipelines.lists.pagination import Direction, Order, OrderField

START = datetime(2001, 2, 3, 10, tzinfo=UTC)
OTHERS = "others"
PIPELINES = 14
CONFIG = '{"values": {"b [m]":1.50, "a [m]": [1,2.0,3e5]}, "é":"\\u00e9"}'
WARNINGS = (
    '[{"code":"A","message":"\\"é\\"","objective":"o","x":1},{"code":"B","message":"","parameter":null},{"code":1},3]'
)
RESULTS = [
    '{"parameter_values":{"b [m]":2.5,"a [m]":null},"type":"X"}',
    '{"type":"X","warnings":' + WARNINGS + "}",
    None,
    '{"type":"X","warnings":3}',
    '{"parameter_values":{"a [m]":1,"b [m]":2.50,"D_n [m2.s-1]":{"$type":"x","é":[1,2.0]},"c":"text","d [":1e308},'
    '"initial_guess":{"a [m]":0,"b [m]":null,"c":3},"standard_errors":{"a [m]":0.1,"b [m]":"x"},'
    '"confidence_level":0.95,'
    '"confidence_intervals":{"a [m]":{"lower":0.5,"upper":1.5},"b [m]":{"lower":1},"c":7},'
    '"at_bounds":{"b [m]":"upper"},'
    '"cost":1,"initial_cost":2.5,"data_cost":null,"success":true,"message":"é\\"","evaluations":12,"iterations":2147483648,'
    '"summary_stats":{"o":{"RMSE":{"Voltage [V]":0.25,"x":null},"Max":1},"p":3},"failed_objectives":{"q":"No.","r":1},'
    '"effective_config":{"objectives":{"o":{"type":"EIS"},"p":{}},"parameters":{"a [m]":{"bounds":[0,null]},'
    '"b [m]":4}},'
    '"warnings":' + WARNINGS + "}",
    "[]",
    '{"parameter_values":[1],"warnings":{},"initial_guess":[],"summary_stats":[],"at_bounds":7}',
]
DETAILS = [
    '{"x":[]}',
    '{"problems":[{"path":["objectives","é",0],"message":"\\"No\\""},{"path":[],"message":""},{"path":"x"},{"message":3},4]}',
    '{"failed_objectives":{"o":"It failed.","p":7}}',
    "[1]",
    None,
]
STATUSES = list(PipelineElementStatus)
JOB_STATUSES = [*JobStatus, None]


def id_of(kind: int, *numbers: int) -> str:
    """Id of a pipeline (1), an element (2) or a job (3)."""
    return f"{kind:08}-0000-7000-8000-" + "".join(f"{number:04}" for number in numbers).rjust(12, "0")


def pipeline(number: int, organization_id: str = LOCAL.organization_id) -> Pipeline:
    """Neighbours have equal creation times; groups of three have equal names."""
    name = ("Cell", "cell É", "Straße_%")[number % 3] + ("" if number % 2 else " 1")
    status = list(PipelineStatus)[number % 5]
    at = START + timedelta(seconds=number // 2)
    return Pipeline(
        id=id_of(1, number),
        organization_id=organization_id,
        project_id="ab"[number % 2],
        user_id="user" if number % 3 else None,
        created_by_email="a@example.org" if number % 4 else None,
        name=name,
        folded_name=name.casefold(),
        description=None if number % 3 else 'About "it"\n',
        live_progress_updates=(None, True, False)[number % 3],
        status=status,
        error="It broke." if status is PipelineStatus.FAILED else None,
        error_code=JobErrorCode.SOLVER_ERROR if status is PipelineStatus.FAILED else None,
        created_at=at,
        updated_at=START + timedelta(hours=number % 4),
        started_at=at if number % 2 else None,
        finished_at=at + timedelta(microseconds=number) if status.is_terminal else None,
        rerun_of=ORIGINALS.get(number),
        duration=number / 1e6 if number % 2 and status.is_terminal else None,
        labels=dump(labels(number)),
    )


def labels(number: int) -> list[str]:
    """Labels of a pipeline, by its number."""
    return [["Straße", "b"], [], ["b"]][number % 3]


def elements(of: Pipeline, number: int) -> list[PipelineElement]:
    """Return up to four elements of a pipeline, by its number."""
    return [
        PipelineElement(
            id=id_of(2, number, k),
            pipeline_id=of.id,
            organization_id=of.organization_id,
            name=f"element {k}",
            element_order=k + 1,
            element_type=list(ElementType)[k % 4],
            status=STATUSES[(number + k) % len(STATUSES)],
            job_id=id_of(3, number, k) if k % 3 else None,
            job_status=JOB_STATUSES[(number + k) % len(JOB_STATUSES)],
            error="No." if k == 2 else None,
            error_code=JobErrorCode.MODEL_ERROR if k == 2 else None,
            created_at=of.created_at,
            updated_at=of.updated_at,
            started_at=of.started_at,
            finished_at=of.finished_at,
            attempt=k,
            is_reused=(number + k) % 3 == 0,
            error_detail=DETAILS[(number + k) % len(DETAILS)],
            result=RESULTS[(number + k) % len(RESULTS)],
            job_config=CONFIG,
        )
        for k in range(number % 5)
    ]


def checkpoints(of: PipelineElement) -> list[Checkpoint]:
    count = of.attempt * 3 if of.job_id else 0
    return [
        Checkpoint(
            element_id=of.id,
            number=number,
            at=START + timedelta(minutes=number),
            iteration=number if number % 2 else None,
            cost=1 / number if number % 3 else None,
            best_cost=1.0,
            parameters=orjson.dumps({"x": number}).decode(),
        )
        for number in range(1, count + 1)
    ]


def log_lines(of: PipelineElement) -> list[JobLogLine]:
    return [
        JobLogLine(
            element_id=of.id,
            number=number,
            attempt=1 + number % 2,
            at=START + timedelta(seconds=number),
            stream=list(JobLogStream)[number % len(JobLogStream)],
            text=f'line "{number}" é\\' if number % 3 else "",
        )
        for number in range(1, 1 + (of.attempt * 4 if of.job_id else 0))
    ]


ORIGINALS = {0: id_of(1, 99), 1: id_of(1, 13), 3: id_of(1, 9), 5: id_of(1, 5), 9: id_of(1, 4), 12: id_of(1, 9)}
"""Originals of reruns by number: a deleted one, one of others, and pipelines, also in a chain and a circle."""


def channels(of: PipelineElement) -> list[SeriesChannel]:
    """Return the channels of up to four series, among them the history."""
    series = [("o", SeriesSource.OPTIMAL), ("o", SeriesSource.BASELINE), (HISTORY, SeriesSource.OPTIMAL)]
    return [
        SeriesChannel(
            element_id=of.id,
            objective=objective,
            source=source,
            position=position,
            series_number=number,
            name=name,
            samples=b"\0" * 8 * of.element_order,
        )
        for number, (objective, source) in enumerate([*series, ("é", SeriesSource.BASELINE)])
        for position, name in enumerate(["Time [s]", "Voltage [V] (data)"])
        if of.element_order % 3 or number < 2
    ]


async def fill(database: Database) -> None:
    """Store all rows in place of the existing ones."""

    async def work(session: Any) -> None:
        for table in (SeriesChannel, JobLogLine, Checkpoint, PipelineElement, Pipeline, IdempotencyKey):
            await session.exec(delete(table))
        for number in range(PIPELINES):
            of = pipeline(number, OTHERS if number % 7 == 6 else LOCAL.organization_id)
            parts = elements(of, number)
            session.add(of)
            await session.flush()
            session.add_all(parts)
            session.add_all([PipelineLabel(pipeline_id=of.id, folded_label=fold(each)) for each in labels(number)])
            await session.flush()
            session.add_all([point for part in parts for point in checkpoints(part)])
            session.add_all([line for part in parts for line in log_lines(part)])
            session.add_all([channel for part in parts for channel in channels(part)])

    await database.write(work)


IDS = [
    *(id_of(1, number) for number in range(PIPELINES)),
    *(id_of(2, number, k) for number in range(PIPELINES) for k in range(number % 5)),
    *(id_of(3, number, k) for number in range(PIPELINES) for k in range(number % 5) if k % 3),
]
CURSORS = {
    (field.name, direction.name): [Order(field.value, direction).cursor(pipeline(i)) for i in range(PIPELINES)]
    for field in OrderField
    for direction in Direction
}
TIMES = [instant_text(START + timedelta(seconds=seconds)) for seconds in (-1, 0, 2, 3600, 7200, 9999)]
