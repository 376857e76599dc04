"""Take it away: the model card, the bundle as a zip, and a poster."""

import dataclasses
import html
import io
import tempfile
import zipfile
from importlib.util import find_spec
from pathlib import Path

import ipywidgets as widgets
import mistune
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from celebml.classifier import CelebrityClassifier
from celebml.errors import DataError
from celebml.pipeline import card_for
from celebml.report import percent

from ..drawing import data_url, note
from ..kept.store import TRAINING
from ..session import Session
from ..widgets.parts import Download
from ..work.jobs import sentence
from ..work.training import right_and_asked
from .page import NOTHING, Page

HOW = (
    "Serve the bundle as it is, with <code>celebml serve celebml-bundle.zip</code>; or unpack it, and in Python "
    '<code>CelebrityClassifier.load("bundle")</code>. The page that needs no server is a folder for any web space.'
)


def card_of(session: Session) -> str:
    "The model card, Markdown; it says so when the threshold was moved by hand."
    trained = session.trained
    classifier = trained.classifier
    if trained.scores is None:
        return classifier.card
    photos, known = trained.photos, classifier.known_scores
    if len(known) and classifier.threshold != session.own_threshold:
        accepted = percent(float(np.mean(known >= classifier.threshold)))
        moved = f"the threshold for strangers was moved by hand afterwards; now {accepted} of known faces are accepted"
        photos = dataclasses.replace(photos, notes=(*photos.notes, moved))
    return card_for(classifier, photos, {trained.recipe: trained.scores})


def portraits(session: Session) -> dict[str, bytes]:
    "A small face of each person, by the name that a bundle gives to it."
    photos, found = session.trained.photos, {}
    for path, name, reason in zip(photos.paths, photos.names, session.trained.found, strict=True):
        if not reason and f"portraits/{name}.jpg" not in found and path.is_file():
            number = session.store.choices().get(path.name, 0)
            found[f"portraits/{name}.jpg"] = session.gallery.face(path, number)
    return found


def zipped(folder: Path) -> bytes:
    "A folder with all that is in it."
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            archive.write(path, path.relative_to(folder.parent))
    return out.getvalue()


def bundle_of(session: Session, with_portraits: bool) -> CelebrityClassifier:
    "What was learnt, with the card as it is now."
    pictures = portraits(session) if with_portraits else {}
    return session.trained.classifier.with_story(card=card_of(session), pictures=pictures)


def bundle_zip(session: Session, with_portraits: bool = False) -> bytes:
    "The bundle as a zip that holds one folder, bundle/."
    with tempfile.TemporaryDirectory() as work:
        return zipped(bundle_of(session, with_portraits).save(Path(work) / "bundle"))


def page_zip(session: Session, with_portraits: bool = False) -> bytes:
    "A page that computes on its visitors' own devices, as a zip. Raises `DataError` where its runtime cannot be had."
    if find_spec("onnx") is None:
        raise DataError('a page without a server needs one more package: pip install "celebml[publish]"')
    from celebml.publishing import publish

    with tempfile.TemporaryDirectory() as work:
        bundle = bundle_of(session, with_portraits).save(Path(work) / "bundle")
        return zipped(publish(bundle, Path(work) / "page", pictures=with_portraits).folder)


