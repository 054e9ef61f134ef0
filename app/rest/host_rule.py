"""Host rule of a server without API keys: it answers under names of its own machine only, so that a page which is
reached under a rebound name reads nothing (DNS rebinding)."""

from __future__ import annotations

from collections.abc import Callable

from starlette.types import ASGIApp, Receive, Scope, Send

from app.auth.authenticator import Authenticator
from app.rest.errors import failure
from app.server.faults import find_refusal

OPEN = frozenset({"/livez", "/healthz"})
"""Paths that answer under every name. They say only that the process runs: a probe which sends another name must not
have it restarted."""
OPEN_FOLDER = "/explorer/"
"""Files of the GraphiQL page, the same in every installation."""


class HostRule:
    """An application of which nothing is answered under a name of another machine, unless there are API keys."""

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
    return path in OPEN or path.startswith(OPEN_FOLDER)
