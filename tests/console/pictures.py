"""Pictures of the console for its documentation: `make pictures` takes each screen in both schemes.

Real battery software runs what the pictures show: fits of `examples/discharge.csv` and of an impedance spectrum.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
import tempfile
from io import BytesIO
from pathlib import Path
from time import sleep
from typing import TYPE_CHECKING, Any

from PIL import Image
from playwright.sync_api import sync_playwright

from app.auth.keys import open_keys
from app.database.connect import database_url
from app.database.migrations import migrate
from tests import servers
from tests.api import ROOT
from tests.battery import test_fit_eis as eis
from tests.console.conftest import Visitor, post, visiting
from tests.explorer.test_browser import FLAGS

if TYPE_CHECKING:
    from playwright.sync_api import Browser

FOLDER = ROOT / "docs" / "console"
SIZE = {"width": 1120, "height": 720}
TALL = {"width": 1120, "height": 940}
NARROW = {"width": 390, "height": 844}
COLORS = 255
CREATE = "mutation ($input: CreatePipelineInput!) { createPipeline(input: $input) { pipeline { id } } }"
START = "mutation ($id: ID!) { startPipeline(id: $id) { userErrors { message } } }"
STATUS = "query ($id: ID!) { pipeline(id: $id) { status error } }"
DATA = "{ measurements(first: 1) { nodes { id } } }"
DIFFUSIVITIES = ("Positive particle diffusivity [m2.s-1]", "Negative particle diffusivity [m2.s-1]")
CELL = {"element_type": "entry", "parameter_set": "Chen2020"}


class Studio:
    """A server with data and runs, seen by an administrator."""

    def __init__(self, browser: Browser, url: str, key: str, folder: Path) -> None:
        self.browser, self.url, self.key, self.folder = browser, url, key, folder

    def upload(self) -> str:
        """Upload the example as a user does, and return the id of its measurement."""
        with visiting(self.browser, self.url) as visitor:
            page = self.enter(visitor, "/data")
            page.get_by_label("Choose files").set_input_files(ROOT / "examples" / "discharge.csv")
            page.get_by_role("list", name="Uploads").get_by_text("601 rows").wait_for(timeout=60_000)
        return str(post(self.url, DATA, self.key)["nodes"][0]["id"])

    def create(self, name: str, elements: dict[str, Any], **fields: Any) -> str:
        input = {"projectId": "cells", "name": name, "elementsByName": elements} | fields
        return str(post(self.url, CREATE, self.key, input=input)["pipeline"]["id"])

    def run(self, name: str, elements: dict[str, Any], **fields: Any) -> str:
        """Create a pipeline, run it to its end, and return its id."""
        id = self.create(name, elements, **fields)
        assert post(self.url, START, self.key, id=id)["userErrors"] == []
        while self._is_running(id):
            sleep(0.5)
        return id

    def _is_running(self, id: str) -> bool:
        try:
            return bool(post(self.url, STATUS, self.key, id=id)["status"] == "RUNNING")
        except AssertionError:  # the server is busy
            return True

    def enter(self, visitor: Visitor, path: str) -> Any:
        """Open a screen with the key, as an earlier visit has kept it."""
        visitor.page.add_init_script(f"sessionStorage.setItem('voltgraph:key', {json.dumps(self.key)})")
        return visitor.go(path)

    def take(
        self, name: str, path: str, size: dict[str, int] = SIZE, part: str | None = None, tab: str | None = None
    ) -> None:
        """Save a screen, or a part of it, in both schemes."""
        for scheme, suffix in (("light", ""), ("dark", "-dark")):
            with visiting(self.browser, self.url, color_scheme=scheme, viewport=size) as visitor:
                page = self.enter(visitor, path)
                if tab:
                    page.get_by_role("tab", name=tab).click()
                page.locator(".loading, [aria-busy='true']").first.wait_for(state="detached")
                page.wait_for_timeout(2_500)  # plots are drawn
                picture = page.locator(part).first.screenshot() if part else page.screenshot()
                save(picture, self.folder / f"{name}{suffix}.png")


def save(png: bytes, file: Path) -> None:
    """Write a picture with few colours, which is a third of the bytes."""
    colors = (
        Image.open(BytesIO(png)).convert("RGB").quantize(COLORS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    )
    colors.save(file, optimize=True)


def fit(measurement: str, model: str, names: tuple[str, ...], **optimizer: Any) -> dict[str, Any]:
    """Return a fit of particle diffusivities to a stored discharge."""
    objective = {
        "type": "CurrentDriven",
        "data": {"data": f"db:{measurement}"},
        "options": {"model": {"type": model}},
    }
    free = {name: {"initial_value": 1e-14, "bounds": [1e-15, 1e-13], "transform": "Log10"} for name in names}
    return {
        "element_type": "data_fit",
        "objectives": {"discharge": objective},
        "parameters": free,
        "optimizer": {"type": "ScipyLeastSquares"} | optimizer,
    }


def pictures(studio: Studio) -> None:
    data = studio.upload()
    one = fit(data, "SPMe", DIFFUSIVITIES[:1])
    first = studio.run("discharge: SPMe of Chen2020", {"cell": CELL, "fit": one}, labels=["C/2, 25 °C"])
    second = studio.run("discharge: SPM of Chen2020", {"cell": CELL, "fit": fit(data, "SPM", DIFFUSIVITIES[:1])})
    both = fit(data, "SPMe", DIFFUSIVITIES)
    pair = studio.run(
        "discharge: two diffusivities",
        {
            "cell": CELL,
            "fit": both,
            "validation": {
                "element_type": "validation",
                "objectives": one["objectives"],
            },
        },
        labels=["C/2, 25 °C", "identifiability"],
    )
    spectrum = studio.run("impedance of a full cell", eis.pipeline())
    lacking = {"element_type": "calculation", "type": "ElectrodeSOH"}
    studio.run(
        "states of health of a datasheet",
        {"entry": {"element_type": "entry", "values": {"Cell mass [kg]": 0.07}}, "health": lacking},
    )
    draft = studio.create("discharge: DFN of Chen2020", {"cell": CELL, "fit": fit(data, "DFN", DIFFUSIVITIES[:1])})
    studio.take("pipelines", "/")
    studio.take("fit", f"/pipeline/{first}", TALL)
    studio.take("values", f"/pipeline/{pair}", TALL, tab="Values")
    studio.take("impedance", f"/pipeline/{spectrum}", SIZE, ".objective")
    studio.take("compare", f"/compare/{first},{second}", TALL)
    studio.take("editor", f"/edit/{draft}", TALL)
    studio.take("data", "/data")
    studio.take("measurement", f"/data/{data}", TALL)
    studio.take("keys", "/keys")
    studio.take("system", "/system")
    studio.take("narrow", f"/pipeline/{first}", NARROW)


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary:
        address = f"sqlite:///{temporary}/console.db"
        key = asyncio.run(prepared(address))
        with (
            servers.serving(address, VOLTGRAPH_WORKERS="2") as server,
            sync_playwright() as playwright,
        ):
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
            pictures(Studio(browser, server.url, key, folder))
            browser.close()


async def prepared(address: str) -> str:
    """Create the tables and an administrator's key."""
    await migrate(database_url(address))
    async with open_keys(database_url(address)) as keys:
        return await keys.create("local", email="ada@lab.example", is_admin=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
