"""Nothing large is decoded, and nobody waits for ever."""

import io
import struct
import subprocess
import sys
import threading
import time
import zlib
from pathlib import Path

import pytest
from PIL import Image
from site_requests import encoded_form, form

from app.site import create_app
from app.site.decode import decode
from app.site.limits import Turnstile
from app.site.problems import ProblemError
from app.site.settings import Settings, SettingsError

ROOT = Path(__file__).parents[2]


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
from app.site import create_app
from app.site.decode import decode
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
    turnstile, inside, leave = Turnstile(waiting=1, seconds=5), threading.Event(), threading.Event()

    def hold():
        with turnstile.turn():
            inside.set()
            leave.wait(5)

    holder = threading.Thread(target=hold)
    holder.start()
    inside.wait(5)
    waiter = threading.Thread(target=hold)
    waiter.start()
    while turnstile._places._value:
        time.sleep(0.001)
    start = time.perf_counter()
    with pytest.raises(ProblemError) as caught, turnstile.turn():
        pass
    assert time.perf_counter() - start < 0.5
    assert caught.value.kind == "busy"
    assert caught.value.headers["Retry_After"]
    leave.set()
    holder.join()
    waiter.join()
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
    with places.place(None), places.place(10**7):
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
