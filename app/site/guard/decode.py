"""From a photograph's bytes to pixels, with little memory whatever the format."""

import math

import cv2
import numpy as np
from PIL import Image

from celebml.errors import PhotographError
from celebml.photographs import Photograph, read_photograph, to_rgb

from .limits import opened
from .problems import ProblemError

SMALL = 4_000_000  # pixels; up to here nothing has to be spared
LONGEST = 1600  # pixels of the longer side that is left; faces are looked for at less
_ORIENTATION = 0x0112
_EXACT = ("RGB", "L")  # modes that are averaged; the others would need a converted copy of full size first


def decode(
    data: bytes,
    kind: str,  # format and size, from `check_header`
    size: tuple[int, int],
    at_least: int | None,  # what the detector asks of a JPEG's decoder
) -> Photograph:
    "Pixels of a photograph whose header was checked. Raises `ProblemError` for a damaged one."
    try:
        if size[0] * size[1] <= SMALL or (at_least and kind in ("JPEG", "MPO")):
            return read_photograph(data, at_least=at_least)
        return _lean(data, kind, size)
    except PhotographError as error:
        raise ProblemError("damaged-image", error.reason[:1].upper() + error.reason[1:] + ".") from error
    except (OSError, SyntaxError, ValueError, EOFError, IndexError) as error:
        raise ProblemError("damaged-image") from error


def _lean(data: bytes, kind: str, size: tuple[int, int]) -> Photograph:
    small = _webp(data) if kind == "WEBP" else _shrunk(data, size)
    pixels = to_rgb(small)  # the full-size image is let go before the small one is converted
    turned = (pixels.shape[0] > pixels.shape[1]) != (size[1] > size[0])
    return Photograph(pixels, "", size[::-1] if turned else size)


def _webp(data: bytes) -> Image.Image:
    "Pillow holds five copies of such a photograph at once, OpenCV one."
    with opened(data) as image:
        orientation = image.getexif().get(_ORIENTATION, 1)
    flags = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    if pixels is None:
        raise ProblemError("damaged-image")
    scale = LONGEST / max(pixels.shape)
    small = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else pixels
    found = Image.fromarray(np.ascontiguousarray(small[..., ::-1]))
    found.getexif()[_ORIENTATION] = orientation
    return found


def _shrunk(data: bytes, size: tuple[int, int]) -> Image.Image:
    "Decode, make smaller, and only then convert: each full-size copy that is not made is worth 60 MB or more."
    factor = math.ceil(max(size) / LONGEST)
    with opened(data) as image:
        image.draft(image.mode, (size[0] // factor, size[1] // factor))
        image.load()
        orientation = image.getexif().get(_ORIENTATION, 1)  # after loading: a TIFF may have turned itself by then
        factor = math.ceil(max(image.size) / LONGEST)
        if image.mode in _EXACT:
            small = image.reduce(factor)
        else:
            small = image.resize((image.width // factor, image.height // factor), Image.Resampling.NEAREST)
    small.getexif()[_ORIENTATION] = orientation
    return small
