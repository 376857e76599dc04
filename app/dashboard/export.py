"""Export: the model card first, then the bundle as a zip."""

import dataclasses
import io
import tempfile
import zipfile
from pathlib import Path

import cv2
import ipywidgets as widgets
import mistune
import numpy as np

from celebml.bundle import save_bundle
from celebml.recipes import ACCEPTED_KNOWN
from celebml.report import model_card, percent

from .drawing import note
from .jobs import sentence
from .parts import Download
from .session import Session
from .store import Store, Trained
from .teaching import find_faces

HOW = (
    "Serve it as it is, with <code>make serve BUNDLE=celebml-bundle.zip</code>; or unpack it, and in Python "
    '<code>CelebrityClassifier.load("bundle")</code>.'
)


def card_of(trained: Trained) -> str:
    "The model card of the best recipe, Markdown; it says so when the threshold was moved by hand."
    best = trained.classifiers["best"]
    if not trained.scores:
        return best.bundle_.card
    photos, known = trained.photos, best.model_.known_scores_
    if len(known) and abs(best.model_.threshold_ - np.quantile(known, 1 - ACCEPTED_KNOWN)) > 0.006:
        accepted = percent(float(np.mean(known >= best.model_.threshold_)))
        moved = f"the threshold for strangers was moved by hand afterwards; now {accepted} of known faces are accepted"
        photos = dataclasses.replace(photos, notes=(*photos.notes, moved))
    return model_card(photos, trained.scores, best.model_)


def portraits(store: Store, trained: Trained) -> dict[str, bytes]:
    "A small face of each person, by the name that a bundle gives to it."
    photos, found = trained.photos, {}
    for name, detection in zip(photos.names, find_faces(store, photos, "best"), strict=True):
        if detection.faces and f"portraits/{name}.jpg" not in found:
            encoded = cv2.imencode(".jpg", detection.faces[0].crop[..., ::-1])[1]
            found[f"portraits/{name}.jpg"] = encoded.tobytes()
    return found


def bundle_zip(store: Store, trained: Trained, with_portraits: bool = False) -> bytes:
    "The best recipe's bundle as a zip that holds one folder, bundle/."
    pictures = portraits(store, trained) if with_portraits else {}
    bundle = dataclasses.replace(trained.classifiers["best"].bundle_, card=card_of(trained), pictures=pictures)
    out = io.BytesIO()
    with tempfile.TemporaryDirectory() as work, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        folder = save_bundle(bundle, Path(work) / "bundle")
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                archive.write(path, path.relative_to(work))
    return out.getvalue()


class Export(widgets.VBox):
    """The card, and a button.

    Parameters
    ----------
    session : Session
    """

    def __init__(self, session: Session):
        self.session = session
        self.card, self.said = widgets.HTML(), widgets.HTML()
        self.pictures = widgets.Checkbox(description="with a small portrait of each person", indent=False)
        self.download = Download(self._make, text="Download the bundle", ready=False)
        session.watch(self.refresh, "trained")
        super().__init__(
            [
                widgets.HTML("<h2>Read the card, then take the model with you</h2>"),
                self.said,
                self.card,
                self.pictures,
                self.download,
                widgets.HTML(f'<p class="cm-small">{HOW}</p>'),
            ]
        )
        self.refresh()

    def refresh(self) -> None:
        "Show the card of what was trained."
        trained = self.session.trained
        self.download.ready = trained is not None
        self.said.value = "" if trained else note("Nothing is trained yet. Teach two people first.", "warn")
        page = mistune.create_markdown(plugins=["table"])(card_of(trained)) if trained else ""
        self.card.value = f'<article class="cm-card">{page}</article>' if page else ""

    def _make(self) -> tuple[str, bytes] | None:
        try:
            return "celebml-bundle.zip", bundle_zip(self.session.store, self.session.trained, self.pictures.value)
        except Exception as error:  # noqa: BLE001 - what reaches the user must be a sentence
            self.said.value = note(sentence(error), "bad")
            return None
