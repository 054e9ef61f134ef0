"""GraphiQL page: source beside this file, build in `dist/`. It sends no request to another host."""

import gzip
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, Router
from starlette.types import Receive, Scope, Send

# Placeholder of a pipeline's id, replaced by the page; the same constant is in src/variables.js.
PLACEHOLDER = "00000000-0000-7000-8000-000000000000"

_DIST = Path(__file__).parent / "dist"
_FIRST = ("CreatePipeline", "StartPipeline", "PipelineResults", "Pipelines", "Pipeline", "PipelineUpdated")
_NEEDS_ID = re.compile(r"\$id\s*:\s*ID\s*!")
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".ttf": "font/ttf",
    ".txt": "text/plain; charset=utf-8",
}
# Monaco, the editor, writes style elements and attributes, and draws squiggles from data: images.
_POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "worker-src 'self'; connect-src 'self'; object-src 'none'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


@dataclass(frozen=True, slots=True)
class _File:
    packed: bytes
    media_type: str
    caching: str
    vary: str

    def answer(self, headers: Headers, method: str) -> Response:
        body, encoding = self.packed, {"content-encoding": "gzip"}
        if not _accepts_gzip(",".join(headers.getlist("accept-encoding"))):
            body, encoding = gzip.decompress(body), {}
        about = {
            "content-type": self.media_type,
            "content-length": str(len(body)),
            "cache-control": self.caching,
            "vary": self.vary,
            "content-security-policy": _POLICY,
            "cross-origin-opener-policy": "same-origin",
            "referrer-policy": "no-referrer",
            "x-content-type-options": "nosniff",
            "x-frame-options": "DENY",  # like frame-ancestors, for old browsers
        }
        return Response(b"" if method == "HEAD" else body, headers=about | encoding)


class Explorer:
    """GraphiQL page with the operations of a folder as its first tabs; `assets` serves its files."""

    def __init__(self, queries: Path) -> None:
        before, after = (_DIST / "index.html").read_text("utf-8").split(">[]<")
        # In JSON, "<" occurs in strings only; escaped, no query can end the script element.
        tabs = json.dumps(_tabs(queries)).replace("<", r"\u003c")
        page = gzip.compress(f"{before}>{tabs}<{after}".encode(), mtime=0)
        self._page = _File(page, "text/html; charset=utf-8", "no-cache", "Accept, Accept-Encoding")
        self._assets = {
            path.stem: _File(
                path.read_bytes(),
                _TYPES[Path(path.stem).suffix],
                "public, max-age=31536000, immutable",  # file names contain a hash of the content
                "Accept-Encoding",
            )
            for path in (_DIST / "explorer").glob("*.gz")
        }
        self.assets = Router([Route("/{name}", self._asset)], redirect_slashes=False)

    async def page(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._page.answer(Headers(scope=scope), scope["method"])(scope, receive, send)

    async def _asset(self, request: Request) -> Response:
        file = self._assets.get(request.path_params["name"])
        if file is None:
            return PlainTextResponse("Not Found", 404)
        return file.answer(request.headers, request.method)


def _tabs(queries: Path) -> list[dict[str, str | None]]:
    def order(path: Path) -> tuple[int, str]:
        return (_FIRST.index(path.stem) if path.stem in _FIRST else len(_FIRST), path.stem)

    return [_tab(path) for path in sorted(queries.glob("*.graphql"), key=order)]


def _tab(path: Path) -> dict[str, str | None]:
    query, examples = path.read_text("utf-8"), path.with_suffix(".variables.json")
    variables: dict[str, Any] = json.loads(examples.read_text("utf-8")) if examples.exists() else {}
    if _NEEDS_ID.search(query):
        variables = {"id": PLACEHOLDER} | variables
    shown = json.dumps(variables, indent=2, ensure_ascii=False) if variables else None
    return {"query": query, "variables": shown}


def _accepts_gzip(accept_encoding: str) -> bool:
    for part in accept_encoding.lower().split(","):
        coding, _, weight = part.replace(" ", "").partition(";q=")
        if coding == "gzip":
            return re.fullmatch(r"0(\.0*)?", weight) is None
    return False
