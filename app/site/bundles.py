"""The bundle that is served: a folder, or a zip of one, as the dashboard exports it."""

import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from celebml.errors import BundleError

MAX_UNPACKED = 500_000_000  # bytes; a bundle of a hundred people holds a few million


@contextmanager
def opened(path: str | Path) -> Iterator[Path]:
    "The folder of a bundle; a zip is unpacked for as long as the block lasts. Raises `BundleError`."
    path = Path(path)
    if not path.is_file():
        yield path.resolve()  # a link may be switched while the files are read
        return
    with tempfile.TemporaryDirectory(prefix="celebml-bundle-") as work:
        folder = _unpack(path, Path(work))
        try:
            yield folder
        except BundleError as error:
            raise BundleError(str(error).replace(str(folder), str(path))) from error


def _unpack(path: Path, work: Path) -> Path:
    "The folder, among what the zip holds, in which the manifest lies."
    try:
        with zipfile.ZipFile(path) as archive:
            _check(path, archive.infolist())
            archive.extractall(work)
    except (OSError, zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, zlib.error) as error:
        raise BundleError(f"{path}: no zip that can be unpacked ({error}); export it again") from error
    for manifest in (work / "manifest.json", *sorted(work.glob("*/manifest.json"))):
        if manifest.is_file():
            return manifest.parent
    raise BundleError(f"{path}: no bundle in this zip (manifest.json is missing); export one from the dashboard")


def _check(path: Path, members: list[zipfile.ZipInfo]) -> None:
    "Refuse before a byte is written; zipfile reads no more of a member than its entry says."
    if sum(member.file_size for member in members) > MAX_UNPACKED:
        raise BundleError(f"{path}: more than {MAX_UNPACKED / 1e6:.0f} MB once unpacked; that is no bundle")
    for member in members:
        name = PurePosixPath(member.filename.replace("\\", "/"))
        if name.is_absolute() or ".." in name.parts:
            raise BundleError(f"{path}: it names a file outside its folder ({name}); it was tampered with")
