import pytest

for package in ("pybamm", "ionworksdata"):
    pytest.importorskip(package, reason="needs the extra `data`")
