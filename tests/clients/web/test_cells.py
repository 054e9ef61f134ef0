"""Cells of the table of web clients: each feature works."""

from __future__ import annotations

import pytest

from tests.clients.web.conftest import Servers
from tests.clients.web.table import CELLS, Cell, needs_node, node


@needs_node
@pytest.mark.parametrize("cell", CELLS, ids=" ".join)
def test_cell(cell: Cell, servers: Servers) -> None:
    node(*cell, servers.url, servers.locked, servers.key)
