"""Behaviour of collecting: four ways in, manners towards services, addresses refused, nothing fetched twice."""

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from open_collections import Collections, drawn, serving
from waiting import until

from celebml.addresses import is_public
from celebml.claims import MARK
from celebml.collect import gather
from celebml.datasets import load_folder
from celebml.errors import DataError, FetchError
from celebml.fetching import WebClient, pause_between, seconds_to_wait
from celebml.files import safe_name
from celebml.licences import ALLOWED, is_allowed
from celebml.manifest import read_manifest
from celebml.open_collections import search_commons, search_openverse, search_people
from celebml.open_web import public_addresses
from celebml.sources import Candidate, from_csv, from_folder, from_rows, from_sql, person_in_name
from celebml.zips import unzip


@pytest.fixture
def held():
    """What the server holds."""
    return Collections()


@pytest.fixture
def address(held):
    """A running server."""
    with serving(held) as url:
        yield url


def client(address: str, **settings) -> WebClient:
    """A client that may ask the local server, and does not really wait."""
    return WebClient(trusted=[address.removeprefix("http://")], sleep=settings.pop("sleep", lambda _: None), **settings)


def snapshot(folder: Path) -> dict[str, bytes]:
    """Every file of a folder, the times in the manifest left out."""
    paths = (path for path in folder.rglob("*") if path.is_file() and path.name != MARK)
    files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}
    entries = [{k: v for k, v in vars(entry).items() if k != "retrieved"} for entry in read_manifest(folder)]
    return files | {"manifest.csv": repr(entries).encode()}


# --- by hand and out of tables


@given(st.text(max_size=30))
def test_a_candidate_is_web_only_with_a_web_address(origin):
    assert Candidate("Ada", origin).is_web == origin.lower().startswith(("http://", "https://"))


def test_a_folder_of_people_arrives(tmp_path):
    for name in ("Ada/1.jpg", "Ada/sub/2.jpg", "Alan/1.jpg", "Alan/.DS_Store"):
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).write_bytes(drawn(len(name)) if name.endswith("jpg") else b"x")
    entries = gather(from_folder(tmp_path / "in"), tmp_path / "out")
    assert [entry.person for entry in entries] == ["Ada", "Ada", "Alan"]
    assert load_folder(tmp_path / "out").people == {"Ada": 2, "Alan": 1}
    assert [(tmp_path / "out" / entry.file).read_bytes() for entry in entries] == [drawn(9), drawn(13), drawn(10)]


def test_copies_and_letters_are_left_out_with_a_reason(tmp_path):
    source = tmp_path / "in"
    source.mkdir()
    (source / "ada 1.jpg").write_bytes(drawn(1))
    (source / "ada 2.jpg").write_bytes(drawn(1))
    (source / "ada login.jpg").write_text("<html>log in</html>")
    (source / "download (3).jpg").write_bytes(drawn(3))
    entries = gather(from_folder(source, ["Ada", "Alan"]), tmp_path / "out")
    reasons = [entry.reason.split(" of ")[0].split(":")[0] for entry in entries]
    assert reasons == ["", "exact duplicate", "unreadable", "nobody's name stands in its name"]
    assert len(list(source.iterdir())) == 4


@pytest.mark.parametrize(
    ("name", "person"),
    [
        ("ada_lovelace - Search (12).jpg", "Ada Lovelace"),
        ("AdaLovelace1.png", "Ada Lovelace"),
        ("lovelace.jpg", "Ada Lovelace"),
        ("ada and turing.jpg", "Alan Turing"),
        ("lovelace with turing.jpg", ""),
        ("ada lovelace with turing.jpg", "Ada Lovelace"),
        ("Ádá  LOVELACE.jpg", "Ada Lovelace"),
        ("image (3).jpg", ""),
    ],
)
def test_messy_names_are_sorted(name, person):
    assert person_in_name(name, ["Ada Lovelace", "Alan Turing"]) == person


