"""Crops, clouds of points and described photographs that are made up."""

from __future__ import annotations

import cv2
import numpy as np

from celebml.descriptions import Description
from celebml.features import FaceFeatures


def crops(random, count=3, size=160):
    """Smooth random pictures, which have structure at several scales."""
    noise = random.random((count, 20, 20, 3)).astype(np.float32)
    return [
        (cv2.resize(one, (size, size), interpolation=cv2.INTER_CUBIC).clip(0, 1) * 255).astype(np.uint8)
        for one in noise
    ]


def clouds(random, people=4, each=9, numbers=200, spread=1.0):
    """People as clouds of points."""
    y = np.repeat([f"p{k}" for k in range(people)], each)
    return (
        random.normal(size=(people, numbers))[np.unique(y, return_inverse=True)[1]] * spread
        + random.normal(size=(len(y), numbers))
    ).astype(np.float32), y


def made_up(random, people=3, each=6, far=0.8):
    """Descriptions of made-up faces, each photograph showing its person biggest."""
    width = FaceFeatures().blocks[-1].columns.stop
    centres, y, described = random.normal(size=(people, width)) * far, [], []
    for person in range(people):
        for _ in range(each):
            row = (centres[person] + random.normal(size=(1, width))).astype(np.float32)
            described.append(Description(row, np.array([100.0]), FaceFeatures().blocks))
            y.append(f"p{person}")
    return described, np.array(y), centres
