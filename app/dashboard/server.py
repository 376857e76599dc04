"""Voila, and beside it what a kernel for each visitor cannot do: take files singly, serve pictures, end idle kernels.

Files travel as plain requests, one each, so that none is held in memory beside the others and a reload loses none that
was acknowledged. Pictures come from here, so that a page of thousands opens at once. A kernel ends when its page says
that it closes, which Voila's own beacon cannot (its request is refused for want of a token).
"""

import asyncio
import json
import re
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

import tornado.web
from jupyter_core.utils import ensure_async
from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.utils import url_path_join
from tornado.ioloop import PeriodicCallback
from voila.app import Voila

from celebml.errors import DataError
from celebml.zips import members, zip_names

from .kept.gallery import Gallery
from .kept.store import Store, people_of
from .work.jobs import sentence

MOST_BYTES = 80_000_000  # of one photograph
MOST_ZIP = 2_000_000_000
LONELY = 45  # seconds without a page after which a kernel ends
LOOPBACK = ("127.0.0.1", "localhost", "::1")
_ZIP = b"PK\x03\x04"


class Kept:
    """The store as the server sees it, and a thread for its work; photographs are looked at one after the other.

    Parameters
    ----------
    folder : path
    """

    def __init__(self, folder: str | Path):
        self.store = Store(folder)
        self.gallery = Gallery(self.store)
        self.worker = ThreadPoolExecutor(1)
        self.pictures = ThreadPoolExecutor(2)
        for left in (self.store.folder / "arriving").glob("arriving-*"):
            left.unlink()  # of a server that was killed

    def take(self, person: str, path: str, file: Path, batch: str) -> dict:
        "Keep what arrived in a temporary file; says what was kept, and what was not and why."
        with file.open("rb") as opened:
            is_zip = opened.read(4) == _ZIP
        kept, problems = [], []
        for name, who, data in self._unzipped(file, person) if is_zip else [(path, person, file.read_bytes())]:
            try:
                place = self.store.add(who, PurePosixPath(name).name, data, batch)
                kept.append({"place": self.store.place(place), "mark": self.gallery.seen(place).mark})
            except ValueError as error:
                problems.append(sentence(error))
        return {"kept": kept, "problems": problems}

    def _unzipped(self, file: Path, person: str):
        "Name, person and bytes of each photograph in a zip; one that cannot be had does not stop the others."
        try:
            shown = [name for name in zip_names(file) if not _hidden(name)]
        except DataError as error:
            raise DataError("the zip is damaged; make it anew") from error
        who = iter(people_of(shown, person))
        for name, data, _ in members(file, MOST_BYTES):  # without bytes it is said to be no photograph
            if not _hidden(name):
                yield name, next(who), data


def _hidden(path: str) -> bool:
    return any(part.startswith((".", "__MACOSX")) for part in path.split("/"))


class OwnHandler(JupyterHandler):
    """Requests of the dashboard's own page: they carry no form token, so their origin is looked at instead."""

    def check_xsrf_cookie(self) -> None:
        "Refuse what another site's page sends."
        origin = self.request.headers.get("Origin")
        site = self.request.headers.get("Sec-Fetch-Site", "same-origin")
        if (origin and urlsplit(origin).netloc != self.request.host) or site not in ("same-origin", "none"):
            raise tornado.web.HTTPError(403, "This request comes from another page.")

    @property
    def kept(self) -> Kept:
        "The store, and the threads for its work."
        return self.settings["celebml_kept"]

    def say(self, value: dict, status: int = 200) -> None:
        "Answer with JSON."
        self.set_status(status)
        self.set_header("Content-Type", "application/json")
        self.set_header("Cache-Control", "no-store")
        self.finish(json.dumps(value))

    def write_error(self, status_code: int, **kwargs) -> None:
        "A sentence, and nothing of what went on inside."
        error = kwargs.get("exc_info", (None, None))[1]
        known = isinstance(error, tornado.web.HTTPError) and error.log_message
        self.set_header("Connection", "close")  # what is still under way of a refused file is not read
        self.say({"problems": [error.log_message if known else "This went wrong; the log says why."]}, status_code)


@tornado.web.stream_request_body
class PhotographHandler(OwnHandler):
    """Takes one file; answers when it is kept, or with a sentence that says why it is not."""

    async def prepare(self) -> None:
        "Open a temporary file beside the others."
        await super().prepare()
        if self.current_user is None:
            raise tornado.web.HTTPError(403, "Open the page again with its whole address.")
        self.request.connection.set_max_body_size(MOST_ZIP)
        self.size, folder = 0, self.kept.store.folder / "arriving"
        folder.mkdir(exist_ok=True)
        self.path = folder / f"arriving-{time.time_ns():x}"
        self.file, self.failed = self.path.open("wb"), ""

    def data_received(self, chunk: bytes) -> None:
        "Write a piece; a full disk is told at the end, when the browser listens."
        self.size += len(chunk)
        if not self.failed:
            try:
                self.file.write(chunk)
            except OSError as error:
                self.failed = sentence(error)

    async def post(self) -> None:
        "Keep the file."
        person, path = self.get_argument("person", ""), self.get_argument("path", "photo")
        try:
            self.file.close()
            if not self.failed:
                work = self.kept.take, person, path, self.path, self.get_argument("batch", "")
                self.say(await asyncio.get_running_loop().run_in_executor(self.kept.worker, *work))
                return
        except Exception as error:  # noqa: BLE001 - what reaches the user must be a sentence
            self.failed = sentence(error)
        self.say({"kept": [], "problems": [self.failed]})

    def on_finish(self) -> None:
        "The temporary file goes, whatever happened."
        self._remove()

    def on_connection_close(self) -> None:
        "A page that was closed half-way leaves nothing."
        self._remove()

    def _remove(self) -> None:
        if hasattr(self, "file"):
            self.file.close()
            self.path.unlink(missing_ok=True)


