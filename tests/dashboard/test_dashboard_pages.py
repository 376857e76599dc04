"""Each page, used as from a notebook cell."""

import io
import zipfile

import numpy as np
import pytest

from app.dashboard.board import PAGES, Dashboard
from app.dashboard.export import bundle_zip, card_of
from app.dashboard.glass import through_fourier, through_wavelets
from app.dashboard.mistakes import cell_photos, shares_at
from celebml.classifier import CelebrityClassifier
from celebml.evaluate import Scores


def test_teaching_shows_each_face_and_a_score_with_its_limits(taught):
    page = taught.pages["Teach"]
    assert [item["mark"] for item in page.pictures.items] == ["good"] * 18
    assert "Of 18 photographs" in page.result.value and "95 % confidence" in page.result.value
    assert "Too few" in page.result.value
    assert taught.session.store.photos().people == {"s1": 6, "s3": 6, "s5": 6}


def test_a_photograph_without_a_face_says_so(tmp_path, att):
    page = Dashboard(tmp_path).pages["Teach"]
    card = page.add_photograph("Ada", "wall.ppm", b"P6 40 40 255\n" + bytes([180, 170, 150]) * 1600)
    assert card["mark"] == "bad" and card["caption"] == "no face"


def test_bad_files_are_named_and_the_others_are_kept(tmp_path, att):
    page = Dashboard(tmp_path).pages["Teach"]
    page.name.value = "Ada"
    for name, data in (("a.jpg", b"text"), ("b.pgm", att(0, 0).read_bytes())):
        page._take(name, ["a.jpg", "b.pgm"], data)
    page.wait()
    assert "a.jpg" in page.said.value and page.store.photos().people == {"Ada": 1}


def test_a_zip_of_folders_teaches_several_people_at_once(tmp_path, att):
    page, out = Dashboard(tmp_path).pages["Teach"], io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for person in (0, 2):
            archive.write(att(person, 0), f"set/s{person + 1}/1.pgm")
    page._take("set.zip", ["set.zip"], out.getvalue())
    page.wait()
    assert page.store.photos().people == {"s1": 1, "s3": 1} and page.drop.said == "2 of 2 taken."


def test_a_folder_on_this_computer_is_added_and_a_wrong_one_is_told(tmp_path, folder):
    page = Dashboard(tmp_path / "kept").pages["Teach"]
    page.source.value = "a folder or collected set on this computer"
    page.add.click()
    assert "Type the folder" in page.said.value
    page.path.value = str(tmp_path / "nowhere")
    page.add.click()
    page.session.job.join()
    assert "cannot be opened" in page.session.job.said.value
    page.path.value = str(folder)
    page.add.click()
    page.session.job.join()
    assert set(page.store.photos().people.values()) == {6} and "24 photographs added" in page.said.value


def test_forgetting_asks_first(tmp_path, att):
    page = Dashboard(tmp_path / "kept").pages["Teach"]
    page.add_photograph("Ada", "1.pgm", att(0, 0).read_bytes())
    page.clear.click()
    assert len(page.store.photos()) == 1
    page.sure.value = True
    page.clear.click()
    assert not len(page.store.photos())


def test_trying_names_a_held_out_photograph_with_reasons_and_doubts_a_stranger(taught, att):
    page = taught.pages["Try"]
    page.ask(att(0, 8).read_bytes())
    page.wait()
    best, classic = page.answers["best"].value, page.answers["classic"].value
    assert "</span> s1</h4>" in best and "heat map" in best and "cm-box" in best
    assert "always names somebody" in classic
    page.ask(att(39, 9).read_bytes())
    page.wait()
    assert "</span> unknown</h4>" in page.answers["best"].value
    page.ask(b"no photograph")
    page.wait()
    assert "not an image" in page.said.value


def test_glass_changes_the_face_and_the_answer(taught):
    page = taught.pages["See the signal"]
    page.kind.value, page.act.value = "Fourier", True
    page.band.value = (0, 3)
    blurred = page.filtered()
    assert np.abs(blurred.astype(int) - page.face.crop).mean() > 3
    assert len(page.seen.items) == 4 and len(page.taken.items) == 4
    assert page.before.value != page.after.value
    page.kind.value = "Wavelets"
    page.level.value, page.threshold.value = 3, 60
    changed = page.after.value
    page.threshold.value = 0
    assert page.after.value.split("</h4>")[1] == page.before.value.split("</h4>")[1] != changed.split("</h4>")[1]


def test_glass_that_keeps_everything_changes_nothing(taught):
    crop = taught.session.trained.classifiers["best"].classify(taught.session.trained.photos.paths[0])[0].face.crop
    assert np.abs(through_wavelets(crop, "db2", 3, 0, True) - crop).max() < 1e-6
    low, rest = through_fourier(crop, 0, 10, True), through_fourier(crop, 0, 10, False)
    assert np.abs(low + rest - crop - crop.mean((0, 1))).max() < 1e-6, "a band and the rest make the face"


