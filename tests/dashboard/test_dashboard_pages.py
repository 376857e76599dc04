"""The pages, as they are used in a notebook cell: what a button does, and what is told of it."""

import io
import json
import shutil
import sys
import time
import zipfile
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest
from PIL import Image
from waiting import until

from celebml import recipes
from celebml.classifier import CelebrityClassifier
from celebml.evaluate import Scores
from celebml.recipes import BASELINE, DEFAULT, recipe_names
from celebml.report import strangers_told
from celebml_app.dashboard.dashboard import PAGES, Dashboard
from celebml_app.dashboard.pages.cleaning import StoreReview, doubts_of, queue_of
from celebml_app.dashboard.pages.export import bundle_zip, card_of, poster
from celebml_app.dashboard.pages.mistakes import cell_photos, shares_at, worst_confusions
from celebml_app.dashboard.pages.signal import through_fourier, through_wavelets
from celebml_app.dashboard.session import TICK
from celebml_app.dashboard.widgets.frontend import FRONTEND, together


@pytest.fixture
def small(tmp_path, teach):
    "A dashboard of its own with two people, which has learnt nothing."
    dashboard = Dashboard(tmp_path / "kept")
    teach(dashboard, (0, 2), range(3))
    return dashboard


@pytest.fixture(scope="module")
def learnt(tmp_path_factory, teach):
    "The folder of one like it that has learnt."
    dashboard = Dashboard(tmp_path_factory.mktemp("learnt") / "kept")
    teach(dashboard, (0, 2), range(3))
    assert dashboard.session.learn()
    dashboard.session.wait()
    return dashboard.session.store.folder


@pytest.fixture
def knowing(learnt, tmp_path):
    "A dashboard of its own that has learnt two people."
    return Dashboard(shutil.copytree(learnt, tmp_path / "kept"))


def people(dashboard):
    return {card["name"]: card["count"] for card in dashboard.pages["Teach"].view.people}


def test_each_person_has_a_card_and_the_score_its_limits(taught):
    view = taught.pages["Teach"].view
    assert people(taught) == {"s1": 6, "s3": 6, "s5": 6}
    assert all(card["faces"] == 6 and card["portrait"].startswith("data:image/jpeg") for card in view.people)
    assert (
        view.score["share"] == 1 and "18 of 18" in view.score["sentence"] and "between 82 %" in view.score["sentence"]
    )
    assert not view.score["stale"] and "Too few" in view.score["advice"][0]


def test_a_photograph_without_a_face_is_counted_as_that(small):
    wall = b"P6 40 40 255\n" + bytes([180, 170, 150]) * 1600
    small.pages["Teach"].answer({"kind": "file", "person": "s1", "path": "wall.ppm"}, wall)
    card = small.pages["Teach"].view.people[0]
    assert card["count"] == 4 and card["looked"] - card["faces"] == 1


def test_a_bad_file_is_a_sentence_and_costs_nothing_else(small):
    answer = small.pages["Teach"].answer({"kind": "file", "person": "s1", "path": "a.jpg"}, b"text")
    assert "a.jpg: not an image" in answer["problem"] and people(small) == {"s1": 3, "s3": 3}


def test_renaming_merging_moving_removing_and_undoing(small):
    page = small.pages["Teach"]
    page.act("rename", person="s1", name="Ada")
    assert people(small) == {"Ada": 3, "s3": 3}
    assert page.act("rename", person="s3", name="ada") == {"conflict": "Ada"} and people(small)["s3"] == 3
    page.act("rename", person="s3", name="ada", merge=True)
    assert people(small) == {"Ada": 6} and page.view.undo == "3 photographs merged into Ada"
    page.act("undo")
    items = page.act("photos", person="s3")["items"]
    assert len(items) == 3 and items[0]["caption"] == "face found"
    page.act("move", places=[items[0]["place"]], person="Ada")
    page.act("remove", places=[items[1]["place"]])
    assert people(small) == {"Ada": 4, "s3": 1} and page.view.bin == 1
    page.act("undo")
    page.act("undo")
    assert people(small) == {"Ada": 3, "s3": 3}
    page.act("forget")
    assert people(small) == {} and page.view.undo.startswith("everything forgotten")
    page.act("undo")
    assert people(small) == {"Ada": 3, "s3": 3}


