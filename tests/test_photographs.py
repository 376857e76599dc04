"""Photographs of every kind are read the right way up, or refused with a sentence and without harm."""

from __future__ import annotations

import resource
import struct
import subprocess
import sys
import time
import zlib
from io import BytesIO

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from celebml.errors import PhotographError
from celebml.photographs import MAX_PIXELS, Photograph, read_photograph, to_rgb


def encoded(image: Image.Image, kind: str, **options) -> bytes:
    """The bytes of an image file."""
    file = BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def picture(mode: str = "RGB", size: tuple[int, int] = (64, 48)) -> Image.Image:
    """A smooth picture, bright on the left and dark at the bottom right."""
    ramp = np.add.outer(np.linspace(200, 50, size[1]), np.linspace(50, -50, size[0])).astype(np.uint8)
    return Image.fromarray(ramp).convert(mode)


@pytest.mark.parametrize(
    ("mode", "kind"),
    [
        *[("RGB", kind) for kind in ("JPEG", "PNG", "WEBP", "BMP", "TIFF")],
        *[("L", "JPEG"), ("CMYK", "JPEG"), ("P", "PNG"), ("P", "GIF"), ("RGBA", "PNG"), ("RGBA", "WEBP")],
        *[("LA", "PNG"), ("L", "PPM"), ("1", "PNG")],
    ],
)
def test_every_common_kind_is_read(mode, kind):
    photo = read_photograph(encoded(picture(mode), kind))
    assert photo.pixels.shape == (48, 64, 3)
    assert photo.pixels.dtype == np.uint8
    if mode != "1":
        wanted = np.asarray(picture().convert("RGB"), int)
        assert np.abs(photo.pixels.astype(int) - wanted).mean() < 12


def test_sixteen_bits_keep_their_range():
    grey = np.linspace(0, 65535, 64 * 48).reshape(48, 64).astype(np.uint16)
    photo = read_photograph(encoded(Image.fromarray(grey), "PNG"))
    assert photo.pixels.min() == 0
    assert photo.pixels.max() == 255


def test_transparent_becomes_white():
    photo = read_photograph(encoded(Image.new("RGBA", (30, 30), (0, 0, 0, 0)), "PNG"))
    assert (photo.pixels == 255).all()


def test_animated_file_gives_its_first_frame():
    frames = [Image.new("RGB", (30, 30), colour) for colour in ("red", "blue")]
    data = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert read_photograph(data).pixels[0, 0].tolist() == [255, 0, 0]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_any_orientation_tag_gives_the_same_upright_picture(orientation):
    upright = np.zeros((40, 60, 3), np.uint8)
    upright[:10, :10] = 255
    undo = {1: lambda x: x, 2: np.fliplr, 3: lambda x: np.rot90(x, 2), 4: np.flipud}
    undo |= {5: lambda x: x.transpose(1, 0, 2), 6: np.rot90, 7: lambda x: np.rot90(x, 2).transpose(1, 0, 2)}
    undo |= {8: lambda x: np.rot90(x, 3)}
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = Image.fromarray(np.ascontiguousarray(undo[orientation](upright)))
    photo = read_photograph(encoded(stored, "PNG", exif=exif))
    assert photo.size == (60, 40)
    assert (photo.pixels == upright).all()


def test_damaged_orientation_tag_costs_the_turn_and_not_the_photograph():
    data = encoded(picture(), "JPEG", exif=b"Exif\x00\x00I\x01\x00\x00\x00\x00\x00\x00")
    assert read_photograph(data).pixels.shape == (48, 64, 3)


@pytest.mark.parametrize("kind", ["EPS", "DDS", "PCX", "ICO", "TGA", "SGI", "PDF", "JPEG2000"])
def test_only_kinds_that_photographs_come_in_are_opened(kind, monkeypatch):
    import subprocess

    monkeypatch.setattr(subprocess, "Popen", lambda *_, **__: pytest.fail("another program was started"))
    with pytest.raises(PhotographError, match=r"a\.jpg: .*save it as JPEG or PNG"):
        read_photograph(encoded(picture(), kind), name="a.jpg")


