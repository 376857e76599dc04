"""What a client of the API sees."""

import base64
import json

import pytest
from PIL import Image
from site_requests import encoded, encoded_form, form

from celebml.bundle import spelt_out
from celebml.classifier import CelebrityClassifier
from celebml_app.site import create_app
from celebml_app.site.guard.problems import PROBLEMS


def problem(response, kind):
    "Check that a response is the problem named, whole and stable."
    value = response.get_json()
    assert response.content_type == "application/problem+json"
    assert value["type"] == f"/problems/{kind}"
    assert value["status"] == response.status_code == PROBLEMS[kind][0]
    assert value["title"] and value["detail"] and value["hint"]
    assert "Traceback" not in response.text
    return value


def test_answers_what_the_classifier_answers(client, bundle, face):
    answer = client.post("/api/v1/classify", data=form(face)).get_json()
    expected = CelebrityClassifier.load(bundle).classify(face)[0]
    (given,) = answer["faces"]
    assert given["name"] == expected.name == "s1"
    assert given["box"] == expected.box._asdict()
    assert given["known"] == expected.known
    assert given["probabilities"] == pytest.approx(expected.probabilities, abs=1e-5)
    assert (answer["width"], answer["height"]) == (92, 112)
    assert answer["milliseconds"] > 0
    assert answer["model"]["recipe"] == "best"
    assert len(answer["model"]["bundle"]) == 12


def test_why_adds_up_to_the_score(client, face):
    (found,) = client.post("/api/v1/classify?explain=true", data=form(face)).get_json()["faces"]
    why = found["explanation"]
    assert len(why["values"]) == why["rows"] * why["columns"]
    assert sum(why["values"]) + why["baseline"] == pytest.approx(why["score"], abs=1e-3)
    assert why["crop"].startswith("data:image/jpeg;base64,")
    (without,) = client.post("/api/v1/classify", data=form(face)).get_json()["faces"]
    assert "explanation" not in without


def test_a_model_that_cannot_say_why_does_not_offer_it(tmp_path, face):
    from tools.site_trial import small_bundle

    client = create_app(small_bundle(tmp_path / "classic", people=4, recipe="classic")).test_client()
    assert client.get("/api/v1/model").get_json()["offers"]["explain"] is False
    for found in client.post("/api/v1/classify?explain=true", data=form(face)).get_json()["faces"]:
        assert found["explanation"] is None


def test_biggest_face_first(client, two_faces):
    faces = client.post("/api/v1/classify", data=form(two_faces)).get_json()["faces"]
    assert [face["name"] for face in faces] == ["s3", "s1"]


@pytest.mark.parametrize("prefix", ["", "data:image/jpeg;base64,"])
def test_base64_in_json_is_the_same_photograph(client, face, prefix):
    body = {"image": prefix + base64.b64encode(face).decode()}
    by_json = client.post("/api/v1/classify", json=body).get_json()
    assert by_json["faces"] == client.post("/api/v1/classify", data=form(face)).get_json()["faces"]


def test_several_files_are_answered_one_by_one(client, face, two_faces):
    answer = client.post("/api/v1/classify", data=form(face, b"no picture", two_faces)).get_json()
    assert [len(photo["faces"]) for photo in answer["photos"]] == [1, 0, 2]
    assert [photo["file"] for photo in answer["photos"]] == ["0.jpg", "1.jpg", "2.jpg"]
    assert answer["photos"][1]["problem"]["type"] == "/problems/not-an-image"


def test_no_face_is_an_answer_and_no_failure(client):
    answer = client.post("/api/v1/classify", data=form(encoded(Image.new("RGB", (320, 240), "gray"))))
    assert answer.status_code == 200
    assert answer.get_json()["faces"] == []


@pytest.mark.parametrize("kind", ["image/jpeg", "application/octet-stream"])
def test_the_photograph_may_be_the_body(client, face, kind):
    raw = client.post("/api/v1/classify", data=face, content_type=kind).get_json()
    assert raw["faces"] == client.post("/api/v1/classify", data=form(face)).get_json()["faces"]


def test_why_against_the_second_adds_up_too(client, face):
    (found,) = client.post("/api/v1/classify?explain=true", data=form(face)).get_json()["faces"]
    second = sorted(found["probabilities"], key=found["probabilities"].get)[-2]
    against = found["explanation"]["against"]
    assert against["name"] == second
    assert sum(against["values"]) + against["baseline"] == pytest.approx(against["score"], abs=1e-3)
    assert against["score"] < found["explanation"]["score"]


def test_names_as_people_write_them():
    written = ["roger_federer", "Ada Lovelace", "s1", "ada_king-noel", "van Gogh", "BB-8"]
    assert [spelt_out(name) for name in written] == [
        *("Roger Federer", "Ada Lovelace", "s1", "Ada King-noel", "van Gogh", "BB-8")
    ]


def test_every_answer_has_a_number_of_its_own(client, bundle):
    first, second = client.get("/healthz"), client.get("/nowhere")
    assert len({first.headers["X-Request-ID"], second.headers["X-Request-ID"]}) == 2
    assert second.get_json()["request_id"] == second.headers["X-Request-ID"]
    given = {"X-Request-ID": "0123456789abcdef"}
    assert client.get("/healthz", headers=given).headers["X-Request-ID"] != given["X-Request-ID"]
    behind = create_app(bundle, proxies=1).test_client()
    assert behind.get("/healthz", headers=given).headers["X-Request-ID"] == given["X-Request-ID"]
    forged = behind.get("/healthz", headers={"X-Request-ID": 'x"}\t{'})
    assert forged.headers["X-Request-ID"].isalnum()


