"""The tutorials' pages work unchanged."""

import base64

import pytest
from site_requests import encoded_form, form

from celebml_app.site import create_app


@pytest.fixture
def data_url(face):
    return "data:image/jpeg;base64," + base64.b64encode(face).decode()


@pytest.mark.parametrize("address", ["/api/classify_image", "/classify_image"])
@pytest.mark.parametrize("content_type", ["application/x-www-form-urlencoded", "multipart/form-data"])
def test_the_list_that_their_pages_read(client, data_url, face, address, content_type):
    answer = client.post(address, data={"image_data": data_url}, content_type=content_type)
    assert answer.content_type == "application/json"
    (found,) = answer.get_json()
    keys = ("class", "class_probability", "class_dictionary")
    assert set(found) == {*keys, "label", "label_probability", "label_dict"}
    assert [found[key] for key in keys] == [found[key] for key in ("label", "label_probability", "label_dict")]
    assert found["class"] == "s1"
    assert found["class_dictionary"] == {"s1": 0, "s2": 1, "s3": 2, "s4": 3}
    modern = client.post("/api/v1/classify", data=form(face)).get_json()["faces"][0]["probabilities"]
    for name, number in found["class_dictionary"].items():
        assert found["class_probability"][number] == pytest.approx(100 * modern[name], abs=0.01)
    assert sum(found["class_probability"]) == pytest.approx(100, abs=0.1)


def test_a_plus_that_a_form_turned_into_a_space(client, data_url):
    assert "+" in data_url
    answer = client.post("/api/classify_image", data={"image_data": data_url.replace("+", " ")})
    assert answer.get_json()[0]["class"] == "s1"


def test_a_large_photograph_in_a_form_field(client, face):
    "Werkzeug's own limit for a text field is 500 kB; the padding is what follows the JPEG's end."
    data = "data:image/jpeg;base64," + base64.b64encode(face + bytes(2_000_000)).decode()
    answer = client.post("/api/classify_image", **encoded_form(image_data=data))
    assert answer.get_json()[0]["class"] == "s1"


@pytest.mark.parametrize(
    "value", [None, "", "data:image/png;base64,", "nonsense", "data:,", "data:image/jpeg;base64,/9j/4AAQ"]
)
def test_what_was_a_traceback_is_a_sentence(client, value):
    answer = client.post("/api/classify_image", data={} if value is None else {"image_data": value})
    assert 400 <= answer.status_code < 500
    assert answer.content_type == "application/problem+json"
    assert answer.get_json()["hint"]


def test_no_face_is_an_empty_list(client):
    import io

    from PIL import Image

    buffer = io.BytesIO()
    Image.new("RGB", (200, 200), "white").save(buffer, "PNG")
    data = "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
    assert client.post("/api/classify_image", data={"image_data": data}).get_json() == []


@pytest.mark.parametrize("address", ["/api/classify_image", "/classify_image"])
def test_a_page_of_any_site_may_call_it_unless_the_operator_closes_it(client, bundle, data_url, address):
    for sent in ({"image_data": data_url}, {"image_data": "nonsense"}):
        answer = client.post(address, data=sent, headers={"Origin": "null"})
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
        assert "Access-Control-Allow-Credentials" not in answer.headers
    modern = client.post("/api/v1/classify", json={"image": data_url}, headers={"Origin": "null"})
    assert "Access-Control-Allow-Origin" not in modern.headers
    closed = create_app(bundle, legacy_open=False).test_client()
    answer = closed.post(address, data={"image_data": data_url}, headers={"Origin": "null"})
    assert "Access-Control-Allow-Origin" not in answer.headers
