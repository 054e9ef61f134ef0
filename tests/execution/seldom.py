"""Server whose idle worker polls the queue once a minute: `python -m tests.execution.seldom`."""

from __future__ import annotations

from app.cli.serve import new_server
from app.execution import polling
from app.settings import Settings

if __name__ == "__main__":
    polling.IDLE = 60.0
    new_server(Settings(port=0)).run()
