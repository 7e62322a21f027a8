"""Work in a process of its own: a library that ends the process leaves the command alive to say so and to go on."""

from __future__ import annotations

import atexit
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import IO, TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from convsize.errors import CrashError

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

_Asked = TypeVar("_Asked")
_Answer = TypeVar("_Answer")
Note = Callable[[str], None]
"""Notes what is done next, where it is found when the process has ended."""

_NOTED = 1024
_FRESH = """import json, sys
sys.path[:] = json.loads(sys.argv[1])
from convsize.runtime.child.apart import _begin
_begin(*map(int, sys.argv[2:]))
"""
"""What a fresh interpreter runs: with the paths of the one that asks, so that it finds the same modules."""

_WAIT = 0.2
"""Seconds between looks whether the process lives: those that it started may hold its end of the pipe."""

_FRAME = re.compile(r'File "([^"]+)", line \d+ in (\S+)')
_KILLED = "was killed by signal 9: where nobody did that, the system ran out of memory; a smaller --batch takes less"


class _Process(Protocol):
    """A process that computes, however it was started."""

    @property
    def pid(self) -> int | None: ...
    @property
    def exitcode(self) -> int | None: ...
    def join(self) -> None: ...


class _Fresh:
    """A process with an interpreter of its own, as `multiprocessing` has those that it forks."""

    def __init__(self, pipe: Connection, trace: IO[bytes]) -> None:
        import json

        numbers = pipe.fileno(), trace.fileno(), os.getpid()
        call = [sys.executable, "-c", _FRESH, json.dumps(sys.path), *map(str, numbers)]
        self._process = subprocess.Popen(call, stdin=subprocess.DEVNULL, pass_fds=numbers[:2])

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def exitcode(self) -> int | None:
        return self._process.poll()

    def join(self) -> None:
        self._process.wait()


class Apart(Generic[_Asked, _Answer]):
    """A function that is called in a process of its own, which starts with the first call and serves all.

    The process is a fork made before PyTorch is imported: it costs some milliseconds. Where PyTorch is there already,
    whose threads do not survive a fork, or where the system knows no fork, the function is called right here. `fresh`
    starts an interpreter instead, which imports PyTorch anew: for programs that are not ours, which may have threads,
    and PyTorch at work in them. Then the function, and what it is asked, must be such as pickle can hand over; what the
    other interpreter cannot read is computed right here.

    advice: how to go on where PyTorch fails, a sentence. blame: does again what a call did, and notes each step before
    it is done; it is asked in yet another process when the first one has died, so that the call that ends it can be
    named.
    """

    def __init__(
        self,
        work: Callable[[_Asked], _Answer],
        advice: str,
        blame: Callable[[_Asked, Note], object] | None = None,
        *,
        fresh: bool = False,
    ) -> None:
        self._work = work
        self._advice = advice
        self._blame = blame
        self._fresh = fresh
        self._process: _Process | None = None
        self._pipe: Connection | None = None
        self._trace: IO[bytes] | None = None
        self._one = threading.Lock()
        self._here = not (sys.executable if fresh else "torch" not in sys.modules) or not hasattr(os, "fork")

    def __call__(self, asked: _Asked) -> _Answer:
        """The function's answer. Raises what it raises, and CrashError where its process ended in the middle."""
        if self._here:
            return self._work(asked)
        with self._one:
            if self._process is None:
                self._process, self._pipe, self._trace = self._started(self._work)
                atexit.register(self._end)  # before multiprocessing waits for the process, which waits for this
            assert self._pipe is not None
            with _forwarded(self._process) as told:
                answer = _answer(self._process, self._pipe, asked)
            if answer is None:
                raise self._death(asked, told)
        how, value = answer
        if how == "unread":
            return self._work(asked)
        if how == "raised":
            raise value
        return value  # type: ignore[no-any-return]

    def _end(self) -> None:
        """Asks nothing any more, which ends the process."""
        if self._process is not None and self._pipe is not None:
            self._pipe.close()
            self._process.join()
        if self._trace is not None:
            self._trace.close()

    def _started(self, work: Callable[..., Any]) -> tuple[_Process, Connection, IO[bytes]]:
        """A process that answers what it is asked, the way to ask, and where it leaves its last words."""
        from multiprocessing import Pipe, get_context

        trace: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 (it lives as long as the process)
        pipe, theirs = Pipe()
        process: _Process
        if self._fresh:
            process = _Fresh(theirs, trace)
            pipe.send(work)
        else:
            forked = get_context("fork").Process(target=_serve, args=(work, pipe, theirs, trace))
            forked.start()
            process = forked
        theirs.close()
        return process, pipe, trace

    def _death(self, asked: _Asked, told: set[int]) -> BaseException:
        """What is to be said of a process that is no more; the next call has a new one."""
        assert self._process is not None
        assert self._trace is not None
        number = -(self._process.exitcode or 0)
        self._trace.seek(0)
        place = _library(self._trace.read().decode("utf-8", "replace"))
        self._process = None
        if sys.stderr.isatty():
            sys.stderr.write("\x1b[?25h")  # a bar that was cut off had hidden the cursor
        if number in told:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
        if number == signal.SIGKILL:
            return CrashError(f"the process that computes {_KILLED}")
        ended = f"signal {number} ({signal.Signals(number).name})" if number > 0 else f"exit code {-number}"
        call = (self._blamed(asked) if number > 0 else "") or place
        where = f" in {call}" if call else ""
        return CrashError(
            f"PyTorch ended the process by {ended}{where}. That is a fault of PyTorch, not of the spec: {self._advice}"
        )

    def _blamed(self, asked: _Asked) -> str:
        """What the process dies of when it is done again step by step; "" where it lives this time."""
        if self._blame is None:
            return ""
        with tempfile.NamedTemporaryFile() as noted:
            process, pipe, _ = self._started(_Again(self._blame, noted.name))
            answer = _answer(process, pipe, asked)
            pipe.close()
            return noted.read().rstrip(b"\0").decode("utf-8", "replace") if answer is None else ""


