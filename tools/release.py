"""The source archive and the wheel of one commit: the same bytes whenever, wherever and by whomever they are built.

python -m tools.release --out dist      what is committed at HEAD
python -m tools.release --version       the version that it is
"""

import argparse
import gzip
import io
import os
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from tools.lock import ROOT, settings

FIRST = 315532800  # 1980-01-01: a zip knows no earlier time


def at_rest(folder: Path, epoch: int) -> None:
    "One time and one of two modes for every file: nothing of the machine goes into an archive."
    for path in folder.rglob("*"):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or (os.access(path, os.X_OK) and path.suffix in ("", ".sh")) else 0o644)
            os.utime(path, (epoch, epoch))


def same_tar(path: Path, epoch: int) -> None:
    "A .tar.gz again, in order of names, without times, owners and the name of whoever packed it."
    with tarfile.open(path) as tar:
        members = sorted(tar.getmembers(), key=lambda member: member.name)
        files = [(member, tar.extractfile(member).read() if member.isfile() else None) for member in members]
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for member, data in files:
            plain = tarfile.TarInfo(member.name)
            plain.type, plain.size, plain.mtime = member.type, member.size, epoch
            plain.mode = 0o755 if member.isdir() else 0o644
            tar.addfile(plain, None if data is None else io.BytesIO(data))
    with path.open("wb") as file, gzip.GzipFile("", "wb", 9, file, mtime=epoch) as packed:
        packed.write(raw.getvalue())


def _make(verb: str, source: Path, out: Path, epoch: int) -> Path:
    code = f"from setuptools import build_meta as b; b.build_{verb}({str(out)!r})"
    environment = os.environ | {"SOURCE_DATE_EPOCH": str(epoch), "PYTHONHASHSEED": "0"}
    done = subprocess.run([sys.executable, "-c", code], cwd=source, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"setuptools could not build it:\n{done.stdout}{done.stderr}")
    return max(out.iterdir(), key=lambda path: path.suffix == (".whl" if verb == "wheel" else ".gz"))


def _unpack(tar: tarfile.TarFile, folder: str) -> None:
    "All of an archive of our own; the filter is not there in Python 3.11.0 to 3.11.3."
    tar.extraction_filter = getattr(tarfile, "data_filter", lambda member, path: member)
    tar.extractall(folder)


def build(source: Path, out: Path, epoch: int) -> list[Path]:
    "The archive of a tree, and the wheel out of that archive, so that the archive is known to install."
    out.mkdir(parents=True, exist_ok=True)
    epoch = max(epoch, FIRST)
    at_rest(source, epoch)
    archive = _make("sdist", source, out, epoch)
    same_tar(archive, epoch)
    with tempfile.TemporaryDirectory() as work:
        with tarfile.open(archive) as tar:
            _unpack(tar, work)
        (unpacked,) = Path(work).iterdir()
        at_rest(unpacked, epoch)
        wheel = _make("wheel", unpacked, out, epoch)
    return [archive, wheel]


def main() -> None:
    "Build what is committed."
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("dist"))
    parser.add_argument("--version", action="store_true", help="print the version and build nothing")
    given = parser.parse_args()
    if given.version:
        print(settings()["version"])
        return
    git = ["git", "-C", str(ROOT)]
    epoch = int(subprocess.run([*git, "log", "-1", "--format=%ct"], capture_output=True, check=True).stdout)
    tree = subprocess.run([*git, "archive", "HEAD"], capture_output=True, check=True).stdout
    with tempfile.TemporaryDirectory() as work, tarfile.open(fileobj=io.BytesIO(tree)) as tar:
        _unpack(tar, work)
        for path in build(Path(work), given.out.resolve(), epoch):
            print(path)


if __name__ == "__main__":
    main()
