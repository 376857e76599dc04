"""From a photograph's bytes to pixels, with little memory whatever the format."""

import math
from io import BytesIO

from PIL import Image

from celebml.photographs import Photograph, PhotographError, read_photograph, to_rgb

from .limits import FORMATS
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
        return _lean(data, size)
    except PhotographError as error:
        raise ProblemError("damaged-image", str(error).removeprefix("photograph: ").capitalize() + ".") from error
    except (OSError, SyntaxError, ValueError, EOFError, IndexError) as error:
        raise ProblemError("damaged-image") from error


def _lean(data: bytes, size: tuple[int, int]) -> Photograph:
    pixels = to_rgb(_shrunk(data, size))  # the full-size image is let go before the small one is converted
    turned = (pixels.shape[0] > pixels.shape[1]) != (size[1] > size[0])
    return Photograph(pixels, "", size[::-1] if turned else size)


def _shrunk(data: bytes, size: tuple[int, int]) -> Image.Image:
    "Decode, make smaller, and only then convert: each full-size copy that is not made is worth 60 MB or more."
    factor = math.ceil(max(size) / LONGEST)
    with Image.open(BytesIO(data), formats=FORMATS) as image:
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
