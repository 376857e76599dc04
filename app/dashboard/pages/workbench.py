"""The one screen: people and their photographs, learning, and the answer."""

import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import PurePosixPath
from typing import Any

import ipywidgets as widgets
import numpy as np

from celebml.classifier import Answer
from celebml.datasets import PhotoSet, load_att, load_photographs
from celebml.evaluate import wilson
from celebml.explain import heat_map
from celebml.faces import Detection
from celebml.files import write_whole
from celebml.photographs import Photograph, read_photograph
from celebml.recipes import load_recipe

from ..drawing import data_url, laid_over
from ..kept.gallery import RIVAL, Seen
from ..kept.store import person_name, shrunk
from ..kept.trained import Trained
from ..session import Session
from ..widgets.workbench import WorkbenchView
from ..work.jobs import sentence, time_left
from ..work.training import right_and_asked
from ..work.words import advice

NEWEST = 6  # small faces on a card
MOST_FACES = 8
NOTHING_LEARNT = "It has learnt nothing yet: teach two people first."


class Workbench(widgets.VBox):
    """Collect people's photographs, see it learn, and ask.

    Parameters
    ----------
    session : Session
    """

    def __init__(self, session: Session):
        self.session, self.store = session, session.store
        self._worker = ThreadPoolExecutor(1)
        self._last: tuple[Photograph, list[Answer]] | None = None
        self.view = WorkbenchView(self.answer, served=session.served)
        session.watch(self.draw_people, "photos")
        session.watch(self.draw_work, "work", "learnt", "answer", "photos", "threshold")
        super().__init__([self.view])
        self.draw_people()
        self.draw_work()

    # What the page is told

    def draw_people(self) -> None:
        "A card for each person."
        photos, choices = self.store.photos(), self.store.choices()
        by_person: dict[str, list] = {}
        for path, name in zip(photos.paths, photos.names, strict=True):
            by_person.setdefault(name, []).append((path, self.session.gallery.known(path)))
        self.view.people = [self._card(name, found, choices) for name, found in by_person.items()]
        last = self.store.history.last()
        self.view.undo, self.view.bin = str(last) if last else "", self.store.in_bin()
        self.view.by_itself = self.store.by_itself

    def _card(self, name: str, found: list, choices: dict[str, int]) -> dict[str, Any]:
        newest = sorted((p for p, seen in found if seen and seen.mark != "bad"), key=_age, reverse=True)
        good = [path for path, seen in found if seen and seen.mark == "good"]
        portrait = good[0] if good else newest[0] if newest else None
        return {
            "name": name,
            "count": len(found),
            "looked": sum(seen is not None for _, seen in found),
            "faces": sum(seen is not None and seen.mark != "bad" for _, seen in found),
            "asks": sum(_asks(path, seen, choices) for path, seen in found),
            "portrait": self.session.face_picture(portrait, choices.get(portrait.name, 0)) if portrait else "",
            "newest": [self.session.face_picture(p, choices.get(p.name, 0)) for p in newest[:NEWEST]],
        }

    def draw_work(self) -> None:
        "What is so about learning, and how good it is."
        said, trained = self.session.work.status(), self.session.trained
        mark = {"failed": "bad", "killed": "warn", "stopped": "warn"}.get(said.state, "")
        self.view.work = {
            "running": said.running,
            "task": said.task,
            "text": said.text if said.running else "",
            "share": said.share,
            "left": time_left(said.left),
            "said": self.session.damaged or (said.text if mark else ""),
            "mark": "bad" if self.session.damaged else mark,
        }
        self.view.score = self._score(trained)
        self.view.learnt = self.session.learnt_from

    def _score(self, trained: Trained | None) -> dict[str, Any]:
        if trained is None:
            return {"learnt": False}
        found = [not reason for reason in trained.found]
        told = {
            "learnt": True,
            "stale": self.session.stale,
            "advice": advice(trained.photos.names, trained.groups, found),
        }
        if not told["stale"]:
            told["advice"] = self._left_out(trained) + told["advice"]
        if trained.scores is None:
            return told | {"sentence": trained.why_not or "It answers already; its score is worked out now."}
        right, asked = right_and_asked(trained.scores)
        low, high = wilson(right / asked, asked)
        people = len(set(trained.scores.truth))
        text = (
            f"{right} of {asked} named correctly; from so few, the truth may lie between {100 * low:.0f} % "
            f"and {100 * high:.0f} %. Guessing gives {100 / people:.0f} %."
        )
        if told["stale"]:
            text = f"This is the score of {len(trained.photos)} photographs, before the last changes. {text}"
        return told | {"share": right / asked, "sentence": text, "changed": _changed(trained.before, right, asked)}

    def _left_out(self, trained: Trained) -> list[str]:
        "Who is on a card, and not in what is scored and taken away."
        missing = sorted(set(self.store.people_names().values()) - set(trained.photos.people))
        few = (
            f"Neither scored nor taken away yet: {', '.join(missing[:4])}. "
            "Two photographs with a face are the least, ten are a good start."
        )
        return [few] if missing else []

    # What the page asks

    def answer(self, message: dict[str, Any], data: bytes) -> dict[str, Any]:
        "The answer to one question of the page; whatever goes wrong is a sentence in it."
        try:
            return self._questions()[message["kind"]](message, data)
        except Exception as error:  # noqa: BLE001 - what reaches the user must be a sentence
            return {"problem": sentence(error), "faces": [], "items": []}

    def _questions(self) -> dict[str, Callable]:
        return {
            "seen": self._seen,
            "ping": lambda *_: {},
            "file": self._file,
            "frame": self._frame,
            "ask": self._ask,
            "again": self._again,
            "why": self._why,
            "act": lambda message, _: self._acts()[message["act"]](message),
        }

    def _seen(self, *_: object) -> dict[str, Any]:
        self.session.look()
        self.session.keep_looking()
        return {}

    def _file(self, message: dict[str, Any], data: bytes) -> dict[str, Any]:
        "A file of a page without a server, such as a cell in JupyterLab."
        path = self.store.add(message["person"], PurePosixPath(message["path"]).name, data, message.get("batch", ""))
        self.session.gallery.seen(path)
        self.session.look()
        return {"kept": [{"place": self.store.place(path)}], "problems": []}

    def _faces(self, photo: Photograph, most: int) -> list[Answer]:
        return [self.session.classifier.answer(face) for face in self.session.faces(photo)[:most]]

    def _frame(self, _: object, data: bytes) -> dict[str, Any]:
        "What the camera sees now."
        if self.session.classifier is None:
            return {"faces": [], "nothing": NOTHING_LEARNT}
        photo = read_photograph(data, at_least=self.session.classifier.recipe_.detector.at_least)
        return {"faces": [_told(answer, photo) for answer in self._faces(photo, 3)]}

    def _ask(self, message: dict[str, Any], data: bytes) -> dict[str, Any]:
        "A photograph that was dropped on the answer; it comes back after a reload."
        small = shrunk(data, str(message.get("path", "this file")))
        write_whole(self.store.tried, small)
        return self._again()

    def _again(self, *_: object) -> dict[str, Any]:
        "The photograph that was asked about last, and what is known of it now; nothing where there is none."
        if not self.store.tried.is_file():
            return {}
        photo = read_photograph(self.store.tried)
        classifier = self.session.classifier
        shown = {"src": data_url(photo.pixels, 900), "explains": classifier is not None and classifier.can_explain}
        if classifier is None:
            return shown | {"faces": [], "nothing": NOTHING_LEARNT}
        answers = self._faces(photo, MOST_FACES)
        self._last = photo, answers
        if answers:
            self.session.show(answers[0].face)
        return shown | {"faces": [_told(answer, photo) for answer in answers]}

    def _why(self, *_: object) -> dict[str, Any]:
        if not self._last or not self._last[1]:
            return {"problem": "There is no face to explain."}
        answer = self._last[1][0]
        why = self.session.classifier.explain(answer)
        return {"src": data_url(laid_over(answer.face.crop, heat_map(why))), "name": answer.name}

    def _acts(self) -> dict[str, Callable[[dict[str, Any]], dict[str, Any]]]:
        return {
            "learn": lambda _: {} if self.session.learn() else {"notice": "It is at work already."},
            "stop": lambda _: self.session.work.stop() or {},
            "by_itself": self._by_itself,
            "rename": self._rename,
            "remove_person": lambda m: self._did(self.store.remove_person(m["person"])),
            "remove": lambda m: self._did(self.store.remove(m["places"])),
            "move": lambda m: self._did(self.store.move(m["places"], m["person"])),
            "undo": self._undo,
            "forget": self._forget,
            "empty_bin": lambda _: self._emptied(self.store.empty_bin()),
            "photos": self._photos,
            "asks": self._faces_to_choose,
            "face": self._choose_face,
            "sample": self._sample,
        }

    def act(self, what: str, /, **values: Any) -> dict[str, Any]:
        "Do what a button of the page does."
        return self.answer({"kind": "act", "act": what, **values}, b"")

    def _did(self, done: object) -> dict[str, Any]:
        self.session.look()
        return {"said": f"{str(done)[:1].upper()}{str(done)[1:]}." if done else "There was nothing to do."}

    def _by_itself(self, message: dict[str, Any]) -> dict[str, Any]:
        self.store.set(by_itself=bool(message["on"]))
        self.draw_people()
        return {}

    def _rename(self, message: dict[str, Any]) -> dict[str, Any]:
        new = person_name(message["name"])
        other = self.store.people_names().get(new.casefold())
        if other and other != message["person"] and not message.get("merge"):
            return {"conflict": other}
        return self._did(self.store.rename(message["person"], new))

    def _undo(self, _: object) -> dict[str, Any]:
        act = self.store.undo()
        self.session.look()
        return {"said": f"Taken back: {act}."} if act else {"notice": "There is nothing to take back."}

    def _forget(self, _: object) -> dict[str, Any]:
        done = self.session.work.stop(self.store.clear)
        self.session.show(None)
        return self._did(done)

    def _emptied(self, count: int) -> dict[str, Any]:
        self.session.look()
        return {"notice": f"{count} photographs are gone for good."}

    def _item(self, path) -> dict[str, Any]:
        seen = self.session.gallery.known(path) or Seen("", "not looked at yet")
        return self.session.photo_item(path, seen.caption, seen.mark)

    def _photos(self, message: dict[str, Any]) -> dict[str, Any]:
        paths = [self.store.path(place) for place in self.store.places_of(message["person"])]
        return {"items": [self._item(path) for path in sorted(paths, key=_age, reverse=True)]}

    def _faces_to_choose(self, message: dict[str, Any]) -> dict[str, Any]:
        "Photographs of a person on which several faces could be meant, with the one that looks like the person most."
        choices, items = self.store.choices(), []
        for place in self.store.places_of(message["person"]):
            path = self.store.path(place)
            seen = self.session.gallery.known(path)
            if _asks(path, seen, choices):
                boxes = [box[:4] for box in seen.boxes if box[4] >= RIVAL]
                likely = self._likely(self.session.gallery.detect(path), message["person"], len(boxes))
                items.append(self._item(path) | {"boxes": boxes, "likely": likely})
        return {"items": items}

    def _likely(self, found: Detection, person: str, most: int) -> int:
        classifier = self.session.classifier
        if classifier is None or person not in set(map(str, classifier.classes_)):
            return 0
        if classifier.recipe_.detector != load_recipe().detector:
            return 0  # its faces are cut out in another way
        return int(np.argmax([classifier.answer(face).probabilities[person] for face in found.faces[:most]]))

    def _choose_face(self, message: dict[str, Any]) -> dict[str, Any]:
        self.store.choose_face(message["place"], message["number"])
        self.session.look()
        return {}

    def _sample(self, message: dict[str, Any]) -> dict[str, Any]:
        "Photographs to try with; they come in while the page stays alive."
        photos = _eight(load_att()) if message["which"] == "att" else load_photographs(message["which"])
        self._worker.submit(self._take_set, photos)
        return {}

    def _take_set(self, photos: PhotoSet) -> None:
        batch = uuid.uuid4().hex
        for path, name in zip(photos.paths, photos.names, strict=True):
            try:
                self.session.gallery.seen(self.store.add(name, path.name, path.read_bytes(), batch))
            except (ValueError, OSError) as error:
                sentence(error)
        self.session.look()

    def wait(self) -> None:
        "Wait until a sample has arrived; for a notebook cell or a test."
        self._worker.submit(lambda: None).result(120)


def _asks(path, seen: Seen | None, choices: dict[str, int]) -> bool:
    return seen is not None and seen.rivals > 1 and path.name not in choices


def _age(path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _eight(photos: PhotoSet) -> PhotoSet:
    return PhotoSet(photos.paths[:80], photos.names[:80], photos.source, photos.notes)


def _told(answer: Answer, photo: Photograph) -> dict[str, Any]:
    "An answer as the page draws it; boxes are shares of the photograph's width and height."
    width, height = photo.size
    box = answer.box
    bars = sorted(answer.probabilities.items(), key=lambda pair: -pair[1])[:5]
    return {
        "name": answer.name,
        "known": answer.known,
        "box": [box.x / width, box.y / height, box.width / width, box.height / height],
        "bars": bars,
    }


def _changed(before: dict[str, int], right: int, asked: int) -> str:
    "What the last change did to the answers."
    if not before:
        return ""
    moved = {0: "no answer changed", 1: "1 answer changed"}.get(before["moved"], f"{before['moved']} answers changed")
    return f"Before: {before['right']} of {before['asked']}. Now: {right} of {asked}; {moved}."
