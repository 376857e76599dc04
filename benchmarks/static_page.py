"""The page without a server against Python: the same names, boxes and strangers, and what it costs in Chromium.

python benchmarks/static_page.py BUNDLE PHOTOS... [--mirrored N] [--out FILE]

PHOTOS are folders (all photographs below them) or "att", the AT&T faces. Needs Chromium, and npm for the runtime.
"""

import argparse
import json
import shutil
import statistics
import tempfile
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path

import numpy as np
import psutil
from PIL import Image, ImageOps
from playwright.sync_api import sync_playwright

from celebml.classifier import CelebrityClassifier
from celebml.datasets import load_att
from celebml.errors import PhotographError
from celebml.publishing import publish

OPTIONS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"]
KINDS = {".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".avif"}
ASK = """async ([engine, model, address]) => {
  globalThis.engine ??= (await import(engine)).device(model);
  const blob = await (await fetch(address)).blob();
  const begun = performance.now();
  try {
    return { ...(await globalThis.engine.classify({ name: "photograph", blob })), all: performance.now() - begun };
  } catch (error) { return { failure: `${error.message} ${error.hint ?? ""}` }; }
}"""


class Quiet(SimpleHTTPRequestHandler):
    "Files, without a line for each."

    def log_message(self, *_: object) -> None:
        "Nothing."


def photographs(sources: list[str], mirrored: int) -> list[tuple[str, bytes]]:
    "Names and bytes; some more of them mirrored, saved anew."
    found = []
    for source in sources:
        paths = (
            load_att().paths
            if source == "att"
            else sorted(p for p in Path(source).rglob("*") if p.suffix.lower() in KINDS)
        )
        for path in paths:
            data = path.read_bytes()
            if path.suffix == ".pgm":
                data = saved(Image.open(path), "PNG")
            found.append((f"{path.parent.name}/{path.name}", data))
    for name, data in found[: mirrored or 0]:
        try:
            found.append(
                (
                    f"mirrored {name}",
                    saved(ImageOps.mirror(ImageOps.exif_transpose(Image.open(BytesIO(data)))).convert("RGB"), "JPEG"),
                )
            )
        except OSError:
            continue
    return found


def saved(image: Image.Image, kind: str) -> bytes:
    "As a file of another kind."
    buffer = BytesIO()
    image.save(buffer, kind, quality=95)
    return buffer.getvalue()


def by_python(classifier: CelebrityClassifier, data: bytes) -> list[dict] | None:
    "Faces as the page gives them; none where it cannot be read."
    try:
        return [answer.as_dict() for answer in classifier.classify(data)]
    except PhotographError:
        return None


def processor_seconds() -> float:
    "What the browser's pages have used of the processor so far; a busy machine changes it less than the clock."
    pages = [one for one in psutil.Process().children(recursive=True) if "--type=renderer" in " ".join(one.cmdline())]
    return sum(sum(page.cpu_times()[:2]) for page in pages)


def overlap(a: dict, b: dict) -> float:
    "Share of two boxes that they have in common."
    wide = min(a["x"] + a["width"], b["x"] + b["width"]) - max(a["x"], b["x"])
    high = min(a["y"] + a["height"], b["y"] + b["height"]) - max(a["y"], b["y"])
    common = max(wide, 0) * max(high, 0)
    return common / (a["width"] * a["height"] + b["width"] * b["height"] - common)


def compared(pairs: list[tuple[str, list[dict], list[dict]]]) -> dict:
    "How often both say the same, over the faces of Python; a face that the page does not find is another answer."
    names, known, off, probability, first, missed, different = [], [], [], [], [], 0, []
    for photo, ours, theirs in pairs:
        if ours:
            first.append(bool(theirs) and ours[0]["name"] == theirs[0]["name"])
        for face in ours:
            best = max(theirs, key=lambda other: overlap(face["box"], other["box"]), default=None)
            if best is None or overlap(face["box"], best["box"]) < 0.5:
                missed += 1
                names.append(False)
                known.append(False)
                continue
            names.append(face["name"] == best["name"])
            known.append(face["known"] == best["known"])
            if not (names[-1] and known[-1]):
                different.append(
                    (
                        photo,
                        face["name"],
                        best["name"],
                        round(face["probability"], 3),
                        round(best["probability"], 3),
                        face["known"],
                        best["known"],
                    )
                )
            off.append(max(abs(face["box"][side] - best["box"][side]) for side in face["box"]))
            probability.append(abs(face["probability"] - best["probability"]))
    counts = [(len(ours), len(theirs)) for _, ours, theirs in pairs]
    return {
        "photographs": len(pairs),
        "faces": len(names),
        "same_name": float(np.mean(names)),
        "same_known": float(np.mean(known)),
        "same_name_biggest_face": float(np.mean(first)),
        "same_number_of_faces": float(np.mean([a == b for a, b in counts])),
        "not_found": missed,
        "box_off_median": statistics.median(off),
        "box_off_p95": float(np.quantile(off, 0.95)),
        "probability_off_median": statistics.median(probability),
        "probability_off_p99": float(np.quantile(probability, 0.99)),
        "different": different,
    }


def one_face(pairs: list, times: list[float], costs: list[float]) -> dict:
    "The same over photographs of one face only."
    shown = [len(theirs) for _, _, theirs in pairs if theirs]
    alone = [(time, cost) for number, time, cost in zip(shown, times, costs, strict=True) if number == 1]
    ms, processor = (statistics.median(column) for column in zip(*alone, strict=True))
    return {"photographs": len(alone), "ms_p50": ms, "processor_ms_p50": processor}


def main() -> None:
    "Compare, and print or write the figures."
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle")
    parser.add_argument("photos", nargs="+")
    parser.add_argument("--mirrored", type=int, default=0)
    parser.add_argument("--runtime")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    photos, classifier = photographs(given.photos, given.mirrored), CelebrityClassifier.load(given.bundle)
    with tempfile.TemporaryDirectory() as work, sync_playwright() as playwright:
        root = Path(work) / "page"
        page_files = publish(given.bundle, root, given.runtime)
        server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(root)))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium") or shutil.which("chromium-headless-shell"), args=OPTIONS
        )
        page = browser.new_context(bypass_csp=True, service_workers="block").new_page()
        current: dict[str, bytes] = {}
        page.route(
            "**/photograph-*",
            lambda route: route.fulfill(body=current["data"], content_type="application/octet-stream"),
        )
        page.goto(f"http://127.0.0.1:{server.server_port}/")
        engine = next(root.glob("assets/device.*.js")).name
        model = next(root.glob("assets/model.*.json")).name
        pairs, times, costs, unread = [], [], [], []
        for number, (name, data) in enumerate(photos):
            ours = by_python(classifier, data)
            current["data"] = data
            before = processor_seconds()
            theirs = page.evaluate(ASK, [f"./assets/{engine}", page.url + f"assets/{model}", f"photograph-{number}"])
            if ours is None or "failure" in theirs:
                unread.append((name, ours is None, theirs.get("failure")))
                continue
            pairs.append((name, ours, theirs["faces"]))
            if theirs["faces"]:
                times.append(theirs["milliseconds"] / len(theirs["faces"]))
                costs.append(1000 * (processor_seconds() - before) / len(theirs["faces"]))
        browser.close()
        server.shutdown()
    result = compared(pairs) | {"unread": unread, "download": page_files.download}
    result |= {
        "ms_a_face_p50": statistics.median(times),
        "ms_a_face_p95": float(np.quantile(times, 0.95)),
        "ms_a_face_best": min(times),
    }
    result |= {"processor_ms_a_face_p50": statistics.median(costs), "one_face": one_face(pairs, times, costs)}
    text = json.dumps(result, indent=2, ensure_ascii=False)
    print(text)
    if given.out:
        given.out.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
