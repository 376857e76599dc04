"""What a visitor does, in a real browser against the real servers."""

import base64
import csv
import io
import json
import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import expect

from celebml.datasets import load_att

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
    expect(page.locator("#status")).to_contain_text("s1.jpg: s1,")
    picture, box = article.locator(".photo img").bounding_box(), article.locator(".box").bounding_box()
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


def test_each_failure_says_what_to_try(page, photos):
    told = {
        "text.jpg": ("not an image", "Save it as JPEG"),
        "heavy.jpg": ("larger than 20 MB", "smaller JPEG"),
        "empty.jpg": ("empty", "Choose another"),
        "cut.png": ("at most 25 megapixels are read", "export it so"),
    }
    for name, (says, hint) in told.items():
        pick(page, photos[name.split(".")[0]])
        problem = result(page, name).locator(".problem")
        expect(problem).to_contain_text(says, timeout=20_000)
        expect(problem).to_contain_text(hint)
        page.reload()


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
    page.context.set_offline(False)  # nothing has to be pressed
    expect(result(page, "s1.jpg").locator(".face-name")).to_have_text("1s1")


def test_the_page_opens_without_a_network_and_works_when_it_is_back(page, photos):
    page.evaluate("() => navigator.serviceWorker.ready.then(() => true)")
    page.reload()
    page.locator("#people li").nth(7).wait_for()
    page.context.set_offline(True)
    page.reload()
    expect(page.locator("#people li")).to_have_count(8)
    pick(page, photos["s1"])
    expect(result(page, "s1.jpg").locator(".problem")).to_contain_text("You are offline.")
    page.context.set_offline(False)
    expect(result(page, "s1.jpg").locator(".face-name")).to_have_text("1s1")


def test_the_camera(page):
    page.get_by_role("button", name="Use the camera").click()
    expect(page.get_by_role("button", name="Take the photograph")).to_be_enabled()
    assert (
        page.locator("#viewfinder").evaluate("frame => getComputedStyle(frame).transform")
        == "matrix(-1, 0, 0, 1, 0, 0)"
    )
    with page.expect_response("**/api/v1/classify"), page.expect_response("**/api/v1/classify"):
        page.get_by_role("checkbox", name="Answer live").check()
    page.get_by_role("button", name="Other camera").click()
    page.get_by_role("button", name="Take the photograph").click()
    expect(result(page, "camera.jpg").locator(".photo img")).to_be_visible()
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


@pytest.mark.parametrize("address", ["/docs", "/problems/busy"])
def test_no_barriers_in_the_docs(page, site, address):
    page.goto(site.url + address)
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        no_violations(page)


def test_a_correction_is_sent_with_consent_and_erased_by_its_receipt(page, photos, site):
    kept = lambda: sorted(path.parent.name for path in site.feedback.rglob("*.jpg"))
    pick(page, photos["both"])
    second = result(page, "both.jpg").locator(".face").nth(1)
    for face, name in ((result(page, "both.jpg").locator(".face").first, "s2"), (second, "Somebody else")):
        face.get_by_role("button", name="That’s wrong").click()
        expect(page.locator("#wrong-face")).to_be_visible()
        page.get_by_label("Who is it?").select_option(name)
        before = kept()
        page.get_by_role("button", name="Send").click()
        expect(page.get_by_role("dialog")).to_be_visible()
        assert kept() == before, "without consent nothing is sent"
        page.get_by_role("checkbox").check()
        page.get_by_role("button", name="Send").click()
        expect(face.get_by_role("status")).to_contain_text("Thank you. This face is kept as")
    assert kept() == ["s2", "somebody else"]
    no_violations(page)
    with page.context.expect_page() as opened:
        second.get_by_role("link", name="erase it").click()
    receipt = opened.value
    expect(receipt.get_by_role("img")).to_be_visible()
    no_violations(receipt)
    receipt.get_by_role("button", name="Erase it now").click()
    expect(receipt.get_by_role("status")).to_contain_text("Erased.")
    assert kept() == ["s2"]


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
    expect(page.get_by_text("most for s1 rather than s")).to_be_visible()
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


HAND = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True, "device_scale_factor": 3}


@pytest.mark.parametrize("page", [HAND], indirect=True)
@pytest.mark.parametrize("name", ["s1", "both", "stranger", "wall"])
def test_on_a_phone_the_answer_is_in_view_half_a_second_after_it_comes(page, photos, name):
    pick(page, photos[name])
    article = result(page, photos[name].name)
    answer = article.locator(".face-name, .unsure").first
    answer.wait_for()
    page.wait_for_timeout(500)
    box = answer.bounding_box()
    assert box["y"] >= 0
    assert box["y"] + box["height"] <= 844
    assert page.evaluate("document.documentElement.scrollWidth") == 390