def test_a_zip_cannot_write_outside_its_folder(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for name in ("../../evil.jpg", "/etc/evil2.jpg", "Ada\\..\\..\\evil3.jpg", "Ada/ok.jpg"):
            archive.writestr(name, drawn(1))
    unzip(tmp_path / "a.zip", tmp_path / "in")
    found = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.jpg")}
    assert found == {"in/evil.jpg", "in/etc/evil2.jpg", "in/Ada/evil3.jpg", "in/Ada/ok.jpg"}


def test_a_zip_bomb_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(5):
            archive.writestr(f"{number}.jpg", bytes(1_000_000))
    with pytest.raises(DataError, match="once unpacked"):
        unzip(tmp_path / "a.zip", tmp_path / "in", max_total=3_000_000)
    said = []
    unzip(tmp_path / "a.zip", tmp_path / "in2", max_bytes=999_999, say=said.append)
    assert not list(tmp_path.glob("in2/*"))
    assert len(said) == 5
    assert said[0] == "0.jpg: left out of the zip (1 MB, and 1.0 MB are allowed)"


def test_a_member_that_cannot_be_had_costs_itself_and_is_said(tmp_path):
    names = ["a?.jpg", "a*.jpg", "a|.jpg", "A?.jpg", "脸" * 90 + ".jpg", "x" * 250 + ".jpg", "x" * 251 + ".jpg"]
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for number, name in enumerate([*names, "damaged.jpg", "locked.jpg", "good", "good/inside.jpg"]):
            archive.writestr(name, drawn(number))
    data = bytearray((tmp_path / "a.zip").read_bytes())
    data[data.index(drawn(len(names))) + 200] ^= 1
    local, listed = data.index(b"locked.jpg"), data.rindex(b"locked.jpg")
    data[local - 30 + 6] |= 1  # the bit that says it is encrypted
    data[listed - 46 + 8] |= 1
    (tmp_path / "a.zip").write_bytes(data)
    said = []
    unzip(tmp_path / "a.zip", tmp_path / "in", say=said.append)
    found = {path.read_bytes() for path in (tmp_path / "in").rglob("*") if path.is_file()}
    assert found == {drawn(number) for number in (*range(len(names)), len(names) + 2)}
    assert len(list((tmp_path / "in").glob("*.jpg"))) == len(names)
    assert [line.split(":")[0] for line in said] == ["damaged.jpg", "locked.jpg", "good/inside.jpg"]


def test_a_pipe_is_no_zip(tmp_path):
    os.mkfifo(tmp_path / "a.zip")
    with pytest.raises(DataError, match="not a zip"):
        unzip(tmp_path / "a.zip", tmp_path / "in")


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04 not really"])
def test_a_broken_zip_is_said(tmp_path, data):
    (tmp_path / "a.zip").write_bytes(data)
    with pytest.raises(DataError, match="cannot be unpacked"):
        unzip(tmp_path / "a.zip", tmp_path / "in")


def test_a_shop_csv_arrives_with_its_licences(tmp_path):
    (tmp_path / "ada.jpg").write_bytes(drawn(1))
    (tmp_path / "shop.csv").write_text(
        "\ufeffName,Image,License,Photographer\nAda,ada.jpg,cc by 4.0,Grace\nAda,,,\nAda,gone.jpg,,\n", encoding="utf-8"
    )
    kept, gone = gather(from_csv(tmp_path / "shop.csv"), tmp_path / "out")
    assert (kept.licence, kept.author, kept.source) == ("CC-BY-4.0", "Grace", "shop.csv")
    assert kept.licence_url.endswith("/by/4.0/")
    assert "cannot be read" in gone.reason


def test_a_database_arrives(tmp_path):
    (tmp_path / "ada.jpg").write_bytes(drawn(1))
    database = sqlite3.connect(tmp_path / "shop.db")
    database.execute("create table photo (who text, path text, terms text)")
    database.execute("insert into photo values ('Ada', 'ada.jpg', 'in-house')")
    database.commit()
    database.close()
    query = "select who as person, path, terms as licence from photo"
    found = from_sql(f"sqlite:///{tmp_path}/shop.db", query, tmp_path)
    assert [(c.person, c.licence) for c in found] == [("Ada", "in-house")]
    assert gather(found, tmp_path / "out")[0].kept


@pytest.mark.parametrize(
    "query",
    [
        "drop table photo", "delete from photo", "update photo set name = 'x'", "insert into photo values ('a', 'b')",
        "select 1; drop table photo", "with x as (select 1) delete from photo", "pragma writable_schema = 1",
        "attach 'other.db' as other", "select load_extension('x')", "vacuum into 'copy.db'", "", ";", "\ud800",
        "with recursive c(x) as (select 1 union all select x + 1 from c) select x as name, x as path from c",
    ],
)  # fmt: skip
def test_a_database_is_only_read(tmp_path, monkeypatch, query):
    monkeypatch.chdir(tmp_path)
    database = sqlite3.connect("shop.db")
    database.execute("create table photo (name, path)")
    database.commit()
    database.close()
    before = Path("shop.db").read_bytes()
    with pytest.raises(DataError):
        from_sql("sqlite:///shop.db", query)
    assert Path("shop.db").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["shop.db"]


def test_a_question_without_end_is_given_up():
    endless = "with recursive c(x) as (select 1 union all select x + 1 from c) select max(x) from c"
    with pytest.raises(DataError, match="took too long"):
        from_sql("sqlite://", endless, seconds=0.05)


@pytest.mark.parametrize(
    "url",
    [
        f"sqlite:///{'a' * 5000}",
        "sqlite:///new.db",
        "sqlite:///new.db?mode=rwc",
        "sqlite:///file:new.db?mode=rwc&uri=true",
    ],
)
def test_a_database_that_is_not_there_is_not_made(tmp_path, monkeypatch, url):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match="no such database"):
        from_sql(url, "select 1")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("url", ["sqlite://", "nowhere://x", ""])
