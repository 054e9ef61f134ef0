"""Automatic persisted queries: clients name a document by its SHA-256 hash after sending it once.

https://www.apollographql.com/docs/apollo-server/performance/apq
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from graphql import GraphQLError

from app.errors import RequestError, RequestErrorCode
from app.settings import Settings
from schema.documents.documents import Charge, Document, Documents
from schema.documents.trusted import Trusted

FORM = re.compile("[0-9a-f]{64}")
NOT_FOUND = Document(code=RequestErrorCode.PERSISTED_QUERY_NOT_FOUND, errors=[GraphQLError("PersistedQueryNotFound")])
NOT_SUPPORTED = Document(
    code=RequestErrorCode.PERSISTED_QUERY_NOT_SUPPORTED, errors=[GraphQLError("PersistedQueryNotSupported")]
)
"""Errors with the exact messages that clients match. After the first message the client sends the document once, after
the second one with every request."""


class Persisted:
    """Recent persisted documents. The hash of each is computed here: no client can store a document under another's
    hash."""

    def __init__(self, documents: Documents, settings: Settings, trusted: Trusted | None) -> None:
        self._documents, self._known = documents, trusted.by_hash if trusted else {}
        self._most, self._most_bytes = settings.max_persisted_queries, settings.max_persisted_bytes
        self._kept: OrderedDict[str, str] = OrderedDict()
        self._bytes = 0
        self._missing = NOT_FOUND if self._most or trusted else NOT_SUPPORTED

    async def get(self, hash: str, text: str | None, charge: Charge | None = None) -> Document:
        """Return the document of `hash`; store it if its text is sent along and valid. Raises RequestError if the text
        has another hash."""
        if text is None:
            return await self._named(hash)
        document = await self._documents.get(text, charge)
        if sha256(text.encode()).hexdigest() != hash:
            raise RequestError(RequestErrorCode.BAD_REQUEST, "The hash is not the SHA-256 of `query`.")
        if not document.errors:
            self._keep(hash, text)
        return document

    async def _named(self, hash: str) -> Document:
        text = self._known.get(hash)
        if text is None and (text := self._kept.get(hash)) is None:
            return self._missing
        if hash in self._kept:
            self._kept.move_to_end(hash)
        return await self._documents.get(text)

    def _keep(self, hash: str, text: str) -> None:
        size = len(text.encode())
        if not self._most or size > self._most_bytes:
            return
        if hash not in self._kept:
            self._kept[hash] = text
            self._bytes += size
        self._kept.move_to_end(hash)
        while len(self._kept) > self._most or self._bytes > self._most_bytes:
            _, oldest = self._kept.popitem(last=False)
            self._bytes -= len(oldest.encode())


def named_hash(body: Mapping[str, Any]) -> str | None:
    """Return the hash of a request's document: `documentId`, or that of `extensions.persistedQuery`. Raises
    RequestError for an unknown form."""
    if (id := body.get("documentId")) is not None:
        if not isinstance(id, str):
            raise RequestError(RequestErrorCode.BAD_REQUEST, "`documentId` must be a string.")
        return id.removeprefix("sha256:").lower()
    persisted = (body.get("extensions") or {}).get("persistedQuery")
    if persisted is None:
        return None
    if not isinstance(persisted, dict) or persisted.get("version") != 1:
        raise RequestError(RequestErrorCode.BAD_REQUEST, "`extensions.persistedQuery` must have `version` 1.")
    hash = persisted.get("sha256Hash")
    if not isinstance(hash, str) or not FORM.fullmatch(hash.lower()):
        raise RequestError(RequestErrorCode.BAD_REQUEST, "`sha256Hash` must be a SHA-256, as 64 hexadecimal digits.")
    return hash.lower()
