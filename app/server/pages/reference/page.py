"""REST reference: the OpenAPI document as one page without scripts, and without requests to other hosts."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html import escape
from typing import Any

METHODS = ("get", "post", "put", "patch", "delete")
REFERENCE = "#/components/schemas/"
SECRET = "$VOLTGRAPH_API_KEY"


def reference(document: dict[str, Any]) -> str:
    """Return the operations and the schemas of an OpenAPI document as HTML."""
    server = document["servers"][0]["url"] if document.get("servers") else ""
    operations = "".join(_operations(document["paths"], server))
    schemas = "".join(_schema(name, each) for name, each in sorted(document["components"]["schemas"].items()))
    return f"<h2>REST</h2>{operations}<h2>Schemas</h2>{schemas}"


def _operations(paths: dict[str, Any], server: str) -> Iterator[str]:
    for path, item in paths.items():
        for method in METHODS:
            if method in item:
                yield _operation(method, path, item[method], server)


def _operation(method: str, path: str, operation: dict[str, Any], server: str) -> str:
    id = escape(operation["operationId"], quote=True)
    title = f"<b>{method.upper()}</b> <code>{escape(path)}</code> {escape(operation.get('summary', ''))}"
    parts = [
        _text(operation.get("description", "")),
        _parameters(operation.get("parameters", [])),
        _body(operation.get("requestBody")),
        _responses(operation["responses"]),
        f"<pre>{escape(_example(method, path, operation, server))}</pre>",
    ]
    return f'<details id="{id}"><summary>{title}</summary>{"".join(parts)}</details>'


def _parameters(parameters: list[dict[str, Any]]) -> str:
    rows = (
        (
            f"<code>{escape(each['name'])}</code>",
            escape(each["in"]) + (", required" if each.get("required") else ""),
            _type(each.get("schema", {})),
            _inline(each.get("description", "")),
        )
        for each in parameters
    )
    return _table(("Parameter", "In", "Type", "Meaning"), rows)


def _body(body: dict[str, Any] | None) -> str:
    if not body:
        return ""
    kinds = "; ".join(f"{escape(kind)}: {_type(each.get('schema', {}))}" for kind, each in body["content"].items())
    examples = [each["value"] for kind in body["content"].values() for each in kind.get("examples", {}).values()]
    shown = "".join(f"<pre>{escape(json.dumps(each, indent=2))}</pre>" for each in examples)
    return f"<p>Body: {kinds}</p>{shown}"


def _responses(responses: dict[str, Any]) -> str:
    rows = (
        (
            f"<b>{escape(status)}</b>",
            _inline(each.get("description", "")),
            "; ".join(_type(content.get("schema", {})) for content in each.get("content", {}).values()),
        )
        for status, each in sorted(responses.items())
    )
    return _table(("Status", "Meaning", "Body"), rows)


def _example(method: str, path: str, operation: dict[str, Any], server: str) -> str:
    """Return the command of curl that sends a request."""
    words = ["curl", *(["-X", method.upper()] if method != "get" else []), f"'{server}{path}'"]
    if operation.get("security", True):
        words += ["-H", f'"x-api-key: {SECRET}"']
    if operation.get("requestBody"):
        words += ["-H", "'content-type: application/json'", "-d", "@body.json"]
    return " ".join(words)


def _schema(name: str, schema: dict[str, Any]) -> str:
    required = set(schema.get("required", ()))
    rows = (
        (
            f"<code>{escape(field)}</code>" + (", required" if field in required else ""),
            _type(each),
            _inline(each.get("description", "")),
        )
        for field, each in schema.get("properties", {}).items()
    )
    values = ", ".join(f"<code>{escape(str(each))}</code>" for each in schema.get("enum", ()))
    inside = _text(schema.get("description", "")) + (f"<p>{values}</p>" if values else "")
    fields = _table(("Field", "Type", "Meaning"), rows)
    return (
        f'<details id="schema-{escape(name, quote=True)}"><summary>{escape(name)}</summary>{inside}{fields}</details>'
    )


def _type(schema: dict[str, Any]) -> str:
    """Return the type of a schema, with links to named ones."""
    if "$ref" in schema:
        name = escape(schema["$ref"].removeprefix(REFERENCE), quote=True)
        return f'<a href="#schema-{name}">{name}</a>'
    for word in ("anyOf", "oneOf", "allOf"):
        if word in schema:
            return " or ".join(dict.fromkeys(map(_type, schema[word])))
    kind = schema.get("type", "any")
    if kind == "array":
        return f"list of {_type(schema.get('items', {}))}"
    about = [str(schema[name]) for name in ("format",) if name in schema]
    bounds = [
        f"{sign} {schema[name]}"
        for name, sign in (("minimum", "≥"), ("maximum", "≤"), ("minLength", "length ≥"), ("maxLength", "length ≤"))
        if name in schema
    ]
    return escape(" ".join([str(kind), *(f"({each})" for each in [*about, *bounds])]))


def _table(heads: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> str:
    cells = ["<tr>" + "".join(f"<td>{cell}" for cell in row) for row in rows]
    if not cells:
        return ""
    return "<table><tr>" + "".join(f"<th>{head}" for head in heads) + "".join(cells) + "</table>"


def _text(text: str) -> str:
    return "".join(f"<p>{_inline(each)}</p>" for each in text.split("\n\n") if each.strip())


def _inline(text: str) -> str:
    """Return a text as HTML, with what stands in backticks as code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))