def test_a_cell_shows_its_photographs(taught):
    page = taught.pages["Understand the errors"]
    page.show_cell(0, 0)
    assert len(page.pictures.items) == sum(row[0] == "s1" for row in zip(taught.session.trained.photos.names))
    assert "s1" in page.cell.value and page.matrix.chosen == [0, 0]


def test_a_cell_holds_what_was_named_so_in_any_round():
    truth = np.array(["Ada", "Ada", "Alan"])
    scores = Scores("best", truth, np.array([["Ada", "Alan", "Alan"], ["Ada", "Ada", "Alan"]]), np.zeros((2, 3), int))
    assert cell_photos(scores, "Ada", "Ada") == [(0, 2), (1, 1)]
    assert cell_photos(scores, "Ada", "Alan") == [(1, 1)]
    assert cell_photos(scores, "Alan", "Ada") == []


def test_the_threshold_moves_what_passes_and_is_remembered(taught, att):
    page, model = taught.pages["Understand the errors"], taught.session.trained.classifiers["best"].model_
    before = model.threshold_
    try:
        page.threshold.value = page.threshold.max
        assert "0.0 % of the faces it knows" in page.passing.value
        assert "moved by hand" in card_of(taught.session.trained)
        other = Dashboard(taught.session.store.folder)
        assert other.session.trained.classifiers["best"].model_.threshold_ == pytest.approx(page.threshold.max)
    finally:
        page.threshold.value = before
    assert shares_at(np.array([1.0, 2.0]), np.array([]), 1.5) == (0.5, None)


def test_the_learning_curve_is_drawn_and_kept(taught):
    page = taught.pages["Understand the errors"]
    page.draw.click()
    taught.session.job.join()
    assert "<polyline" in page.curve.value
    sizes, means, lowest, highest = np.array(taught.session.store.load().curve).T
    assert list(sizes) == sorted(sizes) and (lowest <= means).all() and (means <= highest).all()


def test_rejecting_and_retraining_leaves_a_photograph_out(tmp_path, att, teach):
    dashboard = Dashboard(tmp_path)
    teach(dashboard, (0, 2), range(4))
    page = dashboard.pages["Clean"]
    page.look.click()
    dashboard.session.job.join()
    page.place.children[0]._act({"action": "reject", "index": 0})
    page.retrain.click()
    dashboard.session.job.join()
    assert len(dashboard.session.trained.photos) == 7 and len(dashboard.session.store.photos()) == 8


def test_the_export_opens_with_the_package(taught, tmp_path, att):
    data = bundle_zip(taught.session.store, taught.session.trained, with_portraits=True)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        archive.extractall(tmp_path)
    opened = CelebrityClassifier.load(tmp_path / "bundle")
    assert opened.predict([att(2, 9)]) == ["s3"]
    assert set(opened.bundle_.pictures) == {f"portraits/s{k}.jpg" for k in (1, 3, 5)}
    assert "Model card" in opened.bundle_.card and "Model card" in taught.pages["Export"].card.value


def test_everything_is_there_again_in_a_new_kernel(taught, att):
    taught.pages["Try"].ask(att(0, 8).read_bytes())
    taught.pages["Try"].wait()
    again = Dashboard(taught.session.store.folder)
    for name in ("Teach", "Try"):
        again.pages[name].wait()
    assert len(again.pages["Teach"].pictures.items) == 18
    assert again.pages["Teach"].result.value == taught.pages["Teach"].result.value
    assert "</span> s1</h4>" in again.pages["Try"].answers["best"].value
    assert again.pages["Understand the errors"].matrix.counts == taught.pages["Understand the errors"].matrix.counts


def test_an_interrupted_training_is_told_and_a_damaged_one_too(tmp_path, taught):
    dashboard = Dashboard(tmp_path)
    dashboard.session.store.note(training=True)
    dashboard.session.reload()
    assert "interrupted" in dashboard.session.job.said.value
    (tmp_path / "trained").mkdir()
    (tmp_path / "trained" / "answers.json").write_text("{")
    other = Dashboard(tmp_path)
    assert other.session.trained is None and "train again" in other.session.job.said.value


def test_every_page_stands_empty_without_an_error(tmp_path):
    dashboard = Dashboard(tmp_path)
    for name in PAGES:
        dashboard.choose.value = name
        assert [other for other, page in dashboard.pages.items() if page.layout.display != "none"] == [name]
    for act in (dashboard.pages["Teach"].train, dashboard.pages["Clean"].look):
        act.click()
        dashboard.session.job.join()
        assert "two people" in dashboard.session.job.said.value
