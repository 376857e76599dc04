"""How gunicorn runs the site: one process a processor, the model loaded before they fork."""

import ctypes
import logging
import os
import shutil
import tempfile
import time
from pathlib import Path

# glibc gives each thread a heap of its own, which grows to its largest photograph and stays so. With two heaps, and the
# largest blocks given back at once, a worker keeps to its bound however it was started. Not every system has the call.
# Smaller blocks stay: to be given back and asked for again with each photograph costs more than to look at it.
M_ARENA_MAX, M_MMAP_THRESHOLD, M_TRIM_THRESHOLD = -8, -3, -1
_libc = ctypes.CDLL(None)
if hasattr(_libc, "mallopt"):
    for _option, _value in ((M_ARENA_MAX, 2), (M_MMAP_THRESHOLD, 8 * 2**20), (M_TRIM_THRESHOLD, 32 * 2**20)):
        _libc.mallopt(_option, _value)
# What lies free below a block in use is given back only when asked for. After 50 MB of it a worker asks, once a second
# at most, for that takes as long as a third of a photograph.
LEFT_BEHIND, REST = 50e6, 1.0
# One thread a photograph: the workers share the processors. Set before numpy is first imported.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
_own_metrics = "PROMETHEUS_MULTIPROC_DIR" not in os.environ
if _own_metrics:
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = tempfile.mkdtemp(prefix="celebml-metrics-")

wsgi_app = "celebml_app.site:served()"
bind = os.environ.get("CELEBML_BIND", "127.0.0.1:8000")
workers = int(os.environ.get("CELEBML_WORKERS") or os.cpu_count() or 1)
worker_class = "celebml_app.site.worker.PatientWorker"
threads = 24  # most of them wait in line or serve small answers while one looks at a photograph
preload_app = True
worker_connections = 900  # an ordinary process may open 1,024 files
timeout = 60
graceful_timeout = 30
keepalive = 5
max_requests = 20_000
max_requests_jitter = 2_000
control_socket_disable = True  # it would need a writable home, which the hardened service has not
worker_tmp_dir = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
logger_class = "celebml_app.site.logs.JsonLogger"  # the app writes the line for each request
limit_request_line = 4094


def on_reload(server):
    "On HUP load the bundle again; when the new one cannot be opened, go on with the old one."
    old = server.app.callable
    server.app.callable = None
    try:
        server.app.wsgi()
        server.log.info("loaded the bundle again")
    except Exception:
        server.app.callable = old
        server.log.exception("the new bundle cannot be opened; the old one goes on")


def resident():
    "Bytes of memory that this process holds; none where the system does not tell."
    try:
        return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


def post_worker_init(worker):
    "Note what a worker holds before its first photograph."
    worker.at_first, worker.given_back = resident(), time.monotonic()


def post_request(worker, request, environ, response):
    "Give back what photographs have left behind."
    now = time.monotonic()
    if now > worker.given_back + REST and resident() > worker.at_first + LEFT_BEHIND and hasattr(_libc, "malloc_trim"):
        worker.given_back = now
        _libc.malloc_trim(0)


def child_exit(server, worker):
    "Let the metrics of an ended worker count on, without its live gauges."
    from prometheus_client import multiprocess

    multiprocess.mark_process_dead(worker.pid)


def worker_exit(server, worker):
    "End without native destructors: they look for threads that stayed behind in the process this is a fork of."
    if worker.booted:
        logging.shutdown()
        os._exit(0)


def on_exit(server):
    "Leave no folder behind."
    if _own_metrics:
        shutil.rmtree(os.environ["PROMETHEUS_MULTIPROC_DIR"], ignore_errors=True)
