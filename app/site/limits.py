"""Look before decoding, and look at one photograph at a time."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO

from PIL import Image, UnidentifiedImageError

from celebml.photographs import MAX_PIXELS, MIN_SIDE

from .problems import ProblemError

# Only formats that a browser or a camera makes, and whose decoders take no more memory than their header says.
Image.init()
FORMATS = tuple({"JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "PPM", "MPO", "AVIF"} & set(Image.OPEN))


def check_header(
    data: bytes,
    max_pixels: int,
    reduced: bool = False,  # whether the detector takes a JPEG decoded at reduced size, which needs little memory
) -> tuple[str, tuple[int, int]]:  # format, (width, height)
    "Format and size of an image, from its header alone. Raises `ProblemError`; nothing is decoded."
    if not data:
        raise ProblemError("missing-photo", "The file is empty.")
    try:
        with Image.open(BytesIO(data), formats=FORMATS) as image:
            kind, size = image.format, image.size
            progressive = bool(image.info.get("progressive") or image.info.get("progression"))
    except UnidentifiedImageError as error:
        raise ProblemError("not-an-image") from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ProblemError("too-many-pixels", f"At most {max_pixels / 1e6:.0f} megapixels are read.") from error
    except (OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, TypeError, OverflowError) as error:
        raise ProblemError("damaged-image") from error
    if kind in ("WEBP", "AVIF"):
        allowed = max_pixels // 3  # their decoders hold several copies
    else:
        allowed = MAX_PIXELS if reduced and kind in ("JPEG", "MPO") and not progressive else max_pixels
    width, height = size
    if width * height > allowed:
        message = f"The photograph has {width:,}×{height:,} pixels; at most {allowed / 1e6:.0f} megapixels are read."
        raise ProblemError("too-many-pixels", message)
    if min(size) < MIN_SIDE:
        raise ProblemError(
            "too-small", f"The photograph has {width}×{height} pixels; each side needs {MIN_SIDE} at least."
        )
    return kind, size


class Turnstile:
    """Lets one request at a time look at a photograph, a few wait, and sends the others away.

    One decoded photograph at a time bounds the memory, and two at a time would not be sooner done by one processor.

    Parameters
    ----------
    waiting : int
        Requests that may stand in line.
    seconds : float
        Longest time in line.
    """

    def __init__(self, waiting: int, seconds: float):
        self._places = threading.Semaphore(waiting + 1)
        self._turn = threading.Lock()
        self._seconds = seconds

    @contextmanager
    def turn(self) -> Iterator[float]:
        "Hold the turn; yields the seconds waited. Raises `ProblemError` when the line is full or does not move."
        start = time.perf_counter()
        if not self._places.acquire(blocking=False):
            raise ProblemError("busy", "Too many photographs are waiting already.", Retry_After="2")
        try:
            if not self._turn.acquire(timeout=self._seconds):
                raise ProblemError("busy", f"No turn came in {self._seconds:g} seconds.", Retry_After="5")
            try:
                yield time.perf_counter() - start
            finally:
                self._turn.release()
        finally:
            self._places.release()


LARGE = 2_000_000  # bytes; a body beyond this is worth counting


class LargeBodies:
    """Lets two large requests at a time into memory; small ones pass freely.

    Parameters
    ----------
    seconds : float
        Longest wait for a place.
    """

    def __init__(self, seconds: float):
        self._places = threading.Semaphore(2)
        self._seconds = seconds

    @contextmanager
    def place(self, length: int | None) -> Iterator[None]:  # as announced; none when it is not
        "Hold a place while a body is read and answered. Raises `ProblemError` when none becomes free."
        if length is not None and length <= LARGE:
            yield
            return
        if not self._places.acquire(timeout=self._seconds):
            raise ProblemError("busy", "Other large photographs are being read.", Retry_After="5")
        try:
            yield
        finally:
            self._places.release()