def poster(session: Session) -> bytes:
    "A PNG to show: everybody's portrait and name, the score and what it was measured on."
    trained, faces = session.trained, portraits(session)
    names = list(trained.photos.people)
    across = min(6, max(3, len(names)))
    side, gap, top = 170, 24, 190
    rows = -(-len(names) // across)
    sheet = Image.new("RGB", (2 * 48 + across * side + (across - 1) * gap, top + rows * (side + 56) + 90), "#10233a")
    draw = ImageDraw.Draw(sheet)
    write = lambda where, text, size, colour="#ffffff": draw.text(where, text, colour, ImageFont.load_default(size))
    write((48, 36), "It knows these people", 40)
    if trained.scores is not None:
        right, asked = right_and_asked(trained.scores)
        write((48, 96), f"{percent(right / asked)} right", 32, "#7cc4ff")
        write(
            (48, 138), f"on {asked} photographs that it had not seen, each named by a model without it", 18, "#c4d3e3"
        )
    for number, name in enumerate(names):
        x, y = 48 + number % across * (side + gap), top + number // across * (side + 56)
        if data := faces.get(f"portraits/{name}.jpg"):
            sheet.paste(Image.open(io.BytesIO(data)).convert("RGB").resize((side, side)), (x, y))
        shown = name if len(name) <= 20 else f"{name[:19]}…"
        write((x, y + side + 8), shown, 17)
        write((x, y + side + 30), f"{trained.photos.people[name]} photographs", 14, "#c4d3e3")
    write((48, sheet.height - 52), "A classical face classifier, made with celebml", 16, "#c4d3e3")
    out = io.BytesIO()
    sheet.save(out, "PNG")
    return out.getvalue()


class Export(Page):
    """The card, and what can be taken away.

    Parameters
    ----------
    session : Session
    """

    def __init__(self, session: Session):
        self.card, self.said, self.head, self.shown_poster = (widgets.HTML() for _ in range(4))
        self.pictures = widgets.Checkbox(description="with a small portrait of each person", indent=False)
        self.download = Download(self._make(self._bundle), text="Download the bundle", ready=False, main=True)
        self.poster = Download(self._make(self._poster), text="Download a poster", ready=False)
        self.page = Download(self._make(self._page), text="Download a page that needs no server", ready=False)
        super().__init__(
            session,
            [
                self.head,
                self.said,
                self.pictures,
                widgets.HBox([self.download, self.page, self.poster]).add_class("cm-wrap"),
                widgets.HTML(f'<p class="cm-small">{HOW}</p>'),
                widgets.HBox([self.card, self.shown_poster]).add_class("cm-beside"),
            ],
            "learnt",
            "threshold",
            "photos",
        )

    def draw(self) -> None:
        "Show the card of what was learnt."
        trained = self.session.trained
        self.download.ready = self.page.ready = self.poster.ready = trained is not None
        if trained is None:
            self.head.value, self.card.value, self.shown_poster.value = "<h2>Take it away</h2>", "", ""
            self.said.value = note(NOTHING, "warn")
            return
        kept = (self.session.store.folder / "trained" / trained.recipe).glob("*")
        size = sum(path.stat().st_size for path in kept if path.name != TRAINING)  # which stays here
        people = html.escape(", ".join(trained.photos.people))
        self.head.value = f"<h2>Your model, {size / 1e6:.1f} MB: take it</h2><p>It knows {people}.</p>"
        stale = "It has learnt from other photographs than there are now; it learns again in the background."
        self.said.value = note(stale, "warn") if self.session.stale else ""
        page = mistune.create_markdown(plugins=["table"])(card_of(self.session))
        self.card.value = f'<article class="cm-card">{page}</article>'
        small = data_url(np.asarray(Image.open(io.BytesIO(poster(self.session)))), 900)
        self.shown_poster.value = f'<img class="cm-poster" src="{small}" alt="the poster, with everybody\'s portrait">'

    def _bundle(self) -> tuple[str, bytes, str]:
        return "celebml-bundle.zip", bundle_zip(self.session, self.pictures.value), "application/zip"

    def _page(self) -> tuple[str, bytes, str]:
        return "celebml-page.zip", page_zip(self.session, self.pictures.value), "application/zip"

    def _poster(self) -> tuple[str, bytes, str]:
        return "celebml-poster.png", poster(self.session), "image/png"

    def _make(self, make):
        "The same, with a sentence in place of an error."

        def made():
            try:
                return make()
            except Exception as error:  # noqa: BLE001 - what reaches the user must be a sentence
                self.said.value = note(sentence(error), "bad")
                return None

        return made
