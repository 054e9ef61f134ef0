"""Interface of the fast path: responses to requests without ASGI."""

from __future__ import annotations

from collections.abc import Coroutine, Mapping
from typing import Any, Protocol

from app.server.response import Response

Headers = Mapping[bytes, bytes]


class FastPathApplication(Protocol):
    """Application that answers requests without ASGI."""

    @property
    def waits(self) -> bool:
        """Whether responses always wait for something. Each is then made in a Task from its start."""

    def respond(self, headers: Headers, body: bytes) -> Coroutine[Any, Any, Response] | None:
        """Return the response to a POST. None, without side effects, if the request must go through ASGI."""
