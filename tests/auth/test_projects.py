"""Isolation of organizations and projects: each key sees, and is notified of, exactly its own pipelines, over reads,
lists, cursors, changes, idempotency keys and subscriptions."""

from __future__ import annotations

from typing import Any

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from app.models.enums import PipelineStatus
from tests.auth.world import PROJECTS, WHO, World, opened

EXAMPLES, OPERATIONS = 12, 30
PLACES, NAMES = st.integers(0, 1000), st.sampled_from(["secret", "open"])
KEYS = st.none() | st.sampled_from(["k1", "k2"])
STATUSES = st.sampled_from([PipelineStatus.RUNNING, PipelineStatus.FAILED, PipelineStatus.PENDING])
CALLERS, PROJECT = st.sampled_from(WHO), st.sampled_from(PROJECTS)
STEPS = st.one_of(
    st.tuples(st.just("create"), CALLERS, PROJECT, NAMES, KEYS),
    st.tuples(st.just("create"), CALLERS, PROJECT, NAMES, KEYS),
    st.tuples(st.just("rename"), CALLERS, PLACES, NAMES),
    st.tuples(st.just("delete"), CALLERS, PLACES),
    st.tuples(st.just("reach"), PLACES, STATUSES, PROJECT),
    st.tuples(st.just("read"), CALLERS, PLACES),
    st.tuples(st.just("watch"), CALLERS, PLACES),
    st.tuples(st.just("list"), CALLERS, PLACES, st.none() | PROJECT),
)
PLACED = {"rename": 1, "delete": 1, "reach": 0, "read": 1, "watch": 1}
"""Steps about a pipeline, with the position of its number among their arguments."""


def generated() -> list[list[Any]]:
    """Lists of steps, generated before the server starts: Hypothesis would take random choices of its thread for the
    test's."""
    found: list[list[Any]] = []

    @settings(max_examples=EXAMPLES, phases=[Phase.generate])
    @given(st.lists(STEPS, min_size=OPERATIONS, max_size=OPERATIONS))
    def collect(steps: list[Any]) -> None:
        found.append(steps)

    collect()
    return found


async def step(world: World, sockets: dict[str, Any], name: str, *arguments: Any) -> None:
    given = list(arguments)
    if name in PLACED:
        if not world.ids:
            return
        given[PLACED[name]] %= len(world.ids)
    world.operations += 1
    more = sockets[given[0].name] if name == "watch" else ()
    await getattr(world, name)(*given, *more)


async def test_nothing_crosses_projects_and_all_of_ones_own_is_told(database_url: str) -> None:
    steps = [each for example in generated() for each in example]
    async with opened(database_url) as (world, sockets):
        for name, *arguments in steps:
            await step(world, sockets, name, *arguments)
        await world.settle()
        assert world.operations >= 300
        assert world.events > 300
        assert len(world.used) > 5
