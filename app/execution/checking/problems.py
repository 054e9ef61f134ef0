"""Problems of checked configurations as problems of the input that held them."""

from __future__ import annotations

from collections.abc import Sequence

from app.errors import Path, Problem, ProblemCode, Rejected
from app.execution.executor import Fault
from app.pipelines.elements import Element


def require_valid(elements: Sequence[Element], faults: Sequence[Sequence[Fault]], *, is_listed: bool) -> None:
    """Raise Rejected with every problem of the configurations. `is_listed`: the elements were sent as a list."""
    problems = [
        Problem(ProblemCode.INVALID, fault.message, (*_place(index, element, is_listed), *fault.path))
        for index, (element, found) in enumerate(zip(elements, faults, strict=True))
        for fault in found
    ]
    if problems:
        raise Rejected(*problems)


def _place(index: int, element: Element, is_listed: bool) -> Path:
    return ("elements", index, "jobConfig") if is_listed else ("elements_by_name", element.name)