def test_a_database_that_does_not_answer_is_said(url):
    with pytest.raises(DataError, match="did not answer"):
        from_sql(url, "select nonsense")


def test_a_table_without_the_columns_is_said():
    with pytest.raises(DataError, match="no column for the person"):
        from_rows([{"url": "https://example.org/1.jpg"}], Path(), "shop")


@pytest.mark.parametrize("column", ["url", "image_url"])
def test_a_path_is_not_read_where_an_address_is_meant(tmp_path, column):
    (tmp_path / "secret.jpg").write_bytes(drawn(1))
    rows = [{"name": "Ada", column: str(tmp_path / "secret.jpg")}, {"name": "Ada", column: "file:///etc/passwd"}]
    for entry in gather(from_rows(rows, tmp_path, "a table"), tmp_path / "out"):
        assert entry.reason == "not a web address"
    assert not list((tmp_path / "out").rglob("*.jpg"))


def test_a_folder_that_cannot_be_opened_is_said(tmp_path, monkeypatch):
    for name in ("in/Ada/1.jpg", "in/Closed/1.jpg"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(drawn(1))
    scan = os.scandir

    def refusing(path):
        if str(path).endswith("Closed"):  # root may open everything, so rights would prove nothing
            raise PermissionError(13, "Permission denied", str(path))
        return scan(path)

    monkeypatch.setattr("os.scandir", refusing)
    said = []
    assert [candidate.person for candidate in from_folder(tmp_path / "in", say=said.append)] == ["Ada"]
    assert said == [f"{tmp_path / 'in' / 'Closed'}: cannot be opened (Permission denied), left out"]


def pipe(path):
    if not hasattr(os, "mkfifo"):
        pytest.skip("this system has no named pipes")
    os.mkfifo(path)


@pytest.mark.parametrize("make", [pipe, lambda path: path.symlink_to("/dev/zero")], ids=["pipe", "device"])
def test_only_ordinary_files_are_photographs(tmp_path, make):
    (tmp_path / "good.jpg").write_bytes(drawn(1))
    make(tmp_path / "odd.jpg")
    entries = gather([Candidate("Ada", str(tmp_path / name)) for name in ("odd.jpg", "good.jpg")], tmp_path / "out")
    assert [entry.kept for entry in entries] == [False, True]
    assert "a pipe or a device" in entries[0].reason


def test_people_whose_names_differ_in_punctuation_only_have_folders_of_their_own(tmp_path):
    for number in range(4):
        (tmp_path / f"{number}.jpg").write_bytes(drawn(number))
    people = ["Ada?", "Ada*", "ada"]
    found = [Candidate(person, str(tmp_path / f"{number}.jpg")) for number, person in enumerate(people)]
    first = gather(found[:1], tmp_path / "out")
    entries = gather(found, tmp_path / "out")
    assert entries[:1] == first
    assert len({entry.file.split("/")[0].casefold() for entry in entries}) == 3
    again = gather([*found, Candidate("Ada*", str(tmp_path / "3.jpg"))], tmp_path / "out")
    assert again[3].file.split("/")[0] == entries[1].file.split("/")[0]


def test_an_origin_that_a_table_cannot_hold_is_not_collected_again(tmp_path):
    path = tmp_path / "a\x07b.jpg"
    path.write_bytes(drawn(1))
    found = [Candidate("Ada", str(path))]
    assert [len(gather(found, tmp_path / "out")) for _ in range(2)] == [1, 1]


@pytest.mark.parametrize(
    ("licence", "address", "kept"),
    [
        ("CC BY 4.0", "https://creativecommons.org/licenses/by/4.0/", True),
        ("CC BY 4.0", "https://creativecommons.org/licenses/by-nc/4.0/", False),
        ("", "https://creativecommons.org/licenses/by-sa/3.0/de/", True),
        ("", "https://example.org/licence", False),
        ("Public domain", "https://creativecommons.org/publicdomain/mark/1.0/", True),
        ("all rights reserved", "https://creativecommons.org/licenses/by/4.0/", False),
        ("CC BY 4.0", "https://example.org/terms", True),
    ],
)
def test_a_licence_and_its_address_must_agree(tmp_path, licence, address, kept):
    (tmp_path / "1.jpg").write_bytes(drawn(1))
    found = [Candidate("Ada", str(tmp_path / "1.jpg"), licence=licence, licence_url=address)]
    assert [entry.kept for entry in gather(found, tmp_path / "out", allowed=ALLOWED)] == [kept]


@pytest.mark.parametrize("name", ["CON", "nul", "com1", "LPT9.jpg", "aux.tar.gz"])
def test_no_folder_has_the_name_of_a_device(name):
    assert safe_name(name) == f"_{name}"
    assert safe_name(f"{name}x" if "." not in name else "console.jpg")[0] != "_"


def test_flickrs_numbers_are_licences_of_flickr_only():
    rows = [{"name": "Ada", "path": "a.jpg", "license": "4", "source": source} for source in ("Flickr", "a shop")]
    assert [is_allowed(candidate.licence) for candidate in from_rows(rows, Path(), "")] == [True, False]


def test_a_person_without_a_letter_is_in_no_name():
    assert person_in_name("ada.jpg", ["!!!", "Ada"]) == "Ada"


def test_collecting_a_folder_into_itself_is_refused(tmp_path):
    (tmp_path / "Ada").mkdir()
    (tmp_path / "Ada" / "1.jpg").write_bytes(drawn(1))
    with pytest.raises(DataError, match="not written by celebml"):
        gather(from_folder(tmp_path), tmp_path)
    gather(from_folder(tmp_path), tmp_path / "out")
    with pytest.raises(DataError, match="there already"):
        gather(from_folder(tmp_path / "out"), tmp_path / "out")


def test_a_collection_of_version_0_1_is_gone_on_with(tmp_path):
    source = tmp_path / "in" / "Ada"
    source.mkdir(parents=True)
    (source / "1.jpg").write_bytes(drawn(1))
    gather(from_folder(tmp_path / "in"), tmp_path / "out")
    (tmp_path / "out" / MARK).unlink()  # as 0.1.0 wrote it
    (source / "2.jpg").write_bytes(drawn(2))
    assert [entry.kept for entry in gather(from_folder(tmp_path / "in"), tmp_path / "out")] == [True, True]


def test_a_manifest_mended_by_hand_stays_mended(tmp_path):
    source = tmp_path / "in" / "Ada"
    source.mkdir(parents=True)
    (source / "1.jpg").write_bytes(drawn(1))
    gather([Candidate("Ada", str(source / "1.jpg"), author="Grase")], tmp_path / "out")
    manifest = tmp_path / "out" / "manifest.csv"
    manifest.write_text(manifest.read_text(encoding="utf-8").replace("Grase", "Grace"), encoding="utf-8")
    (source / "2.jpg").write_bytes(drawn(2))
    gather([Candidate("Ada", str(source / "2.jpg"))], tmp_path / "out")
    assert [entry.author for entry in read_manifest(tmp_path / "out")] == ["Grace", ""]


names = st.text(min_size=1, max_size=40)


@settings(max_examples=50, deadline=None)
@given(person=names, title=names)
def test_no_name_leads_out_of_the_folder(tmp_path_factory, person, title):
    folder = tmp_path_factory.mktemp("c")
    (folder / "1.jpg").write_bytes(drawn(1))
    gather([Candidate(person, str(folder / "1.jpg"), title=title)], folder / "out")
    assert {path.relative_to(folder).parts[0] for path in folder.rglob("*.jpg")} <= {"1.jpg", "out"}
    assert len(read_manifest(folder / "out")) == 1


# --- the two services


def test_commons_gives_author_licence_and_page(address, held):
    found = search_commons(client(address), "Ada Lovelace", 7, f"{address}/w/api.php")
    first = found[0]
    assert len(found) == 7
    assert (first.title, first.author, first.licence) == ("Portrait 0", "S&0", "CC BY-SA 4.0")
    assert "960px-0" in first.origin
    assert first.landing.endswith("File:Portrait_0.jpg")
    assert [c.title for c in found] == [f"Portrait {i}" for i in range(7)]


class Says:
    """A client that answers from a list, the last answer again and again."""

    def __init__(self, *answers):
        self.answers, self.asked = list(answers), []

    def get_json(self, url, question):
        self.asked.append(question)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def a_page(**info):
    info = {"extmetadata": {"LicenseShortName": {"value": "CC BY 4.0"}}} | info
    return {"title": "File:A.jpg", "imageinfo": [info]}


@pytest.mark.parametrize("place", ["/etc/hostname", "file:///etc/hostname", "C:\\secret.jpg", "../a.jpg", ""])
def test_a_search_answer_cannot_name_a_local_file(tmp_path, place):
    web = "https://example.org/a.jpg"
    answer = {"query": {"pages": [a_page(thumburl=place, url=place), a_page(thumburl=place, url=web)]}}
    assert [candidate.origin for candidate in search_commons(Says(answer), "Ada")] == [web]
    results = [{"url": place, "license": "cc0"}, {"url": web, "license": "cc0", "foreign_landing_url": place}]
    found = search_openverse(Says({"results": results, "page_count": 1}), "Ada")
    assert [(candidate.origin, candidate.landing) for candidate in found] == [(web, "")]


def test_people_whose_names_differ_in_punctuation_only_have_searches_of_their_own(tmp_path):
    class Named(Says):
        def get_json(self, url, question):
            who = question.get("gsrsearch") or question["q"]
            return {"query": {"pages": [a_page(url=f"https://example.org/{who[-2]}.jpg")]}}

    found, _ = search_people(Named({}), ["Ada!", "Ada?", "Ada."], tmp_path)
    assert [candidate.origin[-5] for candidate in found] == ["!", "?", "."]


def test_an_answer_that_always_promises_more_is_given_up():
    same = Says({"continue": {"gsroffset": 1}, "query": {"pages": []}})
    assert search_commons(same, "Ada") == []
    assert len(same.asked) == 40
    pages = Says({"results": [], "page_count": 10**9})
    assert search_openverse(pages, "Ada") == []
    assert len(pages.asked) == 20


def test_a_continuation_cannot_change_the_question():
    odd = {"url": "http://10.0.0.1/", "self": 1, "gsrsearch": "everybody", "iiurlwidth": 1, "gsroffset": 3}
    says = Says({"continue": odd, "query": {"pages": []}}, {"query": {"pages": []}})
    assert search_commons(says, "Ada") == []
    first, second = says.asked
    assert second == odd | first
    assert "Ada" in second["gsrsearch"]


odd_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["query", "pages", "imageinfo", "url", "thumburl", "extmetadata", "Artist", "value", "title"]
            )
            | st.sampled_from(["index", "continue", "results", "license", "page_count", "error", "info", "source"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(st.sampled_from(["query", "results", "continue", "page_count", "error"]), odd_json))
def test_any_answer_is_survived(answer):
    for search in (search_commons, search_openverse):
        try:
            found = search(Says(answer), "Ada", 3)
        except FetchError:
            continue
        assert all(candidate.is_web for candidate in found)


def test_one_odd_photograph_costs_only_itself():
    pages = [a_page(url="https://example.org/1.jpg"), {"imageinfo": ["?"]}, None, 7, a_page(url=7), {"title": None}]
    assert len(search_commons(Says({"query": {"pages": pages}}), "Ada")) == 1


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"{", b"[" * 100_000, b"\xff\xfe"])
def test_what_is_no_object_is_a_note(address, held, tmp_path, body):
    held.special["/w/api.php"] = (200, {}, body)
    services = f"{address}/w/api.php", f"{address}/v1/images/"
    found, notes = search_people(client(address), ["Ada"], tmp_path, 3, *services)
    assert len(found) == 3
    assert "did not answer" in notes[0]


