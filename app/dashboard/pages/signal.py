"""Signal: a face through Fourier and wavelet filters, and what that does to the answer."""

import threading

import cv2
import ipywidgets as widgets
import numpy as np
import pywt

from celebml.descriptors import local_patterns
from celebml.faces import Face
from celebml.features import middle_square
from celebml.fourier import keep_frequencies, spectrum
from celebml.photographs import read_photograph
from celebml.scattering import scattering
from celebml.wavelets import wavelet_detail

from ..drawing import bars, data_url, note
from ..session import Session
from ..widgets.parts import Pictures
from .page import Page

FAMILIES = ("haar", "db2", "db4", "sym4", "coif1", "bior2.2")
TOP = 80  # cycles per picture; an aligned face of 160 pixels holds no faster wave


def through_fourier(crop: np.ndarray, low: float, high: float, keep: bool) -> np.ndarray:
    "A face (height, width, 3) with the waves of a band kept or removed; its average colour stays. Any values."
    out = np.empty(crop.shape)
    for channel in range(3):
        plane = crop[..., channel].astype(float)
        mean = plane.mean()
        band = keep_frequencies(plane - mean, low, max(high, low + 0.5))
        out[..., channel] = mean + band if keep else plane - band
    return out


def through_wavelets(crop: np.ndarray, wavelet: str, level: int, threshold: float, coarse: bool) -> np.ndarray:
    """A face (height, width, 3) with weak wavelet detail taken out.

    `threshold` is in grey levels, soft; without `coarse`, the coarsest average becomes mid-grey.
    """
    out = np.empty(crop.shape)
    for channel in range(3):
        levels = pywt.wavedec2(crop[..., channel].astype(float), wavelet, level=level)
        details = [tuple(_nearer_zero(part, 2 * threshold) for part in three) for three in levels[1:]]
        average = levels[0] if coarse else np.full_like(levels[0], 128 * 2**level)
        plane = pywt.waverec2([average, *details], wavelet)
        out[..., channel] = plane[: crop.shape[0], : crop.shape[1]]
    return out


def _nearer_zero(values: np.ndarray, amount: float) -> np.ndarray:
    "Soft threshold; `pywt.threshold` divides by the values, and warns where one is zero."
    return np.sign(values) * np.maximum(np.abs(values) - amount, 0)


def stretched(plane: np.ndarray) -> np.ndarray:
    "Any real picture as bytes, its darkest black and its brightest white."
    low, high = float(plane.min()), float(plane.max())
    return ((plane - low) * (255 / max(high - low, 1e-9))).astype(np.uint8)


def wavelet_picture(grey: np.ndarray, wavelet: str, level: int) -> np.ndarray:
    "All wavelet coefficients of a picture laid out as usual, coarsest in the top left corner, as bytes."
    levels = pywt.wavedec2(grey.astype(float), wavelet, level=level, mode="periodization")
    levels[0] = levels[0] / max(float(np.abs(levels[0]).max()), 1e-9)
    scaled = [tuple(np.sqrt(np.abs(p) / max(float(np.abs(p).max()), 1e-9)) for p in three) for three in levels[1:]]
    return stretched(pywt.coeffs_to_array([levels[0], *scaled], padding=0)[0])


def received(crop: np.ndarray) -> list[tuple[str, np.ndarray]]:
    "Pictures of what some of the library's descriptors make of a face, with a caption each."
    grey = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY)
    small = cv2.resize(crop, (32, 32), interpolation=cv2.INTER_AREA)
    patterns = local_patterns(cv2.cvtColor(middle_square([crop], 120, 96)[0], cv2.COLOR_RGB2GRAY)[None], 2)[0]
    plane = cv2.resize(grey, (32, 32), interpolation=cv2.INTER_AREA).astype(np.float32)
    first = scattering((plane - plane.mean())[None] / max(float(plane.std()), 1.0), 2, 6)[0, 1:7]
    return [
        ("32×32 colours", small),
        ("32×32 wavelet detail", stretched(cv2.resize(wavelet_detail(grey), (32, 32)))),
        ("local patterns, radius 2", patterns),
        ("scattering, six directions", stretched(np.vstack([np.hstack(first[:3]), np.hstack(first[3:])]))),
    ]


