"""The API's description, made from the views themselves, so that it cannot tell of another API than this one."""

import inspect
import re
from typing import Any

from flask import Flask

import celebml

from ..guard.problems import PROBLEMS
from . import schemas


def document(app: Flask) -> dict[str, Any]:
    "The OpenAPI 3.1 description of an app."
    paths: dict[str, dict] = {}
    taken: set[str] = set()
    for rule in sorted(app.url_map.iter_rules(), key=lambda rule: rule.rule):
        view = app.view_functions[rule.endpoint]
        if not hasattr(view, "api"):
            continue
        path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)
        for method in sorted(rule.methods - {"HEAD", "OPTIONS"}):
            operation = _operation(rule, view)
            if operation["operationId"] in taken:  # one view at two addresses
                operation["operationId"] += "_as_well"
            taken.add(operation["operationId"])
            paths.setdefault(path, {})[method.lower()] = operation
    info = {
        "title": "celebml",
        "version": celebml.__version__,
        "summary": "Names people in photographs, and says why.",
        "description": "Failures are application/problem+json with a stable type. What is kept is said at /privacy.",
        "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
    }
    return {
        "openapi": "3.1.0",
        "info": info,
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {"schemas": schemas.NAMED},
    }


def _operation(rule: Any, view: Any) -> dict[str, Any]:
    about = view.api
    operation = {
        "operationId": about["name"],
        "tags": [view.__module__.rpartition(".")[2]],
        "summary": about["summary"],
        "description": inspect.getdoc(view) or "",
        "parameters": [_parameter(name, "path", "", schemas.TEXT) for name in sorted(rule.arguments)]
        + [_parameter(name, "query", text, schemas.YES_NO) for name, text in about["query"].items()],
        "responses": _responses(about),
    }
    if about["body"]:
        content = {kind: {"schema": schema} for kind, schema in about["body"].items()}
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _parameter(name: str, where: str, description: str, schema: dict) -> dict[str, Any]:
    return {"name": name, "in": where, "required": where == "path", "schema": schema, "description": description}


def _responses(about: dict[str, Any]) -> dict[str, Any]:
    schema = about["answer"] or {"type": "string"}
    content = {"schema": schema} | ({"example": about["sample"]} if about["sample"] is not None else {})
    good = {"description": "The answer.", "content": {about["media"]: content}}
    responses = {str(about["status"]): good}
    for kind in sorted({*about["problems"], "method-not-allowed"}, key=lambda kind: (PROBLEMS[kind][0], kind)):
        status, title, _ = PROBLEMS[kind]
        content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
        problem = responses.setdefault(str(status), {"description": "", "content": content})
        problem["description"] = " · ".join(filter(None, [problem["description"], f"{kind}: {title}"]))
    return responses
