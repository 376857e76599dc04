"""Name people in photographs, explain why, and score it honestly, with classical methods and in a few milliseconds.

    from celebml import CelebrityClassifier, load_photographs, run

    photos = load_photographs("my-photos")  # one sub-folder a person
    classifier = CelebrityClassifier().fit(photos.paths, photos.names)
    classifier.predict(["party.jpg"], reject=True)  # a name, "unknown", or None where there is no face
    answer = classifier.classify("party.jpg")[0]  # biggest face first: box, name, known, probabilities
    classifier.explain(answer).regions  # what each region of the face spoke for or against
    classifier.save("my-bundle")

`run(photos, "runs/mine")` does the whole job: it scores, trains, saves and writes a report. `read_photograph` reads a
photograph of any kind, or says why not. Every error that you can mend is a `CelebmlError`.

The notebooks in nbs/ are the source of this package, and its handbook: each module is one chapter.
"""

__version__ = "0.1.0"

_HOMES = {
    "CelebrityClassifier": "classifier",
    "load_photographs": "datasets",
    "read_photograph": "photographs",
    "run": "pipeline",
    "CelebmlError": "errors",
    "DataError": "errors",
    "PhotographError": "errors",
    "BundleError": "errors",
    "FetchError": "errors",
}
__all__ = list(_HOMES)


def __getattr__(name: str) -> object:
    "What stands in front is brought when it is asked for (Scientific Python's SPEC 1), so the import costs nothing."
    from importlib import import_module

    if name not in _HOMES:
        raise AttributeError(f"module 'celebml' has no attribute {name!r}")
    return getattr(import_module(f"celebml.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
