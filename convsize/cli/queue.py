"""Specs one after another: what is wrong with one is said, and the others have their turn."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from convsize.cli import specs, terminal
from convsize.errors import CrashError, ExitCode, Source, SpecError, UsageError

if TYPE_CHECKING:
    from convsize.api import Network, Report


class Turns:
    """The specs of a call with what overrides them.

    code: the exit code of the worst that has happened. before: called before anything is said of a spec.
    """

    def __init__(
        self,
        paths: Sequence[str] | None,
        expressions: Sequence[str] | None,
        lets: Sequence[str] | None,
        inputs: Sequence[str] | None,
    ) -> None:
        self.inputs = specs.inputs(inputs or ())
        self.lets = specs.lets(lets or ())
        self.asked = list(specs.sources(paths or (), expressions or ()))
        self.code = ExitCode.OK
        self.before: Callable[[], None] = lambda: None

    @property
    def several(self) -> bool:
        """Whether there is more than one."""
        return len(self.asked) > 1

    def failed(self) -> None:
        """Notes a finding."""
        self.code = max(self.code, ExitCode.FINDINGS)

    @contextmanager
    def turn(self, name: str) -> Iterator[None]:
        """What is done with one spec: SpecError and CrashError end its turn, and UsageError where there are others."""
        try:
            yield
        except SpecError as error:
            self.before()
            terminal.report_diagnostics(error.diagnostics, error.source)
            self.failed()
        except UsageError as error:
            if not self.several:
                raise
            self.before()
            terminal.complain(f"{name}: {error}")
            self.code = max(self.code, ExitCode.USAGE)
        except CrashError as error:
            self.before()
            terminal.complain(f"{name}: {error}")
            self.code = max(self.code, ExitCode.CRASHED)

    def read(self, name: str, where: Source | str) -> Network:
        """The network of a spec, whatever it expects. Raises SpecError or UsageError where there is none."""
        from convsize import api

        return api.from_source(specs.read(where), name=name, lets=self.lets, inputs=self.inputs)

    def network(self, name: str, where: Source | str) -> Network:
        """The network of a spec without errors, its warnings said. Raises SpecError or UsageError."""
        found = self.read(name, where)
        self.say(found)
        return found

    def say(self, found: Network | Report) -> None:
        """The warnings of a network, or of its report. Raises SpecError where there are errors."""
        if any(each.severity == "error" for each in found.diagnostics):
            raise SpecError(found.source, found.diagnostics)
        if found.diagnostics:
            self.before()
        terminal.report_diagnostics(found.diagnostics, found.source)