class _Again:
    """Does a call again, noting each step in a file before it is done, and says nothing else."""

    def __init__(self, blame: Callable[[Any, Note], object], path: str) -> None:
        self.blame = blame
        self.path = path

    def __call__(self, asked: Any) -> None:
        with open(self.path, "r+b", buffering=0) as file, open(os.devnull, "w") as silent:  # noqa: PTH123 (no file of a user's)
            os.dup2(silent.fileno(), 2)

            def note(text: str) -> None:
                data = text.encode()[:_NOTED]
                os.pwrite(file.fileno(), data + bytes(_NOTED - len(data)), 0)

            self.blame(asked, note)


def _begin(pipe: int, trace: int, asking: int) -> None:
    """Serves in a fresh interpreter: what to do is the first thing that comes through the pipe."""
    from multiprocessing.connection import Connection

    def gone() -> None:
        while os.getppid() == asking:
            time.sleep(_WAIT)

    ours = Connection(pipe)
    _answer_all(ours.recv(), ours, os.fdopen(trace, "wb"), gone)


def _serve(work: Callable[[Any], Any], ours: Connection, pipe: Connection, trace: IO[bytes]) -> None:
    """Serves in a fork of the process that asks."""
    from multiprocessing import parent_process

    ours.close()
    asking = parent_process()
    assert asking is not None
    _answer_all(work, pipe, trace, asking.join)


def _answer_all(work: Callable[[Any], Any], pipe: Connection, trace: IO[bytes], gone: Callable[[], object]) -> None:
    """Answers until nobody asks any more; dies with the process that asks. `gone` returns when that has ended."""
    import faulthandler

    # Signals of the terminal go to the process that asks, which hands them on: here each must come once.
    os.setpgid(0, 0)
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    faulthandler.enable(trace, all_threads=False)

    def mourn() -> None:
        gone()
        os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=mourn, daemon=True).start()
    while True:
        try:
            asked = pipe.recv()
        except EOFError:
            return
        except Exception:  # a class that is not where this process looks for it
            pipe.send(("unread", None))
            continue
        try:
            answer: tuple[str, Any] = ("answered", work(asked))
        except BaseException as error:
            answer = ("raised", _portable(error))
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        pipe.send(answer)


def _portable(error: BaseException) -> BaseException:
    """The error as another process can raise it; one that cannot be handed over keeps its words."""
    import pickle
    import traceback

    error.add_note("".join(traceback.format_exception(error)))
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error


def _answer(process: _Process, pipe: Connection, asked: Any) -> tuple[str, Any] | None:
    """What comes back, and how: answered, raised, or unread; None where the process ended before."""
    try:
        pipe.send(asked)
        while not pipe.poll(_WAIT):
            if process.exitcode is not None and not pipe.poll():
                return None
        answer: tuple[str, Any] = pipe.recv()
    except (EOFError, OSError):
        process.join()
        return None
    return answer


@contextmanager
def _forwarded(process: _Process) -> Iterator[set[int]]:
    """Hands signals on to the process for a while; which, is said."""
    told: set[int] = set()
    if threading.current_thread() is not threading.main_thread():
        yield told
        return

    def forward(number: int, _: FrameType | None) -> None:
        told.add(number)
        _send(process, number)

    def pause(*_: object) -> None:
        _send(process, signal.SIGSTOP)
        os.kill(os.getpid(), signal.SIGSTOP)
        _send(process, signal.SIGCONT)

    handlers = dict.fromkeys((signal.SIGINT, signal.SIGTERM, signal.SIGHUP), forward) | {signal.SIGTSTP: pause}
    before = {
        number: signal.signal(number, handler)
        for number, handler in handlers.items()
        if signal.getsignal(number) is not signal.SIG_IGN
    }
    try:
        yield told
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _send(process: _Process, number: int) -> None:
    if process.pid is not None and process.exitcode is None:
        os.kill(process.pid, number)


def _library(trace: str) -> str:
    """The innermost call that a process was in when it died, as its last words have it: `torch.autograd.backward`."""
    found = _FRAME.search(trace)
    if found is None:
        return ""
    path, name = found.groups()
    _, installed, inside = path.rpartition("site-packages/")
    if not installed:
        inside = os.path.basename(path)  # noqa: PTH119 (pathlib costs a start)
    return f"{inside.removesuffix('.py').replace('/', '.')}.{name}"