def test_one_bad_redirect_costs_only_itself(address, held, tmp_path):
    places = ["http://10.0.0.1/a.jpg", "file:///etc/passwd", "http://[::1/", "//", "\x00", "http://a b/", "/round"]
    for number, place in enumerate(places):
        held.special[f"/files/{number}.jpg"] = (302, {"Location": place}, b"")
    held.special["/round"] = (302, {"Location": "/round"}, b"")
    found = [Candidate("Ada", f"{address}/files/{number}.jpg") for number in range(len(places) + 2)]
    entries = gather(found, tmp_path, client(address, attempts=1).get)
    assert [entry.kept for entry in entries] == [False] * len(places) + [True, True]
    assert all(entry.reason for entry in entries[: len(places)])


def test_commons_is_waited_for_when_it_lags(address, held):
    held.lag = 2
    slept = []
    assert search_commons(client(address, sleep=slept.append), "Ada", 3, f"{address}/w/api.php")
    assert max(slept) > 4


def test_waiting_for_a_turn_does_not_count_as_slow(address, held):
    held.limits = {"X-RateLimit-Limit-anon_burst": "60/min", "X-RateLimit-Available-anon_burst": "1"}
    web = client(address, sleep=time.sleep, max_seconds=0.5)
    assert len(search_openverse(web, "Ada", 4, f"{address}/v1/images/")) == 4


