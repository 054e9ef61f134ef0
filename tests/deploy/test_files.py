"""Files of deploy/: they parse, and name settings, commands, files and metrics that exist."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from app.cli.commands import COMMANDS
from app.errors import RequestErrorCode
from app.settings import Settings
from tests.api import ROOT, Api
from tests.server.test_nginx import free_port

DEPLOY = ROOT / "deploy"
UNITS = sorted(DEPLOY.glob("*.service"))
SETTINGS = {f"VOLTGRAPH_{name.upper()}" for name in Settings.model_fields}
SUFFIXES = r"_(total|bucket|count|sum)$"


def compose() -> dict[str, Any]:
    text = (DEPLOY / "compose.yml").read_text()
    document: dict[str, Any] = yaml.safe_load(text)
    return document


def instructions() -> list[tuple[str, str]]:
    """Return the instructions of the Dockerfile with their arguments."""
    text = re.sub(r"\\\n\s*", " ", (DEPLOY / "Dockerfile").read_text())
    lines = [line for line in text.split("\n") if line and not line.startswith("#")]
    return [(line.partition(" ")[0], line.partition(" ")[2].strip()) for line in lines]


def image_environment() -> dict[str, str]:
    """Return the variables that the image sets."""
    [text] = [arguments for name, arguments in instructions() if name == "ENV"]
    return dict(part.split("=", 1) for part in text.split())


@pytest.mark.parametrize("file", sorted(DEPLOY.iterdir()), ids=lambda file: file.name)
def test_settings_exist_and_accept_the_values(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = file.read_text()
    assert set(re.findall(r"VOLTGRAPH_[A-Z_]+", text)) <= SETTINGS
    for name, value in re.findall(r"^(?:Environment=|#|\s+)?(VOLTGRAPH_[A-Z_]+)[=:] ?\"?([^\"\s\\]+)", text, re.M):
        if "${" not in value:
            monkeypatch.setenv(name, value)
    Settings()


def test_the_dockerfile_copies_files_that_exist_and_are_all_of_the_package() -> None:
    copied = [arguments.split()[:-1] for name, arguments in instructions() if name == "COPY"]
    sources = {source for each in copied for source in each if not source.startswith(("--", "/"))}
    assert sources == {"pyproject.toml", "hatch_build.py", "constraints.txt", "README.md", "LICENSE"} | {
        "voltgraph", "app", "schema", "queries",
    }  # fmt: skip
    assert all((ROOT / source).exists() for source in sources)
    ignored = (ROOT / ".dockerignore").read_text().split()
    assert not sources & {*ignored}


def test_the_image_is_not_root_and_starts_the_server() -> None:
    last = dict(instructions())
    assert last["USER"] == "10001:10001"
    assert json.loads(last["ENTRYPOINT"]) == ["voltgraph"]
    assert json.loads(last["CMD"])[0] in COMMANDS
    options, _, command = last["HEALTHCHECK"].partition(" CMD ")
    assert "--start-period" in options
    assert json.loads(command)[:2] == ["python", "-c"]
    compile(json.loads(command)[2], "healthcheck", "exec")
    [extras] = [arguments for name, arguments in instructions() if name == "ARG" and "BATTERY" in arguments]
    assert extras == "BATTERY=battery,data"


def test_compose_has_postgresql_one_api_and_two_workers() -> None:
    services = compose()["services"]
    assert set(services) == {"postgres", "api", "worker"}
    assert services["worker"]["deploy"]["replicas"] == 2
    assert services["worker"]["command"] == ["worker"]
    assert "worker" in COMMANDS
    assert services["api"]["depends_on"]["postgres"]["condition"] == "service_healthy"
    assert (DEPLOY / services["api"]["build"]["context"]).resolve() == ROOT
    assert (ROOT / services["api"]["build"]["dockerfile"]).exists()
    assert services["api"]["ports"] == ["127.0.0.1:8000:8000"]


def test_compose_leaves_connections_for_people() -> None:
    services = compose()["services"]
    most = int(str(services["postgres"]["command"][-1]).partition("=")[2])
    assert sum(connections(services[name]) for name in ("api", "worker", "worker")) <= most - 10


def connections(service: dict[str, Any]) -> int:
    """Return the maximum connections of a process, as docs/hosting/postgresql.md counts them."""
    given = {name.removeprefix("VOLTGRAPH_").lower(): value for name, value in service["environment"].items()}
    settings = Settings(**{k: v for k, v in given.items() if k != "database_url"})
    return settings.postgres_sessions + settings.postgres_readers + 1 + 2  # one listens, two read API keys


@pytest.mark.skipif(shutil.which("docker") is None, reason="docker is not installed")
def test_docker_accepts_the_compose_file() -> None:
    command = ["docker", "compose", "-f", str(DEPLOY / "compose.yml"), "config", "--quiet"]
    done = subprocess.run(command, env={"PATH": "/usr/local/bin:/usr/bin:/bin", "POSTGRES_PASSWORD": "00"},
                          capture_output=True, text=True)  # fmt: skip
    if "is not a docker command" in done.stderr or "unknown shorthand flag" in done.stderr:
        pytest.skip("docker has no compose plugin")
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_systemd_accepts_the_units(unit: Path, tmp_path: Path) -> None:
    [command] = re.findall(r"^ExecStart=/opt/voltgraph/bin/voltgraph (\w+)$", unit.read_text(), re.M)
    assert command in COMMANDS
    file = tmp_path / unit.name.replace("@", "@1")
    file.write_text(unit.read_text().replace("/opt/voltgraph/bin/voltgraph", "/bin/true"))
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", str(file)], capture_output=True, text=True)
    ours = [line for line in done.stderr.split("\n") if "voltgraph" in line]
    assert (done.returncode, ours) == (0, [])


@pytest.mark.skipif(shutil.which("nginx") is None, reason="nginx is not installed")
def test_nginx_accepts_its_configuration(tmp_path: Path) -> None:
    done = subprocess.run(
        ["nginx", "-t", "-c", str(nginx(tmp_path, free_port(), [8000]))], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def nginx(folder: Path, port: int, backends: list[int]) -> Path:
    """Write a configuration of nginx that includes deploy/nginx.conf with another port, certificate and servers."""
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    make = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    make += ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(make, check=True, capture_output=True)
    site = (DEPLOY / "nginx.conf").read_text()
    servers = "".join(f"    server 127.0.0.1:{backend};\n" for backend in backends)
    for old, new in (
        ("    server 127.0.0.1:8000;\n", servers),
        ("listen 443 ssl;", f"listen 127.0.0.1:{port} ssl;"),
        ("listen 80;", f"listen 127.0.0.1:{free_port()};"),
        ("/etc/ssl/certs/voltgraph.pem", str(certificate)),
        ("/etc/ssl/private/voltgraph.key", str(key)),
    ):
        assert site.count(old) == 1, old
        site = site.replace(old, new)
    (folder / "site.conf").write_text(site)
    whole = folder / "nginx.conf"
    temporary = "".join(
        f"{kind}_temp_path {folder}/{kind}; " for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    user = "user root; " if os.geteuid() == 0 else ""  # its workers write below a folder of the tests
    whole.write_text(
        f"{user}daemon off; pid {folder}/pid; error_log {folder}/error.log; worker_processes 1;\n"
        f"events {{}}\nhttp {{ access_log off; {temporary} include {folder}/site.conf; }}\n"
    )
    return whole


def expressions() -> dict[str, list[str]]:
    """Return the queries of the dashboard and of the alert rules."""
    dashboard = json.loads((DEPLOY / "grafana.json").read_text())
    rules = yaml.safe_load((DEPLOY / "alerts.yml").read_text())["groups"][0]["rules"]
    return {
        "grafana.json": [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]],
        "alerts.yml": [rule["expr"] for rule in rules],
    }


async def test_metrics_of_the_dashboard_and_of_alerts_exist(api: Api) -> None:
    await api.run("Viewer")
    text = (await api.http.get("/metrics")).text
    families = set(re.findall(r"^# TYPE (\w+) ", text, re.M))
    families = {re.sub(SUFFIXES, "", family) for family in families}
    for file, queries in expressions().items():
        named = {re.sub(SUFFIXES, "", name) for query in queries for name in re.findall(r"\bvoltgraph_\w+", query)}
        assert len(named) >= 4
        assert named <= families, (file, named - families)
        for query in queries:
            assert query.count("(") == query.count(")"), query


async def test_labels_of_the_dashboard_exist(api: Api) -> None:
    await api.run("Viewer")
    text = (await api.http.get("/metrics")).text
    known = set(re.findall(r"[{,](\w+)=", text)) | {
        "instance",
        "job",
        "le",
        "element_type",
        "outcome",
        "status",
        "route",
    }
    for queries in expressions().values():
        for query in queries:
            for labels in re.findall(r"by \(([^)]*)\)", query):
                assert {label.strip() for label in labels.split(",")} <= known, query


def test_codes_of_alerts_exist() -> None:
    codes = {code.name for code in RequestErrorCode} | {"OK"}
    for queries in expressions().values():
        for query in queries:
            for pattern in re.findall(r'code[!=~]+"([^"]+)"', query):
                assert set(pattern.split("|")) <= codes
