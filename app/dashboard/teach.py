"""Teach: a name, photographs, and a button. Each face is shown as it is found."""

import html
import io
import time
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import ipywidgets as widgets

from celebml.clean import detect_file
from celebml.datasets import DataError, PhotoSet, load_att, load_photographs
from celebml.photographs import read_photograph
from celebml.quality import judge
from celebml.recipes import load_recipe

from .drawing import data_url, note
from .jobs import sentence
from .parts import MOST_BYTES, Drop, Pictures
from .session import Session
from .store import people_of, person_name
from .teaching import advice, score_sentence

SHOWN = 60  # pictures at a time
SETS = {
    "five celebrities, downloaded": "johns",
    "8 people of the AT&T faces": "att",
    "a folder or collected set on this computer": "",
}
SURE = "yes, delete all photographs here: tick, then press again"
UNPACKED = 8 * MOST_BYTES  # a zip that grows beyond this is refused


def unzip(data: bytes) -> Iterator[tuple[str, bytes]]:
    "Files of a zip, folders and hidden files left out. Raises `DataError` for one that is damaged or far too large."
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            inside = [i for i in archive.infolist() if not i.is_dir() and not _hidden(i.filename)]
            if sum(i.file_size for i in inside) > UNPACKED or any(i.file_size > MOST_BYTES for i in inside):
                raise DataError(f"the zip unpacks to more than {UNPACKED / 1e6:.0f} MB; send it in parts")
            for entry in inside:
                yield entry.filename, archive.read(entry)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
        raise DataError("the zip is damaged or locked with a password; make it anew") from error


def _hidden(path: str) -> bool:
    return any(part.startswith((".", "__MACOSX")) for part in path.split("/"))


