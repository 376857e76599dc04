"""A model as somebody may write one of their own: CONTRIBUTING's promise and the dashboard are tried on it."""

import numpy as np

from celebml.answers import FaceModel


class Nearest(FaceModel):
    "The person whose mean face is nearest."

    plain = True

    def __init__(self, random_state=0):
        self.random_state = random_state

    def fit(self, descriptions, names, groups):
        rows, names = np.stack([one.rows[0] for one in descriptions]), np.asarray(names, str)
        self.classes_ = np.unique(names)
        self.means_ = np.stack([rows[names == name].mean(0) for name in self.classes_])
        return self

    def predict_proba(self, rows):
        far = np.linalg.norm(rows[:, None] - self.means_[None], axis=2)
        near = np.exp(far.min(1, keepdims=True) - far)
        return near / near.sum(1, keepdims=True)
