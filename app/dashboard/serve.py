"""`celebml dashboard`: the page under Voila, with its template and settings, whatever the working folder is."""

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from traitlets.config import Config

from celebml.errors import DataError
from celebml.recipes import load_recipe

from .kept.store import CHOSEN, Store
from .server import DashboardServer, GuardedVoila

HERE = Path(__file__).parent


def serve(port: int, folder: Path, arguments: Sequence[str] = (), recipe: str = "") -> None:
    """Serve the dashboard on `port` until it is stopped; photographs and the model are kept in `folder`.

    It teaches with `recipe`, a registered name or module:object; with none, as it did last time. On an address that
    is not this computer's own (`--Voila.ip=0.0.0.0` among the arguments, which are Voila's), a token is asked for, and
    the address that is printed holds it. Raises `DataError` for a folder that holds other things, and `RecipeError` for
    a recipe that cannot be had.
    """
    store = Store(folder)
    folder = store.folder
    if recipe:
        load_recipe(recipe)
        store.set(recipe=recipe)
        os.environ[CHOSEN] = recipe
    store.recipe()
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))  # kernels find a recipe's module where we did
    DashboardServer.folder = folder
    os.environ |= {"CELEBML_DASHBOARD": str(folder), "CELEBML_SERVED": "1"}
    _run(DashboardServer, "dashboard.ipynb", port, arguments)


def review(port: int, folder: Path, reviewer: str = "", arguments: Sequence[str] = ()) -> None:
    "Serve the review of a folder of photographs on `port` until it is stopped. Raises `DataError` without a folder."
    if not Path(folder).is_dir():
        raise DataError(f"{folder}: no folder here; name one that holds one sub-folder a person")
    os.environ |= {"CELEBML_REVIEW": str(Path(folder).resolve())}
    if reviewer:
        os.environ["CELEBML_REVIEWER"] = reviewer
    _run(GuardedVoila, "review.ipynb", port, arguments)


def _run(kind: type[GuardedVoila], notebook: str, port: int, arguments: Sequence[str]) -> None:
    "Our template and settings, on one port and no other."
    os.environ["JUPYTER_PATH"] = os.pathsep.join([str(HERE / "share"), *filter(None, [os.environ.get("JUPYTER_PATH")])])
    told = Config(json.loads((HERE / "voila.json").read_text(encoding="utf-8")))
    told.Voila.port, told.Voila.port_retries, told.Voila.open_browser = port, 0, False
    server = kind(config=told)
    server.initialize([str(HERE / notebook), *arguments])
    server.start()