class Teach(widgets.VBox):
    """Collect people's photographs and train.

    Parameters
    ----------
    session : Session
    """

    def __init__(self, session: Session):
        self.session, self.store = session, session.store
        self._cards: dict[Path, dict] = {}
        self._drawn, self._shown_paths, self._worker = 0.0, [], ThreadPoolExecutor(1)
        self._problems: list[str] = []
        self.name = widgets.Text(placeholder="for example Ada", description="Name", continuous_update=False)
        self.drop = Drop(self._take, session.reload, text="Drop photographs of this person here")
        self.source = widgets.Dropdown(options=list(SETS), description="Or take")
        self.path = widgets.Text(placeholder="folder with one sub-folder a person", layout={"display": "none"})
        self.add = widgets.Button(description="Add", layout={"width": "auto"})
        self.person = widgets.Dropdown(description="Show")
        self.pictures = Pictures(self._remove, empty="No photographs yet.")
        self.train = widgets.Button(description="Train", button_style="primary", layout={"width": "auto"})
        self.clear = widgets.Button(description="Forget everything", layout={"width": "auto"})
        self.sure = widgets.Checkbox(description=SURE, indent=False, layout={"display": "none"})
        self.people, self.result, self.said = widgets.HTML(), widgets.HTML(), widgets.HTML()
        self.name.observe(lambda _: self.store.note(typing=self.name.value), "value")
        self.source.observe(self._choose_source, "value")
        self.person.observe(lambda _: self._draw_pictures(), "value")
        self.add.on_click(lambda _: self._add_set())
        self.train.on_click(lambda _: session.train())
        self.clear.on_click(lambda _: self._forget())
        session.watch(self.refresh, "trained")
        left = widgets.VBox(
            [
                widgets.HTML("<h2>1. Who is it?</h2>"),
                self.name,
                self.drop,
                widgets.HBox([self.source, self.path, self.add]).add_class("cm-wrap"),
                self.said,
            ]
        )
        right = widgets.VBox(
            [
                widgets.HTML("<h2>2. Train</h2>"),
                self.people,
                widgets.HBox([self.train, self.clear, self.sure]).add_class("cm-wrap"),
                self.result,
            ]
        )
        below = widgets.VBox([widgets.HTML("<h2>Photographs</h2>"), self.person, self.pictures])
        super().__init__([widgets.HBox([left, right]).add_class("cm-columns"), below])
        self.refresh()

    def add_photograph(self, person: str, file: str, data: bytes) -> dict:
        "Keep one photograph, look for a face, and return its card: src, caption and mark."
        return self._card(self.store.add(person, file, data))

    def refresh(self) -> None:
        "Draw everything from what is kept."
        self.name.value = self.store.notes().get("typing", self.name.value)
        self.result.value = self._result()
        self._worker.submit(self._draw)

    def wait(self) -> None:
        "Wait until what was dropped has been looked at; for a notebook cell or a test."
        self._worker.submit(lambda: None).result(60)

    def _take(self, path: str, paths: list[str], data: bytes) -> None:
        "One file from the browser: work on it in a thread, and ask for the next."
        self._worker.submit(self._arrive, path, paths or [path], data)

    def _arrive(self, path: str, paths: list[str], data: bytes) -> None:
        said = ""
        if path == paths[0]:
            self._problems, self.said.value = [], ""
        try:
            if data[:4] == b"PK\x03\x04":
                files = list(unzip(data))
                people = people_of([name for name, _ in files], self.name.value)
                said = self._take_all([(n, p, d) for (n, d), p in zip(files, people, strict=True)])
            else:
                person = dict(zip(paths, people_of(paths, self.name.value), strict=True)).get(path) or self.name.value
                said = self._take_all([(path, person, data)])
        except Exception as error:  # noqa: BLE001 - the last line of a thread: it must end in a sentence
            said = sentence(error)
        last = path == paths[-1]
        self._draw(always=last)
        self.drop.ready(said or (f"{len(paths)} arrived." if last else ""))

    def _take_all(self, files: list[tuple[str, str, bytes]]) -> str:
        "Keep many files; returns what the user should know."
        problems = []
        for number, (path, person, data) in enumerate(files, 1):
            try:
                self.add_photograph(person_name(person), Path(path).name, data)
            except ValueError as error:
                problems.append(sentence(error))
            if len(files) > 1:
                self.drop.said = f"{number} of {len(files)}: {Path(path).name}"
                self._draw(always=False)
        self._problems += problems
        self.said.value = problem_list(self._problems)
        return f"{len(files) - len(problems)} of {len(files)} taken." if len(files) > 1 or problems else ""

    def _choose_source(self, _: object) -> None:
        self.path.layout.display = "" if not SETS[self.source.value] else "none"

    def _add_set(self) -> None:
        "Add a set that is already on this computer, or can be fetched."
        which, folder = SETS[self.source.value], self.path.value.strip()
        if not which and not folder:
            self.said.value = note("Type the folder: it holds one sub-folder a person.", "warn")
            return

        def work(job):
            photos, problems = _eight(load_att()) if which == "att" else load_photographs(which or folder), []
            job.total = len(photos)
            for path, name in zip(photos.paths, photos.names, strict=True):
                try:
                    self.add_photograph(person_name(name), path.name, path.read_bytes())
                except ValueError as error:
                    problems.append(sentence(error))
                job.step(f"looking at {name}")
                self._worker.submit(self._draw, False)
            return photos, problems

        def done(result):
            photos, problems = result
            notes = "".join(note(text, "warn") for text in photos.notes)
            self.said.value = note(f"{len(photos) - len(problems)} photographs added.") + notes + problem_list(problems)

        self.session.job.start(work, done, after=lambda: self._worker.submit(self._draw))

    def _remove(self, number: int) -> None:
        if 0 <= number < len(self._shown_paths):
            self.store.remove(self._shown_paths[number])
            self._worker.submit(self._draw)

    def _forget(self) -> None:
        if self.session.job.running:
            self.said.value = note("Something is still running; cancel it first.", "warn")
        elif self.sure.value:
            self.store.clear()
            self._cards.clear()
            self.name.value, self.sure.value, self.sure.layout.display = "", False, "none"
            self.session.face = None
            self.session.reload()
        else:
            self.sure.layout.display = ""

    def _card(self, path: Path) -> dict:
        "What is shown of a photograph: the face that was found, or why there is none."
        if path not in self._cards:
            detection = detect_file(path, load_recipe("best").detector, self.store.found)
            reason = judge(detection)
            pixels = detection.faces[0].crop if detection.faces else read_photograph(path, at_least=200).pixels
            mark = "bad" if not detection.faces else "warn" if reason else "good"
            caption = reason or "face found"
            self._cards[path] = {
                "src": data_url(pixels, 112),
                "caption": caption,
                "mark": mark,
                "alt": f"{path.parent.name}, {path.stem}: {caption}",
            }
        return self._cards[path]

    def _draw(self, always: bool = True) -> None:
        if not always and time.monotonic() - self._drawn < 0.4:
            return
        self._drawn, photos = time.monotonic(), self.store.photos()
        cards = [self._card(path) for path in photos.paths]
        everybody = list(photos.people)
        if ("everybody", *everybody) != self.person.options:
            keep = self.person.value if self.person.value in everybody else "everybody"
            self.person.options, self.person.value = ("everybody", *everybody), keep
        faces = dict.fromkeys(everybody, 0)
        for name, card in zip(photos.names, cards, strict=True):
            faces[name] += card["mark"] != "bad"
        self.people.value = _people_table(photos, faces)
        self._draw_pictures(photos)

    def _draw_pictures(self, photos: PhotoSet | None = None) -> None:
        photos = photos or self.store.photos()
        wanted = self.person.value
        pairs = [(p, n) for p, n in zip(photos.paths, photos.names, strict=True) if wanted in (n, "everybody", None)]
        pairs.sort(key=lambda pair: pair[0].stat().st_mtime, reverse=True)
        self._shown_paths = [path for path, _ in pairs[:SHOWN]]
        self.pictures.items = [self._card(path) | {"person": name} for path, name in pairs[:SHOWN]]

    def _result(self) -> str:
        "The score in words, and what to be careful about."
        trained = self.session.trained
        if trained is None:
            return ""
        said = [note(score_sentence(trained.scores[name]), "good") for name in ("best",) if name in trained.scores]
        said += [note(text, "warn") for name, text in trained.why_not.items()]
        found = [not reason for reason in trained.found["best"]]
        said += [note(text, "warn") for text in advice(trained.photos.names, trained.groups, found)]
        return "".join(said)