def test_openverse_gives_all_pages_and_its_own_line(address, held):
    found = search_openverse(client(address), "Ada", 7, f"{address}/v1/images/")
    assert len(found) == 7
    assert found[0].licence == "CC-BY-2.0"
    assert found[0].attribution.startswith('"Open 0" by s0')
    assert all("page_size=20" in asked for asked in held.asked if asked.startswith("/v1"))


def test_openverse_is_rested_when_little_is_left(address, held):
    held.limits = {"X-RateLimit-Limit-anon_burst": "20/min", "X-RateLimit-Available-anon_burst": "1"}
    slept = []
    search_openverse(client(address, sleep=slept.append), "Ada", 7, f"{address}/v1/images/")
    assert sum(seconds > 2 for seconds in slept) == 2


def test_services_know_who_asks_and_are_asked_one_thing_at_a_time(address, held):
    held.seconds = 0.02
    web = client(address, contact="ada@example.org")
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda person: search_commons(web, person, 5, f"{address}/w/api.php"), ["Ada", "Alan", "Grace"]))
    assert held.most_at_once["api"] == 1
    assert all(agent.startswith("celebml/") and "ada@example.org" in agent for agent in held.agents)


def test_photographs_come_two_at_a_time_from_one_host(address, held, tmp_path):
    held.seconds = 0.05
    gather([Candidate("Ada", f"{address}/files/{i}.jpg") for i in range(8)], tmp_path, client(address).get)
    assert held.most_at_once["file"] == 2


