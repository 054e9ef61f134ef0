"""Random documents within the limits that request as much as possible."""

from __future__ import annotations

from random import Random
from typing import NamedTuple

from tests.costs import worst

PIPELINE = "id projectId organizationId userId createdByEmail name description status isTerminal error errorCode"
PIPELINE += " createdAt updatedAt startedAt finishedAt duration labels"
ELEMENT = "id pipelineId organizationId name elementOrder elementType jobId jobStatus status error errorCode"
ELEMENT += " createdAt updatedAt isReused"
LARGE = ("jobConfig", "result", "errorDetail", "parameterValues", "warnings", "outcome", "objectives", "failure")
SELECTED = {
    "warnings": "{ code }",
    "outcome": "{ __typename parameters { name unit value standardError bounds } ... on OptimizationResult { cost } }",
    "objectives": "{ name type sources { source rows channels } }",
    "failure": "{ code message problems { path message } }",
    "parameters": "{ name unit value standardError }",
}
MEASUREMENT = "id name status notes rows bytes tags changes createdAt"
JOB = "id status attempt startedAt finishedAt error errorCode"
CHECKPOINT = "at iteration cost bestCost parameters"
POINTS = (1, 2, 50, 200, 500, 1000, 5000)
ROWS = (None, 2, 100, 1000, 10_000, 100_000)
FIRST = (1, 5, 10, 20, 50, 100)
INTROSPECTION = (
    "__schema { types { name fields { name type { name ofType { name } } args { name type { name } } } } }",
    '__type(name: "Pipeline") { fields { name description type { kind name } } }',
)


class Made(NamedTuple):
    """Random document."""

    text: str
    is_narrowed: bool
    """Whether it is sent with a key limited to one project, which GraphQL's executor answers."""


