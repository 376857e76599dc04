"""Write what is made from the code: the API's description, and nginx's copies of headers and problems.

python -m tools.write_site
"""

import json
from pathlib import Path

from celebml.files import write_json, write_whole
from celebml_app.site.guard.headers import SECURITY
from celebml_app.site.guard.problems import ProblemError

ROOT = Path(__file__).parents[1]
# What nginx answers by itself: its status, and whether the request was read so far that its address is known. Where it
# is, the answer is a named location, which leaves method and address as they were, for the log.
NGINX_PROBLEMS = {
    "bad-request": (400, False),
    "not-found": (404, True),
    "method-not-allowed": (405, True),
    "request-timeout": (408, False),
    "length-required": (411, True),
    "too-large": (413, True),
    "address-too-long": (414, False),
    "bad-range": (416, True),
    "too-many-requests": (429, True),
    "headers-too-large": (494, False),
    "not-implemented": (501, True),
    "not-ready": (502, True),
    "http-version": (505, False),
}


def nginx_files() -> dict[Path, str]:
    "Files under deploy/nginx and their contents."
    folder = ROOT / "deploy" / "nginx"
    lines = ["# Written by `make openapi` from app/site/guard/headers.py; do not edit."]
    lines += [f'add_header {name} "{value}" always;' for name, value in SECURITY.items()]
    lines += ["add_header X-Request-ID $request_id always;"]
    problems = ["# Written by `make openapi` from app/site/guard/problems.py; do not edit. Read inside server { }.", ""]
    for kind, (status, known) in NGINX_PROBLEMS.items():
        problems += _problem(kind, status, known)
    return {folder / "headers.conf": "\n".join(lines) + "\n", folder / "problems.conf": "\n".join(problems)}


def _problem(kind: str, status: int, known: bool) -> list[str]:
    problem = ProblemError(kind)
    text = json.dumps(problem.as_dict() | {"request_id": "$request_id"}, ensure_ascii=False)
    target, place = (f"@{kind}", f"@{kind}") if known else (f"/_problems/{kind}", f"= /_problems/{kind}")
    also = {502: " 503 504"}.get(status, "")
    if "'" in text or text.count("$") != 1:
        raise ValueError(f"{kind}: nginx would misread {text}")
    return [
        f"error_page {status}{also} ={problem.status} {target};",
        f"location {place} {{",
        *([] if known else ["    internal;"]),
        "    default_type application/problem+json;",
        "    include @CONF@/headers.conf;",
        "    add_header Access-Control-Allow-Origin $celebml_cors always;",
        "    add_header Cache-Control no-store always;",
        *(["    add_header Retry-After 2 always;"] if problem.status in (429, 503) else []),
        f"    return {problem.status} '{text}';",
        "}",
        "",
    ]


def main() -> None:
    "Write them all."
    from flask import Flask

    from celebml_app.site import register_views
    from celebml_app.site.views import openapi

    app = Flask("celebml_app.site")
    register_views(app)
    write_json(ROOT / "app" / "site" / "openapi.json", openapi.document(app))
    for path, text in nginx_files().items():
        write_whole(path, text)


if __name__ == "__main__":
    main()