def test_a_second_page_sees_what_the_first_did(small):
    other = Dashboard(small.session.store.folder)
    small.pages["Teach"].act("remove_person", person="s1")
    other.session.look()
    assert people(other) == {"s3": 3}
    assert small.pages["Teach"].view.undo == other.pages["Teach"].view.undo


def test_a_photograph_that_comes_is_known_at_once_and_the_score_follows(knowing, att, teach):
    session, page = knowing.session, knowing.pages["Teach"]
    assert not session.teach(), "nothing has come since"
    before, heard = session.classifier, page.view.learnt
    assert page.answer({"kind": "ask", "path": "x.pgm"}, att(4, 9).read_bytes())["faces"][0]["name"] != "s5"
    teach(knowing, (4,), range(2))
    assert session.teach(), "as the thread does that looks after a page that is seen"
    assert session.classifier is not before and page.view.learnt != heard, "so the page asks again"
    assert page.answer({"kind": "again"}, b"")["faces"][0]["name"] == "s5"
    assert session.stale and "s5" not in session.trained.classifier.classes_, "the score is of before, and says so"
    assert not session.teach()
    teach(knowing, (6,), range(7))
    assert not session.teach(), "of many, all is learnt anew in the background"
    session.learn()
    session.wait()
    assert not session.stale and set(session.classifier.classes_) == {"s1", "s3", "s5", "s7"}


def test_a_photograph_that_goes_or_changes_its_person_changes_the_answer_at_once(small, att, teach):
    session, page = small.session, small.pages["Teach"]
    teach(small, (4,), range(2))
    session.learn()
    session.wait()
    session.teach()
    asked = lambda: page.answer({"kind": "ask", "path": "x.pgm"}, att(4, 9).read_bytes())["faces"][0]["name"]
    places = session.store.places_of("s5")
    assert asked() == "s5"
    for act, name in (
        ("move", "Ada"),
        ("undo", "s5"),
        ("remove", None),
        ("undo", "s5"),
        ("move", "s1"),
        ("undo", "s5"),
    ):
        before = page.view.learnt
        page.act(act, places=places, person=name)
        assert session.teach(), "as the thread does that looks after a page that is seen"
        assert page.view.learnt != before, "so the page asks again"
        people = {"s1", "s3"} | ({name} if name else set())
        assert set(session.classifier.classes_) == people and (asked() == name or name is None), (act, name)
        assert session.stale == (act != "undo"), "the score is of before"
    page.act("rename", person="s3", name="Alan")
    assert session.teach() and set(session.classifier.classes_) == {"s1", "Alan", "s5"}
    page.act("remove_person", person="s5")
    page.act("remove_person", person="s1")
    assert not session.teach() and "s5" in session.classifier.classes_, "one person cannot be told apart"


def test_what_is_gone_for_good_or_there_twice_is_forgotten_as_the_photographs_say(small, att, teach):
    session, page = small.session, small.pages["Teach"]
    teach(small, (4,), range(2))
    page.answer({"kind": "file", "person": "s3", "path": att(4, 0).name}, att(4, 0).read_bytes())  # a copy
    teach(small, (6,), range(1))
    session.learn()
    session.wait()
    assert page.view.score["advice"][0].startswith("Neither scored nor taken away yet: s7.")
    assert session.teach(), "but it answers with the one photograph"
    (copy,) = (
        place
        for place in session.store.places_of("s3")
        if session.store.path(place).name in {session.store.path(other).name for other in session.store.places_of("s5")}
    )
    page.act("remove", places=[copy])
    assert session.teach()
    names = session.classifier.model_.training_.names
    assert {name: int((names == name).sum()) for name in names} == {"s1": 3, "s3": 3, "s5": 2, "s7": 1}
    page.act("remove", places=session.store.places_of("s5"))
    page.act("empty_bin")
    assert not session.teach(), "nobody can tell what was on them: all is learnt anew in the background"


def test_photographs_are_not_read_again_where_nothing_has_changed(taught, att, monkeypatch):
    session, read = Dashboard(taught.session.store.folder).session, []
    fingerprint = session.store.fingerprint
    monkeypatch.setattr(session.store, "fingerprint", lambda *photos: read.append(photos) or fingerprint(*photos))
    until(lambda: time.monotonic() - session._changed_at > TICK)
    for _ in range(5):
        session.look()
        assert not session.stale
        session._learn_by_itself()
    assert len(read) <= 1
    session.store.add("s1", "9.pgm", att(0, 9).read_bytes())
    try:
        session.look()
        assert session.stale
    finally:
        session.store.undo()
    session.look()
    assert not session.stale