class PictureHandler(OwnHandler):
    """A small face, or a whole photograph."""

    @tornado.web.authenticated
    async def get(self, kind: str, place: str) -> None:
        "The picture."
        number = self.get_argument("face", "0")
        number = int(number) if re.fullmatch(r"\d{1,3}", number) else 0
        loop = asyncio.get_running_loop()
        try:
            path = self.kept.store.path(place)
            read = (lambda: self.kept.gallery.face(path, number)) if kind == "face" else path.read_bytes
            data = await loop.run_in_executor(self.kept.pictures, read)
        except (ValueError, OSError) as error:
            raise tornado.web.HTTPError(404, "This photograph is not here any more.") from error
        self.set_header("Content-Type", "image/jpeg" if kind == "face" else _type_of(path))
        self.set_header("Cache-Control", "private, max-age=31536000, immutable")
        self.set_header("X-Content-Type-Options", "nosniff")
        self.finish(data)


def _type_of(path: Path) -> str:
    return {".png": "image/png", ".webp": "image/webp", ".bmp": "image/bmp"}.get(path.suffix.lower(), "image/jpeg")


class CloseHandler(OwnHandler):
    """Ends the kernel of a page that closes."""

    @tornado.web.authenticated
    async def post(self, kernel_id: str) -> None:
        "End it."
        if kernel_id in self.kernel_manager:
            await ensure_async(self.kernel_manager.shutdown_kernel(kernel_id))
        self.set_status(204)
        self.finish()


class NothingHandler(OwnHandler):
    """Stands for Voila's beacon, which would end the kernel of a page that somebody decided not to leave."""

    def post(self, _: str) -> None:
        "Nothing."
        self.set_status(204)


class AliveHandler(OwnHandler):
    """Whether the server is there, and a kernel."""

    @tornado.web.authenticated
    def get(self, kernel_id: str = "") -> None:
        "Yes, and whether that kernel lives."
        self.say({"alive": True, "kernel": kernel_id in self.kernel_manager})


class GuardedVoila(Voila):
    """Voila that answers to this computer's own names only, and ends kernels that nobody looks at."""

    def init_settings(self) -> dict:
        "On any other address than this computer's own, a token is asked for instead."
        guarded = self.ip in LOOPBACK
        self.auto_token = not guarded
        settings = super().init_settings()
        settings["allow_remote_access"] = not guarded
        settings["local_hostnames"] = ["localhost"]
        self._lonely: dict[str, float] = {}
        self._reaper = PeriodicCallback(self._end_lonely_kernels, 5000)
        self._reaper.start()
        return settings

    def own_handlers(self) -> list[tuple]:
        "Requests of our own, with their handlers."
        kernel = r"(?P<kernel_id>[\w-]+)"
        return [
            (rf"/celebml/close/{kernel}", CloseHandler),
            (rf"/celebml/alive/{kernel}", AliveHandler),
            (r"/voila/api/shutdown/(.*)", NothingHandler),
        ]

    def init_handlers(self) -> list:
        "Ours first."
        ours = [(url_path_join(self.server_url, path), handler) for path, handler in self.own_handlers()]
        return ours + super().init_handlers()

    async def _end_lonely_kernels(self) -> None:
        "End kernels that nobody looks at: a page that crashed, or a request that never became a page."
        pools = [task for pool in self.kernel_manager._pools.values() for task in pool]
        done = [task for task in pools if task.done() and not task.cancelled() and task.exception() is None]
        spare, now = {task.result().get("kernel_id") for task in done}, time.monotonic()
        if len(done) < len(pools):
            return  # one is just starting, and nobody knows yet that it is spare
        for kernel_id in list(self.kernel_manager.list_kernel_ids()):
            if kernel_id in spare or self.kernel_manager.kernel_model(kernel_id)["connections"]:
                self._lonely.pop(kernel_id, None)
            elif now - self._lonely.setdefault(kernel_id, now) > LONELY:
                self._lonely.pop(kernel_id)
                await ensure_async(self.kernel_manager.shutdown_kernel(kernel_id))


class DashboardServer(GuardedVoila):
    """The dashboard's server: photographs come in and pictures go out beside the page."""

    folder: str | Path = ""

    def init_settings(self) -> dict:
        "With the store of photographs."
        return super().init_settings() | {"celebml_kept": Kept(self.folder)}

    def own_handlers(self) -> list[tuple]:
        "With those of the photographs."
        photographs = [(r"/celebml/photos", PhotographHandler), (r"/celebml/(face|photo)/(.+)", PictureHandler)]
        return photographs + super().own_handlers()