def test_a_radiance_picture_is_refused_by_name():
    with pytest.raises(PhotographError, match="a Radiance picture; save it as JPEG or PNG"):
        read_photograph(b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 30 +X 40\n" + b"\2" * 4800)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "BMP", "WEBP", "TIFF", "AVIF", "PPM"])
def test_whatever_a_decoder_says_is_a_photograph_error(kind):
    """A byte changed here and there; AVIF's decoder raises errors of its own kind."""
    if kind == "AVIF" and "AVIF" not in Image.SAVE:
        pytest.skip("this Pillow has no AVIF")
    random = np.random.default_rng(0)
    data = encoded(Image.fromarray(random.integers(0, 256, (64, 64, 3), dtype=np.uint8)), kind)
    for number in range(0, len(data), max(1, len(data) // 150)):
        spoilt = bytearray(data)
        spoilt[number if number % 2 else number % 400] ^= 1 << (number % 8)
        try:
            assert isinstance(read_photograph(bytes(spoilt)), Photograph)
        except PhotographError as error:
            assert "\n" not in str(error)


def test_every_form_that_python_has_for_a_photograph_is_read(tmp_path):
    data = encoded(picture(), "PNG")
    (tmp_path / "a.png").write_bytes(data)
    wanted = read_photograph(data).pixels
    with (tmp_path / "a.png").open("rb") as file:
        forms = [bytearray(data), memoryview(data), BytesIO(data), file, picture(), wanted]
        forms += [tmp_path / "a.png", str(tmp_path / "a.png"), Photograph(wanted), Image.open(BytesIO(data))]
        for form in forms:
            assert np.abs(read_photograph(form).pixels.astype(int) - wanted).max() == 0, form


def test_a_picture_that_pillow_opened_is_turned_and_not_changed():
    exif = Image.Exif()
    exif[0x0112] = 6
    lying = Image.open(BytesIO(encoded(picture(), "PNG", exif=exif)))
    assert read_photograph(lying).size == (48, 64)
    assert lying.size == (64, 48)


def test_what_is_no_photograph_at_all_is_said(tmp_path):
    for form in (None, 7, 2.5, [], {}, object(), ""):
        with pytest.raises(PhotographError, match="a photograph is a path, a file's bytes"):
            read_photograph(form)
    closed = BytesIO(b"x")
    closed.close()
    (tmp_path / "text.txt").write_text("a letter")
    with (tmp_path / "text.txt").open() as text:
        for form in (closed, text, Image.new("RGB", (5, 5))):
            with pytest.raises(PhotographError, match=r"mode 'rb'|too small"):
                read_photograph(form)


def test_pipes_devices_and_files_larger_than_any_photograph_are_not_read(tmp_path):
    import os

    os.mkfifo(tmp_path / "pipe.jpg")
    with (tmp_path / "sparse.jpg").open("wb") as file:
        file.truncate(4_000_000_000)
    told = {"pipe.jpg": "a pipe or a device", "sparse.jpg": "4,000 MB, and 100 MB are allowed"}
    for name, said in told.items():
        with pytest.raises(PhotographError, match=said):
            read_photograph(tmp_path / name)
    for path in ("/dev/zero", "a\0b.jpg", "\ud800.jpg", "x" * 300, "d/" * 1200):
        with pytest.raises(PhotographError, match="cannot be read"):
            read_photograph(path)


def scans(number: int, size: tuple[int, int]) -> bytes:
    """A progressive JPEG that says it has that size, its last scan repeated."""
    data = encoded(picture(), "JPEG", progressive=True)
    frame, last = data.index(b"\xff\xc2"), data.rindex(b"\xff\xda")
    data = data[: frame + 5] + struct.pack(">HH", *size[::-1]) + data[frame + 9 :]
    return data[:last] + data[last:-2] * number + data[-2:]


def chunks(number: int) -> bytes:
    """A PNG of that many empty chunks."""
    chunk = struct.pack(">I", 0) + b"juNk" + struct.pack(">I", zlib.crc32(b"juNk"))
    data = encoded(picture(), "PNG")
    return data[:33] + chunk * number + data[33:]


COSTLY = {
    "two thousand scans": lambda: scans(2000, (8000, 7900)),
    "endless scans": lambda: scans(400_000, (64, 48)),
    "large and progressive": lambda: scans(10, (12_000, 9000)),
    "endless segments": lambda: b"\xff\xd8" + b"\xff\xe5\0\2" * 2_000_000,
    "endless padding": lambda: b"\xff\xd8" + b"\xff" * 20_000_000,
    "endless chunks": lambda: chunks(1_000_000),
    "endless comments": lambda: b"GIF89a@\0@\0\0\0\0" + b"\x21\xfe\1x\0" * 1_000_000,
    "a long comment": lambda: b"P6 #" + b"x" * 20_000_000,
    "numbers as text": lambda: b"P3 3000 3000 255\n" + b"1 " * 9_000_000,
}


@pytest.mark.parametrize("name", COSTLY)
def test_what_costs_too_much_is_refused_by_its_header(name):
    data, before = COSTLY[name](), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.process_time()
    with pytest.raises(PhotographError):
        read_photograph(data, at_least=640)
    assert time.process_time() - start < 1
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000  # kilobytes


def test_a_large_picture_is_made_smaller_in_strips_and_looks_the_same():
    exif = Image.Exif()
    exif[0x0112] = 6
    large = picture("RGB", (200, 150)).resize((5003, 3301))
    photo = read_photograph(encoded(large, "PNG", compress_level=1, exif=exif), at_least=1000)
    assert photo.size == (3301, 5003)
    assert photo.pixels.shape[:2] == (1001, 661)
    upright = np.asarray(picture("RGB", (200, 150)).rotate(-90, expand=True).resize((661, 1001)), int)
    assert np.abs(photo.pixels.astype(int) - upright).mean() < 3


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
@pytest.mark.parametrize("lossless", [True, False])
def test_a_webp_has_the_pixels_that_pillow_gives(mode, lossless):
    noise = np.random.default_rng(0).integers(0, 256, (75, 101, len(mode)), dtype=np.uint8)
    exif = Image.Exif()
    exif[0x0112] = 6
    data = encoded(Image.fromarray(noise), "WEBP", lossless=lossless, exif=exif)
    with Image.open(BytesIO(data)) as image:
        wanted = to_rgb(image)
    photo = read_photograph(data)
    assert photo.size == (75, 101)
    assert np.array_equal(photo.pixels, wanted)


def test_of_a_film_the_first_picture_is_read():
    film = [Image.new("RGB", (40, 30), colour) for colour in ("red", "blue")]
    photo = read_photograph(encoded(film[0], "WEBP", save_all=True, append_images=film[1:], lossless=True))
    assert (photo.pixels == (255, 0, 0)).all()


READ = """
import re, sys
from pathlib import Path
from celebml.photographs import read_photograph
highest = []
for name in sys.argv[1:]:
    read_photograph(Path(name).read_bytes(), at_least=1000)
    highest.append(int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) / 1e3)
print(highest[1] - highest[0])
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells what a process held at most, in /proc")
@pytest.mark.parametrize("kind", ["WEBP", "PNG", "AVIF"])
def test_a_photograph_of_a_phone_takes_little_more_memory_than_its_pixels(kind, tmp_path):
    if kind not in Image.SAVE:
        pytest.skip(f"this Pillow has no {kind}")
    for name, size in (("large", (4000, 3000)), ("small", (400, 300))):
        (tmp_path / name).write_bytes(encoded(picture("RGB", size), kind))
    files = str(tmp_path / "small"), str(tmp_path / "large")
    done = subprocess.run([sys.executable, "-c", READ, *files], check=True, capture_output=True, text=True)
    assert 10 < float(done.stdout) < 125  # MB; twelve million pixels are 36, or 48 as Pillow holds them


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "BMP", "WEBP", "TIFF"])
@pytest.mark.parametrize("share", [0.3, 0.7])
def test_truncated_files_are_refused(kind, share):
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (80, 80, 3), dtype=np.uint8))
    data = encoded(noise, kind)
    with pytest.raises(PhotographError, match=r"damaged|not an image"):
        read_photograph(data[: int(len(data) * share)], name="half.jpg")


def bomb(width: int, height: int) -> bytes:
    """A PNG whose header promises `width` × `height` and whose body is a few bytes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 999)) + chunk(b"IEND", b"")
    )


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("size", [(20_000, 20_000), (9_000, 9_000), (1, 400_000_000)])
def test_a_bomb_is_refused_by_its_header(size):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(PhotographError, match="megapixels"):
        read_photograph(bomb(*size))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000  # kilobytes


