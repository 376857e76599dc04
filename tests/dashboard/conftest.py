"""A dashboard that was taught three people, as it is used in a notebook cell."""

import pytest

from app.dashboard.board import Dashboard
from celebml.datasets import load_att

TAUGHT = (0, 2, 4)  # people whose photographs are no copies of one another


@pytest.fixture(scope="session")
def att():
    """`att(person, photograph)` is a file of the AT&T faces."""
    photos = load_att()
    return lambda person, photograph: photos.paths[10 * person + photograph]


@pytest.fixture(scope="session")
def teach(att):
    """`teach(dashboard, people, photographs)` drops photographs on the dashboard as a browser would."""

    def drop(dashboard, people, photographs=range(6)):
        page = dashboard.pages["Teach"]
        for person in people:
            page.name.value = f"s{person + 1}"
            files = [att(person, k) for k in photographs]
            for path in files:
                page._take(path.name, [p.name for p in files], path.read_bytes())
            page.wait()

    return drop


@pytest.fixture(scope="session")
def taught(teach, tmp_path_factory):
    """Trained on three people; tests may not change it."""
    dashboard = Dashboard(tmp_path_factory.mktemp("dashboard"))
    teach(dashboard, TAUGHT)
    dashboard.pages["Teach"].train.click()
    dashboard.session.job.join()
    return dashboard