def test_a_service_that_fails_leaves_the_other(address, held, tmp_path):
    held.special["/v1/images/"] = (403, {}, b"no")
    found, notes = search_people(client(address), ["Ada"], tmp_path, 3, f"{address}/w/api.php", f"{address}/v1/images/")
    assert len(found) == 3
    assert "403" in notes[0]


def test_only_listed_licences_are_fetched(address, held, tmp_path):
    web = client(address)
    entries = gather(search_commons(web, "Ada", 7, f"{address}/w/api.php"), tmp_path, web.get, ALLOWED)
    left_out = [entry for entry in entries if not entry.kept]
    assert [entry.reason for entry in left_out] == ["licence not on the list: CC-BY-NC-2.0"]
    assert not any("960px-3" in asked for asked in held.asked)
    assert all(entry.attribution for entry in entries)


# --- manners and limits of fetching


def test_retry_after_is_obeyed(address, held):
    held.busy = [(429, {"Retry-After": "7"}), (503, {"Retry-After": "3"})]
    slept = []
    assert client(address, sleep=slept.append).get(f"{address}/files/1.jpg") == drawn(1)
    assert {7, 3} <= {round(seconds) for seconds in slept}


def test_a_long_retry_after_ends_the_run_and_not_the_patience_of_the_user(address, held):
    held.busy = [(429, {"Retry-After": "86400"})]
    with pytest.raises(FetchError, match="86400 seconds") as caught:
        client(address).get(f"{address}/files/1.jpg")
    assert not caught.value.final


