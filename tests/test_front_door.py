"""The package's front door: what stands there, what it costs, and that a name has one meaning."""

import importlib
import pkgutil
import pydoc
import subprocess
import sys

import pytest

import celebml
from celebml.errors import CelebmlError


def modules():
    return [one.name for one in pkgutil.iter_modules(celebml.__path__) if one.name not in ("_modidx", "__main__")]


@pytest.mark.parametrize("name", celebml.__all__)
def test_what_stands_in_front_is_the_module_s_own(name):
    found = getattr(celebml, name)
    assert found.__module__.startswith("celebml.") and getattr(sys.modules[found.__module__], name) is found
    assert name in dir(celebml)


def test_another_name_is_not_there():
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        celebml.nothing  # noqa: B018


def test_the_import_brings_nothing_along():
    heavy = "('numpy', 'celebml.', 'cv2', 'sklearn')"
    code = f"import sys, celebml; print([name for name in sys.modules if name.startswith({heavy})])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_help_says_what_to_do_first():
    told = pydoc.plain(pydoc.render_doc(celebml))
    for word in ("CelebrityClassifier().fit", "predict", "explain", "CelebmlError", "one sub-folder a person"):
        assert word in told


def test_no_public_name_has_two_meanings():
    homes: dict[str, set[str]] = {}
    for name in modules():
        module = importlib.import_module(f"celebml.{name}")
        for public in getattr(module, "__all__", []):
            homes.setdefault(public, set()).add(name)
    twice = {public: sorted(found) for public, found in homes.items() if len(found) > 1}
    # a command has the name of what it does: `celebml run` is pipeline's run
    commands = {public for public, found in twice.items() if any(name.endswith("cli") for name in found)}
    assert set(twice) <= commands, twice


def test_every_error_of_the_package_has_the_one_base():
    for name in modules():
        module = importlib.import_module(f"celebml.{name}")
        for public in getattr(module, "__all__", []):
            value = getattr(module, public)
            if isinstance(value, type) and issubclass(value, Exception):
                assert issubclass(value, CelebmlError), f"{name}.{public}"