class Signal(Page):
    """Sliders over one face.

    Parameters
    ----------
    session : Session
    """

    def __init__(self, session: Session):
        self.face = None
        self._drawing = threading.RLock()  # a photograph may be tried, in a thread, while a slider moves
        lazy = {"continuous_update": True, "layout": {"width": "min(420px, 100%)"}}
        self.kind = widgets.ToggleButtons(options=["Fourier", "Wavelets"], description="Filter")
        self.band = widgets.FloatRangeSlider(
            value=(0, 16), max=TOP, step=0.5, description="Waves", readout_format=".1f", **lazy
        )
        self.act = widgets.ToggleButtons(options=[("keep the band", True), ("remove the band", False)])
        self.family = widgets.Dropdown(options=FAMILIES, description="Wavelet")
        self.level = widgets.IntSlider(value=3, min=1, max=5, description="Levels", **lazy)
        self.threshold = widgets.FloatSlider(max=60, step=1, description="Threshold", **lazy)
        self.coarse = widgets.Checkbox(value=True, description="with the coarsest average", indent=False)
        hint = "in cycles per picture: low is broad shade, high is fine line"
        self.fourier = widgets.VBox(
            [
                self.band,
                self.act,
                widgets.HTML(f'<p class="cm-small">{hint}</p>'),
            ]
        )
        self.wavelets = widgets.VBox([self.family, self.level, self.threshold, self.coarse])
        self.seen, self.taken = Pictures(empty="Ask about a photograph first, under Teach."), Pictures()
        self.before, self.after = widgets.HTML(), widgets.HTML()
        for control in (self.kind, self.band, self.act, self.family, self.level, self.threshold, self.coarse):
            control.observe(lambda _: self.refresh(), "value")
        super().__init__(
            session,
            [
                widgets.HTML("<h2>The face as a signal</h2>"),
                widgets.HBox(
                    [widgets.VBox([self.kind, self.fourier, self.wavelets]), self.seen.add_class("cm-large")]
                ).add_class("cm-beside"),
                widgets.HTML("<h3>What changes in the answer</h3>"),
                widgets.HBox([self.before, self.after]).add_class("cm-columns"),
                widgets.HTML("<h3>What descriptors make of it</h3>"),
                self.taken.add_class("cm-large"),
            ],
            "learnt",
            "threshold",
            "face",
        )

    def draw(self) -> None:
        "Take the face that was asked about last, or one that was learnt from."
        self.face = self.session.face
        if self.face is None and self.session.trained is not None:
            paths = [path for path in self.session.trained.photos.paths[:3] if path.is_file()]
            found = (self.session.faces(read_photograph(path)) for path in paths)
            self.face = next((faces[0] for faces in found if faces), None)
        self.refresh()

    def filtered(self) -> np.ndarray:
        "The face as the sliders leave it (height, width, 3), uint8."
        crop = self.face.crop
        if self.kind.value == "Fourier":
            changed = through_fourier(crop, *self.band.value, self.act.value)
        else:
            changed = through_wavelets(
                crop, self.family.value, self.level.value, self.threshold.value, self.coarse.value
            )
        return np.clip(np.rint(changed), 0, 255).astype(np.uint8)

    def refresh(self) -> None:
        "Draw everything for the sliders as they stand."
        with self._drawing:
            self._draw()

    def _draw(self) -> None:
        is_fourier = self.kind.value == "Fourier"
        self.fourier.layout.display = "" if is_fourier else "none"
        self.wavelets.layout.display = "none" if is_fourier else ""
        if self.face is None:
            self.seen.items, self.taken.items, self.before.value, self.after.value = [], [], "", ""
            return
        changed = self.filtered()
        grey = cv2.cvtColor(changed, cv2.COLOR_RGB2GRAY)
        coefficients = (
            stretched(spectrum(grey)) if is_fourier else wavelet_picture(grey, self.family.value, self.level.value)
        )
        change = np.abs(changed.astype(int) - self.face.crop).mean(2)
        pictures = [
            ("the face", self.face.crop),
            ("through the filter", changed),
            ("its spectrum, slow waves in the middle" if is_fourier else "its wavelet coefficients", coefficients),
            ("what went missing, four times brighter", np.clip(4 * change, 0, 255).astype(np.uint8)),
        ]
        self.seen.items = [_card(*pair) for pair in pictures]
        self.taken.items = [_card(*pair) for pair in received(changed)]
        if self.session.classifier is not None:
            self.before.value = self._answer("Before", self.face.crop)
            self.after.value = self._answer("Through the filter", changed)

    def _answer(self, title: str, crop: np.ndarray) -> str:
        answer = self.session.classifier.answer(Face(self.face.box, crop))
        needed = self.session.classifier.threshold
        if answer.score is None or needed is None:
            return f"<h4>{title}</h4>{bars(answer.probabilities, 4)}"
        text = f"Score {answer.score:.1f}; {needed:.1f} is needed"
        mark = note(f"{text}.") if answer.known else note(f"{text}, so it would be called unknown.", "warn")
        return f"<h4>{title}</h4>{bars(answer.probabilities, 4)}{mark}"


def _card(caption: str, pixels: np.ndarray) -> dict:
    large = cv2.resize(pixels, (160, 160), interpolation=cv2.INTER_NEAREST)
    return {"src": data_url(large, kind="PNG"), "caption": caption, "mark": ""}
