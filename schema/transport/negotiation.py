"""Content negotiation."""

from functools import lru_cache

from app.errors import RequestError, RequestErrorCode

GRAPHQL = b"application/graphql-response+json"
JSON = b"application/json"
HTML = b"text/html"
EVENTS = b"text/event-stream"
RANGES = {
    GRAPHQL: {GRAPHQL},
    JSON: {JSON, b"application/*", b"*/*"},
    HTML: {HTML, b"text/*", b"application/xhtml+xml"},
}


@lru_cache(256)
def preferred(accept: bytes, *offers: bytes) -> bytes | None:
    """Return the offer with the highest weight in `accept`; among equals the first named there. None if none is
    accepted."""
    best, most = None, 0.0
    for part in accept.lower().split(b","):
        kind, *parameters = (piece.strip() for piece in part.split(b";"))
        weight = _weight(parameters)
        offer = next((offer for offer in offers if kind in RANGES[offer]), None)
        if offer and weight > most:
            best, most = offer, weight
    return best


@lru_cache(256)
def media_type(accept: bytes | None) -> bytes:
    """Return the JSON media type of the response. Raises RequestError if the request accepts neither."""
    chosen = preferred(accept, GRAPHQL, JSON) if accept else JSON
    if chosen is None:
        accepted = f"Accept {GRAPHQL.decode()} or {JSON.decode()}."
        raise RequestError(RequestErrorCode.NOT_ACCEPTABLE, accepted)
    return chosen


@lru_cache(256)
def wants_events(accept: bytes | None) -> bool:
    """Return whether to respond with server-sent events. Many clients accept a JSON type too for every operation: they
    get JSON."""
    parts = ((piece.strip() for piece in part.split(b";")) for part in (accept or b"").lower().split(b","))
    named = {kind for kind, *parameters in parts if _weight(parameters) > 0}
    return EVENTS in named and not named & {GRAPHQL, JSON}


def wants_page(accept: bytes | None) -> bool:
    """Return whether the request comes from a browser that shows pages."""
    return accept is not None and preferred(accept, HTML, GRAPHQL, JSON) == HTML


def _weight(parameters: list[bytes]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition(b"=")
        if name.strip() == b"q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0