def test_what_comes_while_something_else_is_learnt_is_taught_to_that(knowing, teach):
    session = knowing.session
    teach(knowing, (4,), range(2))
    session.learn()
    session.wait()
    assert not session.teach() and "s5" in session.classifier.classes_


def test_several_faces_are_asked_about_and_the_answer_is_kept(taught, tmp_path, att, teach):
    dashboard = Dashboard(tmp_path / "kept")
    both = Image.new("L", (460, 300), 150)
    both.paste(Image.open(att(2, 7)).resize((184, 224)), (20, 40))
    both.paste(Image.open(att(0, 7)).resize((184, 224)), (250, 40))
    out = io.BytesIO()
    both.save(out, "PNG")
    page = dashboard.pages["Teach"]
    page.answer({"kind": "file", "person": "s1", "path": "both.png"}, out.getvalue())
    assert page.view.people[0]["asks"] == 1
    dashboard.session.classifier = taught.session.classifier
    (item,) = page.act("asks", person="s1")["items"]
    assert len(item["boxes"]) == 2
    right = max(range(2), key=lambda number: item["boxes"][number][0])
    assert item["likely"] == right, "the one that looks like the others of the card"
    page.act("face", place=item["place"], number=right)
    assert page.view.people[0]["asks"] == 0
    path = dashboard.session.store.path(item["place"])
    chosen = dashboard.session.gallery.chosen(path, dashboard.session.store.choices())
    assert len(chosen.faces) == 1 and chosen.faces[0].box.x > 200


def test_a_sample_fills_an_empty_page(tmp_path):
    dashboard = Dashboard(tmp_path / "kept")
    dashboard.pages["Teach"].act("sample", which="att")
    dashboard.pages["Teach"].wait()
    assert people(dashboard) == {f"s{k}": 10 for k in range(1, 9)}


def test_asking_names_a_held_out_photograph_with_reasons_and_doubts_a_stranger(taught, att):
    page = taught.pages["Teach"]
    # up to a fifth of a person's own photographs may be turned away, so one that is proves nothing
    asked = [page.answer({"kind": "ask", "path": "x.pgm"}, att(0, k).read_bytes())["faces"] for k in (6, 7, 9, 8)]
    assert [face["name"] for (face,) in asked] == ["s1"] * 4 and asked[-1][0]["bars"][0][0] == "s1"
    assert sum(face["known"] for (face,) in asked) >= 2
    assert page.answer({"kind": "why"}, b"")["src"].startswith("data:image")
    (face,) = page.answer({"kind": "frame"}, att(39, 9).read_bytes())["faces"]
    assert face["known"] is False
    assert "not an image" in page.answer({"kind": "ask", "path": "x"}, b"no photograph")["problem"]


def test_what_was_asked_comes_back_on_a_page_that_was_ready_before(taught, tmp_path, att):
    waiting, other = (Dashboard(tmp_path / "kept").pages["Teach"] for _ in range(2))  # one kernel waits for a visitor
    assert waiting.answer({"kind": "again"}, b"") == {}
    other.answer({"kind": "ask", "path": "x.pgm"}, att(0, 6).read_bytes())
    waiting.session.classifier = taught.session.classifier  # as the page's first message makes it
    assert waiting.answer({"kind": "again"}, b"")["faces"][0]["name"] == "s1"


def test_the_filter_changes_the_face_and_the_answer(taught):
    page = taught.pages["Signal"]
    taught.turn_to("Signal")
    page.kind.value, page.act.value = "Fourier", True
    page.band.value = (0, 3)
    assert np.abs(page.filtered().astype(int) - page.face.crop).mean() > 3
    assert len(page.seen.items) == 4 and len(page.taken.items) == 4 and page.before.value != page.after.value
    page.kind.value = "Wavelets"
    page.level.value, page.threshold.value = 3, 60
    changed = page.after.value
    page.threshold.value = 0
    assert page.after.value.split("</h4>")[1] == page.before.value.split("</h4>")[1] != changed.split("</h4>")[1]


