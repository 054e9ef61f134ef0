"""Documents match the code."""

import re
import tomllib

from app import __version__
from app.settings import Settings
from tests.api import ROOT

SETTINGS = (ROOT / "docs" / "settings.md").read_text()
PAGES = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]


def test_every_setting_is_in_the_table_with_its_default() -> None:
    for name, field in Settings.model_fields.items():
        row = re.search(rf"^\| `VOLTGRAPH_{name.upper()}` \| `(.*?)` \| (.*) \|$", SETTINGS, re.MULTILINE)
        assert row, f"VOLTGRAPH_{name.upper()} is not in docs/settings.md"
        assert row[1] == str(field.default)
        assert row[2] == field.description


def test_no_setting_is_made_up() -> None:
    for page in PAGES:
        named = set(re.findall(r"VOLTGRAPH_([A-Z_]+)", page.read_text()))
        assert named <= {name.upper() for name in Settings.model_fields}, page.name


def test_every_operation_is_in_the_page_of_operations() -> None:
    page = (ROOT / "docs" / "operations.md").read_text()
    for file in (ROOT / "queries").glob("*.graphql"):
        assert f"| `{file.stem}` |" in page, f"{file.stem} is not in docs/operations.md"


def test_locked_versions_name_no_index_and_meet_the_project() -> None:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    assert all(re.fullmatch(r"[A-Za-z0-9_.-]+==[A-Za-z0-9.+!]+", line) for line in lines)
    locked = {re.sub("[-_.]+", "-", line.partition("==")[0]).lower() for line in lines}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [*project["dependencies"], *(r for extra in project["optional-dependencies"].values() for r in extra)]
    names = {re.sub("[-_.]+", "-", re.split(r"[\[<>=!~; ]", each)[0]).lower() for each in wanted}
    assert names <= locked


def test_the_changelog_knows_this_version() -> None:
    assert f"## [{__version__}]" in (ROOT / "CHANGELOG.md").read_text()
