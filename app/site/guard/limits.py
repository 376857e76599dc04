"""Look before decoding, and look at one photograph at a time."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO

import pillow_heif
from PIL import Image, JpegImagePlugin, UnidentifiedImageError

from celebml.photographs import MAX_JPEG_PIXELS, MIN_SIDE

from .problems import ProblemError

# Only formats that a browser or a camera makes, and whose decoders take no more memory than their header says.
Image.init()
pillow_heif.register_heif_opener()
pillow_heif.options.DECODE_THREADS = 1  # each further thread decodes a part of the photograph into memory of its own
FORMATS = tuple({"JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "PPM", "MPO", "AVIF", "HEIF"} & set(Image.OPEN))
MAX_PROGRESSIVE = 36_000_000  # pixels of a progressive JPEG: all of its coefficients are kept, up to 6 bytes a pixel
AS_JPEG = f"As JPEG up to {MAX_JPEG_PIXELS / 1e6:.0f} are: export it so."


def opened(data: bytes) -> Image.Image:
    "An image of which nothing is decoded yet; a JPEG past Pillow's door, which warns of what we let in."
    if data.startswith(b"\xff\xd8"):
        return JpegImagePlugin.jpeg_factory(BytesIO(data))
    return Image.open(BytesIO(data), formats=FORMATS)


def check_header(
    data: bytes,
    max_pixels: int,
    reduced: bool = False,  # whether the detector takes a JPEG decoded at reduced size, which needs little memory
) -> tuple[str, tuple[int, int]]:  # format, (width, height)
    "Format and size of an image, from its header alone. Raises `ProblemError`; nothing is decoded."
    if not data:
        raise ProblemError("missing-photo", "The file is empty.")
    try:
        with opened(data) as image:
            kind, size = image.format, image.size
            progressive = bool(image.info.get("progressive") or image.info.get("progression"))
    except UnidentifiedImageError as error:
        raise ProblemError("not-an-image") from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ProblemError(
            "too-many-pixels", f"At most {max_pixels / 1e6:.0f} megapixels are read. {AS_JPEG}"
        ) from error
    except (OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, TypeError, OverflowError) as error:
        raise ProblemError("damaged-image") from error
    allowed = max_pixels * 5 // 8 if kind == "AVIF" else max_pixels  # its decoder holds two copies
    if reduced and kind in ("JPEG", "MPO"):
        allowed = MAX_PROGRESSIVE if progressive else MAX_JPEG_PIXELS
    width, height = size
    if width * height > allowed:
        message = f"The photograph has {width:,}×{height:,} pixels; at most {allowed / 1e6:.0f} megapixels are read."
        if kind not in ("JPEG", "MPO"):
            message += f" {AS_JPEG}"
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


class Places:
    """A few places for work that holds memory or a thread for long.

    Parameters
    ----------
    count : int
        How many may be at it at once.
    seconds : float
        Longest wait for a place.
    message : str
        What those are told that get none.
    """

    def __init__(self, count: int, seconds: float, message: str):
        self._places = threading.Semaphore(count)
        self._seconds, self._message = seconds, message

    @contextmanager
    def place(self) -> Iterator[None]:
        "Hold a place. Raises `ProblemError` when none becomes free."
        if not self._places.acquire(timeout=self._seconds):
            raise ProblemError("busy", self._message, Retry_After="5")
        try:
            yield
        finally:
            self._places.release()


LARGE = 2_000_000  # bytes; a body beyond this is worth counting


class LargeBodies(Places):
    "Lets two large requests at a time into memory; small ones pass freely."

    def __init__(self, seconds: float):
        super().__init__(2, seconds, "Other large photographs are being read.")

    @contextmanager
    def room(self, length: int | None) -> Iterator[None]:  # as announced; none when it is not
        "Hold a place while a body is read and answered. Raises `ProblemError` when none becomes free."
        if length is not None and length <= LARGE:
            yield
            return
        with self.place():
            yield
