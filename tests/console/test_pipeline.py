"""One pipeline in the console, in a real browser: progress, failures, impedance, reruns, hostile names."""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from tests import servers
from tests.console.conftest import NARROW, WIDE, Visitor, visiting

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

FREQUENCIES = [1000.0, 100.0, 10.0, 1.0]
RE, IM = [0.02, 0.03, 0.045, 0.05], [-0.001, -0.012, -0.011, -0.002]
MARKUP = "<b>bold</b>"
MINUS, NONE = "\N{MINUS SIGN}", "\N{EN DASH}"
LONG = 2**53 + 1
"""An integer that no double holds."""
RESULT = {
    "type": "OptimizationResult",
    "parameter_values": {"R0 [Ohm]": 0.0200123, "R1 [Ohm]": 0.03},
    "standard_errors": {"R0 [Ohm]": 0.00012},
    "confidence_level": 0.95,
    "confidence_intervals": {"R0 [Ohm]": {"lower": 0.0198, "upper": 0.0202}},
    "correlation": {"parameters": ["R0 [Ohm]", "R1 [Ohm]"], "matrix": [[1.0, -0.97], [-0.97, 1.0]]},
    "at_bounds": {"R1 [Ohm]": "upper"},
    "warnings": [{"code": "AT_BOUND", "message": f"R1 stands at its bound {MARKUP}.", "parameter": "R1 [Ohm]"}],
    "effective_config": {"parameters": {"R0 [Ohm]": {"bounds": [0.001, 0.1]}, "R1 [Ohm]": {"bounds": [0.001, 0.03]}}},
}


def impedance(source: str) -> dict[str, Any]:
    channels = {"Frequency [Hz]": FREQUENCIES}
    for name, values in (("Z_Re [Ohm]", RE), ("Z_Im [Ohm]", IM)):
        channels |= {f"{name} (data)": values, f"{name} (model)": values}
    return {"objective": "eis", "source": source, "channels": channels}


def rows_of(page: Page, plot: str) -> list[list[Any]]:
    """Return the rows of a plot's table, with numbers where cells hold them."""
    table = page.get_by_role("region", name=f"{plot}, as a table").locator("tbody tr")
    table.first.wait_for()
    cells = [row.get_by_role("cell").all_inner_texts() for row in table.all()]
    return [[float(each.replace(MINUS, "-")) if each[-1].isdigit() else each for each in row] for row in cells]


def phase(re: float, im: float) -> float:
    return math.degrees(math.atan2(im, re))


def test_impedance_is_shown_as_nyquist_and_bode_and_values_with_their_errors(visitor: Visitor) -> None:
    series = [impedance("OPTIMAL"), impedance("BASELINE")]
    fit = {
        "name": MARKUP,
        "type": "DATA_FIT",
        "objectives": {"eis": {}},
        "fake": {"steps": 2, "result": RESULT, "series": series},
    }
    id = visitor.create("impedance", fit, start=True)
    page = visitor.go(f"/pipeline/{id}")
    page.get_by_role("img", name=re.compile("^Nyquist")).wait_for()
    expect(page.locator(".plane circle")).to_have_count(len(FREQUENCIES))
    page.get_by_role("button", name="Show as table").first.click()
    page.get_by_role("region", name="Nyquist, as a table").get_by_text("0.045").first.wait_for()
    page.get_by_role("img", name=re.compile("^Bode: phase")).wait_for()
    assert rows_of(page, "Nyquist")[: len(RE)] == [["data", *pair] for pair in zip(RE, (-im for im in IM), strict=True)]
    for name, expected in (("modulus", map(math.hypot, RE, IM)), ("phase", map(phase, RE, IM))):
        page.get_by_role("figure").filter(has_text=f"Bode: {name}").get_by_role("button", name="Show as table").click()
        shown = rows_of(page, f"Bode: {name}")
        assert [row[0] for row in shown] == sorted(FREQUENCIES)
        assert [row[1] for row in shown] == pytest.approx(list(expected)[::-1])
        assert [row[2] for row in shown] == [row[1] for row in shown]
    page.get_by_label("First guess").check()
    page.get_by_text("model, first guess").first.wait_for()

    page.get_by_role("tab", name="Values").click()
    page.get_by_text("0.02001 ± 0.00012").wait_for()
    page.get_by_role("row").filter(has_text="R1 [Ohm]").get_by_text("at a bound").wait_for()
    page.get_by_text(f"R1 stands at its bound {MARKUP}.").wait_for()
    expect(page.locator("main b", has_text="bold").filter(has_not_text="<")).to_have_count(0)

    figure = page.get_by_role("figure").filter(has_text="95% confidence intervals")
    figure.get_by_role("img", name="95% confidence intervals of 1 parameters").wait_for()
    figure.get_by_text("bounds").first.wait_for()
    figure.get_by_role("button", name="Show as table").click()
    cells = figure.get_by_role("row").filter(has_text="R0 [Ohm]").get_by_role("cell")
    expect(cells).to_have_text(["R0 [Ohm]", NONE, "0.0198", "0.0200123", "0.0202", "0.001 … 0.1"])
    page.get_by_role("region", name="Correlation").get_by_role("cell", name=f"{MINUS}0.97").first.wait_for()


