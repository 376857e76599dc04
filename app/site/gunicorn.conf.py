"""How gunicorn runs the site: one process a processor, the model loaded before they fork."""

import os
import shutil
import tempfile

# One thread a photograph: the workers share the processors. Set before numpy is first imported.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
_own_metrics = "PROMETHEUS_MULTIPROC_DIR" not in os.environ
if _own_metrics:
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = tempfile.mkdtemp(prefix="celebml-metrics-")

wsgi_app = "app.site:served()"
bind = os.environ.get("CELEBML_BIND", "127.0.0.1:8000")
workers = int(os.environ.get("CELEBML_WORKERS") or os.cpu_count() or 1)
worker_class = "app.site.worker.FewestFirst"
threads = 24  # most of them wait in line or serve small answers while one looks at a photograph
preload_app = True
timeout = 60
graceful_timeout = 30
keepalive = 5
max_requests = 20_000
max_requests_jitter = 2_000
control_socket_disable = True  # it would need a writable home, which the hardened service has not
worker_tmp_dir = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
accesslog = "-" if os.environ.get("CELEBML_ACCESS_LOG") == "1" else None
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


def child_exit(server, worker):
    "Let the metrics of an ended worker count on, without its live gauges."
    from prometheus_client import multiprocess

    multiprocess.mark_process_dead(worker.pid)


def on_exit(server):
    "Leave no folder behind."
    if _own_metrics:
        shutil.rmtree(os.environ["PROMETHEUS_MULTIPROC_DIR"], ignore_errors=True)
