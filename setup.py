"""Build celebml; every fact stands in settings.ini, which nbdev reads too."""

from configparser import ConfigParser
from pathlib import Path

from setuptools import find_packages, setup

ROOT = Path(__file__).parent
config = ConfigParser(delimiters=["="])
config.read(ROOT / "settings.ini", encoding="utf-8")
settings = config["DEFAULT"]


def requirements(key: str) -> list[str]:
    """The requirement lines under one key of settings.ini."""
    return [line.strip() for line in settings[key].splitlines() if line.strip()]


EXTRAS = ("site", "dashboard", "course", "collect", "cluster", "docs", "browser", "test")
extras = {name: requirements(f"{name}_requirements") for name in EXTRAS}
extras["dev"] = sorted({line for lines in extras.values() for line in lines})
extras["deep"] = requirements("deep_requirements")

setup(
    name=settings["lib_name"],
    version=settings["version"],
    description=settings["description"],
    long_description=(ROOT / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    author=settings["author"],
    license="Apache-2.0",
    keywords=settings["keywords"],
    packages=find_packages(include=["celebml", "celebml.*"]),
    python_requires=f">={settings['min_python']}",
    install_requires=requirements("requirements"),
    extras_require=extras,
    entry_points={"console_scripts": requirements("console_scripts")},
)