def test_a_large_camera_picture_is_under_the_limit():
    assert MAX_PIXELS > 8192 * 6144


@pytest.mark.parametrize("size", [(1, 1), (19, 500)])
def test_pictures_too_small_for_a_face_say_so(size):
    with pytest.raises(PhotographError, match="too small"):
        read_photograph(encoded(picture(size=size), "PNG"))


@pytest.mark.parametrize("data", [b"", b"just a letter", b"\xff\xd8\xff", b"#?RADIANCE\n", b"GIF89a"])
def test_what_is_no_photograph_is_refused_with_its_name(data):
    with pytest.raises(PhotographError, match=r"letter\.jpg"):
        read_photograph(data, name="letter.jpg")


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
@settings(max_examples=150, deadline=None)
@given(
    st.binary(max_size=300),
    st.sampled_from([b"", b"\xff\xd8\xff\xe0", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"BM", b"II*\x00"]),
)
def test_no_bytes_whatever_cause_another_error(data, start):
    try:
        assert isinstance(read_photograph(start + data), Photograph)
    except PhotographError as error:
        assert str(error)


def test_missing_file_and_folder_are_one_sentence(tmp_path):
    for path in (tmp_path / "none.jpg", tmp_path):
        with pytest.raises(PhotographError, match="cannot be read"):
            read_photograph(path)


