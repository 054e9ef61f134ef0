"""Entry point of the image, under the image's user, variables and layout, without its root file system.

No Docker daemon is needed: the wheel is installed as the Dockerfile does, for the system's Python, and started by
`setpriv` as the user of the image.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.api import ROOT
from tests.deploy.test_files import image_environment, instructions
from tests.package.conftest import Installed, installed
from tests.server.test_nginx import free_port
from tests.servers import stop

__all__ = ["installed"]

PYTHON = f"/usr/bin/python{sys.version_info[0]}.{sys.version_info[1]}"
pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("setpriv") is None or not Path(PYTHON).exists(),
    reason="starting a process as another user needs root, setpriv and a Python that all users can run",
)


@dataclass(frozen=True, slots=True)
class Image:
    """Layout of the image below a folder."""

    folder: Path

    def environment(self, **variables: str) -> dict[str, str]:
        """Return the variables of the image, with its paths below the folder."""
        given = {name: self._moved(value) for name, value in image_environment().items()}
        return given | {"PATH": f"{self.folder}/opt/voltgraph/bin:/usr/bin:/bin", "LANG": "C.UTF-8"} | variables

    def command(self, *arguments: str) -> list[str]:
        """Return a command that runs as the user of the image, without privileges."""
        user = dict(instructions())["USER"].partition(":")[0]
        return ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", "--no-new-privs", *arguments]

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def _moved(self, value: str) -> str:
        return value.replace(":////data/", f":///{self.data}/")


@pytest.fixture
def image(installed: Installed) -> Iterator[Image]:
    folder = Path(tempfile.mkdtemp(prefix="voltgraph-image-"))
    folder.chmod(0o755)
    environment = folder / "opt" / "voltgraph"
    subprocess.run([PYTHON, "-m", "venv", "--without-pip", str(environment)], check=True)
    python = environment / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-deps"]
    subprocess.run([*pip, str(installed.wheel)], check=True, capture_output=True)
    [packages] = (environment / "lib").glob("*/site-packages")
    (packages / "dependencies.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    layout = Image(folder)
    [run] = [arguments for name, arguments in instructions() if name == "RUN" and "/data" in arguments]
    owner, mode = re.findall(r"--owner (\d+) .*--mode (\d+) /data", run)[0]
    layout.data.mkdir(mode=int(mode, 8))
    os.chown(layout.data, int(owner), int(owner))
    yield layout
    shutil.rmtree(folder)


def ran(image: Image, environment: dict[str, str], *command: str) -> subprocess.CompletedProcess[str]:
    line = image.command(*command)
    return subprocess.run(line, cwd=image.data, env=environment, capture_output=True, text=True, timeout=120)


def test_the_entry_point_serves_as_the_user_of_the_image(image: Image) -> None:
    last = dict(instructions())
    entry, command = json.loads(last["ENTRYPOINT"]), json.loads(last["CMD"])
    port = free_port()
    environment = image.environment(VOLTGRAPH_PORT=str(port))
    refused = ran(image, environment, *entry, *command)
    assert refused.returncode == 2
    assert "no API key exists" in refused.stdout + refused.stderr
    key = ran(image, environment, *entry, "keys", "create").stdout.strip()
    assert key.startswith("vg_")
    with subprocess.Popen(image.command(*entry, *command), cwd=image.data, env=environment) as process:
        try:
            assert_healthy(image, environment)
            assert os.stat(f"/proc/{process.pid}").st_uid == 10001
            shutil.copy(ROOT / "examples" / "capacity.json", image.data)
            server = f"http://127.0.0.1:{port}"
            done = ran(image, environment, *entry, "run", "capacity.json", "--server", server, "--key", key)
            assert "8.73232" in done.stdout, done
        finally:
            stop(process, 60)
            assert process.returncode in (0, -signal.SIGTERM)  # uvicorn passes the signal on after its shutdown
    files = [file for file in image.data.iterdir() if file.name.startswith("voltgraph.db")]
    assert {file.stat().st_uid for file in files} == {10001}
    assert {file.stat().st_mode & 0o077 for file in files} == {0}


def assert_healthy(image: Image, environment: dict[str, str]) -> None:
    """Run the health check of the image until it succeeds."""
    check = json.loads(dict(instructions())["HEALTHCHECK"].partition(" CMD ")[2])
    end = time.monotonic() + 60
    while subprocess.run(image.command(*check), env=environment, capture_output=True, cwd=image.data).returncode:
        assert time.monotonic() < end, "the image never became healthy"
        time.sleep(0.5)
