"""What goes in and what comes out, as JSON Schema; the views carry these, and the API's description is made of them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

View = Callable[..., Any]


def describes(
    summary: str,
    *,
    answer: Mapping | None = None,
    media: str = "application/json",
    status: int = 200,
    body: Mapping[str, Mapping] | None = None,
    query: Mapping[str, str] | None = None,
    problems: Sequence[str] = (),
) -> Callable[[View], View]:
    "Attach to a view what `openapi.document` says of it."

    def attach(view: View) -> View:
        view.api = {
            "summary": summary,
            "answer": answer,
            "media": media,
            "status": status,
            "body": body,
            "query": query or {},
            "problems": problems,
        }
        return view

    return attach


def thing(required: Mapping[str, Any], optional: Mapping[str, Any] | None = None, description: str = "") -> dict:
    "An object schema."
    schema = {"type": "object", "properties": {**required, **(optional or {})}, "required": list(required)}
    return schema | ({"description": description} if description else {})


def array(items: Mapping, **more: Any) -> dict:
    "An array schema."
    return {"type": "array", "items": items, **more}


TEXT = {"type": "string"}
NUMBER = {"type": "number"}
COUNT = {"type": "integer", "minimum": 0}
YES_NO = {"type": "boolean"}
FILE = {"type": "string", "format": "binary"}
SHARE = {"type": "number", "minimum": 0, "maximum": 1}

BOX = thing(
    {key: {"type": "integer"} for key in ("x", "y", "width", "height")}, description="Pixels of the photograph."
)
EXPLANATION = thing(
    {"rows": COUNT, "columns": COUNT, "values": array(NUMBER), "baseline": NUMBER, "score": NUMBER, "crop": TEXT},
    description=(
        "What each region of the aligned face spoke for (above 0) or against (below 0) the name, row by row; with the "
        "baseline they add up to the score. crop is the face that the model saw, as a data URL."
    ),
)
FACE = thing(
    {
        "box": BOX,
        "name": TEXT,
        "known": {"type": ["boolean", "null"], "description": "false: looks like none of the people; null: not told"},
        "probability": SHARE,
        "probabilities": {"type": "object", "additionalProperties": SHARE},
        "detector_score": NUMBER,
    },
    {"explanation": {"anyOf": [EXPLANATION, {"type": "null"}]}},
)
MODEL_NAME = thing({"recipe": TEXT, "bundle": TEXT, "celebml": TEXT})
PROBLEM = thing({"type": TEXT, "title": TEXT, "status": {"type": "integer"}, "detail": TEXT, "hint": TEXT})
_ONE = {
    "width": COUNT,
    "height": COUNT,
    "faces": array(FACE),
    "milliseconds": NUMBER,
    "waited_milliseconds": NUMBER,
}
_END = {"model": MODEL_NAME, "total_milliseconds": NUMBER}
_ENTRY = thing(
    {"file": TEXT, "faces": array(FACE)}, {k: v for k, v in _ONE.items() if k != "faces"} | {"problem": PROBLEM}
)
CLASSIFY_ANSWER = {"anyOf": [thing(_ONE | _END), thing({"photos": array(_ENTRY), **_END})]}
CLASSIFY_BODY = {
    "multipart/form-data": thing({"photo": array(FILE, minItems=1)}, {"explain": {"type": "string"}}),
    "application/json": {
        "anyOf": [
            thing({"image": {"type": "string", "description": "base64, or a data URL"}}, {"explain": YES_NO}),
            thing({"url": {"type": "string", "format": "uri"}}, {"explain": YES_NO}),
        ]
    },
}
PEOPLE = thing(
    {"people": array(thing({"name": TEXT, "portrait": {"type": ["string", "null"]}})), "examples": array(TEXT)}
)
MODEL = thing(
    {
        "recipe": TEXT,
        "bundle": TEXT,
        "celebml": TEXT,
        "people": COUNT,
        "card": TEXT,
        "metrics": {"type": "object"},
        "offers": thing(
            {
                "explain": YES_NO,
                "fetch": YES_NO,
                "feedback": YES_NO,
                "max_bytes": COUNT,
                "max_files": COUNT,
                "max_megapixels": COUNT,
            }
        ),
    }
)
FEEDBACK_BODY = {
    "multipart/form-data": thing(
        {"photo": FILE, "name": TEXT, "consent": {"type": "string", "enum": ["true"]}}, {"said": TEXT}
    )
}
FEEDBACK = thing({"kept": YES_NO})
LEGACY_BODY = {
    kind: thing({"image_data": {"type": "string", "description": "a data URL, or plain base64"}})
    for kind in ("application/x-www-form-urlencoded", "multipart/form-data")
}
LEGACY_ANSWER = array(
    thing(
        {
            "class": TEXT,
            "class_probability": array({"type": "number", "minimum": 0, "maximum": 100}),
            "class_dictionary": {"type": "object", "additionalProperties": COUNT},
        }
    )
)
HEALTH = thing({"status": TEXT})