def test_a_passing_fault_is_tried_with_growing_pauses(address, held):
    held.busy = [(500, {})] * 3
    slept = []
    assert client(address, sleep=slept.append).get(f"{address}/files/1.jpg")
    assert len([seconds for seconds in slept if seconds]) == 3
    held.busy = [(500, {})] * 9
    with pytest.raises(FetchError, match="tried 5 times"):
        client(address).get(f"{address}/files/1.jpg")


@pytest.mark.parametrize(("status", "final"), [(404, True), (410, True), (403, False)])
def test_missing_is_final_and_not_tried_again(address, held, status, final):
    held.special["/x"] = (status, {}, b"")
    with pytest.raises(FetchError, match=str(status)) as caught:
        client(address).get(f"{address}/x")
    assert caught.value.final == final
    assert held.asked["/x"] == 1


@pytest.mark.parametrize("headers", [{}, {"Content-Length": None, "Connection": "close"}])
def test_what_is_too_large_is_dropped_on_the_way(address, held, headers):
    held.special["/big"] = (200, headers, bytes(2_000_000))
    with pytest.raises(FetchError, match="larger than 1 MB"):
        client(address, max_bytes=1_000_000).get(f"{address}/big")


def test_what_is_too_slow_is_given_up(address, held):
    held.special["/slow"] = (200, {}, bytes(3_000_000))
    with pytest.raises(FetchError, match="took longer"):
        client(address, max_seconds=0).get(f"{address}/slow")


@pytest.mark.parametrize("header", ["Wed, 21 Oct 2015 07:28:00 GMT", "0", "-5"])
def test_a_past_time_to_wait_is_none_at_all(header):
    assert seconds_to_wait(header) == 0


@given(st.text(max_size=30))
def test_any_header_is_survived(text):
    wait = seconds_to_wait(text)
    assert wait is None or wait >= 0 or wait != wait
    assert 0 <= pause_between({"x-ratelimit-limit-a": text, "x-ratelimit-available-a": text}) <= 60


# --- addresses refused


PRIVATE = [
    "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0", "100.64.0.1", "192.0.2.1",
    "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fc00::1", "ff02::1", "::ffff:10.0.0.1", "2002:7f00:1::",
    "2001:0:7f00:1:0:0:f7f7:f7f7", "2001:0:4136:e378:8000:63bf:f7f7:f7f7", "2002:808:808::",  # tunnels to 8.8.8.8
    "64:ff9b::a00:1", "fe80::1%eth0", "::7f00:1", "::808:808", "2001:db8::1",
    "not an address", "", "8.8.8", "8.8.8.8:80",
]  # fmt: skip


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses_are_not_public(address):
    assert not is_public(address)


def test_a_resolver_that_gives_no_address_is_not_believed(monkeypatch):
    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: [(2, 1, 6, "", ("not an address", 80))])
    with pytest.raises(FetchError, match="not on the public internet") as caught:
        public_addresses("example.org", 80)
    assert caught.value.final


@pytest.mark.parametrize(
    "address", ["::ffff:8.8.8.8", "8.8.8.8", "208.80.154.240", "2620:0:861:ed1a::1", "64:ff9b::808:808"]
)
def test_public_addresses_are(address):
    assert is_public(address)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/", "http://localhost/", "http://2130706433/", "http://0x7f.1/", "http://[::1]/",
        "http://[::ffff:127.0.0.1]/", "https://127.0.0.1/", "http://127.0.0.1:22/", "http://user@127.0.0.1/",
    ],
)  # fmt: skip
def test_the_own_house_is_not_visited(url):
    with pytest.raises(FetchError):
        WebClient(attempts=1, sleep=lambda _: None).get(url)


@pytest.mark.parametrize(
    "url",
    ["file:///etc/passwd", "ftp://example.org/a", "http://", "nonsense", "http://a b/", "http://[::1/", "", "\x00"],
)
def test_other_kinds_of_address_are_refused(url):
    with pytest.raises(FetchError):
        WebClient(attempts=1, sleep=lambda _: None).get(url)


def test_a_redirect_does_not_lead_into_the_house(address, held):
    with serving(Collections()) as secret:
        held.special["/go"] = (302, {"Location": f"{secret}/files/1.jpg"}, b"")
        with pytest.raises(FetchError):
            client(address).get(f"{address}/go")
        held.special["/file"] = (302, {"Location": "file:///etc/passwd"}, b"")
        with pytest.raises(FetchError):
            client(address).get(f"{address}/file")
    held.special["/here"] = (302, {"Location": "/files/4.jpg"}, b"")
    assert client(address).get(f"{address}/here") == drawn(4)
    held.special["/round"] = (302, {"Location": "/round"}, b"")
    with pytest.raises(FetchError):
        client(address).get(f"{address}/round")


