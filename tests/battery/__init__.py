import pytest

pytest.importorskip("pybamm", reason="needs the extra `battery`")
