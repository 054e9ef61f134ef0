"""Strict JSON: accepted only if it can be stored without loss.

orjson decodes; it silently drops all but the last of duplicate keys and turns integers beyond 64 bits into floats. So
the text is compared with the decoded value: with strings removed, each colon is a key and each long run of digits a
suspect. Only a text that fails this check is parsed a second time, slowly, to name the places.
"""

import json
import re
from collections.abc import Iterator
from itertools import islice
from typing import Any

import orjson

from app.errors import BadJson, Path, Problem, ProblemCode, RequestError, RequestErrorCode

SHAPE = bytes(ord("0") if byte in b"0123456789" else ord(".") if byte in b".eE" else ord(" ") for byte in range(256))
LONG = b" " + b"0" * 19
"""Start of an integer that may exceed 64 bits, in the reduced text."""
MOST_DIGITS = 20
SURROGATE = re.compile("[\ud800-\udfff]")
LARGEST, SMALLEST = 2**64 - 1, -(2**63)
MOST_SIGNS = {(b"[", b"{"): 100_000, (b":",): 1_000_000, (b",",): 4_000_000}
"""Maximum numbers of lists and objects, keys and values in a body; so many decode in about 0.2 s."""
FEWEST_SIGNS = min(MOST_SIGNS.values())
CONTAINERS = {dict, list}
FEW = 100
"""Number of values up to which a check of each is faster than a check of all."""
SHORT = 1024
"""Bytes up to which encoding the value again is faster than scanning the text."""
MOST_PROBLEMS = 100
LONGEST_KEY = 255


def decode(raw: bytes | bytearray, max_depth: int) -> Any:
    """Decode a JSON text. Raises BadJson, with every place, if it is not JSON or cannot be stored without loss."""
    _check_counts(raw)
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        _refuse_surrogates(raw)
        wanted = "UTF-8" if "UTF-8:" in error.msg else f"JSON: {error}"
        raise BadJson(f"The body is not {wanted}.") from None
    if len(raw) <= SHORT and _comes_back(raw, value, max_depth):
        return value
    keys, escaped = _keys(value, max_depth), b"\\" in raw
    # Without escaped backslashes and quotes, each quote starts or ends a string.
    text = raw.replace(b"\\\\", b"").replace(b'\\"', b"") if escaped else raw
    bare = b"".join(text.split(b'"')[::2])
    has_long = len(bare) >= len(LONG) and LONG in (b" " + bare).translate(SHAPE)
    if keys != bare.count(b":") or (escaped and b"\\u0000" in raw) or has_long:
        problems = [Problem(ProblemCode.INVALID, *fault) for fault in islice(_explain(raw), MOST_PROBLEMS)]
        if problems:
            raise _all_wrong(problems)
    return value


def _comes_back(raw: bytes | bytearray, value: Any, max_depth: int) -> bool:
    """Return whether the text is certainly kept: encoded again it has as many colons, and a duplicate key would remove
    one. An escaped colon could hide that."""
    return (
        b"\\u" not in raw
        and raw.count(b"{") + raw.count(b"[") <= max_depth
        and raw.count(b":") == orjson.dumps(value).count(b":")
        and LONG not in (b" " + raw).translate(SHAPE)
    )


def _check_counts(raw: bytes | bytearray) -> None:
    """Refuse a body that would take much time and memory to decode, whatever its length. Characters in strings count
    too: to tell them apart takes as long."""
    if len(raw) <= FEWEST_SIGNS:
        return
    for signs, most in MOST_SIGNS.items():
        if sum(raw.count(sign) for sign in signs) > most:
            told = " and ".join(f"`{sign.decode()}`" for sign in signs)
            raise RequestError(RequestErrorCode.PAYLOAD_TOO_LARGE, f"The body has more than {most:,} of {told}.")


def _keys(value: Any, max_depth: int) -> int:
    """Count the keys of all objects in `value`, level by level, without visiting each number."""
    keys, level, depth = 0, [value], 0
    while len(level) < FEW or not CONTAINERS.isdisjoint(map(type, level)):
        containers = [item for item in level if type(item) in CONTAINERS]
        if not containers:
            break
        depth += 1
        if depth > max_depth:
            raise BadJson(f"The body nests deeper than {max_depth} levels.")
        level = []
        for item in containers:
            if type(item) is dict:
                keys += len(item)
                level += item.values()
            else:
                level += item
    return keys


class _Pairs(list[tuple[str, Any]]):
    """An object as written, with duplicate keys."""


def fits_64_bits(digits: str) -> bool:
    """Return whether an integer fits in 64 bits, signed or unsigned. The length is checked first: Python refuses over
    4,300 digits."""
    return len(digits) <= MOST_DIGITS and SMALLEST <= int(digits) <= LARGEST


class _TooLong:
    """Placeholder of an integer beyond 64 bits."""


def _explain(raw: bytes | bytearray | str) -> Iterator[tuple[str, Path]]:
    """Yield the reason and the place of everything that cannot be stored."""

    def integer(digits: str) -> Any:
        return None if fits_64_bits(digits) else _TooLong

    def constant(name: str) -> Any:
        raise ValueError(f"{name} is no JSON.")

    text = json.loads(raw, object_pairs_hook=_Pairs, parse_int=integer, parse_constant=constant)
    yield from _faults(text, ())


def _refuse_surrogates(raw: bytes | bytearray) -> None:
    """Raise BadJson, with each path, for a text that orjson rejects only because of an unpaired surrogate escape, such
    as in a text cut within an emoji."""
    if b"\\u" not in raw:
        return
    try:
        problems = [Problem(ProblemCode.INVALID, *fault) for fault in islice(_explain(raw.decode()), MOST_PROBLEMS)]
    except (ValueError, RecursionError):
        return
    if problems:
        raise _all_wrong(problems)


def _all_wrong(problems: list[Problem]) -> BadJson:
    return BadJson(" ".join(problem.message for problem in problems[:3]), *problems)


def _faults(value: Any, path: Path) -> Iterator[tuple[str, Path]]:
    if value is _TooLong:
        yield f"The integer at {dotted(path)} does not fit in 64 bits.", path
    elif isinstance(value, str) and (held := _unkept(value)):
        yield f"The text at {dotted(path)} holds {held}.", path
    elif isinstance(value, _Pairs):
        seen: set[str] = set()
        for key, item in value:
            # A response may name a hundred places below one long key.
            place = (*path, _printable(key if len(key) <= LONGEST_KEY else key[:LONGEST_KEY] + "…"))
            if key in seen:
                yield f"The key {dotted(place)} occurs twice.", place
            if held := _unkept(key):
                yield f"The key {dotted(place)} holds {held}.", place
            seen.add(key)
            yield from _faults(item, place)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _faults(item, (*path, index))


def _unkept(text: str) -> str | None:
    """Return the name of a character that no database can store."""
    if "\0" in text:
        return "a NUL character"
    return None if SURROGATE.search(text) is None else "an unpaired surrogate"


def _printable(key: str) -> str:
    """Return a key with unpaired surrogates escaped, because no response can contain them."""
    return key if SURROGATE.search(key) is None else key.encode(errors="backslashreplace").decode()


def dotted(path: Path) -> str:
    """Format a path for people."""
    return ".".join(map(str, path)).replace("\0", "\\0") or "the top"
