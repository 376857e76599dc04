"""Names that carry hashes, modules that name each other, and a runtime that is held to its own."""

import shutil
import tarfile

import pytest

from celebml.errors import DataError
from celebml.page_files import RUNTIME_FILES, Assets, modules_of, runtime_files


def archive(path):
    "A package whose files are not the expected ones."
    inside = path.parent / "inside"
    for name in RUNTIME_FILES:
        (inside / "package" / name).parent.mkdir(parents=True, exist_ok=True)
        (inside / "package" / name).write_text("something else")
    with tarfile.open(path, "w:gz") as packed:
        packed.add(inside / "package", "package")
    return path


def test_a_runtime_that_was_changed_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"ort\.wasm\.min\.mjs is not the file of onnxruntime-web"):
        runtime_files(archive(tmp_path / "package.tgz"))
    (tmp_path / "text.tgz").write_text("no archive")
    with pytest.raises(DataError, match="not the package onnxruntime-web"):
        runtime_files(tmp_path / "text.tgz")


def test_npm_that_fails_is_quoted(monkeypatch, tmp_path):
    npm = tmp_path / "npm"
    npm.write_text("#!/bin/sh\necho 'npm error network is unreachable' >&2\nexit 1\n")
    npm.chmod(0o755)
    monkeypatch.setattr(shutil, "which", lambda name: str(npm))
    with pytest.raises(DataError, match="network is unreachable"):
        runtime_files()


def test_modules_in_a_circle_are_told():
    sources = {"a.js": 'import "./b.js";', "b.js": 'import "./a.js";'}
    with pytest.raises(DataError, match=r"a\.js → b\.js → a\.js"):
        modules_of(Assets(), sources.get, "a.js")
