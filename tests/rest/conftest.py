"""The fixtures of the REST API."""

import pytest

from tests.http.sharing import shared, shared_url

__all__ = ["shared", "shared_url"]


@pytest.fixture(scope="module")
def plans() -> bool:
    """REST reads nothing by plans."""
    return True
