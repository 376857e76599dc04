"""Behaviour of near-duplicates: copies of a picture meet, pictures of a person do not."""

import cv2
import numpy as np
import pytest

from celebml import duplicates
from celebml.datasets import load_att
from celebml.duplicates import near_duplicate_groups, near_duplicate_pairs
from celebml.faces import Detection
from celebml.landmarks import YuNetDetector
from celebml.photographs import Photograph, read_photograph
from celebml.registration import fine_detail, registered_correlation

DETECT = YuNetDetector()


def found(pixels: np.ndarray) -> Detection:
    """Faces of an array."""
    return DETECT(Photograph(np.ascontiguousarray(pixels)))


@pytest.fixture(scope="module")
def people():
    """One picture of each of twelve people, doubled in size so that small copies still hold a face."""
    pixels = [read_photograph(path).pixels for path in load_att().paths[:120:10]]
    return [cv2.resize(picture, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC) for picture in pixels]


def jpeg(pixels, quality=40):
    """After a trip through JPEG."""
    return cv2.imdecode(cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], cv2.IMREAD_COLOR)


def turned(pixels, degrees):
    """Turned about the middle."""
    turn = cv2.getRotationMatrix2D((92, 112), degrees, 1)
    return cv2.warpAffine(pixels, turn, pixels.shape[1::-1], borderMode=cv2.BORDER_REPLICATE)


COPIES = {
    "mirrored": lambda p: p[:, ::-1],
    "cropped": lambda p: p[8:-8, 6:-10],
    "shrunk": lambda p: cv2.resize(p, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA),
    "recompressed": jpeg,
    "turned": lambda p: turned(p, 4),
    "brighter": lambda p: cv2.convertScaleAbs(p, alpha=1.2, beta=10),
    "all": lambda p: jpeg(cv2.resize(p[6:-6, ::-1], None, fx=0.7, fy=0.7, interpolation=cv2.INTER_AREA), 60),
}


@pytest.mark.parametrize("kind", COPIES)
def test_copies_meet_and_people_do_not(people, kind):
    detections = [found(picture) for picture in people] + [found(COPIES[kind](picture)) for picture in people]
    groups = near_duplicate_groups(detections)
    own, copies = groups[: len(people)], groups[len(people) :]
    assert len(set(own)) == len(people)
    assert np.mean(own == copies) >= (0.75 if kind in ("cropped", "all") else 0.9)  # a crop may cut the chin off


def test_the_copy_of_a_copy_joins_its_group(people):
    chain = [people[0], COPIES["mirrored"](people[0]), COPIES["recompressed"](people[0]), people[1]]
    groups = near_duplicate_groups([found(picture) for picture in chain])
    assert len(set(groups[:3])) == 1
    assert groups[3] != groups[0]


def test_no_faces_are_no_copies():
    assert near_duplicate_groups([]).tolist() == []
    assert len(set(near_duplicate_groups([Detection(), Detection(), Detection()]))) == 3
    assert near_duplicate_pairs([Detection()]) == {}


def test_two_faces_of_one_photograph_are_not_its_copies(people):
    beside = np.hstack([people[0], people[0]])
    assert near_duplicate_pairs([found(beside)]) == {}


def test_the_order_of_photographs_does_not_matter(people):
    pictures = [people[0], people[1], COPIES["shrunk"](people[0])]
    detections = [found(picture) for picture in pictures]
    forwards, backwards = near_duplicate_groups(detections), near_duplicate_groups(detections[::-1])[::-1]
    same = lambda groups: [[bool(a == b) for a in groups] for b in groups]
    assert same(forwards) == same(backwards)


@pytest.mark.parametrize("value", [0, 255])
def test_a_plain_picture_is_like_nothing(value):
    plain = np.full((64, 64), value, np.float32)
    assert np.isfinite(fine_detail(plain)).all()
    assert registered_correlation(plain, plain) == -1


def noisy(random, rows, alike):
    """Other rows that have so high a correlation with these."""
    other = random.normal(size=rows.shape)
    other -= (other * rows).sum(1, keepdims=True) * rows
    other /= np.linalg.norm(other, axis=1, keepdims=True)
    return (alike * rows + np.sqrt(1 - alike**2) * other).astype(np.float32)


@pytest.mark.parametrize("direct", [500, 20])
def test_many_faces_are_not_all_compared_and_copies_still_meet(random, direct, monkeypatch):
    looks = random.normal(size=(40, 1024))  # faces are of kinds, as people and poses are
    faces = looks[random.integers(0, 40, 2000)] + random.normal(size=(2000, 1024))
    faces = (faces / np.linalg.norm(faces, axis=1, keepdims=True)).astype(np.float32)
    copies = noisy(random, faces[:300], 0.9)
    copies[::2] = copies[::2].reshape(-1, 32, 32)[:, :, ::-1].reshape(-1, 1024)
    small, owner = np.concatenate([faces, copies]).reshape(-1, 32, 32), np.arange(2300)
    every = set(duplicates._likely(small, owner, 0.8, 4))
    assert every == {(i, 2000 + i, i % 2 == 0) for i in range(300)}
    monkeypatch.setattr(duplicates, "_ALL", 1000)
    monkeypatch.setattr(duplicates, "_DIRECT", direct)
    rows = small.reshape(2300, -1)
    compared = sum(len(asking) * len(met) for asking, met, _ in duplicates._buckets(rows, rows))
    assert compared < 2300**2 / 3
    found = set(duplicates._likely(small, owner, 0.8, 4))
    assert found <= every and len(found) >= 0.97 * len(every)


def test_faces_that_are_compared_do_not_grow_with_all(random):
    def each(n):
        rows = random.normal(size=(n, 1024)).astype(np.float32)
        return sum(len(asking) * len(met) for asking, met, _ in duplicates._buckets(rows, rows)) / n

    assert each(10_000) < 1.2 * each(5_000)