@pytest.mark.parametrize("pixels", [np.zeros((50, 50)), np.zeros((50, 50, 3)), np.zeros((50, 50, 4), np.uint8)])
def test_arrays_of_another_shape_or_type_are_refused(pixels):
    with pytest.raises(PhotographError, match="RGB bytes"):
        read_photograph(pixels)


@given(width=st.integers(100, 900), height=st.integers(100, 900), at_least=st.integers(50, 900))
@settings(max_examples=25, deadline=None)
def test_reduced_decoding_never_goes_below_what_was_asked(width, height, at_least):
    photo = read_photograph(encoded(picture(size=(width, height)), "JPEG"), at_least=at_least)
    assert photo.size == (width, height)
    assert max(photo.pixels.shape[:2]) >= min(at_least, max(width, height))
    assert photo.scale * max(photo.pixels.shape[:2]) == pytest.approx(max(width, height))


def test_an_iphone_photograph_is_read_the_right_way_up():
    heif = pytest.importorskip("pillow_heif", reason='HEIC is an extra: pip install "celebml[heic]"')
    heif.register_heif_opener()
    lying = picture("RGB", (128, 96))
    lying.getexif()[0x0112] = 6  # turned by a quarter
    photo = read_photograph(encoded(lying, "HEIF"))
    assert photo.size == (96, 128)
    upright = np.asarray(picture("RGB", (128, 96)).rotate(-90, expand=True), int)
    assert np.abs(photo.pixels.astype(int) - upright).mean() < 12


def test_without_the_decoder_it_is_said_what_to_do(monkeypatch):
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    with pytest.raises(PhotographError, match=r"export it as JPEG, or pip install .celebml\[heic\]"):
        read_photograph(b"\0\0\0\x24ftypheic\0\0\0\0mif1MiHEheic")


def test_a_jpeg_of_a_large_sensor_is_read_at_a_reduced_size_and_not_whole():
    data = encoded(Image.new("L", (12_000, 9_000), 90), "JPEG")
    photo = read_photograph(data, at_least=640)
    assert (photo.size, max(photo.pixels.shape)) == ((12_000, 9_000), 1500)
    with pytest.raises(PhotographError, match="megapixels are allowed"):
        read_photograph(data)
