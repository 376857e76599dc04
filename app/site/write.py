"""Write what is made from the code: the API's description, and nginx's copies of headers and problems.

python -m app.site.write
"""

import json
from pathlib import Path

from celebml.files import write_json, write_whole

from .headers import SECURITY
from .problems import ProblemError

ROOT = Path(__file__).parents[2]
NGINX_PROBLEMS = ("bad-request", "not-found", "method-not-allowed", "too-large", "too-many-requests", "not-ready")


def nginx_files() -> dict[Path, str]:
    "Files under deploy/nginx and their contents."
    lines = ["# Written by `make openapi` from app/site/headers.py; do not edit."]
    lines += [f'add_header {name} "{value}" always;' for name, value in SECURITY.items()]
    folder = ROOT / "deploy" / "nginx"
    files = {folder / "headers.conf": "\n".join(lines) + "\n"}
    for kind in NGINX_PROBLEMS:
        text = json.dumps(ProblemError(kind).as_dict(), ensure_ascii=False)
        files[folder / "problems" / f"{kind}.json"] = text + "\n"
    return files


def main() -> None:
    "Write them all."
    from flask import Flask

    from . import openapi, register_views

    app = Flask("app.site")
    register_views(app)
    write_json(ROOT / "app" / "site" / "openapi.json", openapi.document(app))
    for path, text in nginx_files().items():
        write_whole(path, text)


if __name__ == "__main__":
    main()
