"""Running the server: one process, or several workers behind one listening socket; or a worker for background jobs alone."""

import asyncio
import http.client
import multiprocessing
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from multiprocessing.process import BaseProcess
from types import FrameType
from typing import TYPE_CHECKING

import uvicorn

from largesse.kernel import clock
from largesse.kernel.settings import Settings, SettingsError

if TYPE_CHECKING:
    from largesse.kernel.database.reactions import Reactions
    from largesse.kernel.jobs.model import Chore, Kind

_BACKLOG = 2048
_WATCH_SECONDS = 0.5


def serve(settings: Settings) -> None:
    """Serves until SIGTERM or SIGINT; then finishes accepted work. The process that calls this is the server: its end ends all."""
    listener = _listen(settings)
    if settings.workers == 1:
        _run(settings, listener, announce=True)
    else:
        _Supervisor(settings, listener).run()


def work(
    settings: Settings, kinds: "Mapping[str, Kind]", chores: "Sequence[Chore]" = (), reactions: "Reactions" = ()
) -> None:
    """Does background jobs of `kinds` and `chores` until SIGTERM or SIGINT; then finishes the slice at hand."""
    from largesse.kernel.logs import configure_logs

    configure_logs(settings)
    asyncio.run(_work_on_jobs(settings, kinds, chores, reactions))


async def _work_on_jobs(
    settings: Settings, kinds: "Mapping[str, Kind]", chores: "Sequence[Chore]", reactions: "Reactions"
) -> None:
    from largesse.kernel.database.database import Database
    from largesse.kernel.jobs.worker import Worker

    clock.run_ahead(settings.clock_ahead_seconds)
    database = Database(settings, reactions)
    worker = Worker(database, kinds, chores)
    loop = asyncio.get_running_loop()
    for stop in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(stop, worker.stop)
    database.start()
    print("Largesse is doing background jobs", flush=True)
    await worker.run()
    database.close()


def _listen(settings: Settings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family=family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
    except OSError as error:
        raise SettingsError(f"Cannot listen on {settings.host}, port {settings.port}: {error.strerror}") from None
    listener.listen(_BACKLOG)
    listener.set_inheritable(True)
    return listener


def address_of(settings: Settings, listener: socket.socket) -> str:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"http://{host}:{listener.getsockname()[1]}"


def _run(settings: Settings, listener: socket.socket, *, announce: bool) -> None:
    import msgspec

    from largesse.app import create_app
    from largesse.kernel.http.protocol import Protocol
    from largesse.kernel.logs import configure_logs

    configure_logs(settings)
    if settings.port == 0:
        settings = msgspec.structs.replace(settings, port=listener.getsockname()[1])
    config = uvicorn.Config(
        create_app(settings),
        loop="uvloop" if sys.platform != "win32" else "auto",
        http=type("Protocol", (Protocol,), {"head_seconds": settings.request_seconds}),
        ws="none",
        lifespan="on",
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,
        date_header=True,
        backlog=_BACKLOG,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=settings.shutdown_seconds,
    )
    server = _Server(config, address_of(settings, listener) if announce else None)
    server.run(sockets=[listener])


class _Server(uvicorn.Server):
    """Says where it listens once it does, and ends with status 0 when told to stop."""

    def __init__(self, config: uvicorn.Config, address: str | None) -> None:
        super().__init__(config)
        self._address = address

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self._address and self.started:
            print(f"Largesse listening on {self._address}", flush=True)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - uvicorn's signature
        # uvicorn would raise the signal again once all work is finished, so that a clean stop looked like a crash.
        if self.should_exit and sig == signal.SIGINT:
            self.force_exit = True
        else:
            self.should_exit = True


class _Supervisor:
    """Keeps `workers` processes alive; a worker whose supervisor vanishes ends itself."""

    def __init__(self, settings: Settings, listener: socket.socket) -> None:
        self._settings = settings
        self._listener = listener
        self._stopping = threading.Event()
        self._workers: list[BaseProcess] = []

    def run(self) -> None:
        signal.signal(signal.SIGTERM, self._stop)
        signal.signal(signal.SIGINT, self._stop)
        self._workers = [self._start() for _ in range(self._settings.workers)]
        if self._is_answered():
            print(f"Largesse listening on {address_of(self._settings, self._listener)}", flush=True)
        elif not self._stopping.is_set():
            raise SettingsError("No worker could start; the log says why.")
        while not self._stopping.wait(_WATCH_SECONDS):
            for place, worker in enumerate(self._workers):
                if not worker.is_alive() and not self._stopping.is_set():
                    self._workers[place] = self._start()
        # Workers share the listening socket: while it is open here, new connections would wait for nobody.
        self._listener.close()
        for worker in self._workers:
            if worker.is_alive() and worker.pid is not None:
                os.kill(worker.pid, signal.SIGTERM)
        for worker in self._workers:
            worker.join(self._settings.shutdown_seconds + 5)
            if worker.is_alive():
                worker.kill()

    def _is_answered(self) -> bool:
        """True once a worker answers (connections wait in the listening socket until then), False when none will."""
        host, port = self._listener.getsockname()[:2]
        while not self._stopping.is_set() and any(worker.is_alive() for worker in self._workers):
            connection = http.client.HTTPConnection(host, port, timeout=60)
            try:
                connection.request("GET", "/healthz")
                connection.getresponse()
            except OSError:
                time.sleep(0.05)
            else:
                return True
            finally:
                connection.close()
        return False

    def _start(self) -> BaseProcess:
        context = multiprocessing.get_context("spawn")
        worker = context.Process(target=_work, args=(self._settings, self._listener, os.getpid()), name="worker")
        worker.start()
        return worker

    def _stop(self, _signal: int, _frame: FrameType | None) -> None:
        self._stopping.set()


def _work(settings: Settings, listener: socket.socket, parent: int) -> None:
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    _run(settings, listener, announce=False)


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_WATCH_SECONDS)
    os.kill(os.getpid(), signal.SIGTERM)
