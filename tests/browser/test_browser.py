"""What a visitor does, in a real browser against the real servers."""

import json
import sqlite3
from contextlib import closing

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

PHONE = {"viewport": {"width": 320, "height": 640}, "has_touch": True, "is_mobile": True}
DARK = {"color_scheme": "dark"}

GIVE = """async ({ kind, bytes, name }) => {
    const transfer = new DataTransfer();
    transfer.items.add(new File([new Uint8Array(bytes)], name, { type: "image/jpeg" }));
    const target = kind === "paste" ? document : document.getElementById("drop");
    target.dispatchEvent(kind === "paste"
        ? new ClipboardEvent("paste", { clipboardData: transfer, bubbles: true, cancelable: true })
        : new DragEvent("drop", { dataTransfer: transfer, bubbles: true, cancelable: true }));
}"""


def pick(page, *files):
    "Choose files through the button, as a visitor does."
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Choose photographs").click()
    chooser.value.set_files(list(files))


def result(page, name):
    "The article of one photograph."
    return page.get_by_role("article", name=name)


def no_violations(page):
    found = Axe().run(page).response["violations"]
    assert [(rule["id"], [node["html"] for node in rule["nodes"]]) for rule in found] == []


def test_pick_one(page, photos):
    pick(page, photos["s1"])
    article = result(page, "s1.jpg")
    expect(article.locator(".face-name")).to_have_text("1s1")
    expect(article.locator(".bars li")).to_have_count(8)
    expect(page.get_by_role("status")).to_contain_text("s1.jpg: s1,")
    picture, box = article.locator("img").bounding_box(), article.locator(".box").bounding_box()
    assert picture["x"] - 4 <= box["x"] and box["x"] + box["width"] <= picture["x"] + picture["width"] + 4
    assert box["height"] > picture["height"] / 2


@pytest.mark.parametrize("kind", ["drop", "paste"])
def test_drop_and_paste(page, photos, kind):
    given = {"kind": kind, "bytes": list(photos["s1"].read_bytes()), "name": f"{kind}.jpg"}
    page.evaluate(GIVE, given)
    expect(result(page, f"{kind}.jpg").locator(".face-name")).to_have_text("1s1")


def test_several_photographs_and_several_faces(page, photos):
    pick(page, photos["s3"], photos["both"], photos["wall"])
    expect(page.locator(".waiting")).to_have_count(0)
    expect(result(page, "s3.png").locator(".face")).to_have_count(1)
    both = result(page, "both.jpg")
    expect(both.locator(".box")).to_have_count(2)
    expect(both.locator(".face-name")).to_have_text(["1s3", "2s1"])
    expect(result(page, "wall.jpg")).to_contain_text("No face was found.")
    expect(result(page, "wall.jpg")).to_contain_text("Try a photograph")


def test_a_stranger_is_not_named(page, photos):
    pick(page, photos["stranger"])
    expect(result(page, "stranger.jpg").locator(".face-name")).to_have_text("1I don’t know this person")
    expect(result(page, "stranger.jpg")).to_contain_text("comes nearest")


@pytest.mark.parametrize(
    ("name", "says", "hint"),
    [
        ("text.jpg", "not an image", "Save it as JPEG"),
        ("heavy.jpg", "larger than 20 MB", "smaller JPEG"),
        ("empty.jpg", "empty", "Choose another"),
        ("bomb.png", "81,000,000", ""),
    ],
)
def test_each_failure_says_what_to_try(page, photos, name, says, hint):
    pick(page, photos[name.split(".")[0]])
    problem = result(page, name).locator(".problem")
    expect(problem).to_contain_text("9,000×9,000" if name == "bomb.png" else says)
    expect(problem).to_contain_text(hint)


def test_a_large_photograph_is_made_smaller_before_it_travels(page, photos):
    with page.expect_event("requestfinished", lambda request: request.method == "POST") as sent:
        pick(page, photos["large"])
    expect(result(page, "large.png")).to_contain_text("No face was found")
    assert photos["large"].stat().st_size > 4_000_000
    assert 10_000 < int(sent.value.all_headers()["content-length"]) < 3_000_000


def test_a_busy_server_is_asked_again(page, photos):
    asked = []

    def busy(route):
        asked.append(route.request.url)
        body = {
            "type": "/problems/busy",
            "title": "The server is busy",
            "detail": "Too many wait.",
            "hint": "Try later.",
        }
        kind = "application/problem+json"
        route.fulfill(status=503, headers={"Retry-After": "0.1"}, content_type=kind, body=json.dumps(body))

    page.route("**/api/v1/classify", busy)
    pick(page, photos["s1"])
    expect(result(page, "s1.jpg").locator(".problem")).to_have_text("Too many wait. Try later.")
    assert len(asked) == 3
    page.unroute("**/api/v1/classify")
    page.get_by_role("button", name="Try again").click()
    expect(result(page, "s1.jpg").locator(".face-name")).to_have_text("1s1")


