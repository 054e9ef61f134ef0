"""A fit in the console, by real battery software, from its start to its values."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import httpx
import pytest
from playwright.sync_api import expect

from tests import servers
from tests.api import ROOT
from tests.console.conftest import NARROW, WIDE, Visitor, visiting

if TYPE_CHECKING:
    from playwright.sync_api import Browser

TRUTH = 3.0
PARAMETER = "Negative electrode reference exchange-current density [A.m-2]"


@pytest.fixture(scope="module")
def variables() -> dict[str, str]:
    return {"VOLTGRAPH_WORKERS": "1"}


@pytest.fixture(scope="module")
def fit(running: servers.Server) -> str:
    """The id of a pending fit of some seconds."""
    body = json.loads((ROOT / "tests" / "data" / "b_current_driven_fit_validation.json").read_text())
    body |= {"project_id": "cells", "name": "LG M50 0.5C"}
    body["elements"]["fit"]["optimizer"] = {"type": "CMAES"}
    answer = httpx.post(f"{running.url}/pipelines", json=body, trust_env=False, timeout=60)
    assert answer.status_code == 201
    return str(answer.json()["id"])


def test_a_fit_is_started_watched_and_read(visitor: Visitor, fit: str) -> None:
    page = visitor.go(f"/pipeline/{fit}")
    page.get_by_role("button", name="Start").click()
    heading = page.locator(".head .status")
    heading.get_by_text("running").wait_for()
    page.get_by_text(re.compile(r"^Cost$")).wait_for(timeout=120_000)
    page.locator(".canvas canvas").first.wait_for()
    page.get_by_role("button", name="Show as table").first.click()
    points = page.get_by_role("region", name="Cost, as a table").locator("tbody tr")
    points.first.wait_for()
    assert heading.inner_text().endswith("running")  # a point while it runs

    heading.get_by_text("completed").wait_for(timeout=120_000)
    page.get_by_role("button", name=re.compile("^fit")).click()
    page.get_by_role("tab", name="Values").click()
    row = page.get_by_role("row").filter(has_text=PARAMETER)
    shown = row.locator("td").nth(2).inner_text()
    value, error = (float(each) for each in re.fullmatch(r"([\d.]+) ± ([\d.]+)", shown).groups())  # type: ignore[union-attr]
    assert value == pytest.approx(TRUTH, rel=1e-3)
    assert 0 < error < 0.01
    assert "…" in row.inner_text()  # the interval


def test_a_part_of_the_series_is_asked_of_the_server(visitor: Visitor, fit: str) -> None:
    page = visitor.go(f"/pipeline/{fit}")
    plot = page.get_by_role("img", name=re.compile("^Voltage")).first
    plot.locator("canvas").wait_for()
    plot.scroll_into_view_if_needed()
    box = plot.locator(".u-over").bounding_box()
    assert box
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] * 0.25, y)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.5, y, steps=4)
    with page.expect_request(lambda request: "ConsoleSeries" in (request.post_data or "")) as asked:
        page.mouse.up()
    body = asked.value.post_data_json
    assert body
    variables = body["variables"]
    assert 1_500 < variables["xMin"] < 2_200
    assert 3_200 < variables["xMax"] < 4_000
    page.get_by_role("button", name="Show all").click()


@pytest.mark.parametrize(("name", "holds"), [("CSV", PARAMETER), ("PyBaMM", PARAMETER)])
def test_the_parameter_values_are_downloaded(visitor: Visitor, fit: str, name: str, holds: str) -> None:
    page = visitor.go(f"/pipeline/{fit}")
    page.get_by_role("button", name="Download").click()
    with page.expect_download() as saved:
        page.get_by_role("dialog").get_by_role("button", name=name).click()
    assert holds in saved.value.path().read_text()
    page.get_by_role("button", name="Close").click()


def test_a_copy_is_made_and_the_first_is_deleted(visitor: Visitor, fit: str) -> None:
    page = visitor.go(f"/pipeline/{fit}")
    page.get_by_role("button", name="Duplicate").click()
    page.get_by_role("heading", name="LG M50 0.5C (copy)").wait_for()
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    page.get_by_role("heading", name="Pipelines").wait_for()
    page.get_by_role("link", name="LG M50 0.5C", exact=True).wait_for()
    expect(page.get_by_role("link", name="LG M50 0.5C (copy)")).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(chromium: Browser, running: servers.Server, fit: str, scheme: str) -> None:
    with visiting(chromium, running.url, color_scheme=scheme) as visitor:
        for size in (WIDE, NARROW):
            visitor.resize(size)
            page = visitor.go(f"/pipeline/{fit}")
            for tab in ("Plots", "Values", "Configuration", "Log"):
                page.get_by_role("tab", name=tab).click()
                page.locator(".panel > *").first.wait_for()
                assert visitor.serious() == []
                assert visitor.is_within()
        visitor.check()