def test_a_filter_that_keeps_everything_changes_nothing(taught):
    crop = taught.session.gallery.detect(taught.session.trained.photos.paths[0]).faces[0].crop
    assert np.abs(through_wavelets(crop, "db2", 3, 0, True) - crop).max() < 1e-6
    low, rest = through_fourier(crop, 0, 10, True), through_fourier(crop, 0, 10, False)
    assert np.abs(low + rest - crop - crop.mean((0, 1))).max() < 1e-6, "a band and the rest make the face"


def test_a_cell_shows_its_photographs_and_they_can_be_put_right_there(knowing):
    knowing.turn_to("Mistakes")
    page = knowing.pages["Mistakes"]
    page.show_cell("s1", "s1")
    shown = page.photographs.items
    assert len(shown) == 3 and page.photographs.title == "s1, named correctly: 3" and page.matrix.chosen == [0, 0]
    said = page.act({"act": "move", "places": [shown[0]["place"]], "person": "Ada"})
    assert "1 photograph moved to Ada" in said["said"] and people(knowing) == {"Ada": 1, "s1": 2, "s3": 3}
    assert knowing.session.stale and "before the last changes" in page.score.value
    page.act({"act": "undo"})
    assert people(knowing) == {"s1": 3, "s3": 3} and not knowing.session.stale
    assert "problem" in page.act({"act": "burn", "places": []})


def test_an_open_cell_stays_open_while_a_new_score_comes(knowing, att):
    knowing.turn_to("Mistakes")
    page, teach = knowing.pages["Mistakes"], knowing.pages["Teach"]
    teach.answer({"kind": "file", "person": "s3", "path": "again.jpg"}, att(2, 4).read_bytes())

    def learn():
        assert knowing.session.learn()
        knowing.session.wait()

    learn()
    page.show_cell("s3", "s3")
    shown, title = page.photographs.items, page.photographs.title
    for left in (3, 2):  # with two photographs there is no score
        page.act({"act": "remove", "places": [shown[left]["place"]]})
        learn()
        assert page.photographs.items == shown and page.photographs.title == title
        assert (sum(page.matrix.counts[1]), page.matrix.chosen) == (3, [1, 1]) if page.matrix.rows else left == 2
    page.act({"act": "undo"})
    learn()
    assert page.photographs.items == shown and page.matrix.chosen == [1, 1]
    knowing.pages["Teach"].act("rename", person="s3", name="Ada")
    learn()
    assert page.matrix.rows == ["Ada", "s1"] and page.matrix.chosen == [-1, -1] and page.photographs.items == []
    page.show_cell("s3", "s3")  # pressed in a table of a moment ago
    assert page.photographs.items == []


def test_a_cell_holds_what_was_named_so_in_any_round():
    truth = np.array(["Ada", "Ada", "Alan"])
    scores = Scores(DEFAULT, truth, np.array([["Ada", "Alan", "Alan"], ["Ada", "Ada", "Alan"]]), np.zeros((2, 3), int))
    assert cell_photos(scores, "Ada", "Ada") == [(0, 2), (1, 1)]
    assert cell_photos(scores, "Ada", "Alan") == [(1, 1)] and cell_photos(scores, "Alan", "Ada") == []
    named = np.array([["Alan", "Alan", "Ada"], ["Alan", "Alan", "Alan"]])
    assert worst_confusions(Scores(DEFAULT, truth, named, scores.folds)) == [("Ada", "Alan", 2)]


def test_only_a_hand_moves_the_threshold_and_it_is_remembered_and_told(taught):
    page, session = taught.pages["Mistakes"], taught.session
    taught.turn_to("Mistakes")
    own = session.own_threshold
    assert page.threshold.value == pytest.approx(own) and "moved by hand" not in card_of(session)
    classifier = session.trained.classifier
    told = strangers_told(classifier.stranger_scores, classifier.passer_scores, own)
    assert "of passers-by" in told and told in page.passing.value and told in card_of(session)
    page.threshold.value = 0.0  # what an echo would do
    assert session.store.threshold(session.trained) is None
    try:
        page.threshold.take({"moved": page.threshold.high})
        assert "0.0 % of the faces it knows" in page.passing.value and "moved by hand" in card_of(session)
        other = Dashboard(session.store.folder)
        assert other.session.store.threshold(other.session.trained) == pytest.approx(page.threshold.high)
        assert "moved by hand" in card_of(other.session)
    finally:
        page.threshold.take({"own": True})
    assert session.store.threshold(session.trained) is None and "moved by hand" not in card_of(session)
    assert shares_at(np.array([1.0, 2.0]), np.array([]), 1.5) == (0.5, None)