class Maker:
    """Generator of one document."""

    def __init__(self, seed: int) -> None:
        self._draw = Random(seed)
        self._aliases = self._draw.choice((0, 5, 30))
        self._number = 0
        # Some fields are much more likely than others, with different weights in each document.
        self._favourite = self._draw.choice(
            (
                "series",
                "history",
                "trace",
                "log",
                "parameterValues",
                "warnings",
                "outcome",
                "jobConfig",
                "result",
                "job",
                "",
            )
        )
        self._many = self._draw.choice((1, 2, 5, 13))

    def made(self) -> Made:
        draw = self._draw
        kind = draw.choices(("query", "subscription", "mutation"), (16, 3, 1))[0]
        if kind == "subscription":
            text = f'subscription {{ pipelineUpdated(id: "{self._id()}") {{ {self._pipeline()} }} }}'
        elif kind == "mutation":
            fields = f'updatePipeline(id: "{self._id()}", input: {{description: "d"}}) {{ pipeline {{ {{}} }} }}'
            text = "mutation { " + fields.replace("{}", self._pipeline()) + " }"
        else:
            text = "{ " + " ".join(self._root(n) for n in range(draw.choice((1, 1, 2, 3, 8, 20)))) + " }"
        if draw.random() < 0.1:
            text = self._spoilt(text)
        return Made(text, kind == "query" and draw.random() < 0.2)

    def _id(self) -> str:
        draw = self._draw
        return worst.pipeline_id(draw.choice((worst.LARGE, worst.TRACED, worst.SAMPLED, 4)))

    def _root(self, number: int) -> str:
        draw = self._draw
        name = f"r{number}: " if number and self._alias() else ""
        kinds = ("pipeline", "pipelines", "nodes", "node", "counts", "measurement", "measurements", "schema")
        match draw.choices(kinds, (8, 8, 2, 3, 1, 2, 2, 1))[0]:
            case "pipeline":
                return f'{name}pipeline(id: "{self._id()}") {{ {self._pipeline()} }}'
            case "pipelines":
                more = draw.choice(("", "", f", filter: {{{self._filter(0)}}}", ", orderBy: {field: DURATION}"))
                return f"{name}pipelines(first: {draw.choice(FIRST)}{more}) {{ {self._page()} }}"
            case "nodes":
                ids = ", ".join(f'"{worst.pipeline_id(draw.randint(1, worst.PIPELINES))}"' for _ in range(50))
                return f"{name}nodes(ids: [{ids}]) {{ ... on Pipeline {{ {self._pipeline()} }} }}"
            case "measurement":
                id = worst.measurement_id(draw.randint(1, worst.MEASUREMENTS))
                return f'{name}measurement(id: "{id}") {{ {self._measurement()} }}'
            case "measurements":
                return f"{name}measurements(first: {draw.choice(FIRST)}) {{ nodes {{ {self._measurement()} }} }}"
            case "node":
                place = draw.choice((worst.LARGE, worst.TRACED, worst.SAMPLED)), draw.randint(1, 250)
                if draw.random() < 0.5:
                    inside = f"... on PipelineElement {{ {self._element(2)} }}"
                    return f'{name}node(id: "{worst.element_id(*place)}") {{ {inside} }}'
                return f'{name}node(id: "{worst.job_id(*place)}") {{ ... on Job {{ {self._job(2)} }} }}'
            case "counts":
                return f"{name}pipelineCounts(filter: {{{self._filter(0)}}}) {{ status count }}"
            case _:
                return draw.choice(INTROSPECTION)

    def _filter(self, level: int) -> str:
        """Write a filter, with others inside it."""
        draw = self._draw
        plain = (
            'nameContains: "nnn"',
            'nameContains: "n"',
            'descriptionContains: "x"',
            "statuses: [COMPLETED, FAILED]",
            'element: {name: "Element 1", types: [DATA_FIT]}',
            "durationAtLeast: 5",
            'labelsAny: ["a", "b"]',
        )
        if level > 2 or draw.random() < 0.5:
            return draw.choice(plain)
        inside = ", ".join(f"{{{self._filter(level + 1)}}}" for _ in range(draw.choice((1, 2, 5))))
        return draw.choice((f"and: [{inside}]", f"or: [{inside}]", f"not: {{{self._filter(level + 1)}}}"))

    def _measurement(self) -> str:
        draw = self._draw
        parts = self._some(MEASUREMENT)
        for name, rest in (
            ("columns", "{ name unit min max missing }"),
            ("steps", ""),
            ("cycles", ""),
            ("details", ""),
            ("downloadUrl", ""),
            ("series", draw.choice(("", "(maxPoints: 100)", "(maxPoints: 5000)"))),
            ("usedBy", "{ nodes { id name } }"),
        ):
            if draw.random() < 0.2:
                parts += self._several(name, rest)
        return parts

    def _page(self) -> str:
        more = self._draw.choice(("", "", "totalCount", "pageInfo { hasNextPage hasPreviousPage endCursor }"))
        if self._draw.random() < 0.2:
            return f"{more} edges {{ cursor node {{ {self._pipeline()} }} }}"
        return f"{more} nodes {{ {self._pipeline()} }}"

    def _pipeline(self) -> str:
        parts = self._some(PIPELINE)
        for _ in range(self._draw.choice((1, 1, 2, 5))):
            if self._draw.random() < 0.8:
                parts += self._named("elements", f"{{ {self._element(0)} }}")
            else:
                parts += self._named("progress", f"{{ finished total current {{ {self._element(3)} }} }}")
        for name in ("parameters", "parameterValues", "failure"):
            if self._draw.random() < (0.5 if self._favourite == "outcome" else 0.05):
                parts += self._several(name, SELECTED.get(name, ""))
        if self._draw.random() < 0.05:
            parts += self._several("parameterSet", "(format: PYBAMM) { content omitted { name } }")
        return parts

    def _element(self, level: int) -> str:
        parts = self._some(ELEMENT)
        for name in LARGE:
            if self._draw.random() < (0.7 if name == self._favourite else 0.1):
                parts += self._several(name, self._names(name))
        if self._draw.random() < (0.8 if self._favourite == "series" else 0.1):
            parts += self._several("series", self._rows())
        if self._draw.random() < (0.8 if self._favourite == "history" else 0.05):
            parts += self._several("history", self._draw.choice(("", "(maxPoints: 50)", "(maxPoints: 5000)")))
        if level < 3 and self._draw.random() < (0.9 if self._favourite in ("trace", "job") else 0.2):
            parts += self._named("job", f"{{ {self._job(level)} }}")
        return parts

    def _job(self, level: int) -> str:
        parts = self._some(JOB)
        if self._draw.random() < (0.8 if self._favourite == "trace" else 0.2):
            points = f"(maxPoints: {self._draw.choice(POINTS)})" if self._draw.random() < 0.8 else ""
            parts += self._several("trace", f"{points} {{ {self._some(CHECKPOINT)} }}")
        if self._draw.random() < (0.8 if self._favourite == "log" else 0.1):
            lines = f"(maxLines: {self._draw.choice(POINTS)})" if self._draw.random() < 0.8 else ""
            parts += self._several("log", f"{lines} {{ number at stream text }}")
        if self._draw.random() < 0.4:
            parts += self._several("progress", f"{{ {self._some(CHECKPOINT)} }}")
        if level < 3 and self._draw.random() < 0.4:
            parts += self._named("element", f"{{ {self._element(level + 1)} }}")
        return parts

    def _names(self, name: str) -> str:
        is_picked = name == "parameterValues" and self._draw.random() < 0.3
        return SELECTED.get(name, '(names: ["Parameter 1 [m]"])' if is_picked else "")

    def _rows(self) -> str:
        draw = self._draw
        objective = draw.choice((worst.OBJECTIVE, worst.LONG_OBJECTIVE, "none"))
        rows, more = draw.choice(ROWS), ""
        if rows is not None:
            more += f", maxPoints: {rows}"
        if draw.random() < 0.3:
            more += ', columns: ["Channel 1", "Channel 2"]'
        if draw.random() < 0.2:
            more += ", xMin: 0.1, xMax: 0.9"
        return f'(objective: "{objective}"{more})'

    def _some(self, fields: str) -> str:
        """Select some of the fields, at least one, and some again by aliases."""
        names = fields.split()
        picked = self._draw.sample(names, self._draw.randint(1, min(len(names), self._many)))
        return " ".join(picked) + " " + "".join(self._several(picked[0], "") if self._draw.random() < 0.1 else "")

    def _several(self, name: str, rest: str) -> str:
        """Write a field, possibly several times."""
        return "".join(self._named(name, rest) for _ in range(self._draw.choice((1, 1, 2, 8, 30))))

    def _named(self, name: str, rest: str) -> str:
        self._number += 1
        return f"a{self._number}: {name}{rest} " if self._alias() else f"{name}{rest} "

    def _alias(self) -> bool:
        """Return whether to use an alias, if any is left."""
        has_one = self._aliases > 0 and self._draw.random() < 0.9
        self._aliases -= has_one
        return has_one

    def _spoilt(self, text: str) -> str:
        """Return the document with random errors, in some places or everywhere."""
        draw = self._draw
        wrong = (("name", "nome"), ("status", "state { x }"), ("maxPoints: ", "maxPoints: -"), ("id", ""))
        old, new = draw.choice(wrong)
        return text.replace(old, new, draw.choice((1, -1)))
