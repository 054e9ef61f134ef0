"""Command `check`: problems of files at their lines, without a server, with exit status 1."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from app.cli.checking.places import Place, find_place
from app.cli.commands import cli

FAKE = {"VOLTGRAPH_EXECUTOR": "app.execution.fake:FakeExecutor", "COLUMNS": "100"}
TEXT = """{
  "project_id": "p",
  "elements": {
    "first": {"element_type": "entry", "values": {"a": 1}},
    "second": {
      "element_type": "data_fit",
      "fake": {"refuse": "It was told to be wrong."}
    }
  }
}
"""


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith(("VOLTGRAPH_", "OTEL_")):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def check(*arguments: str, **variables: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(cli, ["check", *arguments], env=FAKE | variables)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.stdout, result.stderr


def written(text: str, name: str = "pipeline.json") -> str:
    Path(name).write_text(text)
    return name


def test_a_problem_is_told_with_its_line_and_no_database_is_made() -> None:
    code, out, err = check(written(TEXT))
    assert (code, out) == (1, "pipeline.json:7:16: elements.second.fake.refuse: It was told to be wrong.\n")
    assert err == "pipeline.json: 1 problem.\n"
    assert [file.name for file in Path().iterdir()] == ["pipeline.json"]


def test_elements_in_a_list_are_told_by_their_index() -> None:
    fake = {"fake": {"refuse": "no"}}
    elements = [{"name": f"e{i}", "elementType": "DATA_FIT", "jobConfig": [{}, fake][i]} for i in range(2)]
    code, out, _ = check(written(json.dumps({"projectId": "p", "elements": elements}, indent=1)))
    assert code == 1
    assert out.startswith("pipeline.json:14:6: elements.1.jobConfig.fake.refuse: no")


def test_several_files_are_checked_and_valid_ones_have_no_problems() -> None:
    valid = written(TEXT.replace("refuse", "message"), "valid.json")
    code, out, err = check(valid, written(TEXT))
    assert code == 1
    assert out.count("\n") == 1
    assert "valid.json: no problems." in err
    assert check(valid)[0] == 0


def test_json_is_for_programs() -> None:
    code, out, _ = check(written(TEXT), "--json")
    problem = {"message": "It was told to be wrong.", "path": ["elements", "second", "fake", "refuse"]}
    assert code == 1
    assert json.loads(out) == [{"file": "pipeline.json", "problems": [problem | {"line": 7, "column": 16}]}]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{", "pipeline.json: The file is not JSON"),
        ('{"elements": {"a": 1, "a": 2}}', "pipeline.json: elements.a: "),
        ("[]", "pipeline.json: The file must hold one JSON object."),
        (TEXT.replace("data_fit", "data_fitt"), "pipeline.json:6:7: elements.second.element_type: 'data_fitt' is no"),
        (TEXT.replace('"p"', f'"{"p" * 256}"'), "pipeline.json:2:3: project_id: The project id takes at most 255"),
        ('{"project_id": "p"}', "pipeline.json:1:1: Give elements"),
    ],
)
def test_files_that_are_no_pipelines_are_told(text: str, expected: str) -> None:
    code, out, _ = check(written(text))
    assert code == 1
    assert expected in out


def test_a_reference_is_looked_up_in_the_database(tmp_path: Path) -> None:
    referring = written(TEXT.replace('{"a": 1}', '{"a": "db:nothing"}'))
    code, out, _ = check(referring, VOLTGRAPH_DATABASE_URL=f"sqlite:///{tmp_path}/other.db")
    assert code == 1
    assert out.startswith("pipeline.json:4:51: elements.first.values.a: The measurement nothing does not exist.")
    assert (tmp_path / "other.db").exists()


def test_texts_of_files_do_nothing_to_the_terminal() -> None:
    _, out, _ = check(written(TEXT.replace("second", "\\u001b[2J")))
    assert "\x1b" not in out


documents = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=20,
)


@given(documents, st.sampled_from([None, 1, "\t"]), st.booleans())
def test_every_value_is_found(document: Any, indent: Any, is_ascii: bool) -> None:
    text = json.dumps(document, indent=indent, ensure_ascii=is_ascii)
    for path, value in _values(document, ()):
        line, column = find_place(text, path)
        at = sum(len(each) + 1 for each in text.split("\n")[: line - 1]) + column - 1
        rest = text[at:]
        if path and isinstance(_at(document, path[:-1]), dict):
            key, end = json.JSONDecoder().raw_decode(rest)
            assert key == path[-1]
            rest = rest[end:].lstrip().removeprefix(":").lstrip()
        assert json.JSONDecoder().raw_decode(rest)[0] == value


def test_a_path_that_leads_nowhere_ends_at_the_deepest_value() -> None:
    assert find_place('{"a":\n {"b": 1}}', ["a", "c", "d"]) == Place(1, 2)
    assert find_place("7", ["a"]) == Place(1, 1)


def _values(value: Any, path: tuple[str, ...]) -> list[tuple[tuple[str, ...], Any]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [(path, value), *(found for key, each in items for found in _values(each, (*path, str(key))))]


def _at(value: Any, path: tuple[str, ...]) -> Any:
    for step in path:
        value = value[int(step) if isinstance(value, list) else step]
    return value
