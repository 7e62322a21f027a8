"""A library that ends the process: the command lives, says which call it was, and goes on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="without fork everything runs in one process")

START = """
import os, signal, sys, time
from convsize.runtime.child.apart import Apart
from convsize.errors import Source, SpecError, UsageError
"""


def ran(script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", START + script, *arguments], capture_output=True, text=True, timeout=60
    )


def test_answers_errors_and_deaths_one_after_another() -> None:
    done = ran("""
home = os.getpid()
def work(asked):
    assert os.getpid() != home
    if asked == "wrong":
        raise UsageError("asked for what is not there")
    if asked == "spec":
        raise SpecError(Source("C3", "net.spec"), ())
    if asked == "bug":
        raise KeyError("a bug")
    if asked == "exit":
        os._exit(7)
    if isinstance(asked, int):
        print("dying", asked, flush=True)
        signal.raise_signal(asked)
    print("at work on", asked)
    return asked * 2
def again(asked, note):
    note("before")
    note(f"aten::something of {asked}")
    if asked == signal.SIGSEGV:
        signal.raise_signal(asked)
apart = Apart(work, "go on elsewhere", again)
for asked in ("a", "wrong", "spec", signal.SIGSEGV, "b", "bug", signal.SIGABRT, signal.SIGKILL, "exit", "c"):
    try:
        print("answer", apart(asked))
    except Exception as error:
        print(type(error).__name__, getattr(error, "source", Source("")).name, error)
""")
    assert done.stderr == ""
    told = done.stdout.splitlines()
    crash = "CrashError <spec> PyTorch ended the process by "
    fault = "That is a fault of PyTorch, not of the spec: go on elsewhere"
    assert told[:7] == [
        *("at work on a", "answer aa"),
        "UsageError <spec> asked for what is not there",
        "SpecError net.spec ",
        *("dying 11", f"{crash}signal 11 (SIGSEGV) in aten::something of 11. {fault}"),
        "at work on b",
    ]
    assert told[7:10] == ["answer bb", "KeyError <spec> 'a bug'", "dying 6"]
    assert told[10] == f"{crash}signal 6 (SIGABRT) in <string>.work. {fault}"  # where it lives the second time
    assert told[11] == "dying 9"
    assert told[12].startswith("CrashError <spec> the process that computes was killed by signal 9")
    assert told[13:] == [f"{crash}exit code 7. {fault}", "at work on c", "answer cc"]


WORK = """
import os, signal
def work(asked):
    if isinstance(asked, int):
        signal.raise_signal(asked)
    return os.getpid(), repr(asked)
def again(asked, note):
    note(f"aten::something of {asked}")
    signal.raise_signal(asked)
"""


def test_a_fresh_interpreter_serves_programs_that_are_not_ours(tmp_path) -> None:
    (tmp_path / "their_work.py").write_text(WORK)
    done = ran(
        """
sys.path.insert(0, sys.argv[1])
from their_work import again, work
apart = Apart(work, "go on elsewhere", again, fresh=True)
class Own:
    def __repr__(self):
        return "own"
first, second = apart("a"), apart("b")
print(first[1], second[1], first[0] == second[0] != os.getpid())
try:
    apart(int(signal.SIGSEGV))
except Exception as error:
    print(error)
print(apart("c")[0] != first[0], apart(Own()) == (os.getpid(), "own"))
""",
        str(tmp_path),
    )
    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        "'a' 'b' True",
        "PyTorch ended the process by signal 11 (SIGSEGV) in aten::something of 11. "
        "That is a fault of PyTorch, not of the spec: go on elsewhere",
        "True True",
    ]


VERIFY = """
from convsize import api
from convsize.records import Receipt
def verify(network, **_):
    if network.name == "fatal":
        signal.raise_signal(signal.SIGSEGV)
    return Receipt(network.name, '', '', 'cpu', '', '', (1,), (), ())
api.Network.verify = verify
api.require_torch = lambda: None
from convsize.cli.app import main
main()
"""


def test_verify_goes_on_with_the_other_specs(tmp_path) -> None:
    paths = [tmp_path / f"{name}.spec" for name in ("one", "fatal", "two")]
    for path in paths:
        path.write_text("input: 3@8x8\nC3D4 GAP FC2\n")
    done = ran(VERIFY, "verify", *map(str, paths), "--format", "json", "--device", "meta")
    assert done.returncode == 4
    assert done.stderr.startswith("error: fatal: PyTorch ended the process by signal 11 (SIGSEGV)")
    assert done.stderr.count("\n") == 1
    assert [f'"name": "{name}"' in done.stdout for name in ("one", "two", "fatal")] == [True, True, False]


WAITS = """
from convsize.cli.guard import guarded
signal.signal(signal.SIGINT, signal.default_int_handler)  # what runs in the background may start with it ignored
heard = []
def work(_):
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, lambda number, _: heard.append(number))
    print(os.getpid(), flush=True)
    last = time.monotonic() + 60  # where the tests themselves are killed, nobody sends a signal
    while not heard and time.monotonic() < last:
        time.sleep(0.01)
    time.sleep(0.1)
    print("heard", *map(int, heard), flush=True)
    return 130
guarded(lambda: Apart(work, "")(None))()
"""


def waiting() -> tuple[subprocess.Popen[str], int]:
    process = subprocess.Popen(
        [sys.executable, "-c", START + WAITS], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert process.stdout is not None
    return process, int(process.stdout.readline())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("whole", [False, True], ids=["to the process", "to its group, as a terminal does"])
def test_a_signal_comes_once(number: int, whole: bool) -> None:
    process, _ = waiting()
    (os.killpg if whole else os.kill)(process.pid, number)
    out, _ = process.communicate(timeout=30)
    assert (out, process.returncode) == (f"heard {int(number)}\n", 130)


def test_who_is_killed_leaves_nobody_behind() -> None:
    process, child = waiting()
    process.kill()
    process.communicate(timeout=30)  # the pipe is closed by the child as well
    for _ in range(500):
        try:
            os.kill(child, 0)
        except ProcessLookupError:
            return
        time.sleep(0.02)
    raise AssertionError("the child lives on")


@pytest.mark.slow
def test_a_fault_of_pytorch_is_said(tmp_path) -> None:
    torch = pytest.importorskip("torch")
    if torch.__version__.partition("+")[0] != "2.13.0":
        pytest.skip("this fault is one of PyTorch 2.13.0")
    unknown = "import convsize.analyses.memory.peak as it; it.fatal_layers = lambda *_: ()"
    code = f"{unknown}; from convsize.cli.app import main; main()"
    command = [sys.executable, "-c", code, "verify", "-e", "LNb0 GN2 C3D4 GAP FC3", "-e", "FC3"]
    done = subprocess.run([*command, "--input", "4@9x9", "--batch", "1"], capture_output=True, text=True)
    assert done.returncode == 4
    assert "SIGSEGV) in aten::native_group_norm_backward, in the backward pass of gn1" in done.stderr
    assert "expression on cpu" in done.stdout
