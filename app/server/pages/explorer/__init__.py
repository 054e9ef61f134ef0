"""GraphiQL page: source beside this file, build in `dist/`. It sends no request to another host."""

import json
import re
from pathlib import Path
from typing import Any

from starlette.datastructures import Headers
from starlette.types import Receive, Scope, Send

from app.server.pages import files

# Placeholders of ids, replaced by the page; the same constants are in src/newest.js. The kind of an operation's object
# follows from the operation's name.
PLACEHOLDER = "00000000-0000-7000-8000-000000000000"
PLACEHOLDERS = {
    "Measurement": "00000000-0000-7000-8000-000000000001",
    "CellSpecification": "00000000-0000-7000-8000-000000000002",
    "CellInstance": "00000000-0000-7000-8000-000000000003",
    "JobLog": "00000000-0000-7000-8000-000000000004",
}
_DIST = Path(__file__).parent / "dist"
_FIRST = (
    "CreatePipeline",
    "StartPipeline",
    "PipelineResults",
    "Pipelines",
    "Pipeline",
    "PipelineUpdated",
    "JobsOfNode",
)
_LAST = (
    *("DuplicatePipeline", "UpdatePipeline", "CancelPipeline", "DeletePipeline"),
    *("CreateCellSpecification", "CellSpecifications", "UpdateCellSpecification"),
    *("CreateCellInstance", "CellInstances", "UpdateCellInstance"),
    *("CreateMeasurement", "CompleteMeasurement", "Measurement", "MeasurementUpdated", "Measurements"),
    *("MeasurementSeries", "UpdateMeasurement", "DeleteMeasurement", "DeleteCellInstance", "DeleteCellSpecification"),
)
"""The last tabs. Run one after the other, each finds what the ones before it made."""
_ENDING = ("Cancel", "Delete")
"""Operations that get no id: nobody should lose a pipeline by running a tab as it stands."""
_NEEDS_ID = re.compile(r"\$id\s*:\s*ID\s*!")
# Monaco, the editor, writes style elements and attributes, and draws squiggles from data: images.
_POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "worker-src 'self'; connect-src 'self'; object-src 'none'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class Explorer:
    """GraphiQL page with the operations of a folder as its first tabs; `assets` serves its files."""

    def __init__(self, queries: Path) -> None:
        before, after = (_DIST / "index.html").read_text("utf-8").split(">[]<")
        # In JSON, "<" occurs in strings only; escaped, no query can end the script element.
        tabs = json.dumps(_tabs(queries)).replace("<", r"\u003c")
        self._page = files.page(f"{before}>{tabs}<{after}", "Accept, Accept-Encoding", _POLICY)
        self.assets = files.assets(_DIST / "explorer", _POLICY)

    async def page(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._page.answer(Headers(scope=scope), scope["method"])(scope, receive, send)


def _tabs(queries: Path) -> list[dict[str, str | None]]:
    def order(path: Path) -> tuple[int, str]:
        if path.stem in _FIRST:
            return _FIRST.index(path.stem) - len(_FIRST), ""
        return (_LAST.index(path.stem) + 1, "") if path.stem in _LAST else (0, path.stem)

    return [_tab(path) for path in sorted(queries.glob("*.graphql"), key=order)]


def _tab(path: Path) -> dict[str, str | None]:
    query, examples = path.read_text("utf-8"), path.with_suffix(".variables.json")
    variables: dict[str, Any] = json.loads(examples.read_text("utf-8")) if examples.exists() else {}
    if _NEEDS_ID.search(query):
        variables = {"id": _placeholder(path.stem)} | variables
    shown = json.dumps(variables, indent=2, ensure_ascii=False) if variables else None
    return {"query": query, "variables": shown}


def _placeholder(operation: str) -> str:
    if operation.startswith(_ENDING):
        return ""
    return next((id for kind, id in PLACEHOLDERS.items() if kind in operation), PLACEHOLDER)
