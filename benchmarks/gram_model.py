"""The discriminant as it was before it learnt from sums: one Gram matrix of faces and mirror images a descriptor.

Kept as the reference that benchmarks/growth.py measures time, memory and answers against.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from celebml.descriptions import Description
from celebml.tables import handicap, worthy


def gram_discriminant(
    gram: np.ndarray,  # (n, n) inner products of the training rows
    y: np.ndarray,  # (n,) names
    shrinkage: float,  # added spread, in units of the mean spread a training row
) -> tuple[np.ndarray, np.ndarray]:  # mixture (n, n_people) and intercept (n_people,), people in sorted order
    """Shrinkage LDA on a Gram matrix: scores are inner products with the training rows times the mixture."""
    from scipy import linalg

    people, index = np.unique(y, return_inverse=True)
    n = len(y)
    # a person's mean, as a mixture of rows
    mean_of = (index[:, None] == np.arange(len(people))) / np.bincount(index)
    residual = gram - (mean_of.T @ gram)[index]  # rows minus their person's mean, times all rows
    within = residual - (residual @ mean_of)[:, index]  # R Rᵀ
    added = max(shrinkage * np.trace(within) / n**2, 1e-12)
    contrast = mean_of - mean_of.mean(1, keepdims=True)  # equal weight to each person, many photographs or few
    spread = within / n + added * np.eye(n)
    inside = linalg.solve(spread, residual @ contrast, assume_a="pos") / n
    mixture = (contrast - inside + (mean_of.T @ inside)[index]) / added
    intercept = -np.sum((mean_of + mean_of.mean(1, keepdims=True)) * (gram @ mixture), axis=0) / 2
    return mixture - mixture.mean(1, keepdims=True), intercept - intercept.mean()


@dataclass(frozen=True, eq=False)
class Mirrored(Description):
    """A description with the rows of the mirror images too, from which the earlier model learnt."""

    mirrored: np.ndarray | None = None


@dataclass(frozen=True, eq=False)
class Table:
    """Faces worth considering in all photographs.

    Parameters
    ----------
    photo : ndarray of shape (n_faces,)
        Number of the photograph that each is in.
    size : ndarray of shape (n_faces,)
        Their handicap.
    rows, mirrored : ndarray of shape (n_faces, n_features), float32
        Features of the faces and of their mirror images.
    first : ndarray of shape (n_photos,)
        Number of each photograph's biggest face.
    """

    photo: np.ndarray
    size: np.ndarray
    rows: np.ndarray
    mirrored: np.ndarray
    first: np.ndarray

    @classmethod
    def of(cls, descriptions: Sequence[Mirrored]) -> "Table":
        """Of described photographs, all of which show a face."""
        keep = [worthy(description.areas) for description in descriptions]
        counts = np.array([len(kept) for kept in keep])
        rows = np.concatenate([d.rows[kept] for d, kept in zip(descriptions, keep, strict=True)])
        mirrored = np.concatenate([d.mirrored[kept] for d, kept in zip(descriptions, keep, strict=True)])
        size = np.concatenate([handicap(d.areas[kept]) for d, kept in zip(descriptions, keep, strict=True)])
        return cls(np.repeat(np.arange(len(counts)), counts), size, rows, mirrored, np.cumsum(counts) - counts)


def _scaling(table: Table, columns: slice) -> tuple[np.ndarray, np.ndarray]:
    """Mean and spread of each column over the photographs' biggest faces and their mirror images."""
    both = np.concatenate([table.rows[table.first, columns], table.mirrored[table.first, columns]])
    spread = both.std(0)
    overall = float(np.sqrt(np.mean(both.var(0))))
    return both.mean(0), spread + (0.1 * overall or 1.0)


