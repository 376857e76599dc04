"""Corrections that visitors agree to send: a row in SQLite and a file in the folder of the right name."""

import hashlib
import re
import sqlite3
import unicodedata
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from celebml.files import write_whole

from .problems import ProblemError

_ENDINGS = {"JPEG": ".jpg", "MPO": ".jpg", "PNG": ".png", "WEBP": ".webp", "GIF": ".gif", "BMP": ".bmp", "TIFF": ".tif"}
_TABLE = """
create table if not exists feedback (
    id integer primary key, sent text not null, file text not null, said text not null, right_name text not null,
    model text not null, digest text not null unique
)
"""


def folder_name(name: str) -> str:
    "A person's name as the name of a folder. Raises `ProblemError` when nothing usable is left."
    name = unicodedata.normalize("NFC", name)
    name = re.sub(r"\s+", " ", "".join(c if c.isprintable() else " " for c in name)).strip(" .")
    if not name or len(name.encode()) > 80 or re.search(r'[/\\:*?"<>|]', name) or not re.search(r"\w", name):
        raise ProblemError("invalid-field", "The right name is missing, too long, or has signs that a name has not.")
    return name


class Feedback:
    """A folder of corrections that grows up to a limit.

    Parameters
    ----------
    folder : Path
        Made if need be: `photographs/<name>/<digest>.<ending>`, the shape that training and reviewing read, and
        `feedback.sqlite`.
    max_bytes : int
        Nothing more is taken beyond this.
    """

    def __init__(self, folder: Path, max_bytes: int):
        self.folder, self.max_bytes = Path(folder), max_bytes
        self.photographs = self.folder / "photographs"

    def add(self, data: bytes, kind: str, said: str, right: str, model: str) -> bool:
        "Keep one correction; false if this photograph is there already. Raises `ProblemError`."
        right, said = folder_name(right), said[:80]
        size = sum(path.stat().st_size for path in self.photographs.rglob("*") if path.is_file())
        if size + len(data) > self.max_bytes:
            raise ProblemError("not-ready", "The folder for corrections is full.", Retry_After="3600")
        digest = hashlib.sha256(data).hexdigest()[:20]
        path = self.photographs / right / (digest + _ENDINGS.get(kind, ".img"))
        row = (datetime.now(UTC).isoformat(timespec="seconds"), str(path.relative_to(self.folder)), said, right, model)
        self.folder.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(self.folder / "feedback.sqlite", timeout=10)) as database, database:
            database.execute(_TABLE)
            new = database.execute(
                "insert or ignore into feedback (sent, file, said, right_name, model, digest) "
                "values (?, ?, ?, ?, ?, ?)",
                (*row, digest),
            ).rowcount
            if new:
                write_whole(path, data)  # before the row is final: a row always has its file
        return bool(new)
