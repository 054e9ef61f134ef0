"""Measurements in the console, in a real browser."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Iterator
from contextlib import suppress
from threading import Thread
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from tests import servers
from tests.api import ROOT
from tests.console.conftest import NARROW, REAL, WIDE, Visitor, post, visiting
from tests.console.test_connection import unexpected

if TYPE_CHECKING:
    from playwright.sync_api import Browser, FilePayload, Route

MARKUP = "<img src=x onerror=alert(1)>"
ROWS = 100_000
MEASUREMENTS = "{ measurements(first: 100) { nodes { id name rows projectId status } } }"
RESULT = """query ($id: ID!) { pipeline(id: $id) { status elements { name status error
  outcome { ... on ValidationResult { objectives { name statistics { name value } } } } } } }"""


def csv(name: str, text: str) -> FilePayload:
    return {"name": name, "mimeType": "text/csv", "buffer": text.encode()}


def discharge(name: str) -> FilePayload:
    return csv(name, (ROOT / "examples" / "discharge.csv").read_text())


def uploaded(visitor: Visitor, *files: FilePayload) -> None:
    """Choose files on the screen of the data, and wait until the server has read them."""
    page = visitor.go("/data")
    page.get_by_label("Choose files").set_input_files(list(files))
    for file in files:
        row = page.get_by_role("list", name="Uploads").get_by_role("listitem").filter(has_text=file["name"])
        row.get_by_text("rows").wait_for(timeout=120_000)


def found(visitor: Visitor, name: str) -> Any:
    [match] = [each for each in post(visitor.url, MEASUREMENTS)["nodes"] if each["name"] == name]
    return match


@pytest.fixture(scope="module")
def variables() -> dict[str, str]:
    return REAL


@pytest.fixture(scope="module", params=["light", "dark"])
def everywhere(chromium: Browser, running: servers.Server, request: pytest.FixtureRequest) -> Iterator[Visitor]:
    with visiting(chromium, running.url, color_scheme=request.param) as visitor:
        yield visitor
        visitor.check()


def test_a_long_file_is_uploaded_referenced_and_run(visitor: Visitor) -> None:
    rows = "".join(f"{number / 20},1,{4.1 - number / 1e6:.6f}\n" for number in range(ROWS))
    uploaded(visitor, csv("long.csv", "Time [s],Current [A],Voltage [V]\n" + rows))
    page = visitor.page
    page.get_by_role("list", name="Uploads").get_by_text("100 000 rows").wait_for()
    assert found(visitor, "long")["rows"] == ROWS

    page.get_by_role("link", name="Fit parameters").click()
    page.get_by_label("Compare a model with a measurement").check()
    page.get_by_role("combobox", name="Model", exact=True).select_option("SPM")
    page.get_by_role("button", name="Use this template").click()
    page.get_by_text("No problems found.").first.wait_for(timeout=60_000)
    page.get_by_role("button", name="Save and start").click()
    page.wait_for_url("**#/pipeline/*")
    id = page.url.rsplit("/", 1)[1]
    for _ in range(900):
        pipeline = post(visitor.url, RESULT, id=id)
        if pipeline["status"] not in {"PENDING", "RUNNING"}:
            break
        page.wait_for_timeout(100)
    assert pipeline["status"] == "COMPLETED", pipeline
    [objective] = pipeline["elements"][1]["outcome"]["objectives"]
    assert objective["name"] == "long"
    assert all(0 < each["value"] < 1 for each in objective["statistics"])


def test_files_that_cannot_be_read_say_why(visitor: Visitor) -> None:
    page = visitor.go("/data")
    bad = [csv(f"{MARKUP}.csv", "a,b\n1,2\n"), csv("empty.csv", "")]
    page.get_by_label("Choose files").set_input_files(bad)
    uploads = page.get_by_role("list", name="Uploads")
    uploads.get_by_text("One column must be `Time [s]`").wait_for()
    uploads.get_by_text("The file is empty.").wait_for()
    expect(page.locator("main img")).to_have_count(0)
    uploads.get_by_role("link", name=MARKUP).click()
    page.get_by_role("heading", level=1, name=MARKUP).wait_for()
    page.get_by_role("alert").get_by_text("One column must be").wait_for()


def test_a_file_is_dropped_previewed_zoomed_and_deleted(visitor: Visitor) -> None:
    page = visitor.go("/data")
    page.get_by_label("into project").fill("cells")
    transfer = page.evaluate_handle(
        "text => { const all = new DataTransfer(); all.items.add(new File([text], 'dropped.csv')); return all }",
        (ROOT / "examples" / "discharge.csv").read_text(),
    )
    page.dispatch_event(".drop", "drop", {"dataTransfer": transfer})
    page.get_by_role("list", name="Uploads").get_by_text("601 rows").wait_for()
    assert found(visitor, "dropped")["projectId"] == "cells"

    page.get_by_label("Name contains").fill("DROPP")
    page.get_by_role("region", name="Measurements").get_by_role("link", name="dropped").click()
    page.get_by_role("heading", name="dropped").wait_for()
    row = page.get_by_role("region", name="Columns").get_by_role("row").filter(has_text="Voltage")
    expect(row).to_contain_text("3.27663 4.18164", use_inner_text=True)
    plot = page.locator(".u-over").first
    plot.scroll_into_view_if_needed()
    box = plot.bounding_box()
    assert box
    with page.expect_request(lambda request: '"xMin":' in (request.post_data or "")):
        page.mouse.move(box["x"] + 100, box["y"] + 40)
        page.mouse.down()
        page.mouse.move(box["x"] + 300, box["y"] + 60)
        page.mouse.up()
    page.get_by_role("button", name="Whole range").click()
    page.get_by_role("button", name="Show as table").first.click()
    page.get_by_role("region", name="Current [A], as a table").get_by_text("2995").wait_for()
    page.get_by_role("button", name="Show steps").click()
    page.get_by_role("region", name="Steps").get_by_text("Constant current discharge").wait_for()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    assert download.value.path().read_bytes() == (ROOT / "examples" / "discharge.csv").read_bytes()
    assert download.value.suggested_filename == "dropped.csv"

    page.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    page.get_by_role("heading", name="Data").wait_for()
    assert "dropped" not in {each["name"] for each in post(visitor.url, MEASUREMENTS)["nodes"]}


def test_a_stopped_upload_leaves_nothing(visitor: Visitor) -> None:
    page = visitor.go("/data")
    page.context.new_cdp_session(page).send(
        "Network.emulateNetworkConditions",
        {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 200_000},
    )
    page.get_by_label("Choose files").set_input_files([csv("slow.csv", "Time [s],Voltage [V]\n" * 100_000)])
    page.get_by_role("progressbar", name="Sent of slow.csv").wait_for()
    page.get_by_role("button", name="Stop slow.csv").click()
    visitor.wait(lambda: "slow" not in {each["name"] for each in post(visitor.url, MEASUREMENTS)["nodes"]}, 5)


SLOW = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 200_000}
"""A connection that takes seconds for a megabyte."""


class Line:
    """Relay to a server: a cut closes all of its connections, and new ones, until it is mended."""

    def __init__(self, url: str) -> None:
        self._target = (urlsplit(url).hostname, urlsplit(url).port)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self._threads: list[Thread] = []
        self._is_cut = False
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self._start(self._accept)

    def cut(self) -> None:
        self._is_cut = True
        for each in self._open:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def mend(self) -> None:
        self._is_cut = False

    def close(self) -> None:
        self.cut()
        self._listening.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(20)
        for each in [self._listening, *self._open]:
            each.close()

    def _start(self, work: Callable[..., None], *args: Any) -> None:
        thread = Thread(target=work, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listening.accept()
                if self._is_cut:
                    near.close()
                    continue
                far = socket.create_connection(self._target)
                self._open += [near, far]
                for source, target in ((near, far), (far, near)):
                    self._start(self._carry, source, target)

    def _carry(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
        with suppress(OSError):
            target.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def line(running: servers.Server) -> Iterator[Line]:
    line = Line(running.url)
    yield line
    line.close()


@pytest.fixture
def shaken(chromium: Browser, line: Line) -> Iterator[Visitor]:
    """A visitor behind a relay. The browser may complain of failed requests, and of nothing else."""
    with visiting(chromium, line.url) as visitor:
        yield visitor
        assert unexpected(visitor) == []


def test_a_broken_upload_says_so_and_goes_on_after_a_click(shaken: Visitor, line: Line) -> None:
    page = shaken.go("/data")
    page.context.new_cdp_session(page).send("Network.emulateNetworkConditions", SLOW)
    text = "Time [s],Voltage [V]\n" + "".join(f"{number},3.7\n" for number in range(80_000))
    page.get_by_label("Choose files").set_input_files([csv("cut.csv", text), discharge("behind.csv")])
    uploads = page.get_by_role("list", name="Uploads")
    cut = uploads.get_by_role("listitem").filter(has_text="cut.csv")
    cut.get_by_text(re.compile(r"^[1-9].* kB of")).wait_for()
    line.cut()
    cut.get_by_role("alert").get_by_text("The connection broke").wait_for()
    behind = uploads.get_by_role("listitem").filter(has_text="behind.csv")
    behind.get_by_role("alert").get_by_text("The server does not answer.").wait_for()
    line.mend()
    for row, rows in ((cut, "80 000 rows"), (behind, "601 rows")):
        row.get_by_role("button", name="Try").click()
        row.get_by_text(rows).wait_for(timeout=120_000)
    for name in ("cut", "behind"):
        assert found(shaken, name)["status"] == "READY"


def test_an_upload_whose_answer_was_lost_is_not_sent_twice(shaken: Visitor) -> None:
    page = shaken.go("/data")
    sent: list[str] = []

    def lose(route: Route) -> None:
        if route.request.method != "PUT":
            return route.continue_()
        sent.append(route.request.url)
        assert route.fetch().ok
        return route.abort()

    page.route("**/*", lose)
    page.get_by_label("Choose files").set_input_files([discharge("stored.csv")])
    row = page.get_by_role("list", name="Uploads").get_by_role("listitem")
    row.get_by_role("alert").wait_for()
    row.get_by_role("button", name="Try stored.csv again").click()
    row.get_by_text("601 rows").wait_for()
    assert len(sent) == 1
    assert found(shaken, "stored")["rows"] == 601


def test_a_file_that_arrived_is_read_from_its_page(shaken: Visitor) -> None:
    page = shaken.go("/data")
    lost = re.compile("ConsoleCompleteMeasurement")
    page.route(
        "**/graphql", lambda route: route.abort() if lost.search(route.request.post_data or "") else route.continue_()
    )
    page.get_by_label("Choose files").set_input_files([discharge("left.csv")])
    page.get_by_role("list", name="Uploads").get_by_role("alert").wait_for()
    page.unroute("**/graphql")
    shaken.go(f"/data/{found(shaken, 'left')['id']}")
    page.get_by_text("Its upload has not ended.").wait_for()
    page.get_by_role("button", name="Read the file").click()
    page.get_by_role("heading", name="Preview").wait_for()


def test_files_that_are_dropped_at_once_all_arrive(visitor: Visitor) -> None:
    page = visitor.go("/data")
    transfer = page.evaluate_handle(
        "text => { const all = new DataTransfer(); for (const name of ['a', 'b', 'c'])"
        " all.items.add(new File([text], `at once ${name}.csv`)); return all }",
        (ROOT / "examples" / "discharge.csv").read_text(),
    )
    page.dispatch_event(".drop", "drop", {"dataTransfer": transfer})
    page.get_by_role("navigation", name="Main").get_by_role("link", name="System").click()  # they go on meanwhile
    page.get_by_role("heading", name="System").wait_for()
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Data").click()
    for name in "abc":
        row = page.get_by_role("list", name="Uploads").get_by_role("listitem").filter(has_text=f"at once {name}.csv")
        row.get_by_text("601 rows").wait_for(timeout=120_000)
        assert found(visitor, f"at once {name}")["status"] == "READY"


def test_every_view_is_accessible(everywhere: Visitor) -> None:
    uploaded(everywhere, discharge("seen.csv"))
    page = everywhere.page
    for size in (WIDE, NARROW):
        everywhere.resize(size)
        assert everywhere.serious() == []
    page.get_by_role("list", name="Uploads").get_by_role("link", name="seen.csv").click()
    page.locator("canvas").first.wait_for()
    for size in (WIDE, NARROW):
        everywhere.resize(size)
        assert everywhere.serious() == []
        assert everywhere.is_within()
