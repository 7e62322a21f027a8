"""Turns whatever a command raises into one clear message and an exit code."""

from __future__ import annotations

import contextlib
import errno
import functools
import os
import sys
from collections.abc import Callable
from typing import Any

from convsize.cli.terminal import complain, report_diagnostics
from convsize.errors import ConvsizeError, CrashError, ExitCode, SpecError, UsageError

_INTERRUPTED = 130  # 128 + SIGINT, as shells say it
_PIPE_CLOSED = 141  # 128 + SIGPIPE


_UNWRITTEN = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
"""What the system says of an output that takes no more."""


def guarded(command: Callable[..., Any]) -> Callable[..., None]:
    """The command, ending the process with a code of `ExitCode`."""

    @functools.wraps(command)
    def run(*args: Any, **kwargs: Any) -> None:
        _open_streams()
        try:
            code = command(*args, **kwargs)
            sys.stdout.flush()
        except SpecError as error:
            report_diagnostics(error.diagnostics, error.source)
            code = ExitCode.FINDINGS
        except UsageError as error:
            complain(str(error))
            code = ExitCode.USAGE
        except CrashError as error:
            complain(str(error))
            code = ExitCode.CRASHED
        except ConvsizeError as error:
            complain(str(error))
            code = ExitCode.FINDINGS
        except BrokenPipeError:
            code = _PIPE_CLOSED
            _forget_output()
        except KeyboardInterrupt:
            code = _INTERRUPTED
        except OSError as error:
            if error.errno not in _UNWRITTEN or error.filename is not None:
                code = _internal(error)
            else:
                complain(f"the output cannot be written: {error.strerror}")
                code = ExitCode.USAGE
                _forget_output()
        except ModuleNotFoundError as error:
            code = _missing(error)
        except Exception as error:
            if _is_ours(error):
                raise
            code = _internal(error)
        raise SystemExit(int(code or ExitCode.OK))

    return run


_EXTRAS = {
    "torch": "torch",
    **dict.fromkeys(("numpy", "PIL", "sklearn", "safetensors"), "train"),
    **dict.fromkeys(("onnx", "onnxscript"), "onnx"),
    **dict.fromkeys(("svglib", "reportlab"), "pdf"),
}
"""The extra that brings a package."""


def _missing(error: ModuleNotFoundError) -> int:
    """Names the extra that a command needs, where it is one that is missing."""
    package = (error.name or "").partition(".")[0]
    if package not in _EXTRAS:
        return _internal(error)
    complain(f"this needs {package}, which is not installed: pip install 'convsize[{_EXTRAS[package]}]'")
    return ExitCode.USAGE


def _is_ours(error: Exception) -> bool:
    """Whether it is an exception by which the command line itself speaks: a wrong option, `--help`, an exit."""
    return type(error).__module__.partition(".")[0] in {"typer", "click"}


def _internal(error: Exception) -> int:
    """Says that the tool failed; the traceback is for those who will mend it."""
    if os.environ.get("CONVSIZE_DEBUG") == "1":
        import traceback

        traceback.print_exc()
    complain(
        f"convsize failed: {type(error).__name__}: {error}\n"
        "This is a bug in convsize, not in your spec. CONVSIZE_DEBUG=1 shows where it happened."
    )
    return ExitCode.INTERNAL


def _open_streams() -> None:
    """Where a stream was closed before the start, as daemons do, what is written to it goes nowhere."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123, SIM115 (pathlib is slow to start)


def _forget_output() -> None:
    """Nobody reads any more: what is still buffered must not raise again when the interpreter ends."""
    with contextlib.suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