def test_offline_is_told_and_mended(page, photos):
    page.context.set_offline(True)
    pick(page, photos["s1"])
    expect(result(page, "s1.jpg").locator(".problem")).to_contain_text("You are offline.")
    page.context.set_offline(False)
    page.get_by_role("button", name="Try again").click()
    expect(result(page, "s1.jpg").locator(".face-name")).to_have_text("1s1")


def test_the_camera(page):
    page.get_by_role("button", name="Use the camera").click()
    page.get_by_role("button", name="Take the photograph").click()
    expect(result(page, "camera.jpg").locator("img")).to_be_visible()
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_an_address_that_the_server_refuses(page):
    page.get_by_label("address of a photograph").fill("https://elsewhere.example/a.jpg")
    page.get_by_role("button", name="Fetch").click()
    problem = result(page, "a.jpg").locator(".problem")
    expect(problem).to_contain_text("elsewhere.example is not on this server's list")


def test_by_keyboard_alone(page):
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the results")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name="About the model")).to_contain_text("The AT&T faces")
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="About the model")).to_be_focused()
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.closest('#examples') !== null"):
            break
    page.keyboard.press("Enter")
    expect(result(page, "Example 1").locator(".face-name")).to_have_count(1)


@pytest.mark.parametrize("page", [PHONE | {"color_scheme": scheme} for scheme in ("light", "dark")], indirect=True)
def test_on_a_phone(page, photos):
    pick(page, photos["both"], photos["stranger"])
    expect(page.locator(".waiting")).to_have_count(0)
    assert page.evaluate("document.documentElement.scrollWidth") == 320
    no_violations(page)


@pytest.mark.parametrize("page", [{}, DARK], indirect=True, ids=["light", "dark"])
def test_no_barriers(page, photos):
    no_violations(page)
    pick(page, photos["both"], photos["text"], photos["wall"], photos["stranger"])
    expect(page.locator(".waiting")).to_have_count(0)
    no_violations(page)
    page.get_by_role("button", name="About the model").click()
    expect(page.get_by_role("dialog")).to_contain_text("The AT&T faces")
    no_violations(page)
    page.keyboard.press("Escape")
    page.get_by_role("button", name="That’s wrong").first.click()
    no_violations(page)
    page.keyboard.press("Escape")
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(16, 21, 27)"
    assert dark == page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")


@pytest.mark.parametrize("page", [{}, DARK], indirect=True, ids=["light", "dark"])
@pytest.mark.parametrize("address", ["/docs", "/problems/busy"])
def test_no_barriers_in_the_docs(page, site, address):
    page.goto(site.url + address)
    no_violations(page)


def test_a_correction_is_sent_with_consent(page, photos, site):
    pick(page, photos["s1"])
    page.get_by_role("button", name="That’s wrong").click()
    page.get_by_label("Who is it?").fill("Ada")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    assert not site.feedback.exists()
    page.get_by_role("checkbox").check()
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("status")).to_contain_text("Thank you")
    with closing(sqlite3.connect(site.feedback / "feedback.sqlite")) as database:
        assert database.execute("select said, right_name from feedback").fetchall() == [("s1", "Ada")]


def test_why_is_drawn_over_the_face(page, photos):
    pick(page, photos["s1"])
    page.get_by_role("button", name="Why?").click()
    canvas = page.get_by_role("img", name="Heat map over the face")
    expect(canvas).to_be_visible()
    expect(page.get_by_text("speaks for s1")).to_be_visible()
    page.wait_for_timeout(300)
    pixels = canvas.evaluate("canvas => [...canvas.getContext('2d').getImageData(0, 0, 224, 224).data]")
    blue = sum(b > r + 30 for r, b in zip(pixels[::4], pixels[2::4], strict=True))
    orange = sum(r > b + 30 for r, b in zip(pixels[::4], pixels[2::4], strict=True))
    assert blue > 100 and orange > 100, "a grey face gets its colours from the map"
    no_violations(page)


def test_why_can_be_folded_away(page, photos):
    pick(page, photos["both"])
    first = page.get_by_role("button", name="Why?").first
    first.click()
    canvas = page.get_by_role("img", name="Heat map over the face")
    expect(canvas).to_be_visible()
    expect(first).to_have_attribute("aria-expanded", "true")
    first.click()
    expect(canvas).to_be_hidden()
    expect(first).to_have_attribute("aria-expanded", "false")
