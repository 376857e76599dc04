"""Photographs of every kind are read the right way up, or refused with a sentence and without harm."""

from __future__ import annotations

import resource
import struct
import zlib
from io import BytesIO

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from celebml.photographs import MAX_PIXELS, Photograph, PhotographError, read_photograph


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


def test_radiance_pictures_are_read_through_opencv():
    import cv2

    done, data = cv2.imencode(".hdr", np.full((30, 40, 3), (0.25, 0.5, 1.0), np.float32))
    assert done
    red, green, blue = read_photograph(data.tobytes()).pixels[0, 0].tolist()
    assert red > green > blue


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
