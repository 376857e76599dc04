"""Behaviour of collecting: four ways in, manners towards services, addresses refused, nothing fetched twice."""

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

from celebml.addresses import is_public
from celebml.candidates import Candidate, from_csv, from_folder, from_rows, from_sql, person_in_name
from celebml.collect import FetchError, gather
from celebml.datasets import DataError, load_folder
from celebml.files import unzip
from celebml.licences import ALLOWED
from celebml.manifest import read_manifest
from celebml.services import search_commons, search_openverse, search_people
from celebml.web import WebClient, pause_between, public_addresses, seconds_to_wait


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
    files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    entries = [{k: v for k, v in vars(entry).items() if k != "retrieved"} for entry in read_manifest(folder)]
    return files | {"manifest.csv": repr(entries).encode()}


# --- by hand and out of tables


@given(st.text(max_size=30))
def test_a_candidate_is_web_only_with_a_web_address(origin):
    assert Candidate("Ada", origin).is_web == origin.startswith(("http://", "https://"))


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
    unzip(tmp_path / "a.zip", tmp_path / "in2", max_bytes=999_999)
    assert not list(tmp_path.glob("in2/*"))


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


@pytest.mark.parametrize("url", ["sqlite://", "nowhere://x", ""])
def test_a_database_that_does_not_answer_is_said(url):
    with pytest.raises(DataError, match="did not answer"):
        from_sql(url, "select nonsense")


def test_a_table_without_the_columns_is_said():
    with pytest.raises(DataError, match="no column for the person"):
        from_rows([{"url": "https://example.org/1.jpg"}], Path(), "shop")


def test_collecting_a_folder_into_itself_is_refused(tmp_path):
    (tmp_path / "Ada").mkdir()
    (tmp_path / "Ada" / "1.jpg").write_bytes(drawn(1))
    with pytest.raises(DataError, match="there already"):
        gather(from_folder(tmp_path), tmp_path)


names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)


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
    with pytest.raises(FetchError, match="over 1 MB"):
        client(address, max_bytes=1_000_000).get(f"{address}/big")


def test_what_is_too_slow_is_given_up(address, held):
    held.special["/slow"] = (200, {}, bytes(3_000_000))
    with pytest.raises(FetchError, match="slower"):
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
    with pytest.raises(FetchError, match="not on the open internet") as caught:
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


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://example.org/a", "http://", "nonsense", "http://a b/"])
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

    def connect(self, host, *_, **__):
        import httpcore

        connected.append(host)
        raise httpcore.ConnectError("no line")

    import httpcore

    monkeypatch.setattr("socket.getaddrinfo", resolve)
    monkeypatch.setattr(httpcore.SyncBackend, "connect_tcp", connect)
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
from celebml.services import search_people
from celebml.web import WebClient
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
        for _ in range(5):
            work = stopped / ".collecting"
            had = {path.name for path in work.glob("[!.]*")} if work.exists() else set()
            enough = sum(held.asked.values()) + chance.randint(1, 8)
            process = run(stopped)
            while process.poll() is None and sum(held.asked.values()) < enough:
                time.sleep(0.002)
            time.sleep(chance.uniform(0, 0.06))
            process.send_signal(signal.SIGKILL)
            process.wait()
            assert had <= {path.name for path in work.glob("*")}
        assert run(stopped).wait() == 0
    assert snapshot(stopped) == snapshot(tmp_path / "whole")
    # A request under way when the process died has to be asked again; nothing else is.
    assert sum(held.asked.values()) - len(held.asked) <= 3 * 5
    assert not list(stopped.rglob(".*"))