def test_a_name_that_changes_its_mind_is_resolved_once(monkeypatch):
    asked = []

    def resolve(host, port, *_, **__):
        asked.append(host)
        where = "93.184.216.34" if len(asked) == 1 else "127.0.0.1"
        return [(2, 1, 6, "", (where, port))]

    connected = []

    def connect(address, *_, **__):
        connected.append(address[0])
        raise OSError("no line")

    monkeypatch.setattr("socket.getaddrinfo", resolve)
    monkeypatch.setattr("urllib3.util.connection.create_connection", connect)
    with pytest.raises(FetchError, match="cannot be reached"):
        WebClient(attempts=1).get("http://two-faced.example/")
    assert connected == ["93.184.216.34"]


# --- nothing twice


def test_a_second_run_fetches_nothing(address, held, tmp_path):
    web = client(address)
    found = search_commons(web, "Ada", 7, f"{address}/w/api.php")
    first = gather(found, tmp_path, web.get, ALLOWED)
    asked = held.asked.copy()
    assert gather(found, tmp_path, web.get, ALLOWED) == first
    assert held.asked == asked
    assert max(count for path, count in asked.items() if "files" in path) == 1


def test_passing_faults_are_tried_in_the_next_run_and_final_ones_are_not(address, held, tmp_path):
    held.special |= {"/files/960px-0.jpg": (403, {}, b""), "/files/960px-1.jpg": (404, {}, b"")}
    web = client(address)
    found = search_commons(web, "Ada", 3, f"{address}/w/api.php")
    reasons = [entry.reason for entry in gather(found, tmp_path, web.get)]
    assert reasons[0].startswith("not fetched: ")
    assert "404" in reasons[1]
    held.special.clear()
    entries = gather(found, tmp_path, web.get)
    assert sorted(entry.kept for entry in entries) == [False, True, True]
    assert held.asked["/files/960px-1.jpg"] == 1


def test_another_search_does_not_lose_what_a_stopped_one_has(address, held, tmp_path):
    web, calls = client(address), []

    def stopping(url):
        calls.append(url)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return web.get(url)

    first, second = ([Candidate(who, f"{address}/files/{who}{i}.jpg") for i in range(5)] for who in ("Ada", "Alan"))
    with pytest.raises(KeyboardInterrupt):
        gather(first, tmp_path, stopping, threads=1)
    gather(second, tmp_path, web.get)
    assert len(gather(first, tmp_path, web.get)) == 10
    assert max(held.asked.values()) == 1
    assert not (tmp_path / ".collecting").exists()


JOB = """
import sys
from celebml.collect import gather
from celebml.licences import ALLOWED
from celebml.open_collections import search_people
from celebml.fetching import WebClient
address, out = sys.argv[1:]
web = WebClient(trusted=[address.removeprefix("http://")], max_wait=1)
found, notes = search_people(web, ["Ada", "Alan"], out, 12, address + "/w/api.php", address + "/v1/images/")
assert not notes, notes
gather(found, out, web.get, ALLOWED)
"""


def test_killed_at_any_moment_it_ends_the_same_and_fetches_nothing_twice(tmp_path):
    held, chance = Collections(count=12), random.Random(5)
    held.seconds = 0.03
    with serving(held) as address:
        run = lambda out: subprocess.Popen([sys.executable, "-c", JOB, address, str(out)])
        assert run(tmp_path / "whole").wait() == 0
        held.asked.clear()
        stopped = tmp_path / "stopped"
        for _ in range(3):
            work = stopped / ".collecting"
            had = {path.name for path in work.glob("[!.]*")} if work.exists() else set()
            enough = sum(held.asked.values()) + chance.randint(1, 8)
            process = run(stopped)
            until(lambda p=process, e=enough: p.poll() is not None or sum(held.asked.values()) >= e)
            process.send_signal(signal.SIGKILL)
            process.wait()
            assert had <= {path.name for path in work.glob("*")}
        assert run(stopped).wait() == 0
    assert snapshot(stopped) == snapshot(tmp_path / "whole")
    # A request under way when the process died has to be asked again; nothing else is.
    assert sum(held.asked.values()) - len(held.asked) <= 3 * 3
    assert [path.name for path in stopped.rglob(".*")] == [MARK]
