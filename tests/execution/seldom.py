"""Server whose idle worker polls the queue once a minute: `python -m tests.execution.seldom`."""

from __future__ import annotations

from app.__main__ import Server
from app.execution import looks
from app.settings import Settings

if __name__ == "__main__":
    looks.IDLE = 60.0
    Server(Settings(port=0)).run()