def _scaled(table: Table, columns: slice, mean: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """Columns of one descriptor, scaled; faces first, then their mirror images."""
    return np.concatenate([(rows[:, columns] - mean) / spread for rows in (table.rows, table.mirrored)])


@dataclass(frozen=True, eq=False)
class Gram:
    """Inner products of all faces and mirror images by one descriptor, in units of their mean square.

    Parameters
    ----------
    products : ndarray of shape (2 n_faces, 2 n_faces), float64
    columns : slice
        Where the descriptor stands in a row.
    mean, spread : ndarray of shape (n_columns,)
        What each column was shifted and divided by.
    size : float
        The mean square, by which the products were divided.
    """

    products: np.ndarray
    columns: slice
    mean: np.ndarray
    spread: np.ndarray
    size: float

    @classmethod
    def of(cls, table: Table, columns: slice) -> "Gram":
        """Of one descriptor; its products are zero where it says nothing, as colour does of grey photographs."""
        mean, spread = _scaling(table, columns)
        scaled = _scaled(table, columns, mean, spread)
        products = (scaled @ scaled.T).astype(np.float64)
        size = float(np.trace(products)) / len(products)
        return cls(products / (size or 1.0), columns, mean, spread, size)


class Grams:
    """One Gram matrix a descriptor: scores of faces by models trained on other faces.

    Parameters
    ----------
    table : Table
    blocks : sequence of slice
        Columns of each descriptor.
    shrinkage : float
        As `gram_discriminant` takes it.
    """

    def __init__(self, table: Table, blocks: Sequence[slice], shrinkage: float):
        self.table, self.shrinkage = table, shrinkage
        every = [Gram.of(table, columns) for columns in blocks]
        self.means = np.concatenate([gram.mean for gram in every])
        self.grams = [gram for gram in every if gram.size > 0]

    def _solved(self, gram: Gram, rows: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return gram_discriminant(gram.products[np.ix_(rows, rows)], np.tile(y, 2), self.shrinkage)

    def _with_mirrored(self, faces: np.ndarray) -> np.ndarray:
        return np.concatenate([faces, faces + len(self.table.photo)])

    def scores(self, train: np.ndarray, y: np.ndarray, test: np.ndarray) -> np.ndarray:
        """Scores (n_test, n_people) of faces `test` when faces `train`, named `y`, and mirror images are learnt."""
        rows, total = self._with_mirrored(train), 0
        for gram in self.grams:
            mixture, intercept = self._solved(gram, rows, y)
            total = total + gram.products[np.ix_(test, rows)] @ mixture + intercept
        return total / len(self.grams)

    def weights(self, train: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The same model as weights (n_features, n_people) of a row minus `means`, and intercept (n_people,)."""
        coef, intercept, rows = np.zeros((len(self.means), len(np.unique(y)))), 0, self._with_mirrored(train)
        for gram in self.grams:
            mixture, bias = self._solved(gram, rows, y)
            learnt = _scaled(self.table, gram.columns, gram.mean, gram.spread)[rows].astype(np.float64)
            coef[gram.columns] = (learnt.T @ mixture) / gram.size / gram.spread[:, None]
            intercept = intercept + bias
        return coef / len(self.grams), intercept / len(self.grams)


def _folds(y: np.ndarray, groups: np.ndarray, n_splits: int, random_state: int) -> list:
    """Grouped folds, or none where there are too few pictures for any."""
    from celebml.search import enough_pictures, grouped_folds

    testable = len(np.unique(y[enough_pictures(y, groups)])) >= 2
    return grouped_folds(y, groups, n_splits, random_state) if testable else []


def _best_of_each(photo: np.ndarray, faces: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """For each face, the face of its photograph that has the highest score (n_faces,)."""
    order = np.lexsort((-np.arange(len(scores)), scores, photo))  # the last of each photograph is its best
    last = np.searchsorted(photo[order], photo, side="right") - 1
    return faces[order[last]]


def chosen_faces(grams: Grams, y: np.ndarray, groups: np.ndarray, rounds: int, random_state: int) -> np.ndarray:
    """The face (n_photos,) that each training photograph is about, by out-of-fold scores of its own name."""
    table = grams.table
    chosen, people = table.first.copy(), np.unique(y)
    several = np.flatnonzero(np.bincount(table.photo) > 1)
    for number in range(rounds if len(several) else 0):
        before = chosen.copy()
        for train, test in _folds(y, groups, 4, random_state + number):
            asked = np.flatnonzero(np.isin(table.photo, np.intersect1d(test, several)))
            if not len(asked):
                continue
            scores = grams.scores(before[train], y[train], asked)
            own = scores[np.arange(len(asked)), np.searchsorted(people, y[table.photo[asked]])] + table.size[asked]
            chosen[table.photo[asked]] = _best_of_each(table.photo[asked], asked, own)
    return chosen


def out_of_fold(
    grams: Grams, chosen: np.ndarray, y: np.ndarray, groups: np.ndarray, random_state: int
) -> tuple[np.ndarray, np.ndarray]:
    """Scores (n_tested, n_people) by models that have not seen the photograph, and which photographs (n_tested,)."""
    scores, tested = [np.zeros((0, len(np.unique(y))))], [np.zeros(0, int)]
    for train, test in _folds(y, groups, 5, random_state):
        scores.append(grams.scores(chosen[train], y[train], chosen[test]))
        tested.append(test)
    return np.concatenate(scores), np.concatenate(tested)


def stranger_scores(grams: Grams, chosen: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Best score of each photograph under a model that has not met its person; empty for two people."""
    people, scores = np.unique(y), []
    if len(people) < 3:
        return np.zeros(0)
    for name in people:
        others = y != name
        scores.append(grams.scores(chosen[others], y[others], chosen[~others]).max(1))
    return np.concatenate(scores)


class EarlierModel:
    """The earlier model of ours: `fit`, and the names of faces."""

    def fit(self, descriptions: Sequence[Mirrored], names: np.ndarray, groups: np.ndarray) -> "EarlierModel":
        """Learn from described photographs, all of which show a face and have mirrored rows."""
        table, blocks = Table.of(descriptions), descriptions[0].blocks
        grams = Grams(table, [block.columns for block in blocks], 0.1)
        chosen = chosen_faces(grams, names, groups, 2, 0)
        self.classes_ = np.unique(names)
        out_of_fold(grams, chosen, names, groups, 0)
        stranger_scores(grams, chosen, names)
        self.coef_, self.intercept_ = grams.weights(chosen, names)
        self.mean_ = grams.means
        return self

    def names(self, rows: np.ndarray) -> np.ndarray:
        """Name of each row (n, n_features)."""
        return self.classes_[((rows - self.mean_) @ self.coef_ + self.intercept_).argmax(1)]
