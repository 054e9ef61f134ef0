"""Hooks for Schemathesis: the values of JSON, and valid elements."""

from __future__ import annotations

from typing import Any

import schemathesis
from hypothesis import strategies as st
from hypothesis_graphql import nodes

schemathesis.graphql.scalar("JSON", st.just(nodes.Object(fields=[])))


@schemathesis.hook
def map_body(context: schemathesis.HookContext, body: Any) -> Any:
    """Make every second create valid, so that later requests find pipelines to read, change and start."""
    body = _fitting(body)
    if isinstance(body, dict) and isinstance(body.get("project_id"), str) and len(repr(body)) % 2:
        return {**body, "project_id": "p", "elements": {"known": {"element_type": "entry", "values": {"a": 1}}}}
    return body


def _fitting(value: Any) -> Any:
    """Return JSON whose integers fit in 64 bits: others are refused everywhere, which no schema of free JSON says."""
    if isinstance(value, dict):
        return {name: _fitting(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_fitting(each) for each in value]
    if isinstance(value, int | float) and value == value // 1 and abs(value) >= 2**63:
        return value % 2**63
    return value