def test_progress_goes_on_until_it_is_canceled(visitor: Visitor) -> None:
    slow = {"name": "fit", "type": "DATA_FIT", "objectives": {"a": {}}, "fake": {"steps": 600, "seconds": 600}}
    id = visitor.create("slow", {"name": "known", "fake": {}}, slow, start=True)
    page = visitor.go(f"/pipeline/{id}")
    page.get_by_text("1 of 2 elements").wait_for()
    page.get_by_text(re.compile(r"fit: [2-9]\d* evaluations, lowest cost 0")).first.wait_for()
    page.locator(".canvas canvas").first.wait_for()
    page.get_by_role("button", name="Cancel", exact=True).click()
    page.locator(".head").get_by_text("canceled").wait_for()


def test_a_failure_stands_at_its_element_and_a_rerun_begins_there(visitor: Visitor) -> None:
    failing = {"name": "second", "fake": {"fail": "MODEL_ERROR", "message": f"It lacks {MARKUP}."}}
    id = visitor.create("fails", {"name": "first", "fake": {}}, failing, {"name": "third", "fake": {}}, start=True)
    page = visitor.go(f"/pipeline/{id}")
    page.get_by_role("alert").get_by_text(f"It lacks {MARKUP}.").wait_for()
    page.get_by_role("alert").get_by_text("MODEL_ERROR").wait_for()
    second = page.get_by_role("listitem").filter(has_text="second")
    second.get_by_text(f"It lacks {MARKUP}.").wait_for()
    page.get_by_role("button", name=re.compile("^third")).get_by_text("skipped").wait_for()

    page.get_by_role("button", name="Rerun").click()
    choice = page.get_by_label("From element")
    expect(choice.locator("option")).to_have_text(["first", "second"])
    expect(choice).to_have_value("second")
    page.get_by_role("button", name="Run again").click()
    page.get_by_role("heading", name="fails (rerun)").wait_for()
    page.get_by_text("result taken over").wait_for()
    page.get_by_role("link", name="fails", exact=True).click()
    page.get_by_role("heading", name="fails", exact=True).wait_for()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_in_failures_and_dialogs(
    chromium: Browser, running: servers.Server, scheme: str
) -> None:
    with visiting(chromium, running.url, color_scheme=scheme) as visitor:
        failing = {"name": "second", "fake": {"fail": "MODEL_ERROR", "message": "It lacks a value."}}
        id = visitor.create("fails", {"name": "first", "fake": {}}, failing, start=True)
        page = visitor.go(f"/pipeline/{id}")
        page.get_by_role("alert").get_by_text("MODEL_ERROR").wait_for()
        for size in (WIDE, NARROW):
            visitor.resize(size)
            assert visitor.serious() == []
            assert visitor.is_within()
            for name in ("Rerun", "Download", "Delete"):
                page.get_by_role("button", name=name).click()
                page.get_by_role("dialog").wait_for()
                assert visitor.serious() == []
                page.keyboard.press("Escape")
                page.get_by_role("dialog").wait_for(state="detached")
        visitor.check()