def problem_list(problems: list[str]) -> str:
    "The first five problems, and how many more there are."
    more = [f"… and {len(problems) - 5} more were refused."] if len(problems) > 5 else []
    return "".join(note(text, "bad") for text in [*problems[:5], *more])


def _eight(photos: PhotoSet) -> PhotoSet:
    return PhotoSet(photos.paths[:80], photos.names[:80], photos.source, photos.notes)


def _people_table(photos: PhotoSet, faces: dict[str, int]) -> str:
    "Photographs and faces of each person, with bars."
    if not faces:
        return "<p class='cm-small'>Two people are needed at least. Ten photographs of each are a good start.</p>"
    most = max(photos.people.values())
    rows = "".join(
        f"<tr><th>{html.escape(name)}</th><td class='n'>{count}</td><td class='n'>{faces[name]}</td><td>"
        f"<div class='cm-meter'><i style='width:{100 * count / most:.0f}%'></i>"
        f"<b style='width:{100 * faces[name] / most:.0f}%'></b></div></td></tr>"
        for name, count in photos.people.items()
    )
    head = "<tr><th>person</th><th class='n'>photographs</th><th class='n'>faces</th><td></td></tr>"
    return f"<div class='cm-scroll'><table class='cm-table'>{head}{rows}</table></div>"
