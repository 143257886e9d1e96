"""A process that has imported the server once and forks one for each start, which then costs no second of imports.

What is forked is the command itself: `largesse serve` with its own arguments, environment and standard output, in a session of its
own, to the end of its interpreter. The zygote has one thread, no event loop and no connection. It ends, and what it forked with
it, when the process that asks it ends, however that ends.
"""

import atexit
import gc
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from functools import cache
from pathlib import Path
from typing import NoReturn


class Forked:
    """A command that runs in a fork of this process's zygote; to be used as `subprocess.Popen` is."""

    def __init__(self, arguments: list[str], env: dict[str, str]) -> None:
        output, its_output = os.pipe()
        self._end, its_end = os.pipe()
        try:
            self.pid = _zygote().fork(arguments, env, [its_output, its_end])
        finally:
            os.close(its_output)
            os.close(its_end)
        self.stdout = os.fdopen(output, encoding="utf-8")
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """The exit status, minus the signal where one ended it, or None while it runs."""
        return self._look(0)

    def wait(self, timeout: float | None = None) -> int:
        """The exit status, when there is one. Raises subprocess.TimeoutExpired after so many seconds without."""
        status = self._look(timeout)
        if status is None:
            raise subprocess.TimeoutExpired("largesse", timeout or 0)
        return status

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def _look(self, timeout: float | None) -> int | None:
        if self.returncode is None and select.select([self._end], [], [], timeout)[0]:
            told = os.read(self._end, 100)
            assert told, "the zygote is gone"
            self.returncode = int(told)
            os.close(self._end)
            self.stdout.close()
        return self.returncode


class _Zygote:
    """This process's side of it. A request is one byte, which carries the files, and a line of JSON; the answer is a process id."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._requests, theirs = socket.socketpair()
        with theirs:
            command = [sys.executable, str(Path(__file__)), str(theirs.fileno())]
            quiet = subprocess.DEVNULL
            self._process = subprocess.Popen(
                command, stdin=quiet, stdout=quiet, pass_fds=[theirs.fileno()], start_new_session=True
            )
        atexit.register(self._close)

    def fork(self, arguments: list[str], env: dict[str, str], files: list[int]) -> int:
        """The process id of a new server, whose standard output is the first of `files`; the second tells its exit status."""
        with self._turn:
            socket.send_fds(self._requests, [b"\n"], files)
            self._requests.sendall(json.dumps([arguments, env]).encode() + b"\n")
            answer = self._requests.recv(100)
            assert answer, "the zygote is gone; it said why"
            return int(answer)

    def _close(self) -> None:
        self._requests.close()
        self._process.wait()


@cache
def _zygote() -> _Zygote:
    return _Zygote()


def _import() -> None:
    """Everything that `largesse serve` imports, also what it imports late."""
    from litestar import Litestar

    from largesse import app, server  # noqa: F401
    from largesse.kernel import logs  # noqa: F401
    from largesse.kernel.database import migrations  # noqa: F401
    from largesse.kernel.http import protocol  # noqa: F401

    Litestar([], openapi_config=None, logging_config=None)
    assert threading.active_count() == 1, "what is forked has one thread"
    gc.collect()
    gc.freeze()  # so that no collection in a fork writes to the pages it shares


def _fork_on_request(requests: socket.socket) -> list[str]:
    """The arguments of the command to run: returns in the forks only. The zygote itself ends here, when nobody can ask any more."""
    awake, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    told: dict[int, int] = {}  # of each fork that runs, the file that takes its exit status
    while True:
        ready, _, _ = select.select([requests, awake], [], [])
        if awake in ready:
            os.read(awake, 4096)
            _tell_ends(told)
        if requests in ready:
            first, files, _, _ = socket.recv_fds(requests, 1, 2)
            if not first:
                _end(told)
            arguments, env = _read_line(requests)
            output, end = files
            if not (pid := os.fork()):
                signal.set_wakeup_fd(-1)
                _become(output, env, unwanted=[awake, wake, end, *told.values()])
                requests.close()
                return arguments
            told[pid] = end
            os.close(output)
            requests.sendall(str(pid).encode())


def _read_line(requests: socket.socket) -> tuple[list[str], dict[str, str]]:
    line = b""
    while not line.endswith(b"\n"):
        line += requests.recv(1 << 16)
    arguments, env = json.loads(line)
    return arguments, env


def _tell_ends(told: dict[int, int]) -> None:
    while told:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if not pid:
            return
        end = told.pop(pid)
        os.write(end, str(os.waitstatus_to_exitcode(status)).encode())
        os.close(end)


def _end(told: dict[int, int]) -> NoReturn:
    for pid in told:
        os.kill(pid, signal.SIGKILL)
    sys.exit()


def _become(output: int, env: dict[str, str], unwanted: list[int]) -> None:
    """Makes this fork what a process of its own would be."""
    os.setsid()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.dup2(output, 1)
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 2)
    for file in [output, silence, *unwanted]:
        os.close(file)
    os.environ.clear()
    os.environ.update(env)


if __name__ == "__main__":
    from largesse import cli

    _import()
    command = _fork_on_request(socket.socket(fileno=int(sys.argv[1])))
    sys.argv = ["largesse", *command]
    cli.main(command)
