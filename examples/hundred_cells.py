"""Fit a hundred cells at once: create, start, watch, compare and export, with httpx only.

A server must run, in another terminal; httpx is one of its packages:

    make run
    .venv/bin/python examples/hundred_cells.py --cells 100 --output cells.csv

The cells are synthetic: the discharge of examples/discharge.csv, with noise of its own for each. Repeating the command
creates nothing twice, and continues where it ended.
"""

import argparse
import csv
import json
import os
import random
import statistics
import sys
import time
from pathlib import Path
from typing import Any

import httpx

PARAMETER = "Positive particle diffusivity [m2.s-1]"
CONFIGURATION = Path(__file__).with_name("discharge.fit.json")
NOISE, EVERY = 2e-3, 10
"""Standard deviation of the noise [V], and the rows of the discharge of which one is kept."""
CREATE = """mutation($input: CreatePipelineInput!) {
  createPipeline(input: $input) { pipeline { id status } userErrors { code message field } } }"""
START = """mutation($id: ID!) {
  startPipeline(id: $id) { pipeline { id status } userErrors { code message field } } }"""
COUNTS = "query($project: ID!) { pipelineCounts(filter: {projectId: $project}) { status count } }"
RESULTS = """query($project: ID!, $names: [String!], $after: String) {
  pipelines(filter: {projectId: $project}, orderBy: {field: NAME, direction: ASC}, first: 20, after: $after) {
    pageInfo { hasNextPage endCursor }
    nodes { id name status error elements { id name parameterValues(names: $names) result warnings { code } } } } }"""


class Refused(Exception):
    """The server refused an operation; `code` is the reason."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


def send(http: httpx.Client, query: str, **variables: Any) -> Any:
    """Return the value of an operation's only field. Raises Refused."""
    answer = http.post("/graphql", json={"query": query, "variables": variables}).json()
    for error in answer.get("errors", []):
        raise Refused(error.get("extensions", {}).get("code", "ERROR"), error["message"])
    [value] = answer["data"].values()
    for error in (isinstance(value, dict) and value.get("userErrors")) or []:
        raise Refused(error["code"], f"{'.'.join(error['field'] or [])}: {error['message']}")
    return value


def fit_of(cell: int) -> dict[str, Any]:
    """Return the elements of the fit of one cell. Put your own measurements here, or references `db:ID` to them."""
    elements: dict[str, Any] = json.loads(CONFIGURATION.read_text())["elements"]
    data = elements["fit"]["objectives"]["discharge"]["data"]
    noise = random.Random(cell)
    kept = {name: values[::EVERY] for name, values in data["data"].items()}
    kept["Voltage [V]"] = [voltage + noise.gauss(0, NOISE) for voltage in kept["Voltage [V]"]]
    data["data"] = kept
    return elements


def create(http: httpx.Client, project: str, cells: int) -> list[str]:
    """Create a pipeline for each cell; return the ids of those that wait for a start."""
    pending = []
    for cell in range(1, cells + 1):
        name = f"cell {cell:03}"
        # A repeat with the same key returns the same pipeline, so that nothing is created twice.
        given = {"projectId": project, "name": name, "elementsByName": fit_of(cell), "idempotencyKey": name}
        pipeline = send(http, CREATE, input=given)["pipeline"]
        if pipeline["status"] == "PENDING":
            pending.append(pipeline["id"])
    return pending


def start(http: httpx.Client, ids: list[str]) -> None:
    """Start pipelines. While the queue is full, wait until some of them have begun to run."""
    for id in ids:
        while True:
            try:
                send(http, START, id=id)
                break
            except Refused as refused:
                if refused.code != "QUEUE_FULL":
                    raise
                time.sleep(5)


def watch(http: httpx.Client, project: str) -> dict[str, int]:
    """Print how many pipelines have which status until all have ended; return the numbers."""
    said = ""
    while True:
        counts = {each["status"]: each["count"] for each in send(http, COUNTS, project=project)}
        line = ", ".join(f"{count} {status.lower()}" for status, count in counts.items() if count)
        if line != said:
            print(said := line, flush=True)
        if not counts.get("RUNNING"):
            return counts
        time.sleep(1)


def compare(http: httpx.Client, project: str) -> list[dict[str, Any]]:
    """Return a row for each cell: its value with the standard error, its cost, and the codes of warnings."""
    rows: list[dict[str, Any]] = []
    after = None
    while True:
        page = send(http, RESULTS, project=project, names=[PARAMETER], after=after)
        for pipeline in page["nodes"]:
            fit = next(each for each in pipeline["elements"] if each["name"] == "fit")
            result = fit["result"] or {}
            rows.append(
                {
                    "cell": pipeline["name"],
                    "status": pipeline["status"],
                    PARAMETER: (fit["parameterValues"] or {}).get(PARAMETER),
                    "standard error": (result.get("standard_errors") or {}).get(PARAMETER),
                    "cost": result.get("cost"),
                    "warnings": " ".join(each["code"] for each in fit["warnings"] or []),
                    "error": pipeline["error"],
                    "id": pipeline["id"],
                }
            )
        if not page["pageInfo"]["hasNextPage"]:
            return rows
        after = page["pageInfo"]["endCursor"]


def export(rows: list[dict[str, Any]], file: Path) -> None:
    """Write the rows to a CSV file."""
    with file.open("w", newline="") as opened:
        writer = csv.DictWriter(opened, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def report(rows: list[dict[str, Any]]) -> None:
    """Print the spread of the parameter over the cells, and the cells without a result."""
    values = [row[PARAMETER] for row in rows if row[PARAMETER] is not None]
    if values:
        spread = statistics.stdev(values) if len(values) > 1 else 0.0
        print(f"{PARAMETER}: median {statistics.median(values):.4g}, deviation {spread:.2g}, {len(values)} cells")
    for row in rows:
        if row["status"] != "COMPLETED":
            print(f"{row['cell']} is {row['status']}: {row['error']}. Mend it by: voltgraph rerun {row['id']}")


def main() -> int:
    """Run all steps; the exit status is 1 if a fit did not complete."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", default="http://127.0.0.1:8000")
    parser.add_argument("--key", default=os.environ.get("VOLTGRAPH_KEY"))
    parser.add_argument("--project", default="hundred-cells")
    parser.add_argument("--cells", type=int, default=100)
    parser.add_argument("--output", type=Path, default=Path("cells.csv"))
    given = parser.parse_args()
    headers = {"x-api-key": given.key} if given.key else {}
    with httpx.Client(base_url=given.server, headers=headers, timeout=60) as http:
        start(http, create(http, given.project, given.cells))
        watch(http, given.project)
        rows = compare(http, given.project)
    export(rows, given.output)
    report(rows)
    return 0 if all(row["status"] == "COMPLETED" for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
