"""What goes in and what comes out, as JSON Schema; the views carry these, and the API's description is made of them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from celebml.recipes import DEFAULT

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
    name: str = "",
    sample: Any = None,
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
            "name": name or view.__name__,
            "sample": sample,
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
SHARES = {"type": "object", "additionalProperties": SHARE}


def named(name: str) -> dict:
    "A reference to one of the schemas that have names."
    return {"$ref": f"#/components/schemas/{name}"}


_WEIGHED = {"values": array(NUMBER), "baseline": NUMBER, "score": NUMBER}
_PHOTO = {"width": COUNT, "height": COUNT, "milliseconds": NUMBER, "waited_milliseconds": NUMBER}
_END = {"model": named("ModelName"), "total_milliseconds": NUMBER}
_LEGACY_FACE = {
    "class": TEXT,
    "class_probability": array({"type": "number", "minimum": 0, "maximum": 100}),
    "class_dictionary": {"type": "object", "additionalProperties": COUNT},
}
NAMED = {
    "Box": thing(
        {key: {"type": "integer"} for key in ("x", "y", "width", "height")}, description="Pixels of the photograph."
    ),
    "Against": thing({"name": TEXT} | _WEIGHED, description="The same regions, for the name that came second."),
    "Explanation": thing(
        {"rows": COUNT, "columns": COUNT} | _WEIGHED | {"crop": TEXT},
        {"against": named("Against")},
        description=(
            "What each region of the aligned face spoke for (above 0) or against (below 0) the name, row by row; with "
            "the baseline they add up to the score. crop is the face that the model saw, as a data URL."
        ),
    ),
    "Face": thing(
        {
            "box": named("Box"),
            "name": {"type": "string", "description": "The class, as the folder is called."},
            "display_name": {"type": "string", "description": "The name as people write it."},
            "known": {
                "type": ["boolean", "null"],
                "description": "false: looks like none of the people; null: not told",
            },
            "probability": SHARE,
            "probabilities": SHARES,
            "detector_score": NUMBER,
            "quality": {"type": "string", "description": "Why this face is hard to judge, such as blurred; or empty."},
        },
        {"explanation": {"anyOf": [named("Explanation"), {"type": "null"}]}},
    ),
    "ModelName": thing({"recipe": TEXT, "bundle": TEXT, "celebml": TEXT}),
    "Problem": thing(
        {"type": TEXT, "title": TEXT, "status": {"type": "integer"}, "detail": TEXT, "hint": TEXT},
        {"request_id": {"type": "string", "description": "What to quote to the operator."}},
    ),
    "PhotoAnswer": thing(_PHOTO | {"faces": array(named("Face"))} | _END),
    "PhotoEntry": thing({"file": TEXT, "faces": array(named("Face"))}, _PHOTO | {"problem": named("Problem")}),
    "PhotosAnswer": thing({"photos": array(named("PhotoEntry")), **_END}),
    "ClassifyForm": thing({"photo": array(FILE, minItems=1)}),
    "ClassifyJson": thing(
        {},
        {
            "image": {"type": "string", "description": "base64, or a data URL"},
            "url": {"type": "string", "description": "where the server may fetch it, if it may"},
            "explain": YES_NO,
        },
        description="Either image or url.",
    ),
    "Person": thing(
        {"name": TEXT, "display_name": TEXT} | {key: {"type": ["string", "null"]} for key in ("portrait", "thumbnail")}
    ),
    "Example": thing({"address": TEXT, "thumbnail": TEXT}),
    "People": thing({"people": array(named("Person")), "examples": array(named("Example"))}),
    "Offers": thing(
        {
            "explain": YES_NO,
            "fetch": YES_NO,
            "feedback": YES_NO,
            "device": YES_NO,
            "max_bytes": COUNT,
            "max_files": COUNT,
            "max_megapixels": COUNT,
        }
    ),
    "Model": thing(
        {
            "recipe": TEXT,
            "bundle": TEXT,
            "celebml": TEXT,
            "people": COUNT,
            "card": TEXT,
            "metrics": {"type": "object"},
            "offers": named("Offers"),
        }
    ),
    "FeedbackForm": thing(
        {
            "photo": FILE,
            "box": {"type": "string", "description": "x,y,width,height of the face, in pixels of the photograph"},
            "name": {"type": "string", "description": "One of the people; empty for somebody else."},
            "consent": {"type": "string", "enum": ["true"]},
        },
        {"said": TEXT},
    ),
    "Receipt": thing(
        {"kept": YES_NO},
        {"receipt": TEXT, "page": {"type": "string", "description": "Where it is shown, and erased."}, "until": TEXT},
    ),
    "Erased": thing({"erased": YES_NO}),
    "LegacyForm": thing({"image_data": {"type": "string", "description": "a data URL, or plain base64"}}),
    "LegacyFace": thing(
        _LEGACY_FACE
        | {"label": TEXT, "label_probability": _LEGACY_FACE["class_probability"]}
        | {"label_dict": _LEGACY_FACE["class_dictionary"]}
    ),
    "Health": thing({"status": TEXT}, {"model": TEXT}),
}
CLASSIFY_ANSWER = {"anyOf": [named("PhotoAnswer"), named("PhotosAnswer")]}
CLASSIFY_BODY = {
    "multipart/form-data": named("ClassifyForm"),
    "application/json": named("ClassifyJson"),
    "image/*": FILE,
    "application/octet-stream": FILE,
}
FEEDBACK_BODY = {"multipart/form-data": named("FeedbackForm")}
LEGACY_BODY = {kind: named("LegacyForm") for kind in ("application/x-www-form-urlencoded", "multipart/form-data")}
LEGACY_ANSWER = array(named("LegacyFace"))
SAMPLE = {
    "width": 1280,
    "height": 853,
    "faces": [
        {
            "box": {"x": 512, "y": 140, "width": 210, "height": 268},
            "name": "ada_lovelace",
            "display_name": "Ada Lovelace",
            "known": True,
            "probability": 0.93112,
            "probabilities": {"ada_lovelace": 0.93112, "grace_hopper": 0.06888},
            "detector_score": 0.9431,
            "quality": "",
        }
    ],
    "milliseconds": 31.4,
    "waited_milliseconds": 0.0,
    "model": {"recipe": DEFAULT, "bundle": "4f0c1d2ab37e", "celebml": "0.1.0"},
    "total_milliseconds": 36.2,
}
