"""Operations of `queries/` follow graphql-eslint's recommended rules: what caches need, such as ids, is selected."""

from __future__ import annotations

import subprocess

from tests.api import ROOT
from tests.clients.web.table import WEB, needs_node


@needs_node
def test_the_recommended_rules_find_nothing() -> None:
    command = ["node", str(WEB / "lint.mjs")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [f"{len(list((ROOT / 'queries').glob('*.graphql')))} files"]