def test_another_recipe_and_the_learning_curve_come_when_they_are_asked_for(taught):
    page = taught.pages["Mistakes"]
    taught.turn_to("Mistakes")
    assert page.recipe.options == (DEFAULT,) and page.other.options == tuple(
        name for name in recipe_names() if name != DEFAULT
    )
    page.draw_curve.click()
    taught.session.wait()
    assert "<polyline" in page.curve.value
    sizes, means, lowest, highest = np.array(taught.session.store.read("curve.json")["points"]).T
    assert list(sizes) == sorted(sizes) and (lowest <= means).all() and (means <= highest).all()
    page.other.value = BASELINE
    page.compare.click()
    taught.session.wait()
    assert page.recipe.options == (DEFAULT, BASELINE) and BASELINE not in page.other.options
    assert page.use.layout.display == "none", "it is taught with this one already"
    page.recipe.value = BASELINE
    assert f"the {BASELINE} recipe named" in page.score.value and page.use.layout.display == ""
    page.recipe.value = DEFAULT


TESTS = Path(__file__).parents[1]
MINE = """
from dataclasses import dataclass

from celebml.features import ClassicFeatures
from celebml.landmarks import YuNetDetector
from celebml.recipes import Recipe, register_part


@dataclass(frozen=True)
class Detector(YuNetDetector):
    pass


register_part("of-my-own", Nearest)
register_part("my-detector", Detector)
mine = Recipe("mine", Detector(), ClassicFeatures(), Nearest)
"""


@pytest.fixture
def registries():
    "What a test registers is gone after it."
    with patch.dict(recipes.MODELS), patch.dict(recipes.DETECTORS), patch.dict(sys.modules):
        yield


@pytest.mark.usefixtures("registries")
def test_a_recipe_of_ones_own_is_taught_answers_is_compared_and_taken_away(small, att, tmp_path, monkeypatch):
    (tmp_path / "my_own_recipes.py").write_text((TESTS / "own_model.py").read_text() + MINE)
    monkeypatch.syspath_prepend(tmp_path)
    session, page = small.session, small.pages["Mistakes"]
    session.store.set(recipe="my_own_recipes:mine")  # as `celebml dashboard --recipe` does
    session.learn()
    session.wait()
    assert session.trained.recipe == "mine" and not session.stale
    small.turn_to("Mistakes")
    assert page.recipe.options == ("mine",) and page.other.options[0] == DEFAULT and not page.threshold.shown
    small.pages["Teach"].answer({"kind": "ask", "path": "x.pgm"}, att(2, 9).read_bytes())
    assert small.pages["Teach"].answer({"kind": "again"}, b"")["faces"][0]["known"] is None
    with zipfile.ZipFile(io.BytesIO(bundle_zip(session))) as archive:
        assert json.loads(archive.read("bundle/manifest.json"))["recipe"]["name"] == "mine"
    page.compare.click()
    session.wait()
    assert page.recipe.options == ("mine", DEFAULT)
    page.recipe.value = DEFAULT
    page.use.click()
    assert session.trained.recipe == DEFAULT and not session.stale, "what was compared is taken over at once"
    assert page.recipe.options == (DEFAULT, "mine") and session.classifier.recipe_.name == DEFAULT
    assert Dashboard(session.store.folder).session.compared["mine"].recipe == "mine"


def test_doubtful_photographs_come_first_and_decisions_are_done_at_once(knowing):
    trained = knowing.session.trained
    scores = trained.scores
    named = scores.named.copy()
    named[:, 1] = "s3"
    trained.scores = Scores(DEFAULT, scores.truth, named, scores.folds)
    assert doubts_of(trained)[0][trained.chosen[1]] == 1 and doubts_of(trained)[1][trained.chosen[1]] == "s3"
    knowing.turn_to("Clean")
    page = knowing.pages["Clean"]
    knowing.session.tell("learnt")
    assert page.place.children[0].cards.items[0]["note"] == "looks like s3"
    review = StoreReview(knowing.session, queue_of(knowing.session))
    first = review.items[0]
    assert first.path == trained.photos.paths[trained.chosen[1]] and first.looks_like == "s3"
    review.decide(first, "relabel", "s3")
    assert people(knowing) == {"s1": 2, "s3": 4}
    review.decide(review.items[1], "reject")
    review.decide(review.items[2], "keep")
    assert review.progress() == {"photographs": 6, "decided": 3, "keep": 1, "reject": 1, "relabel": 1}
    assert [review.undo(), review.undo(), review.undo()] == [review.items[2], review.items[1], first]
    assert people(knowing) == {"s1": 3, "s3": 3} and review.undo() is None


