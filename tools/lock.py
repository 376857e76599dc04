"""What deployment, CI and releases install, by version and SHA-256: requirements/*.txt, out of settings.ini.

python -m tools.lock             resolves anew, for every system and Python from `min_python` on
python -m tools.lock --check     fails where a lock lacks a hash, names an address, or lacks what settings.ini asks for
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from configparser import ConfigParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name, parse_wheel_filename
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[1]
LOCKS = {
    "deploy": ("site",),  # what a server or an image installs
    "ci": ("dev",),  # what `make LOCKED=1` installs
    "release": ("release",),  # what builds and looks over a release
}
PYTHONS = re.compile(r"cp31[1-4]")  # and whatever has the stable interface, or none
SYSTEMS = re.compile(r"^any$|manylinux.*_(x86_64|aarch64)$|linux_x86_64$|^macosx|^win_amd64$")
HEAD = "# Made by `make lock` from settings.ini: versions and hashes for every system, no addresses. Do not edit.\n"


def settings() -> dict[str, str]:
    "The facts of settings.ini."
    config = ConfigParser(delimiters=["="])
    config.read(ROOT / "settings.ini", encoding="utf-8")
    return dict(config["DEFAULT"])


def lines_of(facts: dict[str, str], key: str) -> list[str]:
    "The requirement lines under one key."
    return [line.strip() for line in facts[key].splitlines() if line.strip()]


def wanted(name: str, facts: dict[str, str]) -> list[str]:
    "The requirement lines that a lock must satisfy."
    extras = [extra for one in LOCKS[name] for extra in (facts["dev_extras"].split() if one == "dev" else [one])]
    own = [] if name == "release" else lines_of(facts, "requirements")
    found = own + [line for extra in extras for line in lines_of(facts, f"{extra}_requirements")]
    return sorted({*found, "setuptools>=77", "wheel"})


def locked(text: str) -> Iterator[tuple[Requirement, list[str]]]:
    "Each entry of a lock, and its hashes."
    for entry in re.split(r"(?<!\\)\n", text):
        first, *rest = entry.replace("\\\n", " ").split(" --hash=sha256:")
        if first.strip() and not first.lstrip().startswith(("#", "-")):
            yield Requirement(first.strip()), [one.strip() for one in rest]


def faults(name: str, text: str, facts: dict[str, str]) -> list[str]:
    "What is wrong with a lock, in sentences; none for a good one."
    found, versions = [], {}
    if "://" in text or "--index" in text or "--find-links" in text:
        found.append("it names an address; hashes are enough")
    for requirement, hashes in locked(text):
        pins = list(requirement.specifier)
        if requirement.url or len(pins) != 1 or pins[0].operator != "==":
            found.append(f"{requirement} is not one version")
            continue
        versions.setdefault(canonicalize_name(requirement.name), []).append(Version(pins[0].version))
        if not hashes or not all(re.fullmatch("[0-9a-f]{64}", one) for one in hashes):
            found.append(f"{requirement} has no hashes")
    for line in wanted(name, facts):
        asked = Requirement(line)
        there = versions.get(canonicalize_name(asked.name), [])
        if not there:
            found.append(f"{asked.name} is missing")
        found += [f"{asked.name} {one} is not {asked.specifier}" for one in there if one not in asked.specifier]
    return found


def is_used(file: str) -> bool:
    "Whether a file can be installed on one of the systems of `SYSTEMS` by one of the Pythons of `PYTHONS`."
    if not file.endswith(".whl"):
        return False
    tags = parse_wheel_filename(file)[3]
    return any(
        (PYTHONS.fullmatch(tag.interpreter) or tag.abi in ("abi3", "none"))
        and not tag.abi.endswith("t")
        and SYSTEMS.search(tag.platform)
        for tag in tags
    )


def slim(entries: str, files: dict[str, str]) -> str:
    "Requirements without the hashes of files that none of our systems would take; all of them where none is left."
    found = []
    for requirement, hashes in locked(entries):
        kept = [one for one in hashes if is_used(files[one])] or hashes
        found.append(f"{requirement} \\\n" + " \\\n".join(f"    --hash=sha256:{one}" for one in sorted(kept)))
    return "\n".join(found) + "\n"


def resolve(name: str, facts: dict[str, str]) -> str:
    "A new lock, by uv. Raises `CalledProcessError` with uv's own words on stderr."
    with tempfile.TemporaryDirectory() as work:
        lines = {"name": "lock", "version": "0", "requires-python": f">={facts['min_python']}"}
        project = "\n".join(f"{key} = {json.dumps(value)}" for key, value in lines.items())
        project += f"\ndependencies = {json.dumps(wanted(name, facts))}\n"
        Path(work, "pyproject.toml").write_text(f"[project]\n{project}", encoding="utf-8")
        uv = [sys.executable, "-m", "uv"]
        subprocess.run([*uv, "lock", "--quiet"], cwd=work, check=True)
        export = [*uv, "export", "--quiet", "--no-emit-project", "--no-header", "--no-annotate"]
        entries = subprocess.run(export, cwd=work, stdout=subprocess.PIPE, text=True, check=True).stdout
        packages = tomllib.loads(Path(work, "uv.lock").read_text(encoding="utf-8"))["package"]
    files = [one for package in packages for one in [*package.get("wheels", ()), package.get("sdist")] if one]
    names = {one["hash"].removeprefix("sha256:"): Path(unquote(urlsplit(one["url"]).path)).name for one in files}
    return HEAD + slim(entries, names)


def main() -> None:
    "Write the locks, or look at them."
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing; fail where a lock is not as it should be")
    check, facts, wrong = parser.parse_args().check, settings(), False
    for name in LOCKS:
        path = ROOT / "requirements" / f"{name}.txt"
        text = path.read_text(encoding="utf-8") if check else resolve(name, facts)
        for fault in faults(name, text, facts):
            wrong = True
            print(f"requirements/{name}.txt: {fault}; mend with: make lock", file=sys.stderr)
        if not check:
            path.write_text(text, encoding="utf-8", newline="\n")
            print(f"requirements/{name}.txt: {sum(1 for _ in locked(text))} packages")
    sys.exit(wrong)


if __name__ == "__main__":
    main()
