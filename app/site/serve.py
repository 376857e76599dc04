"""`celebml serve`: the site under gunicorn, as every deployment starts it."""

import os
import sys
from pathlib import Path

from celebml.errors import DataError

CONFIG = Path(__file__).with_name("gunicorn.conf.py")


def serve(environment: dict[str, str]) -> None:
    """Turn this process into gunicorn; `environment` is added to what it finds.

    The process keeps its number, so that a service manager that hands over a socket, or ends it, finds it. Raises
    `DataError` on a system without `fork`.
    """
    if os.name == "nt":
        raise DataError(
            "the site needs gunicorn, which Windows cannot run; use WSL, or: celebml publish BUNDLE --out FOLDER"
        )
    command = [sys.executable, "-m", "gunicorn", "--config", str(CONFIG)]
    os.execve(sys.executable, command, os.environ | environment)
