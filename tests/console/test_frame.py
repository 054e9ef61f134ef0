"""Frame of the console in a real browser."""

from __future__ import annotations

from tests.console.conftest import Visitor


def test_it_is_drawn_and_reaches_its_own_server_only(visitor: Visitor) -> None:
    page = visitor.go()
    page.get_by_role("heading", name="Pipelines").wait_for()
    assert page.title() == "Pipelines · Voltgraph"
    page.get_by_text("No pipelines yet.").wait_for()


def test_an_unknown_place_says_so(visitor: Visitor) -> None:
    page = visitor.go("/nowhere/<b>x")
    page.get_by_text("is no place in the console").wait_for()
    assert page.locator("main b").count() == 0
