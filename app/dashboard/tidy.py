"""Clean: look at the photographs that a model doubts most, decide, and train again."""

import ipywidgets as widgets

from celebml.audit import folder_doubts
from celebml.clean import decide
from celebml.datasets import DataError
from celebml.duplicates import near_duplicate_groups
from celebml.recipes import load_recipe
from celebml.review import Review, review_queue

from .drawing import note
from .review_widget import ReviewWidget
from .session import Session
from .store import Store
from .teaching import Step, describe_all, find_faces, nothing, watched

PAGE = 12  # photographs at a time


def suspects(store: Store, step: Step = nothing) -> Review:
    "All kept photographs, most doubtful first. Raises `DataError` when there are none."
    photos = store.photos()
    if not len(photos):
        raise DataError("there are no photographs yet; teach two people first")
    detections = find_faces(store, photos, "best", step)
    described = describe_all("best", detections, step)
    recipe = watched(load_recipe("best"), step, "asking a model that has not seen them", 2)
    doubts = folder_doubts(recipe, described, photos.names, near_duplicate_groups(detections))
    return Review(review_queue(photos, decide(photos, detections), doubts), store.decisions, page_size=PAGE)


class Tidy(widgets.VBox):
    """The review of suspects, and training with its decisions.

    Parameters
    ----------
    session : Session
    """

    def __init__(self, session: Session):
        self.session = session
        self.look = widgets.Button(description="Look for suspects", button_style="primary", layout={"width": "auto"})
        self.retrain = widgets.Button(description="Retrain with the decisions", layout={"width": "auto"})
        self.retrain.disabled = True
        self.said, self.place = widgets.HTML(), widgets.VBox()
        self.look.on_click(lambda _: self.start())
        self.retrain.on_click(lambda _: session.train())
        intro = "Photographs that a model doubts come first. Keep, reject, or say who it shows; files stay as they are."
        super().__init__(
            [
                widgets.HTML(f"<h2>Clean</h2><p>{intro}</p>"),
                widgets.HBox([self.look, self.retrain]).add_class("cm-wrap"),
                self.said,
                self.place,
            ]
        )

    def start(self) -> None:
        "Look for suspects in the background, then show them."
        total = 2 * len(self.session.store.photos()) + 10
        self.session.job.start(lambda job: suspects(self.session.store, job.step), self._show, total)

    def _show(self, review: Review) -> None:
        self.place.children = [ReviewWidget(review)]
        self.retrain.disabled = False
        doubtful = sum(item.doubt > 0.5 for item in review.items)
        badly = sum(bool(item.reason) for item in review.items)
        self.said.value = note(
            f"To look at first: {doubtful} that may show somebody else, and {badly} badly seen or twice. Then retrain."
            if doubtful or badly
            else "Nobody stands out. You may still reject what you do not want."
        )
