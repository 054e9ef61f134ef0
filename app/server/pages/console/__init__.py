"""Console: pipelines in a browser. Source beside this file, build in `dist/`. It sends no request to another host."""

from __future__ import annotations

from pathlib import Path

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from app.server.pages import files

_DIST = Path(__file__).parent / "dist"
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)


class Console:
    """Page of the console; `assets` serves its files."""

    def __init__(self) -> None:
        self._page = files.page((_DIST / "index.html").read_text("utf-8"), "Accept-Encoding", _POLICY)
        self.assets = files.assets(_DIST / "console", _POLICY)

    async def page(self, request: Request) -> Response:
        """Respond with the page."""
        return self._page.answer(request.headers, request.method)

    async def leave_folder(self, request: Request) -> Response:
        """Redirect to the page, whose links hold from there only; browsers keep the part of the address after `#`."""
        return RedirectResponse("../console", 307)
