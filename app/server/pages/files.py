"""Files of a page: compressed by its build, with the headers of a security policy."""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from pathlib import Path

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, Router

from app.server.compression import accepts_gzip

TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".ttf": "font/ttf",
    ".txt": "text/plain; charset=utf-8",
}
"""Media types by suffix."""


@dataclass(frozen=True, slots=True)
class File:
    """File of a page, compressed."""

    packed: bytes
    media_type: str
    caching: str
    vary: str
    policy: str
    """The content security policy."""

    def answer(self, headers: Headers, method: str) -> Response:
        """Respond to GET or HEAD."""
        body, encoding = self.packed, {"content-encoding": "gzip"}
        if not accepts_gzip(",".join(headers.getlist("accept-encoding")).encode("latin-1")):
            body, encoding = gzip.decompress(body), {}
        about = {
            "content-type": self.media_type,
            "content-length": str(len(body)),
            "cache-control": self.caching,
            "vary": self.vary,
            "content-security-policy": self.policy,
            "cross-origin-opener-policy": "same-origin",
            "referrer-policy": "no-referrer",
            "x-content-type-options": "nosniff",
            "x-frame-options": "DENY",  # like frame-ancestors, for old browsers
        }
        return Response(b"" if method == "HEAD" else body, headers=about | encoding)


def page(text: str, vary: str, policy: str) -> File:
    """Return an HTML page, which browsers must revalidate."""
    return File(gzip.compress(text.encode(), mtime=0), "text/html; charset=utf-8", "no-cache", vary, policy)


def assets(folder: Path, policy: str) -> Router:
    """Return an application that serves the files of a build by name, without `.gz`."""
    files = {
        path.stem: File(
            path.read_bytes(),
            TYPES[Path(path.stem).suffix],
            "public, max-age=31536000, immutable",  # file names contain a hash of the content
            "Accept-Encoding",
            policy,
        )
        for path in folder.glob("*.gz")
    }

    async def respond(request: Request) -> Response:
        file = files.get(request.path_params["name"])
        if file is None:
            return PlainTextResponse("Not Found", 404)
        return file.answer(request.headers, request.method)

    return Router([Route("/{name}", respond)], redirect_slashes=False)
