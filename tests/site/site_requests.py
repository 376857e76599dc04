"""Requests that several tests of the site send."""

import io

import urllib3
from PIL import Image


def encoded(image: Image.Image, kind: str = "JPEG") -> bytes:
    buffer = io.BytesIO()
    (image if kind == "PNG" else image.convert("RGB")).save(buffer, kind)
    return buffer.getvalue()


def encoded_form(**fields: object) -> dict:
    "A multipart form as bytes: the test client would put a large one into a file and leave it open."
    body, content_type = urllib3.encode_multipart_formdata(fields)
    return {"data": body, "content_type": content_type}


def form(*photos: bytes, **fields: str) -> dict:
    "The data of a multipart form with photographs."
    return {"photo": [(io.BytesIO(photo), f"{i}.jpg") for i, photo in enumerate(photos)], **fields}
