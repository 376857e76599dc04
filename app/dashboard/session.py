"""What the pages of one visitor share: the store, the work on it, and what was learnt; two visitors see each other."""

import base64
import copy
import os
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

from celebml.classifier import CelebrityClassifier
from celebml.datasets import PhotoSet
from celebml.errors import BundleError, DataError
from celebml.faces import Face
from celebml.photographs import Photograph, read_photograph
from celebml.training import digest_of

from .drawing import data_url
from .kept.gallery import Gallery
from .kept.store import Store
from .kept.trained import Trained
from .work.jobs import Work, sentence

DEFAULT = Path("runs/dashboard")
AT_ONCE = 6  # photographs that what answers learns in a moment; of more, all is learnt anew in the background
QUIET = 0.7  # seconds without a change after which it learns by itself
TICK = 0.1  # seconds after which another change of a folder has another time for certain


class Session:
    """State of one page.

    Parameters
    ----------
    folder : path or None
        Where everything is kept; `$CELEBML_DASHBOARD`, or runs/dashboard.
    """

    def __init__(self, folder: str | Path | None = None):
        self.store = Store(folder or os.environ.get("CELEBML_DASHBOARD") or DEFAULT)
        self.gallery, self.work = Gallery(self.store), Work(self.store.folder)
        self.served = bool(os.environ.get("CELEBML_SERVED"))  # pictures and uploads go through the server
        self.trained: Trained | None = None
        self.compared: dict[str, Trained] = {}  # what other recipes made of photographs, by recipe
        self.classifier: CelebrityClassifier | None = None
        self.own_threshold: float | None = None  # as training chose it, whatever somebody chose since
        self.learnt_from = ""  # fingerprint of the photographs that the classifier has learnt from
        self.damaged = ""
        self.face: Face | None = None
        self._watchers: dict[str, list[Callable[[], None]]] = {}
        self._stamps: dict[str, tuple] = {}
        self._taught: dict[str, str] = {}  # what the classifier has learnt from: digests, "" where no face is seen
        self._came = False  # whether others may have come since
        self._next: tuple[str, str] | None = None  # a task that waits for other work
        self._begun_again: set[str] = set()
        self._lock, self._watching, self._changed_at = threading.RLock(), None, 0.0
        self._there = ""  # fingerprint of the photographs as they were at the last look, where it is sure
        self.look()

    # Telling each other

    def watch(self, told: Callable[[], None], *what: str) -> None:
        "Call a function when something changed: photos, learnt, answer, work, threshold, curve or face."
        for one in what:
            self._watchers.setdefault(one, []).append(told)

    def tell(self, *what: str) -> None:
        "Call whoever watches, each once."
        for told in dict.fromkeys(told for one in what for told in self._watchers.get(one, [])):
            told()

    def look(self) -> list[str]:
        "Take up what changed in the folder, whoever changed it, and tell; returns what did."
        with self._lock:
            changed = [what for what, files in self._files().items() if self._is_new(what, files)]
            if "photos" in changed:
                self._changed_at, self._there = time.monotonic(), ""
            if "learnt" in changed:
                self._load()
            self._came |= bool({"photos", "learnt"} & set(changed))
            if "threshold" in changed or "learnt" in changed:
                self._apply_threshold()
        self.tell(*changed)
        return changed

    def keep_looking(self) -> None:
        "Look again and again from now on: somebody sees this page."
        if self._watching is None:
            self._watching = threading.Thread(target=self._look_for_ever, daemon=True)
            self._watching.start()

    def _look_for_ever(self) -> None:
        while True:
            try:
                self.look()
                self.teach()
                self._learn_by_itself()
                if self._next and not self.work.status().running:
                    self.begin(*self._next)
            except Exception as error:  # noqa: BLE001 - the last line of a thread; the log has it
                sentence(error)
            time.sleep(0.1)

    def _files(self) -> dict[str, list[Path]]:
        folder = self.store.folder
        people = [path for path in self.store.people.glob("*") if path.is_dir()]
        settings = [folder / "choices.json", folder / "settings.json", self.store.decisions]
        return {
            "photos": [self.store.people, *people, self.gallery.file, self.store.history.file, *settings],
            "learnt": [folder / name / "answers.json" for name in ("trained", "fresh", *self.store.compared())],
            "threshold": [folder / "threshold.json"],
            "curve": [folder / "curve.json"],
            "work": [self.work.file],
        }

    def _is_new(self, what: str, files: list[Path]) -> bool:
        stamp = tuple((str(file), _changed(file)) for file in files)
        if what == "work":
            stamp = (stamp, self.work.status().state)
        if self._stamps.get(what) == stamp:
            return False
        self._stamps[what] = stamp
        return True

    # What was learnt

    def _load(self) -> None:
        self.damaged = ""
        try:
            self.trained, fresh = self.store.load(), self.store.load("fresh")
            others = filter(None, map(self.store.load, self.store.compared()))
            self.compared = {other.recipe: other for other in others}
        except BundleError as error:
            self.trained, fresh, self.compared, self.damaged = None, None, {}, sentence(error)
        self.own_threshold = self.trained.classifier.threshold if self.trained else None
        newest = fresh or self.trained
        self.classifier = newest.classifier if newest else None
        self.learnt_from = newest.of if newest else ""
        self._taught = newest.digests(self.store.people) if newest else {}

    def _apply_threshold(self) -> None:
        "The threshold that somebody chose for this training, or the training's own."
        if self.trained is None:
            return
        chosen = self.store.threshold(self.trained)
        self.trained.classifier.threshold = self.own_threshold if chosen is None else chosen
        if chosen is not None and self.classifier.recipe_.name == self.trained.recipe:
            self.classifier.threshold = chosen

    def choose_threshold(self, value: float | None) -> None:
        "The score from which a face is taken for one of the people, as somebody chose it; `None` for the model's own."
        self.store.set_threshold(self.trained, value)
        self.look()

    @property
    def stale(self) -> bool:
        "Whether the photographs or the recipe are others than those that the score is about."
        return self.trained is not None and not self.trained.is_of(self.photographs(), self.store.recipe().name)

    def photographs(self) -> str:
        "Fingerprint of the photographs at the last look; thousands are not read again where nothing has changed."
        there = self._there or self.store.fingerprint()
        if time.monotonic() - self._changed_at > TICK:
            self._there = there
        return there

    # Work

    def learn(self) -> bool:
        "Learn in the background from what is kept, decisions applied; `False` when there is other work."
        return self.work.start("learn", self.store.fingerprint())

    def teach(self) -> bool:
        """Let what answers follow the photographs that came, went or changed their person, in a moment.

        The score follows in the background; so does everything where that would not take a moment.
        """
        classifier, came = self.classifier, self._came
        self._came = False
        if not came or classifier is None or not classifier.teachable or not self.store.by_itself:
            return False
        photos = self.store.photos()
        there = {self.store.place(path): (path, name) for path, name in zip(photos.paths, photos.names, strict=True)}
        gone = {digest: place for place, digest in self._taught.items() if place not in there and digest}
        taught = {place: digest for place, digest in self._taught.items() if place in there and digest not in gone}
        new = {place: both for place, both in there.items() if place not in taught}
        if len(new) > AT_ONCE or not (new or gone):
            return False
        fresh = replace(photos, paths=tuple(path for path, _ in new.values()), names=tuple(n for _, n in new.values()))
        try:
            other = self._followed(copy.copy(classifier), gone, self.store.decided(fresh))
        except DataError:  # fewer than two people would be left
            return False
        held = set(other.bundle_.learnt.digests)
        digests = {place: digest_of(path) for place, (path, _) in new.items()}
        with self._lock:
            if self.classifier is not classifier:  # something else was learnt meanwhile
                self._came = True
                return False
            self.classifier, self.learnt_from = other, self.store.fingerprint(photos)
            self._taught = taught | {place: digest if digest in held else "" for place, digest in digests.items()}
        self.tell("answer")
        return True

    def _followed(self, classifier: CelebrityClassifier, gone: dict[str, str], fresh: PhotoSet) -> CelebrityClassifier:
        "A classifier that has forgotten photographs, places by digest, and learnt others. Raises `DataError`."
        if gone:
            found = {digest_of(path): path for path in self.store.now_at(gone.values())}
            if not gone.keys() <= found.keys():
                raise DataError("photographs are gone for good, and only learning anew can forget them")
            classifier.forget(photos=[found[digest] for digest in gone], settled=False)
        return classifier.partial_fit(fresh.paths, fresh.names) if len(fresh) else classifier

    def _learn_by_itself(self) -> None:
        "Learn when the photographs have changed and it is quiet; not again what somebody stopped, or what failed."
        if time.monotonic() - self._changed_at < QUIET or not self.store.by_itself:
            return
        if sum(path.is_dir() for path in self.store.people.glob("*")) < 2 or (said := self.work.status()).running:
            return
        now = self.photographs()
        given_up = said.state in ("stopped", "failed") or (said.state == "killed" and now in self._begun_again)
        if (self.trained is not None and not self.stale) or (given_up and said.of == now):
            return
        if self.work.waits_for_more():
            return  # a worker sees it by itself
        if said.state == "killed":
            self._begun_again.add(now)  # what kills it every time is not begun for ever
        self.learn()

    def compare(self, recipe: str) -> bool:
        "Learn in the background with another recipe, from the same photographs; `False` where it has to wait."
        return self.begin("compare", self.store.recipes()[recipe])

    def begin(self, task: str, about: str = "") -> bool:
        "Begin a task on what is learnt; where there is other work it begins after that, and this is `False`."
        learns_first = self._watching is not None and self.store.by_itself and self.stale
        begun = not learns_first and self.work.start(task, self.learnt_from, about)
        self._next = None if begun else (task, about)
        return begun

    def use(self, recipe: str) -> None:
        "Teach with another recipe, by name, from now on; what it has made of these photographs already is taken over."
        with self._lock:
            self.store.set(recipe=self.store.recipes()[recipe])
            other = self.compared.get(recipe)
            if other is not None and self.trained is not None and other.of == self.trained.of:
                self.store.save(self.trained, f"compared-{self.trained.recipe}")
                self.store.save(other)
                for name in ("fresh", f"compared-{recipe}"):
                    self.store.forget(name)
        self.look()

    def wait(self, seconds: float = 120) -> None:
        "Wait for work to end and take up what it left; for a notebook cell or a test."
        self.work.wait(seconds)
        self.look()

    # Asking

    def faces(self, photo: Photograph) -> tuple[Face, ...]:
        "The faces of a photograph as the classifier that answers finds them; the store's recipe before there is one."
        recipe = self.store.recipe() if self.classifier is None else self.classifier.recipe_
        return recipe.detector(photo).faces

    def show(self, face: Face | None) -> None:
        "Make a face the one whose signal is looked at."
        self.face = face
        self.tell("face")

    # Pictures

    def face_picture(self, path: Path, number: int | None = None) -> str:
        "Address of a small picture of a photograph's face."
        if number is None:
            number = self.store.choices().get(path.name, 0)
        if self.served:
            return f"celebml/face/{quote(self.store.place(path))}?face={number}"
        return _data(self.gallery.face(path, number))

    def whole_picture(self, path: Path) -> str:
        "Address of the whole photograph."
        if self.served:
            return f"celebml/photo/{quote(self.store.place(path))}"
        return data_url(read_photograph(path, at_least=900).pixels, 900)

    def photo_item(self, path: Path, caption: str, mark: str = "", person: str = "") -> dict[str, str]:
        "What a page is told of one photograph: where it is, its pictures, and what to write under it."
        return {
            "place": self.store.place(path),
            "src": self.face_picture(path),
            "whole": self.whole_picture(path) if self.served else self.face_picture(path),
            "caption": caption,
            "mark": mark,
            "person": person or path.parent.name,
            "file": path.stem.rsplit("-", 1)[0],
        }


def _changed(file: Path) -> tuple[int, int]:
    try:
        stat = file.stat()
    except OSError:
        return (0, 0)
    return (stat.st_mtime_ns, stat.st_ino)


def _data(jpeg: bytes) -> str:
    return "data:image/jpeg;base64," + base64.b64encode(jpeg).decode()
