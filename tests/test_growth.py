"""Learning by sums: what adds up, what may be taken away, and that nothing is lost where nothing is cut."""

from __future__ import annotations

import base64
import json
import pickle
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from celebml import pipeline, shared_fits, stages, subjects, tables
from celebml.axes import axes_of
from celebml.classifier import CelebrityClassifier
from celebml.descriptions import Block, Description
from celebml.detection import clear_memory, memory_size
from celebml.discriminant import Faces, gram_discriminant, solve, sums_of, weights_of, without_person
from celebml.evaluate import Scores
from celebml.faces import Box, Detection, Face
from celebml.features import FaceFeatures
from celebml.models import BestModel
from celebml.recipes import BASELINE, DEFAULT, load_recipe
from celebml.report import _confusion_svg
from celebml.subjects import Learner, chosen_faces, out_of_fold, span
from celebml.tables import Table


def clouds(random, counts, size=12):
    """Even and odd coordinates of made-up people, and who each row is."""
    person = np.repeat(np.arange(len(counts)), counts)
    even = random.normal(size=(len(person), size)) + 2 * random.normal(size=(len(counts), size))[person]
    return even, random.normal(size=(len(person), size // 2)), person


def scores(rows, solution):
    weights, intercept = weights_of(solution)
    return rows @ weights + intercept


@settings(max_examples=25, deadline=None)
@given(data=st.data(), counts=st.lists(st.integers(1, 9), min_size=2, max_size=5))
def test_sums_of_any_parts_add_up_in_any_order_and_can_be_taken_away(data, counts):
    random = np.random.default_rng(sum(counts))
    even, odd, person = clouds(random, counts)
    faces, n = Faces(even, (odd**2).sum(1)), len(person)
    order = np.array(data.draw(st.permutations(range(n))))
    cut = data.draw(st.integers(0, n))
    one, other = (sums_of(faces, part, person[part], len(counts)) for part in (order[:cut], order[cut:]))
    every = sums_of(faces, np.arange(n), person, len(counts))
    for added, known in ((one + other, every), (every - other, one)):
        for name in vars(known):
            assert np.allclose(getattr(added, name), getattr(known, name), atol=1e-9)


@settings(max_examples=25, deadline=None)
@given(each=st.integers(2, 6), people=st.integers(2, 5), shrinkage=st.floats(0.01, 3))
def test_half_of_the_coordinates_say_what_faces_and_mirror_images_say(each, people, shrinkage):
    random = np.random.default_rng(each + 10 * people)
    even, odd, person = clouds(random, [each] * people)
    both = np.concatenate([np.hstack([even, odd]), np.hstack([even, -odd])])
    mixture, intercept = gram_discriminant(both @ both.T, np.tile(person, 2), shrinkage)
    known = both[: len(person)] @ (both.T @ mixture) + intercept
    faces = Faces(even, (odd**2).sum(1))
    ours = scores(even, solve(sums_of(faces, np.arange(len(person)), person, people), shrinkage))
    assert np.allclose(ours, known, atol=1e-8 * np.abs(known).max())


@settings(max_examples=25, deadline=None)
@given(each=st.integers(2, 7), people=st.integers(3, 6), shrinkage=st.floats(0.01, 3))
def test_a_person_taken_away_leaves_what_others_would_have_learnt_without_them(each, people, shrinkage):
    random = np.random.default_rng(each + 10 * people)
    even, odd, person = clouds(random, [each] * people)
    faces, n = Faces(even, (odd**2).sum(1)), len(person)
    every = sums_of(faces, np.arange(n), person, people)
    mean = every.totals / each
    added = shrinkage * (np.trace(every.products - every.totals.T @ mean) + every.outside) / (2 * n * n)
    for k in (0, people - 1):
        own, others = np.flatnonzero(person == k), np.flatnonzero(person != k)
        rest = np.arange(people) != k
        residual = even[others] - mean[person[others]]
        spread = residual.T @ residual / len(others) + added * n / len(others) * np.eye(even.shape[1])
        weights = np.linalg.solve(spread, mean[rest].T)
        known = even[own] @ weights - np.sum(mean[rest].T * weights, axis=0) / 2
        ours = without_person(solve(every, shrinkage), even[own], k)
        assert np.isneginf(ours[:, k]).all()
        assert np.allclose(ours[:, rest], known - known.mean(1, keepdims=True), atol=1e-7 * np.abs(known).max())


def test_a_person_with_few_photographs_is_named_as_often_as_they_appear(random):
    centres = 0.7 * random.normal(size=(3, 60))
    counts = np.array([5, 60, 60])
    person = np.repeat(np.arange(3), counts)
    faces = Faces(centres[person] + random.normal(size=(len(person), 60)), np.zeros(len(person)))
    asked = np.repeat(np.arange(3), 400)
    named = scores(
        centres[asked] + random.normal(size=(1200, 60)), solve(sums_of(faces, np.arange(125), person, 3), 0.1)
    ).argmax(1)
    assert 300 <= (named == 0).sum() <= 500


# axes


def cut_beyond(patch, whole, coordinates=tables.COORDINATES):
    "Faces of more than so many photographs are cut to so many coordinates."
    for module in (subjects, tables):
        patch.setattr(module, "WHOLE", whole)
    patch.setattr(tables, "COORDINATES", coordinates)


def described(random, counts, features=FaceFeatures(), far=0.8):  # noqa: B008 - has no state
    """Made-up photographs with one face each, and who they show."""
    width, person = features.blocks[-1].columns.stop, np.repeat(np.arange(len(counts)), counts)
    centres = far * random.normal(size=(len(counts), width))
    rows = (centres[person] + random.normal(size=(len(person), width))).astype(np.float32)
    return [Description(row[None], np.array([100.0]), features.blocks) for row in rows], person


def test_axes_lose_nothing_and_come_back(random):
    features = FaceFeatures()
    photos, _ = described(random, [3, 3])
    rows = np.concatenate([photo.rows for photo in photos])
    for block, axes in zip(features.blocks, axes_of(features.blocks, photos), strict=True):
        even, odd = axes.coordinates(rows)
        scaled = (rows[:, block.columns] - axes.mean) / axes.spread
        assert np.allclose((even.astype(float) ** 2).sum(1) + odd, (scaled.astype(float) ** 2).sum(1), rtol=1e-4)
        half = axes.back(even.T.astype(float)).T
        assert np.allclose((half**2).sum(1), (even.astype(float) ** 2).sum(1), rtol=1e-4)
        assert np.allclose(np.einsum("ij,ij->i", half, scaled), (even.astype(float) ** 2).sum(1), rtol=1e-3)


def test_a_mirror_image_has_the_same_even_coordinates(random):
    features = FaceFeatures()
    coarse = random.integers(0, 255, (6, 20, 20, 3)).astype(np.uint8)
    crops = [np.kron(picture, np.ones((8, 8, 1), np.uint8)) for picture in coarse]
    faces, images = (features.transform([np.ascontiguousarray(crop[:, ::step]) for crop in crops]) for step in (1, -1))
    assert not np.allclose(faces, images, atol=0.1)
    for axes in axes_of(features.blocks, []):
        one, other = axes.coordinates(faces)[0], axes.coordinates(images)[0]
        assert np.sqrt(np.mean((one - other) ** 2)) < 0.02 * np.sqrt(np.mean(one**2))


def test_a_descriptor_that_the_library_does_not_know_is_scaled(random):
    block = Block("mine", 120, 2, 3, 0)
    rows = (random.normal(size=(50, 12)) * np.arange(1, 13) + 7).astype(np.float32)
    (axes,) = axes_of([block], [Description(row[None], np.ones(1)) for row in rows])
    even, odd = axes.coordinates(rows)
    assert even.shape == (50, 12) and odd.max() < 1e-9
    assert np.allclose(even.mean(0), 0, atol=1e-4) and even.std(0).min() > 0.5 and even.std(0).max() < 1


# subjects


@settings(max_examples=20, deadline=None)
@given(n=st.integers(1, 30), copies=st.integers(0, 4), size=st.integers(2, 60))
def test_coordinates_of_a_span_keep_all_inner_products(n, copies, size):
    random = np.random.default_rng(n + copies)
    rows = random.normal(size=(n, size)).astype(np.float32)
    rows = np.concatenate([rows, rows[:copies]])
    coordinates, triangle, basis = span(rows)
    exact = rows.astype(float)
    assert np.allclose(coordinates @ coordinates.T, exact @ exact.T, atol=1e-5 * (exact**2).sum(1).max())
    assert len(basis) == coordinates.shape[1] <= min(n, size)
    assert np.allclose(coordinates[basis], triangle)


def test_where_nothing_is_cut_scores_are_those_of_the_gram_matrix_of_faces_and_mirror_images(random):
    features = FaceFeatures()
    photos, person = described(random, [6, 6, 6])
    axes, rows = axes_of(features.blocks, photos), np.concatenate([photo.rows for photo in photos])
    test = np.arange(0, 18, 3)
    train, known = np.setdiff1d(np.arange(18), test), 0
    for block, one in zip(features.blocks, axes, strict=True):
        scaled = ((rows[:, block.columns] - one.mean) / one.spread).astype(float)
        mirrored = 2 * one.back(one.coordinates(rows)[0].T.astype(float)).T - scaled
        learnt = np.concatenate([scaled[train], mirrored[train]])
        mixture, intercept = gram_discriminant(learnt @ learnt.T, np.tile(person[train], 2), 0.1)
        known = known + (scaled[test] @ learnt.T @ mixture + intercept) / len(axes)
    (ours,) = Learner(Table.of(photos, axes), axes, person, 0.1).out_of_fold(np.arange(18), [test], [test])
    assert np.allclose(ours, known, atol=1e-5 * np.abs(known).max())  # single precision of the rows


@pytest.mark.parametrize("whole", [1000, 0])
def test_the_finished_weights_give_the_scores_of_the_sums(random, whole, monkeypatch):
    cut_beyond(monkeypatch, whole, 90)
    photos, person = described(random, [5, 7, 3])
    axes, everybody = axes_of(FaceFeatures().blocks, photos), np.arange(15)
    learner = Learner(Table.of(photos, axes), axes, person, 0.1)
    finished = learner.finish(learner.hold(everybody), photos[0].rows.shape[1])
    rows = np.concatenate([photo.rows for photo in photos])
    known = sum(
        scores(part.faces.rows, solve(sums_of(part.faces, everybody, person, 3), 0.1)) for part in learner.parts
    ) / len(axes)
    assert np.allclose((rows - finished.mean) @ finished.coef + finished.intercept, known, atol=1e-4 * known.max())
    assert np.allclose(finished.coef.sum(1), 0, atol=1e-9)
    assert np.isneginf(learner.left_out(everybody)[everybody, person]).all()


def test_faces_of_one_colour_leave_colour_out(random):
    photos, person = described(random, [4, 4])
    for photo in photos:
        photo.rows[:, np.concatenate([block.coloured for block in FaceFeatures().blocks])] = 0.25
    axes = axes_of(FaceFeatures().blocks, photos)
    learner = Learner(Table.of(photos, axes), axes, person, 0.1)
    assert len(learner.parts) == 3  # patterns, gradients, and scattering of the grey picture


def test_somebody_of_whom_a_fold_has_no_other_photograph_is_not_asked_about_in_it(random):
    photos, person = described(random, [8, 8, 2])
    axes = axes_of(FaceFeatures().blocks, photos)
    learner = Learner(Table.of(photos, axes), axes, person, 0.1)
    folds = [np.r_[0:4, 8:12, 16:18], np.r_[4:8, 12:16]]
    first, second = learner.out_of_fold(np.arange(18), folds, folds)
    assert np.isneginf(first[:, 2]).all() and np.isfinite(second).all()
    groups = np.r_[0:16, 16, 16]  # both of theirs are one picture, never tested
    found, tested = out_of_fold(learner, chosen_faces(learner, groups, 2, 0), groups, 0)
    assert np.isfinite(found).all() and len(found) == len(tested) <= 16


@pytest.mark.parametrize("whole", [1000, 0])
def test_faces_of_one_photograph_compare_by_own_names_as_by_whole_scores(random, whole, monkeypatch):
    cut_beyond(monkeypatch, whole, 60)
    photos, person = described(random, [8, 7, 6])
    two = [Description(np.concatenate([one.rows, -one.rows]), np.array([9.0, 8]), one.blocks) for one in photos]
    axes = axes_of(FaceFeatures().blocks, two)
    learner = Learner(Table.of(two, axes), axes, person, 0.1)
    folds = [np.arange(0, 21, 3), np.arange(1, 21, 3)]
    asked = [np.flatnonzero(np.isin(learner.table.photo, fold)) for fold in folds]
    told = learner.table.first, folds, asked
    both = zip(learner.own_names(*told), learner.out_of_fold(*told), asked, strict=True)
    for own, scores, faces in both:
        known = scores[np.arange(len(faces)), person[learner.table.photo[faces]]]
        assert np.allclose(own[::2] - own[1::2], known[::2] - known[1::2], atol=1e-3 * np.abs(known).max())


# teaching


@settings(max_examples=4, deadline=None)
@given(data=st.data(), whole=st.sampled_from([1000, 15, 0]))
def test_photographs_learnt_in_any_order_and_portions_give_the_model_of_all(data, whole):
    random = np.random.default_rng(whole)
    photos, person = described(random, [7, 6, 5])
    names = np.array(["ada", "alan", "grace"])[person]
    order = np.array(data.draw(st.permutations(range(18))))
    cuts = sorted(data.draw(st.sets(st.integers(1, 17), max_size=4)))
    portions = np.split(order, cuts)
    while len(set(names[portions[0]])) < 2:  # somebody to choose between, to begin with
        portions[:2] = [np.concatenate(portions[:2])]
    order = np.concatenate(portions)
    with pytest.MonkeyPatch.context() as patch:
        cut_beyond(patch, whole, 40)
        model = BestModel().fit([photos[i] for i in portions[0]], names[portions[0]], portions[0])
        for portion in portions[1:]:
            model.partial_fit([photos[i] for i in portion], names[portion], portion)
        once = BestModel().fit([photos[i] for i in order], names[order], order)
        assert list(model.classes_) == list(once.classes_)
        for name in ("coef_", "mean_", "intercept_"):
            known = getattr(once, name).astype(float)
            assert np.allclose(getattr(model, name), known, atol=2e-3 * np.abs(known).max())  # half precision
        found, known = (one.training_.finished(len(one.coef_)) for one in (model, once))
        assert np.allclose(found.coef, known.coef, atol=1e-6 * np.abs(known.coef).max())
        assert np.allclose(found.intercept, known.intercept, atol=1e-6 * np.abs(known.coef).max() * 100)
        model.settle()
    for name in ("coef_", "temperature_", "threshold_", "known_scores_", "stranger_scores_"):
        known = getattr(once, name).astype(float) if name == "coef_" else np.asarray(getattr(once, name))
        atol = 1e-4 * np.abs(known).max(initial=0)
        assert np.allclose(getattr(model, name), known, rtol=1e-3, atol=atol), name


def test_whoever_is_forgotten_leaves_nothing_behind(random):
    photos, person = described(random, [5, 6, 4, 5])
    names = np.array(["ada", "alan", "grace", "linus"])[person]
    model = BestModel().fit(photos, names, np.arange(20))
    model.forget(["grace"], photos=[0])
    left = np.setdiff1d(np.flatnonzero(names != "grace"), [0])
    never = BestModel().fit([photos[i] for i in left], names[left], left)
    state, known = model.__getstate__(), never.__getstate__()
    assert state.keys() == known.keys()
    for name, value in known.items():
        assert np.array_equal(state[name], value), name
    assert len(model.training_.table.photo) == len(left)
    with pytest.raises(ValueError, match="two people must remain"):
        model.forget(["alan", "linus"])


@pytest.mark.parametrize("whole", [1000, 9])
def test_weights_alone_are_as_if_whoever_is_forgotten_had_never_been_learnt_and_the_rest_follows(
    random, whole, monkeypatch
):
    cut_beyond(monkeypatch, whole)
    photos, person = described(random, [4, 4, 4, 3])
    names = np.array(["alan", "grace", "linus", "ada"])[person]
    model = BestModel(rounds=0).fit(photos, names, np.arange(len(names)))
    threshold, temperature = model.threshold_, model.temperature_
    model.forget(["grace"], photos=[0], settled=False)
    left = np.setdiff1d(np.flatnonzero(names != "grace"), [0])
    never = BestModel(rounds=0).fit([photos[i] for i in left], names[left], left)
    assert list(model.classes_) == list(never.classes_) and len(model.training_.table.photo) == len(left)
    assert (model.threshold_, model.temperature_) == (threshold, temperature)
    rows = np.concatenate([photo.rows for photo in photos])
    near = 1e-3 * np.abs(never.scores(rows)).max()
    assert np.allclose(model.scores(rows), never.scores(rows), atol=near)
    model.partial_fit([photos[0]], ["ada"])
    again = BestModel(rounds=0).fit([*(photos[i] for i in left), photos[0]], [*names[left], "ada"], [*left, 99])
    assert np.allclose(model.scores(rows), again.scores(rows), atol=near)
    model.forget(photos=[len(left)], settled=False).settle()
    assert np.array_equal(model.coef_, never.coef_) and model.threshold_ == never.threshold_


def test_a_model_without_its_training_says_so(random):
    photos, person = described(random, [3, 3])
    model = BestModel().fit(photos, person.astype(str), np.arange(6))
    opened = pickle.loads(pickle.dumps(model))
    assert np.array_equal(opened.coef_, model.coef_)
    for change in (lambda: opened.forget(["0"]), lambda: opened.partial_fit(photos[:1], ["0"])):
        with pytest.raises(ValueError, match="holds nothing of the photographs"):
            change()


# many photographs


@pytest.fixture
def many(monkeypatch, random):
    """Thirty made-up photographs that count as many, and how often a face of them is described."""
    monkeypatch.setattr(stages, "MANY", 20)
    calls, transform = [], FaceFeatures.transform

    def counted(self, crops):
        calls.append(len(crops))
        return transform(self, crops)

    monkeypatch.setattr(FaceFeatures, "transform", counted)
    faces = [Face(Box(0, 0, 9, 9), random.integers(0, 255, (160, 160, 3)).astype(np.uint8)) for _ in range(30)]
    return [Detection((face,) if i != 3 else ()) for i, face in enumerate(faces)], calls


def test_numbers_of_many_faces_stay_in_files_and_a_stopped_run_goes_on(many, tmp_path):
    found, calls = many
    recipe, known = load_recipe(DEFAULT), load_recipe(DEFAULT).describe(found)
    calls.clear()

    def stop(stage, done, total):
        if done == 20:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stages.describe_faces(found, recipe, step=stop, batch=10, memory=tmp_path)
    assert sum(calls) == 19
    described = stages.describe_faces(found, recipe, batch=10, memory=tmp_path)
    assert sum(calls) == 29  # finished parts are not done again
    for one, other in zip(described, known, strict=True):
        assert np.array_equal(one.rows, other.rows) and np.array_equal(one.areas, other.areas)
        assert one.blocks == other.blocks and not one.rows.flags.owndata
    (folder,) = {path.parent.parent for path in tmp_path.rglob("*.rows")}
    assert all(path.stat().st_mode & 0o077 == 0 for path in folder.rglob("*.rows"))
    assert memory_size(tmp_path) == (0, sum(path.stat().st_size for path in folder.rglob("*.rows")))
    damaged = sorted(folder.rglob("*.rows"))[0]
    data = bytearray(damaged.read_bytes())
    data[5000] ^= 1
    damaged.write_bytes(data)
    again = stages.describe_faces(found, recipe, batch=10, memory=tmp_path)
    assert 38 <= sum(calls) <= 39  # those of the damaged file, and no others
    assert all(np.array_equal(one.rows, other.rows) for one, other in zip(again, known, strict=True))
    clear_memory(tmp_path)
    assert not list(tmp_path.rglob("*.rows"))


def resident(folder):
    "Bytes of this process's memory that show files of a folder."
    kilobytes, within = 0, False
    for line in Path("/proc/self/smaps").read_text(encoding="utf-8").splitlines():
        if not (words := line.split())[0].endswith(":"):
            within = str(folder) in line
        elif within and words[0] == "Rss:":
            kilobytes += int(words[1])
    return 1024 * kilobytes


@pytest.mark.skipif(not Path("/proc/self/smaps").is_file(), reason="only Linux tells which pages are in memory")
def test_rows_that_were_read_from_files_do_not_stay_in_memory(many, tmp_path):
    found, _ = many
    for _ in range(2):  # made, and found again
        told = stages.describe_faces(found, load_recipe(DEFAULT), batch=10, memory=tmp_path)
        assert resident(tmp_path) == 0
    shown = [one for one in told if len(one.rows)]
    names = np.array(["ada", "alan"] * 15)[: len(shown)]
    assert BestModel().fit(shown, names, np.arange(len(shown))).names_of(shown)
    assert resident(tmp_path) == 0
    assert shown[0].rows.any() and resident(tmp_path) > 0


def test_what_cannot_be_kept_stays_in_memory_and_is_said(many, tmp_path, caplog):
    (tmp_path / "file").write_bytes(b"")
    described = stages.describe_faces(many[0], load_recipe(DEFAULT), batch=20, memory=tmp_path / "file")
    assert len(described) == 30 and described[0].rows.shape[0] == 1
    assert "numbers of faces cannot be kept, and stay in memory" in caplog.text


def test_few_photographs_leave_no_files(many, tmp_path):
    found, _ = many
    stages.describe_faces(found[:20], load_recipe(DEFAULT), batch=10, memory=tmp_path)
    assert not list(tmp_path.iterdir())


def test_names_of_many_are_those_of_each(random):
    photos, person = described(random, [4, 4, 4])
    model = BestModel().fit(photos, person.astype(str), np.arange(12))
    crowd = Description(
        np.concatenate([photos[0].rows, photos[5].rows, photos[9].rows]), np.array([9.0, 8, 1]), photos[0].blocks
    )
    nobody = Description(photos[0].rows[:0], np.zeros(0), photos[0].blocks)
    asked = [*photos, crowd, nobody, crowd]
    assert model.names_of(asked) == [model.name_of(photo) for photo in asked]
    assert model.names_of([nobody]) == [None] and model.names_of([]) == []


@pytest.mark.parametrize("whole", [1000, 0])
def test_fits_that_share_their_work_are_those_of_each_part_alone(random, whole, monkeypatch):
    for module in (subjects, tables, shared_fits):
        monkeypatch.setattr(module, "WHOLE", whole)
    monkeypatch.setattr(tables, "COORDINATES", 60)
    photos, person = described(random, [8, 7, 6, 5])
    names, groups = np.array(["ada", "alan", "grace", "joan"])[person], np.arange(26) // 2
    nobody = Description(photos[0].rows[:0], np.zeros(0), photos[0].blocks)
    both = Description(np.concatenate([photos[20].rows, photos[3].rows]), np.array([9.0, 8]), photos[0].blocks)
    photos = [*photos, nobody, both]
    names, groups = np.append(names, ["ada", "ada"]), np.append(groups, [20, 21])
    parts = [np.flatnonzero(np.arange(28) % 4 != k) for k in range(3)] + [np.flatnonzero(names != "alan")]
    fits = load_recipe(DEFAULT).shared_fits(photos, names, groups, 21)
    for part in parts:
        shown = [i for i in part if i != 26]
        alone = BestModel().fit([photos[i] for i in shown], names[shown], groups[shown])
        shared = fits.fit(part, probabilities=True)
        assert list(shared.classes_) == list(alone.classes_)
        for name in ("coef_", "mean_", "intercept_", "temperature_"):
            known = np.asarray(getattr(alone, name), float)
            assert np.allclose(getattr(shared, name), known, rtol=2e-3, atol=2e-3 * np.abs(known).max()), name
        assert shared.names_of(photos) == alone.names_of(photos)


def test_axes_that_were_learnt_from_the_photographs_are_not_shared(random):
    photos, person = described(random, [4, 4])
    own = [Description(p.rows[:, :128], p.areas, (Block("mine", 160, 8, 2, 0),)) for p in photos]
    recipe = load_recipe(DEFAULT)
    assert recipe.shared_fits(own, person.astype(str), np.arange(8), 6) is None
    assert load_recipe(BASELINE).shared_fits(photos, person.astype(str), np.arange(8), 6) is None


def test_a_run_on_many_photographs_leaves_the_classic_search_out_and_says_so(people, tmp_path, monkeypatch):
    monkeypatch.setattr(pipeline, "BASELINE_MOST", 20)
    result = pipeline.run(people, tmp_path / "out", n_repeats=1)
    assert list(result.scores) == [DEFAULT] and "'classic' is not scored beside it" in result.looked.photos.notes[-1]
    assert "is not scored beside it" in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    opened = CelebrityClassifier.load(result.bundle)
    asked = {(name, path.name): path for path, name in zip(people.paths, people.names, strict=True)}
    told = [opened.predict([asked[row["person"], row["file"]]])[0] for row in result.held_out]
    assert [row["named"] for row in result.held_out] == told and len(told) >= 4


def test_the_confusion_of_many_people_shows_those_who_are_mistaken_most():
    truth = np.repeat([f"person {k:03}" for k in range(90)], 3)
    named = truth.copy()
    named[:30] = "person 089"
    drawn = base64.b64decode(_confusion_svg(Scores(DEFAULT, truth, named[None], np.zeros((1, 270), int)))).decode()
    assert "the 40 of 90 people who are mistaken most often" in drawn
    assert all(f"person {k:03}" in drawn for k in range(10)) and "person 088" not in drawn


def test_the_readme_tells_what_the_benchmarks_measured():
    root = Path(__file__).parent.parent
    told = (root / "README.md").read_text(encoding="utf-8").split("### How far it goes")[1].split("###")[0]
    many, growth = (json.loads((root / f"benchmarks/{name}.json").read_text()) for name in ("many", "growth"))
    assert f"{many['photographs']:,} photographs of {many['people']} people" in told
    assert f"{many['seconds'] / 60:.1f} minutes" in told and f"{many['processor_seconds'] / 60:.1f} of one" in told
    assert f"{many['own_gigabytes']:.1f} GB, {many['gigabytes_with_mapped_files']:.1f} with the files" in told
    alone = growth["evaluate"]
    assert f"{alone['photographs']:,} photographs of {alone['people']} people" in told
    assert f"{alone['seconds']:.0f} seconds on two cores" in told and f"{alone['gigabytes']:.2f} GB" in told
    for name in ("further", "suspects"):
        more = growth[f"{name}_doubling"]
        assert f"1,000 to {growth[name][-1]['photographs']:,}" in told
        assert f"× {more['seconds']:.2f} | × {more['gigabytes']:.2f}" in told
    assert f"{growth['further'][0]['one_more_seconds']:.2f} s of one processor" in told
    *_, before, last = growth["further"]
    assert f"from 10,000 to 20,000, takes × {last['seconds'] / before['seconds']:.2f}" in told
    scale = json.loads((root / "benchmarks/scale.json").read_text())
    *_, last, largest = scale["points"]
    assert largest["learn_s"] > last["learn_s"] > 0  # learning is among what was measured
    assert f"between {last['photographs']:,} and {largest['photographs']:,}" in told
    million = scale["million"]
    hours = sum(value for name, value in million.items() if name.endswith("hours"))
    assert f"{hours:.1f} hours of one processor, of which learning {million['learn_hours']:.1f}" in told
    assert f"{million['machines_of_8_for_an_hour']:.0f} machines of eight" in told
    assert f"{million['learn_gb']} GB to learn" in told


def test_the_readme_tells_how_fast_it_was():
    root = Path(__file__).parent.parent
    told = (root / "README.md").read_text(encoding="utf-8").split("### Speed")[1].split("###")[0]
    rows = json.loads((root / "benchmarks/speed.json").read_text(encoding="utf-8"))["rows"]
    was = {name: row["median"] for name, row in rows.items()}
    sooner = rows["first"]["made_of"]["classic s"] / was["first"]
    for words in (
        f"{was['clean']:.1f} × less, and a face found in all",
        f"{was['answer']:.1f} × faster",
        f"{was['requests']:.1f} × more, and p95 {was['p95']:.1f} × shorter",
        f"{sooner:.1f} × sooner",
        f"{was['search']:.0f} × less processor time",
        f"{was['cores']:.1f} × |",
        f"{was['memory']:.2f} × |",
    ):
        assert words in told
    goals = {
        "clean": "8 ×",
        "decode": "three times",
        "answer": "5 ×",
        "requests": "9 ×",
        "p95": "10 ×",
        "search": "40 ×",
    }
    assert {name for name, row in rows.items() if not row["reached"]} == set(goals), "what falls short is all said"
    assert all(goal in told.split("Short of their goals")[1] for goal in goals.values())
    held = json.loads((root / "benchmarks/endurance.json").read_text(encoding="utf-8"))
    assert all(way["minutes"] == 10 and way["clients"] == 16 and way["failed"] == 0 for way in held.values())
    assert f"no worker held more than {max(way['most MB of a worker'] for way in held.values())} MB" in told
    assert f"{held['heroku']['most MB of all, shared pages once']} MB" in told
    waits = [f"{held[way]['p50 ms beside 200 slow clients']:.0f} ms" for way in ("nginx", "heroku")]
    assert f"{waits[0]} at the median with nginx in front, {waits[1]} without" in told