def test_the_export_opens_with_the_package_and_the_poster_shows_everybody(taught, tmp_path, att, monkeypatch):
    with zipfile.ZipFile(io.BytesIO(bundle_zip(taught.session, with_portraits=True))) as archive:
        archive.extractall(tmp_path)
    opened = CelebrityClassifier.load(tmp_path / "bundle")
    assert opened.predict([att(2, 9)]) == ["s3"]
    taught.turn_to("Take it away")
    assert (
        "Model card" in taught.pages["Take it away"].card.value
        and "s1, s3, s5" in taught.pages["Take it away"].head.value
    )
    with zipfile.ZipFile(io.BytesIO(bundle_zip(taught.session))) as archive:
        assert not [name for name in archive.namelist() if "training" in name], "what it learnt from stays here"
        told = sum(len(archive.read(name)) for name in archive.namelist()) / 1e6
    assert f"Your model, {told:.1f} MB" in taught.pages["Take it away"].head.value
    picture = Image.open(io.BytesIO(poster(taught.session)))
    faces = np.asarray(picture)[190:360, 48:218]
    assert picture.format == "PNG" and faces.std() > 20, "a face is where the first portrait belongs"


def test_everything_is_there_again_in_a_new_kernel(taught):
    again = Dashboard(taught.session.store.folder)
    for dashboard in (taught, again):
        dashboard.turn_to("Mistakes")
    assert people(again) == people(taught) and again.pages["Teach"].view.score == taught.pages["Teach"].view.score
    assert again.pages["Mistakes"].matrix.counts == taught.pages["Mistakes"].matrix.counts


def test_a_damaged_training_is_told_and_can_be_made_anew(small):
    (small.session.store.folder / "trained").mkdir()
    (small.session.store.folder / "trained" / "answers.json").write_text("{")
    small.session.look()
    assert "train again" in small.pages["Teach"].view.work["said"] and small.session.trained is None
    small.session.learn()
    small.session.wait()
    assert small.pages["Teach"].view.work["said"] == "" and small.session.trained is not None


def test_every_page_stands_empty_without_an_error(tmp_path):
    dashboard = Dashboard(tmp_path / "kept")
    for name in PAGES:
        dashboard.tabs.chosen = name
        assert [other for other, page in dashboard.pages.items() if page.layout.display != "none"] == [name]
    dashboard.pages["Teach"].act("learn")
    assert dashboard.session.work.wait().state == "failed"
    dashboard.session.look()
    assert "two photographs each are the least" in dashboard.pages["Teach"].view.work["said"]
    assert str(tmp_path) not in json.dumps(dashboard.pages["Teach"].view.work)


@pytest.mark.parametrize("name", sorted(path.stem for path in FRONTEND.glob("*.js")))
def test_the_modules_of_the_page_go_together_without_a_circle(name):
    text = together(name)
    assert "import {" not in text.split("async function")[0] and text.count("export default") <= 1


def test_a_circle_of_modules_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("celebml_app.dashboard.widgets.frontend.FRONTEND", tmp_path)
    (tmp_path / "a.js").write_text('import { b } from "./b.js";\n')
    (tmp_path / "b.js").write_text('import { a } from "./a.js";\n')
    with pytest.raises(ValueError, match="a → b → a is a circle"):
        together("a")


def test_readme_tells_what_was_measured():
    root = Path(__file__).parents[2]
    readme = (root / "README.md").read_text(encoding="utf-8")
    for row in json.loads((root / "benchmarks" / "dashboard.json").read_text(encoding="utf-8"))["tasks"]:
        assert f"| {row['task']} | {row['clicks']} | {row['seconds']} | {len(row['other']) or '–'}" in readme
    at_once = json.loads((root / "benchmarks" / "at_once.json").read_text(encoding="utf-8"))
    for what in ("known", "removed", "moved"):
        assert f"{what} {at_once[what]['median']:.2f} s" in readme
