"""What an operator may set, read once from the environment."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

MEBIBYTE = 1024 * 1024


class SettingsError(ValueError):
    """A setting that cannot be used; the message names it and says what it takes."""


@dataclass(frozen=True)
class Settings:
    """The site's settings; each is also an environment variable, `CELEBML_` and its name in capitals.

    Parameters
    ----------
    bundle : Path
        Folder of the bundle that is served, or a zip of it; may be a symbolic link that is switched.
    max_body_mb : int
        Largest request, in MiB. nginx is given the same number.
    max_megapixels : int
        Largest photograph, but for a JPEG, which its decoder makes smaller on the way.
    max_files : int
        Photographs in one request.
    max_waiting : int
        Requests that may wait while a worker looks at another's photograph.
    max_wait_seconds : float
        Longest wait before "busy".
    max_faces : int
        Faces of one photograph that are answered with an explanation.
    fetch_hosts : tuple of str
        Hosts that photographs may be fetched from; `*` for any public host; empty turns fetching off.
    fetch_seconds : float
        Time for fetching one photograph, redirects included.
    cors_origins : tuple of str
        Other sites whose pages may call the API; empty for none.
    legacy_open : bool
        Whether pages of any site may call the tutorials' address, /classify_image; no cookie goes with it.
    feedback : Path or None
        Folder for corrections that visitors agree to send; none turns it off.
    feedback_mb : int
        The folder takes no more once it holds so much, in MiB.
    device : Path or None
        Folder that `celebml publish` wrote from this bundle; it is offered as "Compute on my device".
    feedback_days : int
        A correction is erased after so many days.
    operator : str
        Who runs the site and how they are reached, as /privacy says it: "the photo club, club@example.org".
    purpose : str
        What it is for, in a few words that /privacy goes on with: "to name the people in our album".
    log_days : int
        How long lines of the log are kept; it is said on /privacy, and done by whoever keeps the log.
    backup_days : int
        How long a backup of corrections is kept; 0 where none is made.
    proxies : int
        Trusted proxies in front, whose `X-Forwarded-*` headers are believed.
    access_log : bool
        Write a line for each request; nginx does where it stands in front.
    hsts : bool
        Tell browsers to come back by HTTPS only.
    """

    bundle: Path = Path("runs/johns/bundle")
    max_body_mb: int = 20
    max_megapixels: int = 25
    max_files: int = 16
    max_waiting: int = 12
    max_wait_seconds: float = 8.0
    max_faces: int = 12
    fetch_hosts: tuple[str, ...] = ()
    fetch_seconds: float = 8.0
    cors_origins: tuple[str, ...] = ()
    legacy_open: bool = True
    feedback: Path | None = None
    feedback_mb: int = 500
    device: Path | None = None
    feedback_days: int = 90
    operator: str = ""
    purpose: str = ""
    log_days: int = 30
    backup_days: int = 14
    proxies: int = 0
    access_log: bool = False
    hsts: bool = False

    @property
    def max_body(self) -> int:
        "Largest request, in bytes."
        return self.max_body_mb * MEBIBYTE

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ, **given: Any) -> "Settings":
        "Settings from `CELEBML_*` variables; `given` wins. Raises `SettingsError`."
        values = {}
        for field in fields(cls):
            text = environment.get(f"CELEBML_{field.name.upper()}", "").strip()
            if text:
                values[field.name] = _parse(field.name, text, field.default)
        return cls(**(values | given))


def _parse(name: str, text: str, default: object) -> object:
    if name in ("bundle", "feedback", "device"):
        return Path(text)
    if isinstance(default, str):
        return text
    if isinstance(default, tuple):
        return tuple(part.strip().lower() for part in text.split(",") if part.strip())
    if isinstance(default, bool):
        if text.lower() not in ("0", "1", "true", "false", "yes", "no"):
            raise SettingsError(f"CELEBML_{name.upper()}={text!r}: say yes or no")
        return text.lower() in ("1", "true", "yes")
    try:
        value = type(default)(text)
    except ValueError as error:
        raise SettingsError(f"CELEBML_{name.upper()}={text!r}: a number is needed") from error
    if not 0 <= value < 1_000_000:
        raise SettingsError(f"CELEBML_{name.upper()}={text!r}: a number from 0 to 999,999 is needed")
    return value