def test_a_line_for_each_request_without_what_was_sent(bundle, face, capfd):
    app = create_app(bundle, access_log=True, fetch_hosts=("a.example",))
    app.test_client().post("/api/v1/classify?explain=true", data=form(face))
    app.test_client().post("/api/v1/classify", json={"url": "https://b.example/secret.jpg"})
    lines = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    assert [(line["method"], line["path"], line["status"]) for line in lines] == [
        ("POST", "/api/v1/classify", 200),
        ("POST", "/api/v1/classify", 422),
    ]
    assert all(line["ms"] > 0 and len(line["id"]) == 32 for line in lines)
    assert "secret" not in str(lines)


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "GIF", "BMP", "TIFF", "HEIF", "AVIF"])
def test_common_formats_are_read(client, face, kind):
    import io

    data = encoded(Image.open(io.BytesIO(face)), kind)
    assert client.post("/api/v1/classify", data=form(data)).get_json()["faces"][0]["name"] == "s1"


@pytest.mark.parametrize(
    ("kind", "send"),
    [
        ("missing-photo", {"data": {"explain": "true"}, "content_type": "multipart/form-data"}),
        ("missing-photo", {"data": form(b"")}),
        ("not-an-image", {"data": form(b"just a text")}),
        ("not-an-image", {"data": form(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 100 100\n")}),
        ("damaged-image", {"data": form(encoded(Image.effect_noise((300, 300), 40))[:900])}),
        ("too-small", {"data": form(encoded(Image.new("L", (8, 8))))}),
        ("too-many-pixels", {"data": form(encoded(Image.new("1", (9000, 9000)), "PNG"))}),
        ("too-many-pixels", {"data": form(encoded(Image.new("1", (11000, 11000)), "PNG"))}),
        ("too-many-files", {"data": form(*[b"x"] * 17)}),
        ("not-an-image", {"data": b"raw", "content_type": "image/jpeg"}),
        ("missing-photo", {"data": b"", "content_type": "image/jpeg"}),
        ("unsupported-media-type", {"data": b"raw", "content_type": "text/plain"}),
        ("unsupported-media-type", {}),
        ("bad-request", {"data": b"{", "content_type": "application/json"}),
        ("bad-request", {"data": b"\xff\xfe", "content_type": "application/json"}),
        ("bad-request", {"data": b"[" * 100_000, "content_type": "application/json"}),
        ("invalid-field", {"json": ["image"]}),
        ("invalid-field", {"json": {"image": 5}}),
        ("invalid-field", {"json": {"image": "eHg=", "explain": "perhaps"}}),
        ("missing-photo", {"json": {}}),
        ("missing-photo", {"json": {"image": "eHg=", "url": "https://example.org/"}}),
        ("missing-photo", {"json": {"image": ""}}),
        ("bad-base64", {"json": {"image": "data:image/png;base64,$$$"}}),
        ("not-an-image", {"json": {"image": "eHg="}}),
        ("fetch-off", {"json": {"url": "https://example.org/a.jpg"}}),
    ],
)
def test_each_failure_says_what_happened(client, kind, send):
    problem(client.post("/api/v1/classify", **send), kind)


def test_other_addresses_and_methods(client):
    problem(client.get("/nowhere"), "not-found")
    problem(client.get("/api/v1/pictures/../../etc/passwd"), "not-found")
    refused = client.get("/api/v1/classify")
    problem(refused, "method-not-allowed")
    assert "POST" in refused.headers["Allow"]


def test_a_body_over_the_limit_is_refused(client, app):
    big = b"\xff\xd8" + bytes(app.config["MAX_CONTENT_LENGTH"])
    problem(client.post("/api/v1/classify", **encoded_form(photo=("a.jpg", big))), "too-large")
    body = json.dumps({"image": "A" * app.config["MAX_CONTENT_LENGTH"]})
    problem(client.post("/api/v1/classify", data=body, content_type="application/json"), "too-large")


def test_people_and_their_portraits(client):
    value = client.get("/api/v1/people").get_json()
    assert [person["name"] for person in value["people"]] == ["s1", "s2", "s3", "s4"]
    assert [person["display_name"] for person in value["people"]] == ["s1", "s2", "s3", "s4"]
    for small in [person["thumbnail"] for person in value["people"]] + [one["thumbnail"] for one in value["examples"]]:
        assert len(client.get(small).data) < 5000
    for address in [person["portrait"] for person in value["people"]] + [one["address"] for one in value["examples"]]:
        picture = client.get(address)
        assert picture.status_code == 200
        assert picture.data.startswith(b"\xff\xd8")
        again = client.get(address, headers={"If-None-Match": picture.headers["ETag"]})
        assert again.status_code == 304


def test_the_card_tells_what_the_server_offers(client):
    card = client.get("/api/v1/model").get_json()
    assert card["people"] == 4
    assert card["card"].startswith("# The AT&T faces")
    assert card["offers"]["fetch"] is False
    assert card["offers"]["feedback"] is False


def test_small_addresses(client):
    assert client.get("/hello").text == "Hi\n"
    assert client.get("/healthz").get_json() == {"status": "ok"}
    assert client.get("/readyz").get_json()["status"] == "ready"


def test_metrics_count_faces(client, face):
    def faces():
        lines = client.get("/metrics").text.splitlines()
        return sum(float(line.split()[-1]) for line in lines if line.startswith("celebml_faces_total"))

    before = faces()
    client.post("/api/v1/classify", data=form(face))
    assert faces() == before + 1


def test_a_fault_of_ours_is_told_without_its_inside(app, monkeypatch, face):
    monkeypatch.setattr(app.extensions["celebml"], "classify", lambda *_: 1 / 0)
    answer = app.test_client().post("/api/v1/classify", data=form(face))
    assert "division" not in problem(answer, "server-error")["detail"]
