"""A small Flask site over `CelebrityClassifier`."""

from pathlib import Path
from typing import Any

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from celebml.classifier import CelebrityClassifier
from celebml.errors import BundleError

from . import logs, metrics
from .engine import Engine
from .feedback import Feedback
from .guard import headers, problems
from .guard.bodies import SiteRequest
from .settings import MEBIBYTE, Settings, SettingsError
from .views import device
from .views.api import api
from .views.legacy import legacy
from .views.pages import pages


class Site(Flask):
    "A Flask app whose requests keep files in memory."

    request_class = SiteRequest


def register_views(app: Flask) -> None:
    "Give an app its addresses."
    for blueprint in (api, legacy, pages):
        app.register_blueprint(blueprint)


def create_app(bundle: str | Path | CelebrityClassifier | None = None, **config: Any) -> Flask:
    """The site around one bundle.

    Parameters
    ----------
    bundle : path or CelebrityClassifier
        The folder of a bundle or a zip of it, or a classifier in memory; by default what `CELEBML_BUNDLE` says.
    config
        Settings that win over the environment; see `Settings`.

    Raises `BundleError` when there is no bundle or a damaged one, and `SettingsError` for a bad setting.
    """
    if isinstance(bundle, str | Path):
        config["bundle"] = Path(bundle)
    settings = Settings.from_environment(**config)
    app = Site("celebml_app.site", root_path=str(Path(__file__).parent))
    app.config.update(
        SITE=settings,
        MAX_CONTENT_LENGTH=settings.max_body,
        MAX_FORM_MEMORY_SIZE=settings.max_body,  # the tutorials send whole photographs as text in a form field
        MAX_FORM_PARTS=64,
    )
    app.json.sort_keys = False  # people stand in the order of their class numbers
    app.json.ensure_ascii = False
    app.json.compact = True
    engine = Engine(bundle, settings) if isinstance(bundle, CelebrityClassifier) else Engine.load(settings)
    app.extensions["celebml"] = engine
    folder = settings.feedback
    app.extensions["celebml-feedback"] = (
        Feedback(folder, settings.feedback_mb * MEBIBYTE, settings.feedback_days) if folder else None
    )
    register_views(app)
    device.register(app, settings.device, engine.version)
    logs.register(app, settings.access_log)
    problems.register(app)
    headers.register(app)
    metrics.register(app)
    if settings.proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=settings.proxies, x_proto=settings.proxies)
    return app


def served() -> Flask:
    "The site as gunicorn starts it: what stops it is a sentence and no traceback."
    try:
        return create_app()
    except (BundleError, SettingsError) as error:
        raise RuntimeError(str(error)) from error  # the one kind of which gunicorn prints the words alone
