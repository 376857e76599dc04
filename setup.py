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


APPS = [f"celebml_app.{name}" for name in find_packages("app")]
extras = {name: requirements(f"{name}_requirements") for name in settings["dev_extras"].split()}
extras["dev"] = sorted({line for lines in extras.values() for line in lines})
extras |= {name: requirements(f"{name}_requirements") for name in ("deep", "release")}

setup(
    name=settings["lib_name"],
    version=settings["version"],
    description=settings["description"],
    long_description=(ROOT / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    author=settings["author"],
    license_expression="Apache-2.0",
    license_files=["LICENSE", "LICENSE-TEXT.md", "THIRD_PARTY.md"],
    url=settings["git_url"],
    project_urls={
        "Course": settings["doc_host"] + settings["doc_baseurl"],
        "Changes": settings["git_url"] + "/blob/main/CHANGELOG.md",
        "Faults": settings["git_url"] + "/issues",
    },
    classifiers=[
        "Development Status :: 3 - Alpha",
        "Intended Audience :: Education",
        "Intended Audience :: Developers",
        "Operating System :: OS Independent",
        *(f"Programming Language :: Python :: 3.{minor}" for minor in range(11, 15)),
        "Topic :: Scientific/Engineering :: Image Recognition",
    ],
    keywords=settings["keywords"],
    packages=[*find_packages(include=["celebml", "celebml.*"]), "celebml_app", *APPS],
    # The apps' source stands in app/, beside the library's; installed, it has a name that is ours alone.
    package_dir={"celebml_app": "app"},
    package_data={"celebml": ["*.npz", "*.md"], "celebml_app": ["**/*"]},
    python_requires=f">={settings['min_python']}",
    install_requires=requirements("requirements"),
    extras_require=extras,
    entry_points={"console_scripts": requirements("console_scripts")},
)