ROOM_FOR_HINT = """(input) => {
    const style = getComputedStyle(input), pen = document.createElement("canvas").getContext("2d");
    pen.font = style.font;
    const inside = input.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
    return [pen.measureText(input.placeholder).width, inside];
}"""


@pytest.mark.parametrize("page", [HAND], indirect=True)
def test_on_a_phone_many_photographs_show_their_overview_first(page, fifty):
    pick(page, *fifty[:12])
    expect(page.locator("#strip-said")).to_have_text("12 photographs", timeout=60_000)
    page.wait_for_timeout(500)
    assert page.locator("#strip").bounding_box()["y"] > -1
    tile = page.locator("#strip-list .tile").first.bounding_box()
    assert tile["y"] + tile["height"] <= 844
    for width in (390, 320):
        page.set_viewport_size({"width": width, "height": 844})
        wide, room = page.locator("#strip-filter").evaluate(ROOM_FOR_HINT)
        assert wide < room - 20, "the hint is read whole, beside the cross that clears it"
    page.set_viewport_size({"width": 390, "height": 844})
    page.locator("#strip-list .tile").nth(5).click()
    assert page.get_by_role("article").locator(".face-name, .unsure").first.bounding_box()["y"] < 844, (
        "the chosen answer"
    )


def test_what_a_visitor_looks_at_is_not_taken_away(page, photos):
    page.set_viewport_size({"width": 390, "height": 844})
    page.route("**/api/v1/classify", lambda route: (page.mouse.wheel(0, 60), route.continue_()))
    pick(page, photos["s1"])
    result(page, "s1.jpg").locator(".face-name").wait_for()
    page.wait_for_timeout(300)
    assert 0 < page.evaluate("scrollY") < 200


@pytest.fixture(scope="session")
def fifty(tmp_path_factory):
    "Fifty photographs of ten people, two of whom the model does not know."
    folder, att, files = tmp_path_factory.mktemp("fifty"), load_att(), []
    for number in range(50):
        person, place = (*range(8), 38, 39)[number % 10], number // 10 + 5
        files.append(folder / f"{number:02}-{att.names[10 * person]}.jpg")
        Image.open(att.paths[10 * person + place]).convert("RGB").save(files[-1])
    return files


def test_fifty_photographs_give_an_overview(page, fifty, tmp_path):
    pick(page, *fifty)
    expect(page.locator("#strip-said")).to_have_text("50 photographs", timeout=60_000)
    tiles = page.locator("#strip-list .tile")
    expect(tiles).to_have_count(50)
    assert page.evaluate("document.documentElement.scrollHeight") < 2500, "an overview and no scroll"
    expect(page.get_by_role("article")).to_have_count(1)
    tiles.nth(20).click()
    expect(page.get_by_role("article")).to_have_attribute("aria-label", fifty[20].name)
    no_violations(page)

    page.get_by_label("Filter by name").fill("20-")
    expect(page.locator("#strip-list .tile:visible")).to_have_count(1)
    expect(page.locator("#strip-said")).to_have_text("1 of 50 shown")
    page.get_by_label("Filter by name").fill("")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy").click()
    expect(page.locator("#strip-said")).to_have_text("Copied.")
    assert page.evaluate("() => navigator.clipboard.readText()").startswith("00-s1.jpg: s1, ")
    with page.expect_download() as download:
        page.get_by_role("button", name="CSV").click()
    rows = list(csv.DictReader(download.value.path().read_text(encoding="utf-8-sig").splitlines()))
    assert [row["file"] for row in rows] == [path.name for path in fifty]
    assert float(rows[0]["probability"]) > 0.5
    with page.expect_download() as download:
        page.get_by_role("button", name="JSON").click()
    photos = json.loads(download.value.path().read_text(encoding="utf-8"))["photos"]
    assert len(photos) == 50
    assert photos[0]["faces"][0]["name"] == "s1"
    page.get_by_role("button", name="Clear").click()
    expect(page.locator("#empty")).to_be_visible()
    expect(page.get_by_role("article")).to_have_count(0)


