"""Differences between an OpenAPI document and the contract of an operation.

The contract's part must be unchanged, schema by schema, keyword by keyword. Beyond it, more statuses, optional headers
and more response properties are allowed; titles and descriptions are free.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Schema = dict[str, Any]
FREE = {"title", "description", "summary", "tags", "security", "examples"}
ABSENT = object()


def differences(contract: Schema, document: Schema, path: str, method: str) -> list[str]:
    """Yield each difference with its place; nothing if the document keeps the contract."""
    wanted, found = (each["paths"].get(path, {}).get(method) for each in (contract, document))
    if found is None:
        return [f"{method} {path} is missing"]
    return list(_Comparison(contract, document).operation(wanted, found))


class _Comparison:
    def __init__(self, contract: Schema, document: Schema) -> None:
        self._contract, self._document = contract, document

    def operation(self, wanted: Schema, found: Schema) -> Iterator[str]:
        yield from _unequal(wanted, found, "operation", {"requestBody", "responses", "parameters"})
        for parameter in found.get("parameters", []):
            if parameter["in"] != "header" or parameter.get("required"):
                yield f"operation: the parameter {parameter['name']} is not in the contract"
        asked, takes = wanted["requestBody"], found.get("requestBody", {})
        yield from _unequal(asked, takes, "requestBody", {"content"})
        yield from self._content(asked["content"], takes.get("content", {}), "requestBody", answer=False)
        for status, answer in wanted["responses"].items():
            given = found.get("responses", {}).get(status, {})
            yield from _unequal(answer, given, status, {"content"})
            yield from self._content(answer["content"], given.get("content", {}), status, answer=True)

    def _content(self, wanted: Schema, found: Schema, place: str, *, answer: bool) -> Iterator[str]:
        if wanted.keys() != found.keys():
            yield f"{place}: content is {list(found)}, not {list(wanted)}"
        for kind in wanted.keys() & found.keys():
            yield from self._schema(wanted[kind]["schema"], found[kind].get("schema", {}), place, answer=answer)

    def _schema(self, wanted: Schema, found: Schema, place: str, *, answer: bool) -> Iterator[str]:
        wanted, found = _resolved(wanted, self._contract), _resolved(found, self._document)
        yield from _unequal(wanted, found, place, {"properties", "required", "items", "anyOf"})
        yield from self._properties(wanted, found, place, answer=answer)
        ours, theirs = found.get("anyOf", []), wanted.get("anyOf", [])
        if len(ours) != len(theirs):
            yield f"{place}: anyOf has {len(ours)} members, not {len(theirs)}"
        for index, (branch, given) in enumerate(zip(theirs, ours, strict=False)):
            yield from self._schema(branch, given, f"{place}/anyOf/{index}", answer=answer)
        if ("items" in wanted) != ("items" in found):
            yield f"{place}: items are there in one of both only"
        elif "items" in wanted:
            yield from self._schema(wanted["items"], found["items"], f"{place}/items", answer=answer)

    def _properties(self, wanted: Schema, found: Schema, place: str, *, answer: bool) -> Iterator[str]:
        theirs, ours = wanted.get("properties", {}), found.get("properties", {})
        required = set(found.get("required", []))
        if answer:
            required -= ours.keys() - theirs.keys()
        if required != set(wanted.get("required", [])):
            yield f"{place}: required are {sorted(required)}, not {sorted(wanted.get('required', []))}"
        for name, schema in theirs.items():
            if name in ours:
                yield from self._schema(schema, ours[name], f"{place}/{name}", answer=answer)
            else:
                yield f"{place}/{name}: is missing"


def _resolved(schema: Schema, document: Schema) -> Schema:
    """Return a schema with its $ref replaced by the referenced schema."""
    if "$ref" not in schema:
        return schema
    target = document
    for step in schema["$ref"].removeprefix("#/").split("/"):
        target = target.get(step, {})
    return {**target, **{key: value for key, value in schema.items() if key != "$ref"}}


def _unequal(wanted: Schema, found: Schema, place: str, elsewhere: set[str]) -> Iterator[str]:
    """Return the keywords that differ, except free ones and those compared elsewhere."""
    for key in sorted((wanted.keys() | found.keys()) - FREE - elsewhere):
        theirs, ours = wanted.get(key, ABSENT), found.get(key, ABSENT)
        if theirs != ours or isinstance(theirs, bool) is not isinstance(ours, bool):
            yield f"{place}: {key} is {'absent' if ours is ABSENT else ours!r}, not {theirs!r}"
