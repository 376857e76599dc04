"""A dashboard that was taught three people, as it is used in a notebook cell."""

import pytest

from celebml.datasets import load_att
from celebml_app.dashboard.dashboard import Dashboard

TAUGHT = (0, 2, 4)  # people whose photographs are no copies of one another


@pytest.fixture(scope="session")
def att():
    """`att(person, photograph)` is a file of the AT&T faces."""
    photos = load_att()
    return lambda person, photograph: photos.paths[10 * person + photograph]


@pytest.fixture(scope="session")
def teach(att):
    """`teach(dashboard, people, photographs)` gives a dashboard photographs as a page without a server does."""

    def drop(dashboard, people, photographs=range(6)):
        for person in people:
            for path in (att(person, k) for k in photographs):
                said = {"kind": "file", "person": f"s{person + 1}", "path": path.name, "batch": f"b{person}"}
                assert dashboard.pages["Teach"].answer(said, path.read_bytes())["problems"] == []

    return drop


@pytest.fixture(scope="session")
def taught(teach, tmp_path_factory):
    """Has learnt three people; tests may not change it."""
    dashboard = Dashboard(tmp_path_factory.mktemp("dashboard") / "kept")
    teach(dashboard, TAUGHT)
    assert dashboard.session.learn()
    dashboard.session.wait()
    return dashboard