def test_box_and_panel_light_up_together(page, photos):
    pick(page, photos["both"])
    boxes, panels = page.locator(".box"), page.locator(".face")
    expect(boxes).to_have_count(2)
    expect(boxes.first).to_contain_text("1 s3")
    boxes.nth(1).hover()
    expect(panels.nth(1)).to_have_class("face lit")
    panels.nth(0).hover()
    expect(boxes.nth(0)).to_have_class(re.compile("lit"))
    expect(boxes.nth(1)).not_to_have_class(re.compile("lit"))


def luminance(colour: str) -> float:
    parts = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize(
    "page", [{}, DARK, {"forced_colors": "active"}], indirect=True, ids=["light", "dark", "forced"]
)
def test_bars_can_be_seen(page, photos):
    pick(page, photos["s1"])
    bars = page.locator(".bars .bar")
    colour = lambda part: part.evaluate("one => getComputedStyle(one).backgroundColor")
    dark, light = sorted(luminance(colour(part)) for part in (bars.first, page.locator(".bars .track").first))
    assert (light + 0.05) / (dark + 0.05) >= 3
    assert bars.first.bounding_box()["width"] > 20
    expect(page.get_by_text(re.compile("others, under 1 % each"))).to_be_visible()


def test_what_the_first_visit_loads(page, site):
    "With portraits and examples of the bundle; nginx compresses what is text."
    cold = page.context.browser.new_context(viewport={"width": 1280, "height": 900}, service_workers="block")
    visit, size = cold.new_page(), []
    visit.on(
        "requestfinished",
        lambda sent: size.append(sum(sent.sizes()[key] for key in ("responseBodySize", "responseHeadersSize"))),
    )
    visit.goto(site.url)
    visit.locator("#people li").nth(7).wait_for()
    visit.wait_for_load_state("networkidle")
    cold.close()
    print(f"{sum(size) / 1000:.1f} kB in {len(size)} requests")
    assert 10_000 < sum(size) < 100_000


@pytest.mark.parametrize("page", [{"viewport": {"width": 1280, "height": 900}}], indirect=True)
def test_a_picture_that_is_dragged_from_another_page(page, photos):
    drop = """text => {
        const dataTransfer = new DataTransfer();
        dataTransfer.setData("text/uri-list", text);
        const target = document.getElementById("drop");
        target.dispatchEvent(new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true }));
    }"""
    page.evaluate(drop, "https://elsewhere.example/b.jpg")
    expect(result(page, "b.jpg").locator(".problem")).to_contain_text("elsewhere.example is not on this server's list")
    page.evaluate(drop, "data:image/jpeg;base64," + base64.b64encode(photos["s1"].read_bytes()).decode())
    expect(result(page, "picture").locator(".face-name")).to_have_text("1s1")


def test_without_javascript(chromium, site, photos):
    context = chromium.new_context(java_script_enabled=False, viewport={"width": 390, "height": 844})
    page = context.new_page()
    page.goto(site.url)
    page.get_by_label("A photograph", exact=True).set_input_files(photos["both"])
    page.get_by_role("button", name="Who is this?").click()
    expect(page.locator(".face-name")).to_have_text(["1s3", "2s1"])
    expect(page.locator("rect")).to_have_count(2)
    page.goto(site.url)
    page.get_by_label("A photograph", exact=True).set_input_files(photos["text"])
    page.get_by_role("button", name="Who is this?").click()
    expect(page.locator("h1")).to_have_text("This is not an image that can be read")
    context.close()


def test_it_can_be_installed(page, site):
    manifest = page.evaluate("async () => (await fetch(document.querySelector('link[rel=manifest]').href)).json()")
    assert manifest["display"] == "standalone"
    for icon in manifest["icons"]:
        answer = page.request.get(f"{site.url}/static/{icon['src']}")
        assert (answer.status, answer.headers["content-type"]) == (200, icon["type"])
        if icon["type"] == "image/png":
            size = Image.open(io.BytesIO(answer.body())).size
            assert icon["sizes"] == f"{size[0]}x{size[1]}"
    devtools = page.context.new_cdp_session(page)
    assert devtools.send("Page.getInstallabilityErrors")["installabilityErrors"] in (
        [],
        [{"errorId": "in-incognito", "errorArguments": []}],
    )


def test_a_photograph_is_tried_in_the_docs(page, site, photos):
    page.goto(f"{site.url}/docs")
    page.get_by_label("A photograph of yours").set_input_files(photos["s1"])
    page.get_by_role("button", name="Send").click()
    expect(page.locator("#try-answer")).to_contain_text('"name": "s1"')
    no_violations(page)
