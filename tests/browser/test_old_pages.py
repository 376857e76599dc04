"""Pages of other people, written afresh to the contracts that such pages have, call the site unchanged.

They bring Dropzone and jQuery from npm, name elements after the people, and are opened from a file or another port.
"""

import shutil
import subprocess
import tarfile
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import expect

PACKAGES = {"dropzone@5.9.3": "dist/min/dropzone.min.js", "jquery@3.7.1": "dist/jquery.min.js"}
KEYS = {
    "four actors, or a mixed set": ("class", "class_probability", "class_dictionary", "/api/classify_image"),
    "the tutorial": ("class", "class_probability", "class_dictionary", "/classify_image"),
    "six footballers": ("label", "label_probability", "label_dict", "/api/classify_image"),
}
PAGE = """<!doctype html>
<meta charset="utf-8"><title>Who is it</title>
<script src="jquery.min.js"></script><script src="dropzone.min.js"></script>
<div id="dropzone" class="dropzone">Drop here</div>
<button id="submitBtn">Classify</button>
<p id="error" hidden>No face</p>
<p id="resultHolder"></p>
<table><tr><td>s1</td><td id="score_s1"></td></tr><tr><td>s3</td><td id="score_s3"></td></tr></table>
<script>
Dropzone.autoDiscover = false;
$(document).ready(() => {
  const dz = new Dropzone("#dropzone", { url: "/", maxFiles: 1, autoProcessQueue: false, addRemoveLinks: true });
  dz.on("complete", (file) => {
    $.post("ADDRESS", { image_data: file.dataURL }, (data) => {
      if (!data || !data.length) return $("#error").prop("hidden", false);
      let match = null, best = -1;
      for (const one of data) {
        const top = Math.max(...one.NAMES_PROBABILITY);
        if (top > best) [match, best] = [one, top];
      }
      $("#resultHolder").text(match.NAMES_NAME);
      for (const name in match.NAMES_DICTIONARY) {
        $("#score_" + name).text(match.NAMES_PROBABILITY[match.NAMES_DICTIONARY[name]]);
      }
    });
  });
  $("#submitBtn").on("click", () => dz.processQueue());
});
</script>
"""


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        "Silence."


@pytest.fixture(scope="session")
def libraries(tmp_path_factory):
    "Dropzone and jQuery, as npm has them."
    npm, folder = shutil.which("npm"), tmp_path_factory.mktemp("npm")
    if not npm:
        pytest.skip("npm is not installed; it brings Dropzone and jQuery for this test")
    done = subprocess.run([npm, "pack", "--silent", *PACKAGES], cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"npm could not fetch Dropzone and jQuery: {done.stderr.strip()[-200:]}")
    for archive, member in zip(done.stdout.split(), PACKAGES.values(), strict=True):
        with tarfile.open(folder / archive) as packed:
            (folder / member.rpartition("/")[2]).write_bytes(packed.extractfile(f"package/{member}").read())
    return folder


@pytest.fixture(params=["file", "another port"])
def opened(request, chromium, site, libraries):
    "Opens one of the pages, as a file or from a server of its own."
    context = chromium.new_context()
    server = None
    if request.param != "file":
        server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(libraries)))
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()

    def opened(kind):
        name, probability, dictionary, path = KEYS[kind]
        text = PAGE.replace("NAMES_PROBABILITY", probability).replace("NAMES_DICTIONARY", dictionary)
        text = text.replace("NAMES_NAME", name).replace("ADDRESS", site.url + path)
        (libraries / "page.html").write_text(text, encoding="utf-8")
        base = f"http://127.0.0.1:{server.server_port}" if server else libraries.as_uri()
        page = context.new_page()
        page.goto(f"{base}/page.html")
        return page

    yield opened
    context.close()
    if server:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize("kind", KEYS)
def test_an_old_page_works_unchanged(opened, photos, kind):
    page = opened(kind)
    page.set_input_files(".dz-hidden-input", photos["s1"])
    page.locator(".dz-image img[src]").wait_for()
    page.get_by_role("button", name="Classify").click()
    expect(page.locator("#resultHolder")).to_have_text("s1")
    assert float(page.locator("#score_s1").inner_text()) > 50 > float(page.locator("#score_s3").inner_text())
