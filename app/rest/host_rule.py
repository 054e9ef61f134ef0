"""Host check of a server without API keys: it answers only under names of its own machine, which prevents DNS
rebinding."""

from __future__ import annotations

from collections.abc import Callable

from starlette.types import ASGIApp, Receive, Scope, Send

from app.auth.authenticator import Authenticator
from app.rest.errors import failure
from app.server.faults import find_refusal

OPEN = frozenset({"/livez", "/healthz"})
"""Paths that answer under every name. They only report that the process runs; a probe with another Host header must not
cause a restart."""
OPEN_FOLDERS = ("/explorer/", "/console/")
"""Files of the pages, which are the same in every installation."""


class HostRule:
    """Middleware that refuses requests under names of other machines, unless API keys exist."""

    def __init__(self, app: ASGIApp, callers: Callable[[], Authenticator]) -> None:
        self._app, self._callers = app, callers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not _is_open(scope["path"].removeprefix(scope.get("root_path", ""))):
            try:
                await self._callers().check_name(dict(scope["headers"]))
            except Exception as error:
                refused = find_refusal(error)
                if refused is None:
                    raise
                await failure(refused.code.status, refused.code.name, refused.message, refused.headers)(
                    scope, receive, send
                )
                return
        await self._app(scope, receive, send)


def _is_open(path: str) -> bool:
    return path in OPEN or path.startswith(OPEN_FOLDERS)
