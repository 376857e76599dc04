"""`python -m celebml_app.dashboard.work FOLDER TASK [PROCESS]`: one task; it ends when PROCESS does."""

import os
import sys
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # the page has to stay quick meanwhile

from .jobs import Watched, end_with, sentence
from .tasks import TASKS


def main(folder: Path, task: str, process: int = 0) -> int:
    "Do one task, and say how it ended."
    if process:
        end_with(process)
    watched = Watched(folder, task)
    try:
        watched.end("done", TASKS[task](folder, watched))
    except Exception as error:  # noqa: BLE001 - the last line of a process: it must end in a sentence
        watched.end("failed", sentence(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else 0))
