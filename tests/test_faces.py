"""Detectors give faces, biggest first, in the photograph's own pixels, or a reason."""

from __future__ import annotations

import pickle
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib import cbook

from celebml.detection import detect_all
from celebml.duplicates import near_duplicate_groups
from celebml.faces import HaarDetector
from celebml.landmarks import TEMPLATE, YuNetDetector, align, similarity
from celebml.photographs import Photograph, read_photograph

DETECTORS = [HaarDetector(eyes=0), YuNetDetector()]


@pytest.fixture(scope="module")
def grace() -> Photograph:
    return read_photograph(cbook.get_sample_data("grace_hopper.jpg", asfileobj=False))


@pytest.mark.parametrize("detector", DETECTORS)
def test_a_plain_picture_is_a_reason_and_no_error(detector):
    found = detector(Photograph(np.full((90, 120, 3), 128, np.uint8)))
    assert found.faces == ()
    assert found.reason == "no face"


@pytest.mark.parametrize("detector", DETECTORS)
def test_several_faces_come_biggest_first(detector, grace):
    small = cv2.resize(grace.pixels, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    side = np.full((600, 256, 3), 90, np.uint8)
    side[100:400] = small
    found = detector(Photograph(np.hstack([side, grace.pixels])))
    areas = [face.box.area for face in found.faces]
    assert len(areas) >= 2
    assert areas == sorted(areas, reverse=True)
    assert found.faces[0].box.x > 256


@pytest.mark.parametrize("detector", DETECTORS)
def test_boxes_are_in_the_photographs_own_pixels(detector, grace):
    data = cv2.imencode(".jpg", cv2.resize(grace.pixels, None, fx=4, fy=4)[..., ::-1])[1].tobytes()
    whole, reduced = (detector(read_photograph(data, at_least=size)).faces[0].box for size in (None, 600))
    assert np.allclose(whole, reduced, atol=0.12 * whole.width)


def test_two_eyes_are_asked_for(grace):
    assert HaarDetector(eyes=2)(grace).reason == "no two eyes"
    assert HaarDetector(eyes=1)(grace).faces


def test_a_large_photograph_leaves_no_memory_behind(grace):
    """Kept, it makes joblib take the worker for a leaking one and end it."""
    large = Photograph(cv2.resize(grace.pixels, (4096, 4800), interpolation=cv2.INTER_NEAREST))
    before = psutil.Process().memory_info().rss
    HaarDetector(eyes=0)(large)
    assert psutil.Process().memory_info().rss - before < 200 * 2**20


def test_a_border_finds_faces_in_tight_crops(people):
    photos = [read_photograph(path) for path in people.paths]
    plain, bordered = (
        sum(bool(HaarDetector(eyes=0, border=border)(photo).faces) for photo in photos) for border in (0, 0.25)
    )
    assert bordered == len(photos) > plain


def test_yunet_finds_every_att_face_and_keeps_boxes_inside(people):
    for path in people.paths:
        photo = read_photograph(path)
        box = YuNetDetector()(photo).faces[0].box
        assert box.x >= 0 <= box.y
        assert box.x + box.width <= photo.size[0]
        assert box.y + box.height <= photo.size[1]


@settings(max_examples=40, deadline=None)
@given(angle=st.floats(-3, 3), scale=st.floats(0.2, 5), x=st.floats(-50, 50), y=st.floats(-50, 50))
def test_a_similarity_is_found_again(angle, scale, x, y):
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    moved = TEMPLATE @ turn.T + (x, y)
    fit = similarity(moved, TEMPLATE)
    assert np.allclose(moved @ fit[:, :2].T + fit[:, 2], TEMPLATE, atol=1e-6)


@pytest.mark.parametrize("scale", [0.3, 1, 4])
def test_alignment_gives_the_same_crop_at_every_size(grace, scale):
    points = YuNetDetector()(grace).faces[0].landmarks
    sized = cv2.resize(grace.pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA if scale < 1 else 1)
    one, other = align(grace.pixels, points), align(sized, (points + 0.5) * scale - 0.5)
    assert np.abs(one.astype(int) - other).mean() < 8


@pytest.mark.parametrize("detector", [HaarDetector(), YuNetDetector()])
def test_detectors_travel_to_other_processes_and_threads(detector, people):
    photos = [read_photograph(path) for path in people.paths[:6]]
    alone = [detector(photo).faces for photo in photos]
    with ThreadPoolExecutor(3) as pool:
        together = [found.faces for found in pool.map(pickle.loads(pickle.dumps(detector)), photos)]
    assert [[face.box for face in faces] for faces in alone] == [[face.box for face in faces] for faces in together]


def test_bad_files_lose_no_good_photograph(people, tmp_path):
    bad = {"empty.jpg": b"", "letter.jpg": b"Dear Ada", "half.jpg": b"\xff\xd8\xff\xe0 and no more"}
    for name, data in bad.items():
        (tmp_path / name).write_bytes(data)
    paths = [*people.paths[:3], *(tmp_path / name for name in bad), tmp_path / "missing.jpg", *people.paths[3:6]]
    found = detect_all(paths, YuNetDetector())
    assert [bool(detection.faces) for detection in found] == [True] * 3 + [False] * 4 + [True] * 3
    assert all(detection.reason.startswith("unreadable: ") for detection in found[3:7])


def test_copies_share_a_group_and_other_photographs_do_not(people):
    photos = [read_photograph(path).pixels for path in people.paths[::6]]
    copies = [photos[0][:, ::-1], photos[0][3:109, 3:89], cv2.resize(photos[0], None, fx=0.7, fy=0.7)]
    detector = YuNetDetector()
    found = [detector(Photograph(np.ascontiguousarray(pixels))) for pixels in (*photos, *copies)]
    groups = near_duplicate_groups([*found, detector(Photograph(np.zeros((60, 60, 3), np.uint8)))])
    assert len(set(groups[: len(photos)])) == len(photos)
    assert set(groups[len(photos) : -1]) == {groups[0]}
    assert groups[-1] not in groups[:-1]