def test_problems_of_configurations_stand_at_their_paths(visitor: Visitor) -> None:
    wrong = [{"name": name, "fake": {"refuse": f"{name} is wrong."}} for name in ("one", "two")]
    id = visitor.create("refused", *wrong, start=True)
    alert = visitor.go(f"/pipeline/{id}").get_by_role("alert")
    for name in ("one", "two"):
        alert.get_by_role("listitem").filter(has_text=f"{name} \u203a fake \u203a refuse {name} is wrong.").wait_for()


def test_a_long_configuration_is_cut_and_can_be_had_whole(visitor: Visitor) -> None:
    values = [number / 7 for number in range(20_000)]
    id = visitor.create("large", {"name": "table", "values": {"a": 1}, "data": values})
    page = visitor.go(f"/pipeline/{id}")
    text = page.locator("pre.json")
    text.get_by_text("… 19 988 more").wait_for()
    page.get_by_role("button", name="Show long lists").click()
    page.get_by_text(re.compile("The first 100 000 of .* characters")).wait_for()
    with page.expect_download() as saved:
        page.get_by_role("button", name="Download", exact=True).click()
    assert saved.value.suggested_filename == "table.json"
    assert len(saved.value.path().read_text()) > 300_000


def test_long_integers_keep_their_digits(visitor: Visitor) -> None:
    values = {"count": LONG, "least": -LONG, "list": [1, LONG], "text": f"a {LONG}, b", "zero": -0.0, "tenth": 0.1}
    result = {"type": "EntryResult", "parameter_values": {"Cycles": LONG, "Size [m]": 0.1}}
    element = {"name": "exact", "values": values, "fake": {"result": result}}
    id = visitor.create("long integers", element)
    page = visitor.go(f"/pipeline/{id}")
    text = page.locator("pre.json")
    text.get_by_text(f'"list": [1, {LONG}]').wait_for()
    expect(text).to_contain_text(f'"count": {LONG},')
    with page.expect_download() as saved:
        page.get_by_role("button", name="Download", exact=True).click()
    downloaded = json.loads(saved.value.path().read_text())
    assert downloaded["values"] == values
    assert math.copysign(1, downloaded["values"]["zero"]) == -1

    other = visitor.create("other integers", element | {"values": values | {"count": LONG + 1}})
    visitor.go(f"/compare/{id},{other}")
    page.get_by_role("button", name="Show differences").click()
    difference = page.get_by_role("row").filter(has_text="$.exact.values.count").get_by_role("cell")
    expect(difference).to_have_text(["$.exact.values.count", str(LONG), str(LONG + 1)])

    visitor.run("StartPipeline", id=id)
    visitor.go(f"/pipeline/{id}")
    page.get_by_role("row").filter(has_text="Cycles").get_by_text(str(LONG)).wait_for()


def test_a_configuration_of_five_megabytes_is_shown_and_edited(visitor: Visitor) -> None:
    values = [number / 7 for number in range(280_000)]
    assert len(json.dumps(values)) > 5_000_000
    id = visitor.create("huge", {"name": "table", "values": {"a": LONG}, "data": values})
    page = visitor.go(f"/pipeline/{id}")
    page.locator("pre.json").get_by_text("… 279 988 more").wait_for()
    page.get_by_role("link", name="Edit").click()
    page.get_by_label("Name", exact=True).fill("huge, renamed")
    page.get_by_role("button", name="Open", exact=False).first.wait_for()  # it is long: only when asked for
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_role("heading", name="huge, renamed").wait_for()
    page.get_by_role("tab", name="Configuration").click()
    page.locator("pre.json").get_by_text(f'"a": {LONG}').wait_for()


@pytest.mark.parametrize("id", ["01a2293b-5cd3-75c6-a7fb-020a3d899852", "a/../b", "' OR 1=1", "%25%"])
def test_a_pipeline_that_does_not_exist_is_named(visitor: Visitor, id: str) -> None:
    page = visitor.go(f"/pipeline/{id}")
    page.get_by_role("link", name=re.compile("To the pipelines")).wait_for()
