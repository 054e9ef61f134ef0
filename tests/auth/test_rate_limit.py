"""Rate limit of a key."""

from __future__ import annotations

import pytest

from app.auth.caller import LOCAL, Caller
from app.auth.rate_limit import REQUEST, RateLimiter
from app.errors import RateLimited
from tests.auth.conftest import Locked

KEY = Caller("ours", key="vg_1")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    at = [1000.0]
    monkeypatch.setattr("app.auth.rate_limit.monotonic", lambda: at[0])
    return at


def test_a_bucket_empties_and_fills_again(clock: list[float]) -> None:
    rates = RateLimiter(600)
    assert rates.spend(KEY, 400) == 200
    with pytest.raises(RateLimited) as refused:
        rates.spend(KEY, 300)
    assert refused.value.headers == {"retry-after": "10"}
    clock[0] += 10
    assert rates.spend(KEY, 300) == 0
    clock[0] += 3600
    assert rates.spend(KEY, 0) == 600


def test_what_is_refused_costs_nothing(clock: list[float]) -> None:
    rates = RateLimiter(600)
    for _ in range(10):
        with pytest.raises(RateLimited):
            rates.spend(KEY, 700)
    assert rates.spend(KEY, 600) == 0


def test_keys_do_not_spend_for_each_other(clock: list[float]) -> None:
    rates = RateLimiter(600)
    rates.spend(KEY, 600)
    assert rates.spend(Caller("ours", key="vg_2"), 600) == 0
    assert rates.spend(LOCAL, 10**9) is None


async def test_an_answer_tells_what_is_left(locked: Locked) -> None:
    api = await locked.api()
    answers = [await api.post("{ viewer { organizationId } }") for _ in range(2)]
    assert [answer["extensions"]["cost"]["requested"] for answer in answers] == [2, 2]
    assert answers[0]["extensions"]["cost"]["left"] == 1_000_000 - 2
    refused = await api.post("{ viewer { nothing } }")
    assert "cost" not in refused.get("extensions", {})


async def test_who_has_spent_all_is_told_when_to_come_again(locked: Locked) -> None:
    locked.app.state.services.rate_limiter._most = float(REQUEST)
    api = await locked.api()
    assert (await api.http.get("/pipelines")).status_code == 200
    for answer in (
        await api.http.get("/pipelines"),
        await api.http.post("/graphql", json={"query": "{ viewer { email } }"}),
    ):
        assert answer.status_code == 429
        assert 1 <= int(answer.headers["retry-after"]) <= 60
        assert "RATE_LIMITED" in answer.text
