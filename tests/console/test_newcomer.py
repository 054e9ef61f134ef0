"""Path of a newcomer through the console: from a file to a fitted value, a second run, a comparison and a download."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.api import ROOT
from tests.console.conftest import REAL, Visitor

if TYPE_CHECKING:
    from playwright.sync_api import Page

TRUTH = 6e-15
PARAMETER = "Positive particle diffusivity [m2.s-1]"
NUMBER = r"[\d.]+"
MINUS = "\N{MINUS SIGN}"
WAIT = 240_000
"""Milliseconds that a fit may take on a busy machine."""


@pytest.fixture(scope="module")
def variables() -> dict[str, str]:
    return REAL


def documented_clicks() -> int:
    """Return the number of clicks that docs/console.md states."""
    found = re.search(r"(\d+) clicks lead", (ROOT / "docs" / "console.md").read_text())
    assert found
    return int(found[1])


def count_clicks(page: Page) -> None:
    """Count the presses of the pointer in the page."""
    page.add_init_script("window.clicks = 0; addEventListener('pointerdown', () => { window.clicks += 1 }, true)")


def drop(page: Page, name: str) -> None:
    """Drop a file of `examples/` on the field of the data page."""
    transfer = page.evaluate_handle(
        "([name, text]) => { const all = new DataTransfer(); all.items.add(new File([text], name)); return all }",
        [name, (ROOT / "examples" / name).read_text()],
    )
    page.dispatch_event(".drop", "drop", {"dataTransfer": transfer})


def test_the_path_of_a_newcomer(visitor: Visitor) -> None:
    count_clicks(visitor.page)
    page = visitor.go()
    status = page.locator(".head .status")

    page.get_by_role("navigation", name="Main").get_by_role("link", name="Data").click()
    page.get_by_role("heading", name="Data").wait_for()
    drop(page, "discharge.csv")
    uploads = page.get_by_role("list", name="Uploads")
    uploads.get_by_text("601 rows").wait_for(timeout=WAIT)
    uploads.get_by_role("link", name="Fit parameters").click()
    expect(page.get_by_label("Fit a diffusivity")).to_be_checked()
    page.get_by_role("button", name="Use this template").click()
    page.get_by_role("button", name="Save and start").click()

    status.get_by_text("running").wait_for()
    status.get_by_text("completed").wait_for(timeout=WAIT)
    page.get_by_role("img", name="Cost: ").locator("canvas").wait_for()
    page.get_by_role("tab", name="Values").click()
    shown = page.get_by_role("region", name="Values").get_by_role("row").filter(has_text=PARAMETER).inner_text()
    match = re.search(rf"\(({NUMBER}) ± ({NUMBER})\)e{MINUS}15", shown)
    assert match, shown
    assert float(match[1]) * 1e-15 == pytest.approx(TRUTH, rel=1e-3)
    interval = re.search(rf"({NUMBER})e{MINUS}15 … ({NUMBER})e{MINUS}15", shown)
    assert interval, shown
    low, high = (float(each) * 1e-15 for each in interval.groups())
    assert low < TRUTH < high < 1.01 * low

    page.get_by_role("button", name="Rerun").click()
    page.get_by_role("button", name="Run again").click()
    page.get_by_role("heading", name="(rerun)").wait_for()
    status.get_by_text("completed").wait_for(timeout=WAIT)
    page.get_by_role("button", name="Download").click()
    with page.expect_download() as saved:
        page.get_by_role("dialog").get_by_role("button", name="PyBaMM").click()
    parameters = json.loads(saved.value.path().read_text())
    assert parameters[PARAMETER] == pytest.approx(TRUTH, rel=1e-3)
    page.get_by_role("button", name="Close").click()
    page.get_by_role("link", name="Compare").click()
    row = page.get_by_role("region", name="Parameters of the runs").get_by_role("row").filter(has_text=PARAMETER)
    row.get_by_text("the same").wait_for()
    expect(page.get_by_role("list", name="Runs").get_by_role("listitem")).to_have_count(2)

    assert page.evaluate("window.clicks") == documented_clicks()
