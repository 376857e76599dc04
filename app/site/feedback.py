"""Corrections that visitors agree to send: a face and its right name, kept for some weeks, erased by its receipt.

python -m celebml_app.site.feedback FOLDER      erases what is past its day, for a timer
"""

import argparse
import hashlib
import re
import secrets
import sqlite3
import unicodedata
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path

from PIL import Image

from celebml.files import write_whole

from .guard.problems import ProblemError

OTHERS = "somebody else"  # the folder of those who are none of the people
LONGEST = 640  # pixels of a kept face with its margin
_TABLE = """
create table if not exists corrections (
    id integer primary key, sent text not null, until text not null, file text not null, bytes integer not null,
    said text not null, right_name text not null, model text not null, digest text not null unique,
    receipt text not null unique
)
"""


@dataclass(frozen=True)
class Kept:
    """One correction that is kept.

    Parameters
    ----------
    receipt : str
        The secret by which it is shown and erased; only its hash is kept.
    until : str
        The day on which it is erased.
    name : str
        The right name; empty for somebody else.
    file : Path
        The face.
    """

    receipt: str
    until: str
    name: str
    file: Path


def folder_name(name: str) -> str:
    "A person's name as the name of a folder. Raises `ProblemError` when nothing usable is left."
    name = unicodedata.normalize("NFC", name)
    name = re.sub(r"\s+", " ", "".join(c if c.isprintable() else " " for c in name)).strip(" .")
    if not name or len(name.encode()) > 80 or re.search(r'[/\\:*?"<>|]', name) or not re.search(r"\w", name):
        raise ProblemError("invalid-field", "The right name is missing, too long, or has signs that a name has not.")
    return name


class Feedback:
    """A folder of corrections, bounded in size and in time.

    Parameters
    ----------
    folder : Path
        Made if need be: `photographs/<name>/<digest>.jpg`, the shape that training and `celebml review` read, and
        `feedback.sqlite`. Those who are none of the people lie in `somebody else/`.
    max_bytes : int
        Nothing more is taken beyond this.
    days : int
        How long a correction is kept.
    """

    def __init__(self, folder: Path, max_bytes: int, days: int = 90):
        self.folder, self.max_bytes, self.days = Path(folder), max_bytes, days

    def add(self, face: Image.Image, said: str, right: str, model: str) -> Kept | None:
        "Keep one correction; none if this face is there already. Raises `ProblemError`."
        face.thumbnail((LONGEST, LONGEST))
        buffer = BytesIO()
        face.save(buffer, "JPEG", quality=92)  # pixels alone: no notes of the camera, and nothing hidden behind them
        data, digest = buffer.getvalue(), hashlib.sha256(face.tobytes()).hexdigest()[:20]
        place = f"photographs/{folder_name(right)}" if right else OTHERS
        path = self.folder / place / f"{digest}.jpg"
        now = datetime.now(UTC)
        receipt, until = secrets.token_urlsafe(16), (now + timedelta(days=self.days)).date().isoformat()
        with self._database() as database:
            self._forget(database, now)
            (held,) = database.execute("select coalesce(sum(bytes), 0) from corrections").fetchone()
            if held + len(data) > self.max_bytes:
                raise ProblemError("not-ready", "The folder for corrections is full.", Retry_After="3600")
            file = path.relative_to(self.folder).as_posix()
            row = (now.isoformat(timespec="seconds"), until, file, len(data), said[:80], right, model, digest)
            new = database.execute(
                "insert or ignore into corrections "
                "(sent, until, file, bytes, said, right_name, model, digest, receipt) "
                "values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (*row, _hash(receipt)),
            ).rowcount
            if new:
                write_whole(path, data)  # before the row is final: a row always has its file
        return Kept(receipt, until, right, path) if new else None

    def find(self, receipt: str) -> Kept | None:
        "What is kept under a receipt."
        if not (self.folder / "feedback.sqlite").exists():
            return None
        with self._database() as database:
            self._forget(database, datetime.now(UTC))
            row = database.execute(
                "select until, right_name, file from corrections where receipt = ?", (_hash(receipt),)
            ).fetchone()
        return row and Kept(receipt, row[0], row[1], self.folder / row[2])

    def erase(self, receipt: str) -> bool:
        "Erase what is kept under a receipt; false if there is nothing."
        found = self.find(receipt)
        if not found:
            return False
        with self._database() as database:
            database.execute("delete from corrections where receipt = ?", (_hash(receipt),))
            found.file.unlink(missing_ok=True)
        return True

    def forget_old(self) -> int:
        "Erase what has been kept for long enough; how many were."
        if not (self.folder / "feedback.sqlite").exists():
            return 0
        with self._database() as database:
            return self._forget(database, datetime.now(UTC))

    def _forget(self, database: sqlite3.Connection, now: datetime) -> int:
        today = now.date().isoformat()
        old = database.execute("select id, file from corrections where until < ?", (today,)).fetchall()
        for number, file in old:
            (self.folder / file).unlink(missing_ok=True)
            database.execute("delete from corrections where id = ?", (number,))
        return len(old)

    @contextmanager
    def _database(self) -> Iterator[sqlite3.Connection]:
        "The table, for one at a time: what is counted inside still holds when it is written."
        self.folder.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(self.folder / "feedback.sqlite", timeout=10, isolation_level=None)) as database:
            database.execute("pragma secure_delete = on")
            database.execute("begin immediate")
            try:
                database.execute(_TABLE)
                yield database
            except BaseException:
                database.execute("rollback")
                raise
            database.execute("commit")


def _hash(receipt: str) -> str:
    return hashlib.sha256(receipt.encode()).hexdigest()


def main() -> None:
    "Erase what is old."
    parser = argparse.ArgumentParser(description="Erase corrections that have been kept for long enough.")
    parser.add_argument("folder", type=Path)
    given = parser.parse_args()
    print(f"{Feedback(given.folder, 0).forget_old()} corrections erased")


if __name__ == "__main__":
    main()
