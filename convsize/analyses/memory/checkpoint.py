"""Checkpointing: blocks that keep nothing but their inputs, and run again when backward comes to them.

As torch.utils.checkpoint without reentrant autograd: what a block would keep is thrown away; the first of its nodes
that backward runs starts the block anew, which ends as soon as the last tensor that backward needs is there. Each node
then gives up its own. Source: torch/utils/checkpoint.py, PyTorch 2.13.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from sys import maxsize

from convsize.analyses.memory.tape import Leaf, Node, Stopped, Storage, Tape, Value

_RANDOM_STATE = 5056
"""Bytes of the state of a processor's random numbers, which is kept so that the same ones are drawn again."""


class Frame:
    """A block's forward pass, with what it takes to repeat it.

    again: runs the block's layers on the tape and gives up their outputs.
    """

    def __init__(self, tape: Tape, inputs: Sequence[Value], leaves: Sequence[Leaf], *, random: bool) -> None:
        self.inputs = list(inputs)
        self.leaves = leaves
        self.again: Callable[[], None] | None = None
        self._autocast = tape.autocast
        self._state = tape.empty((_RANDOM_STATE,), None, 1, "other") if random and tape.device == "cpu" else None
        self._start = tape.allocated
        self._copied = frozenset(tape.casts)
        tape.recalled.clear()
        self._left: dict[Node, tuple[int, int]] = {}
        self._count = 0
        self._outside = False
        self._unmade = range(0)
        self._made: list[Storage] | None = None
        for value in inputs:
            tape.share(value)

    def keep(self, tape: Tape, node: Node, output: Storage, kept: Sequence[Storage], /) -> None:
        """Counts what the node would keep. Numbers, which saved tensors' hooks are not shown, it keeps itself."""
        tensors = [each for each in kept if each.kind != "other"]
        tape.keep(node, [each for each in kept if each.kind == "other"])
        if not tensors:
            return
        node.block = self
        self._left[node] = (self._count, self._count + len(tensors))
        self._count += len(tensors)
        # An operator keeps its inputs before it runs. What else it makes it keeps afterwards, and its output is gone
        # with it where that is the last of all.
        self._unmade = range(0)
        if output not in tensors:
            # Copies of parameters that were there before the block are made again when it runs again.
            first = output.number - self._start + len(self._copied & tape.recalled)
            before = all(each.number < output.number for each in tensors)
            self._unmade = range(first, maxsize if before else first + 1)

    def restore(self, tape: Tape, node: Node) -> None:
        """Gives the node its tensors, which the first node to ask has made."""
        if self._made is None:
            self._made = self._run_again(tape)
        first, end = self._left[node]
        node.kept = (*node.kept, *self._made[first:end])

    def let_go(self, tape: Tape, node: Node) -> None:
        """After its last node the block needs its inputs no more."""
        del self._left[node]
        self._end(tape)

    @property
    def held(self) -> Sequence[Storage]:
        """The storages of the block's inputs."""
        return [value.storage for value in self.inputs]

    def leave(self, tape: Tape) -> None:
        """The forward pass has left the block."""
        self._outside = True
        self._end(tape)

    def _end(self, tape: Tape) -> None:
        """Gives up the inputs and the random state, where nothing of the block is left to run backward.

        Within the block that is not known yet: of one that nothing reads every node goes as soon as it is there.
        """
        if not self._outside or self._left:
            return
        for value in self.inputs:
            tape.release(value)
        if self._state is not None:
            tape.release(self._state)

    def _run_again(self, tape: Tape) -> list[Storage]:
        """What the block keeps, each held once for every time that it is kept."""
        assert self.again is not None
        state = tape.empty((_RANDOM_STATE,), None, 1, "other") if self._state is not None else None
        rerun = _Rerun(self._count)
        before = [(value.storage, value.storage.holders) for value in (*self.inputs, *(e.value for e in self.leaves))]
        holders = [value.holders for value in self.inputs]
        nodes = [(value.node, value.node.holders) for value in self.inputs if isinstance(value.node, Node)]
        casts, tape.casts = tape.casts, {}
        autocast, tape.autocast = tape.autocast, self._autocast
        block, tape.block = tape.block, rerun
        watch, tape.watch = tape.watch, rerun.watching(tape.watch)
        done = tape.allocated
        tape.unmade = range(done + self._unmade.start, min(done + self._unmade.stop, maxsize))
        with suppress(Stopped):
            self.again()
        tape.unmade = range(0)
        tape.block = block
        tape.casts, tape.autocast = casts, autocast
        # All that the block's own variables held is gone; what is kept stays.
        times: dict[Storage, int] = {}
        for first, end in self._left.values():
            for storage in rerun.kept[first:end]:
                times[storage] = times.get(storage, 0) + 1
        for storage in rerun.made:
            alive, storage.holders = storage.holders, times.get(storage, 0)
            if alive and not storage.holders:
                tape.free(storage)
        tape.watch = watch
        for storage, count in before:
            storage.holders = count + times.get(storage, 0)
        for value, count in zip(self.inputs, holders, strict=True):
            value.holders = count
        for node, count in nodes:
            node.holders = count
        if state is not None:
            tape.release(state)
        return rerun.kept


class _Rerun:
    """What a block makes and keeps when it runs again; its own nodes are never run."""

    def __init__(self, count: int) -> None:
        self.kept: list[Storage] = []
        self.made: list[Storage] = []
        self._count = count

    def watching(self, other: Callable[[Storage, bool], None] | None) -> Callable[[Storage, bool], None]:
        """Notes every storage that is made, and shows it to another watcher."""

        def watch(storage: Storage, comes: bool) -> None:
            if comes:
                self.made.append(storage)
            if other is not None:
                other(storage, comes)

        return watch

    def keep(self, _tape: Tape, _node: Node, _output: Storage, kept: Sequence[Storage], /) -> None:
        """Holds what the node keeps, numbers until the block ends; with the last tensor that may stop."""
        for storage in kept:
            storage.holders += 1
            if storage.kind != "other":
                self.kept.append(storage)
        if len(self.kept) >= self._count:
            raise Stopped
