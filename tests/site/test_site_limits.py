"""Nothing large is decoded, and nobody waits for ever."""

import io
import queue
import struct
import subprocess
import sys
import threading
import time
import zlib
from pathlib import Path

import pillow_heif
import pytest
from PIL import Image
from site_requests import encoded_form, form

from celebml_app.site import create_app
from celebml_app.site.guard.decode import decode
from celebml_app.site.guard.limits import Turnstile, check_header
from celebml_app.site.guard.problems import ProblemError
from celebml_app.site.settings import Settings, SettingsError

ROOT = Path(__file__).parents[2]
pillow_heif.register_heif_opener()


def png_bomb(side: int = 16_000) -> bytes:
    "A valid white PNG of side × side pixels in under a megabyte."

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    packer = zlib.compressobj(9)
    row = b"\x00" + b"\xff" * (3 * side)
    rows = b"".join(packer.compress(row) for _ in range(side)) + packer.flush()
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def test_a_bomb_costs_nothing(bundle, tmp_path):
    "In a process of its own, so that the memory is the bomb's alone."
    bomb = tmp_path / "bomb.png"
    bomb.write_bytes(png_bomb())
    program = f"""
import io, resource, time
from celebml_app.site import create_app
from celebml_app.site.guard.decode import decode
client = create_app({str(bundle)!r}).test_client()
data = open({str(bomb)!r}, "rb").read()
client.post("/api/v1/classify", data={{"photo": (io.BytesIO(b"x"), "x.png")}})
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
times = []
for _ in range(5):
    start = time.perf_counter()
    answer = client.post("/api/v1/classify", data={{"photo": (io.BytesIO(data), "bomb.png")}})
    times.append(time.perf_counter() - start)
    assert answer.get_json()["type"] == "/problems/too-many-pixels", answer.text
print(min(times) * 1000, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    milliseconds, megabytes = map(float, done.stdout.split())
    assert milliseconds < 100
    assert megabytes < 50


def test_a_full_line_sends_others_away_at_once():
    turnstile, leave, told = Turnstile(waiting=1, seconds=5), threading.Event(), queue.Queue()

    def ask():
        start = time.perf_counter()
        try:
            with turnstile.turn():
                leave.wait(5)
        except ProblemError as error:
            told.put((error, time.perf_counter() - start))

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    error, seconds = told.get(timeout=5)  # of the three, one has the turn and one stands in line
    assert seconds < 0.5
    assert error.kind == "busy"
    assert error.headers["Retry_After"]
    leave.set()
    for thread in threads:
        thread.join()
    assert told.empty()
    with turnstile.turn() as waited:
        assert waited < 0.5


def test_a_busy_server_says_when_to_come_back(bundle, face):
    app = create_app(bundle, max_waiting=0, max_wait_seconds=0.05)
    with app.extensions["celebml"].turnstile.turn():
        answer = app.test_client().post("/api/v1/classify", data=form(face))
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert app.test_client().post("/api/v1/classify", data=form(face)).status_code == 200


def test_large_bodies_are_read_two_at_a_time(bundle, face):
    app = create_app(bundle, max_wait_seconds=0.1)
    places, client = app.extensions["celebml"].large_bodies, app.test_client()
    large = encoded_form(photo=("a.jpg", face + bytes(3_000_000)))
    with places.room(None), places.room(10**7):
        answer = client.post("/api/v1/classify", **large)
        assert (answer.status_code, answer.get_json()["type"]) == (503, "/problems/busy")
        assert client.post("/api/v1/classify", data=form(face)).status_code == 200
    assert client.post("/api/v1/classify", **large).status_code == 200


@pytest.mark.parametrize(
    ("kind", "mode"), [("PNG", "RGB"), ("PNG", "RGBA"), ("PNG", "P"), ("TIFF", "I;16"), ("TIFF", "RGB")]
)
def test_a_large_photograph_is_made_smaller_and_keeps_its_size(kind, mode):
    image = Image.radial_gradient("L").resize((2600, 2000)).convert("RGB" if mode == "I;16" else mode)
    image = Image.new(mode, image.size, 30_000) if mode == "I;16" else image
    buffer, orientation = io.BytesIO(), Image.Exif()
    orientation[0x0112] = 6  # turned by a quarter
    image.save(buffer, kind, exif=orientation)
    photo = decode(buffer.getvalue(), kind, (2600, 2000), 640)
    assert photo.size == (2000, 2600)
    assert photo.pixels.shape[1] / photo.pixels.shape[0] == pytest.approx(2000 / 2600, abs=0.01)
    assert max(photo.pixels.shape) <= 1600
    assert photo.scale == pytest.approx(2600 / photo.pixels.shape[0])


def test_settings_come_from_the_environment(tmp_path):
    environment = {"CELEBML_BUNDLE": "b", "CELEBML_FETCH_HOSTS": "a.org, .B.org", "CELEBML_HSTS": "yes"}
    settings = Settings.from_environment(environment, max_files=3)
    assert (settings.bundle, settings.fetch_hosts, settings.hsts) == (Path("b"), ("a.org", ".b.org"), True)
    assert settings.max_files == 3
    with pytest.raises(SettingsError, match="CELEBML_MAX_FILES"):
        Settings.from_environment({"CELEBML_MAX_FILES": "many"})
    with pytest.raises(SettingsError, match="CELEBML_HSTS"):
        Settings.from_environment({"CELEBML_HSTS": "perhaps"})


PHONES = {
    "iPhone HEIC, 12 megapixels": ("HEIF", (4032, 3024), {"enc_params": {"preset": "ultrafast"}}),
    "WebP, 12 megapixels": ("WEBP", (4000, 3000), {"method": 0}),
    "AVIF, 12 megapixels": ("AVIF", (4032, 3024), {"speed": 10}),
    "progressive JPEG, 24 megapixels": ("JPEG", (6000, 4000), {"progressive": True, "subsampling": 0}),
    "JPEG, 108 megapixels": ("JPEG", (12000, 9000), {}),
    "JPEG panorama": ("JPEG", (16000, 3800), {}),
}


@pytest.mark.parametrize("kind", PHONES)
def test_what_a_phone_makes_is_read_within_the_bound(kind, tmp_path):
    "The memory is that of the decoding alone, in a process of its own; 180 MB beside 160 MB for a worker at rest."
    form, size, options = PHONES[kind]
    tiles = Image.effect_noise((size[0] // 16, size[1] // 16), 90).convert("RGB")
    tiles.resize(size, Image.Resampling.NEAREST).save(tmp_path / "photo", form, **options)
    program = f"""
import pathlib
from celebml_app.site.guard.decode import decode
from celebml_app.site.guard.limits import check_header
from celebml_app.site.settings import Settings
peak = lambda: int(next(l for l in open("/proc/self/status") if l.startswith("VmHWM")).split()[1]) / 1024
data = pathlib.Path({str(tmp_path / "photo")!r}).read_bytes()
open("/proc/self/clear_refs", "w").write("5")
before = peak()
kind, size = check_header(data, Settings().max_megapixels * 1_000_000, True)
photo = decode(data, kind, size, 640)
print(peak() - before, *photo.size, max(photo.pixels.shape))
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    megabytes, width, height, longest = map(float, done.stdout.split())
    assert megabytes < 180
    assert (width, height) == size
    assert 640 <= longest <= 2000


def test_what_is_refused_says_how_to_export_it():
    header = (
        b"RIFF\x1a\x00\x00\x00WEBPVP8L\x0d\x00\x00\x00\x2f"
        + ((12000 - 1) | (12000 - 1) << 14).to_bytes(4, "little")
        + bytes(9)
    )
    with pytest.raises(ProblemError, match="As JPEG up to 250 are: export it so") as caught:
        check_header(header, 25_000_000, True)
    assert caught.value.kind == "too-many-pixels"
