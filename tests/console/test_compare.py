"""Comparison of runs in the console, in a real browser: its numbers are those of the API."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from tests import servers
from tests.api import ROOT
from tests.console.conftest import NARROW, REAL, WIDE, Visitor, post, visiting

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator

NAMES = ("<b>SPM</b> & 6e-15", "SPM from elsewhere")
PARAMETER = "Positive particle diffusivity [m2.s-1]"
CREATE = "mutation ($input: CreatePipelineInput!) { createPipeline(input: $input) { pipeline { id } } }"
START = "mutation ($id: ID!) { startPipeline(id: $id) { userErrors { message } } }"
READ = """query ($id: ID!) { pipeline(id: $id) { status parameters { name value standardError lower upper }
  elements { name history outcome { ... on OptimizationResult { cost evaluations } } } } }"""
MINUS = "\N{MINUS SIGN}"
ROWS = 12
"""Share of the rows of the example: every twelfth."""


def elements(initial: float) -> dict[str, Any]:
    """Return the elements of the example, with few rows and a quick model."""
    found: dict[str, Any] = json.loads((ROOT / "examples" / "discharge.fit.json").read_text())["elements"]
    objective = found["fit"]["objectives"]["discharge"]
    data = objective["data"]["data"]
    objective["data"]["data"] = {name: values[13::ROWS] for name, values in data.items()}
    objective["options"]["model"]["type"] = "SPM"
    found["fit"]["parameters"][PARAMETER]["initial_value"] = initial
    return found


@pytest.fixture(scope="module")
def runs(chromium: Browser, running: servers.Server) -> dict[str, Any]:
    """Two completed fits, as the API answers them, by id."""
    with visiting(chromium, running.url) as visitor:
        ids = []
        for name, initial in zip(NAMES, (1e-14, 4e-15), strict=True):
            input = {"projectId": "cells", "name": name, "elementsByName": elements(initial)}
            ids.append(post(visitor.url, CREATE, input=input)["pipeline"]["id"])
            post(visitor.url, START, id=ids[-1])
        for _ in range(1_200):
            found = {id: post(visitor.url, READ, id=id) for id in ids}
            if all(run["status"] not in {"PENDING", "RUNNING"} for run in found.values()):
                break
            visitor.page.wait_for_timeout(100)
        assert [run["status"] for run in found.values()] == ["COMPLETED", "COMPLETED"]
        return found


@pytest.fixture(scope="module")
def variables() -> dict[str, str]:
    return REAL


@pytest.fixture(scope="module", params=["light", "dark"])
def everywhere(chromium: Browser, running: servers.Server, request: pytest.FixtureRequest) -> Iterator[Visitor]:
    with visiting(chromium, running.url, color_scheme=request.param) as visitor:
        yield visitor
        visitor.check()


def expect_numbers(row: Locator, expected: list[float]) -> None:
    """Expect the numbers of a row, with all their digits. The page shows each run when it arrives."""
    shown = row.locator("data")
    expect(shown).to_have_count(len(expected))
    assert [float(each) for each in shown.evaluate_all("all => all.map(each => each.value)")] == expected


def row(visitor: Visitor, table: str, name: str) -> Locator:
    return visitor.page.get_by_role("region", name=table).get_by_role("row").filter(has_text=name)


def parameter(run: Any) -> Any:
    [found] = [each for each in run["parameters"] if each["name"] == PARAMETER]
    return found


def test_values_costs_and_differences_are_those_of_the_api(visitor: Visitor, runs: dict[str, Any]) -> None:
    page = visitor.go(f"/compare/{','.join(runs)}")
    first, second = runs.values()
    values = row(visitor, "Parameters of the runs", PARAMETER)
    expect_numbers(values, [parameter(first)["value"], parameter(second)["value"]])
    limits = f"{parameter(first)['lower']} … {parameter(first)['upper']}".replace("-", MINUS)
    expect(values.get_by_title(limits)).to_have_count(1)
    absolute = parameter(second)["value"] - parameter(first)["value"]
    shown = values.get_by_title("difference ").get_attribute("title") or ""
    assert float(shown.removeprefix("difference ").replace(MINUS, "-")) == absolute
    fits = [run["elements"][1] for run in (first, second)]
    costs = row(visitor, "Costs and durations of the runs", "Cost of fit")
    expect_numbers(costs, [fit["outcome"]["cost"] for fit in fits])
    counts = row(visitor, "Costs and durations of the runs", "Evaluations of fit")
    expect_numbers(counts, [fit["outcome"]["evaluations"] for fit in fits])
    for name in NAMES:
        page.get_by_role("link", name=name, exact=True).wait_for()
    expect(page.locator("b", has_text="SPM")).to_have_count(0)

    page.get_by_role("region", name="Cost histories").get_by_role("button", name="Show as table").click()
    table = page.get_by_role("region", name="Lowest cost so far, as a table")
    expect(table.get_by_role("columnheader")).to_have_count(1 + len(runs))
    last = table.get_by_role("row").last.get_by_role("cell").all_inner_texts()
    longest = max(fits, key=lambda fit: len(fit["history"]["evaluation"]))
    assert float(last[0]) == longest["history"]["evaluation"][-1]
    shown_costs = [float(each.replace(MINUS, "-")) for each in last[1:] if each != "\N{EN DASH}"]
    assert longest["history"]["best_cost"][-1] in shown_costs


def test_configurations_differ_by_path(visitor: Visitor, runs: dict[str, Any]) -> None:
    page = visitor.go(f"/compare/{','.join(runs)}")
    page.get_by_role("button", name="Show differences").click()
    table = page.get_by_role("region", name="Differences of the configurations by JSON path")
    expect(table.get_by_role("cell")).to_have_text([f'$.fit.parameters["{PARAMETER}"].initial_value', "1e-14", "4e-15"])


def test_model_and_data_are_overlaid_and_zoomed(visitor: Visitor, runs: dict[str, Any]) -> None:
    page = visitor.go(f"/compare/{','.join(runs)}")
    section = page.get_by_role("region", name="Model and data")
    section.get_by_text(f"2 {NAMES[1]}").first.wait_for()
    expect(section.locator("figure")).to_have_count(2)
    plot = section.locator(".u-over").first
    plot.scroll_into_view_if_needed()
    box = plot.bounding_box()
    assert box
    with page.expect_request(lambda request: '"xMin":' in (request.post_data or "")):
        page.mouse.move(box["x"] + 100, box["y"] + 40)
        page.mouse.down()
        page.mouse.move(box["x"] + 400, box["y"] + 60)
        page.mouse.up()
    section.get_by_role("button", name="Whole range").click()


def test_runs_are_added_left_out_and_missed(visitor: Visitor, runs: dict[str, Any]) -> None:
    first, second = runs
    missing = "01a22926-c911-753a-a410-4d49bc2d6479"
    page = visitor.go(f"/compare/{first},{missing}")
    page.get_by_text("does not exist, or your key may not see it").wait_for()
    page.get_by_label("Add a run").focus()
    page.get_by_label("Add a run").get_by_role("option", name=NAMES[1]).wait_for(state="attached")
    page.get_by_label("Add a run").select_option(second)
    page.get_by_role("button", name=f"Leave out {NAMES[0]}").click()
    page.wait_for_url(f"**#/compare/{missing},{second}")


def test_every_view_is_accessible(everywhere: Visitor, runs: dict[str, Any]) -> None:
    page = everywhere.go(f"/compare/{','.join(runs)}")
    page.locator("canvas").first.wait_for()
    page.get_by_role("button", name="Show differences").click()
    page.get_by_text("initial_value").wait_for()
    for size in (WIDE, NARROW):
        everywhere.resize(size)
        assert everywhere.serious() == []
        assert everywhere.is_within()
