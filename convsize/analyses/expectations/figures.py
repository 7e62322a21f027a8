"""Expectations: whether what `expect` lines state holds, and what is known where it does not."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal

from convsize.analyses.expectations.amounts import amount, amounts, unit_of, within
from convsize.analyses.expectations.time import METRICS as TIMES
from convsize.analyses.expectations.time import time_failure
from convsize.analyses.facts import Facts
from convsize.analyses.parameters import ParameterCount, counted_once
from convsize.analyses.receptive_field.network import Fields, before_positions_end
from convsize.analyses.work.layers import LayerWork
from convsize.errors import Diagnostic, Fix, Span, UsageError
from convsize.geometry import Shape
from convsize.graph.network import Expectation, Network
from convsize.language.expectations import SECONDS
from convsize.language.tree import Arg, Check, Name, Num
from convsize.record import Record
from convsize.records import ITEM_SIZES
from convsize.words import did_you_mean, nearest, percent

_LARGEST_SUM = 3_000_000
"""Layers that all checks visit together; a spec of 1 MiB could ask for a thousand times as many."""

_REPLAY = 30
"""How much more than a sum the replay of a training step takes, layer by layer."""


class _Figures(Record):
    """What the analyses found, by node index; the counts are of what a layer computes with, be it shared."""

    network: Network
    facts: Sequence[Facts]
    counts: Sequence[ParameterCount]
    work: Sequence[LayerWork]
    depths: Sequence[int]
    fields: Mapping[str, Fields]


class _Setting(Record):
    """What a metric's arguments set."""

    batch: int = 1
    dtype: str = "float32"
    optimizer: str = "momentum"
    device: str = "cpu"
    autocast: str | None = None

    @property
    def itemsize(self) -> int:
        return ITEM_SIZES[self.dtype]


class _Part(Record):
    """What a check is about: the nodes, and the one it ends with.

    `label` is empty for the whole network; `at` says what the metric's arguments set, ` at batch 32 on h200`.
    """

    members: Sequence[int]
    end: int
    label: str
    at: str = ""


Quantity = Callable[[_Figures, int, _Setting], int]
Extents = tuple[int, ...]


class _Metric(Record):
    """A word before the comparison.

    A "sum" adds up `each` over the layers of the part. "reading" metrics have one number for the part, or one per axis
    of which every one must hold. A "replay" runs the `whole` network. "volume" and "digest" are compared as a whole,
    "time" is predicted for a device.
    """

    kind: Literal["sum", "reading", "replay", "volume", "digest", "time"]
    each: Quantity | None = None
    reading: Callable[[_Figures, _Part], Extents | None] | None = None
    whole: Callable[[_Figures, _Setting], int] | None = None
    arguments: tuple[str, ...] = ()
    in_bytes: bool = False


def _activation_elements(figures: _Figures, index: int, setting: _Setting) -> int:
    node = figures.network.nodes[index]
    return setting.batch * node.output.elements if node.inputs else 0


def _memory(figures: _Figures, index: int, setting: _Setting) -> int:
    count = figures.counts[index]
    held = count.parameters * setting.itemsize + count.buffer_bytes(setting.itemsize)
    return held + _activation_elements(figures, index, setting) * setting.itemsize


def _training_memory(figures: _Figures, setting: _Setting) -> int:
    from convsize.analyses.memory.peak import training_memory
    from convsize.records import TrainingSetting

    known = None
    kind: Literal["cpu", "cuda"] = "cuda" if setting.device == "cuda" else "cpu"
    if setting.device not in ("cpu", "cuda"):
        from convsize import devices

        known = devices.load(setting.device)
        kind = known.kind
    chosen = TrainingSetting(setting.batch, setting.optimizer, setting.dtype, device=kind, autocast=setting.autocast)
    found = training_memory(figures.network, chosen, known)
    return found.peak.bytes if known is None else found.reserved


def _depth(figures: _Figures, part: _Part) -> Extents:
    return (figures.depths[part.end],)


def _receptive_field(figures: _Figures, part: _Part) -> Extents | None:
    for found in figures.fields.values():
        if found.rows[part.end] is not None:
            last = before_positions_end(figures.network, found.rows, part.end)
            row = None if last is None else found.rows[last]
            return None if row is None else row.size
    return None


_PARAMETERS = _Metric("sum", lambda figures, index, _: figures.counts[index].parameters)

METRICS: dict[str, _Metric] = {
    "params": _PARAMETERS,
    "parameters": _PARAMETERS,
    "weights": _Metric("sum", lambda figures, index, _: figures.counts[index].weights),
    "biases": _Metric("sum", lambda figures, index, _: figures.counts[index].biases),
    "buffers": _Metric("sum", lambda figures, index, _: figures.counts[index].buffers),
    "macs": _Metric("sum", lambda figures, index, _: figures.work[index].macs),
    "flops": _Metric("sum", lambda figures, index, _: figures.work[index].flops),
    "activations": _Metric("sum", _activation_elements, arguments=("batch",)),
    "memory": _Metric("sum", _memory, arguments=("batch", "dtype"), in_bytes=True),
    "training_memory": _Metric(
        "replay",
        whole=_training_memory,
        arguments=("batch", "optimizer", "dtype", "device", "autocast"),
        in_bytes=True,
    ),
    "layers": _Metric("reading", reading=_depth),
    "receptive_field": _Metric("reading", reading=_receptive_field),
    "out": _Metric("volume"),
    "graph": _Metric("digest"),
    **dict.fromkeys(TIMES, _Metric("time")),
}
"""What can be expected; a new metric is one line here."""


class _Wrong(Exception):  # noqa: N818 (carries a diagnostic, it is no error of its own)
    def __init__(self, found: Diagnostic) -> None:
        super().__init__(found.message)
        self.found = found


def failures(
    network: Network,
    facts: Sequence[Facts],
    counts: Sequence[ParameterCount],
    work: Sequence[LayerWork],
    depths: Sequence[int],
    fields: Mapping[str, Fields],
) -> tuple[Diagnostic, ...]:
    """A diagnostic for every expectation that does not hold or makes no sense.

    E401: a figure differs; E402: a budget is broken; E403: the output differs; E404: the graph's digest differs; E405:
    there is no such metric; E406: a value, comparison, argument or part that the metric does not take.
    """
    figures = _Figures(network, facts, counts, work, depths, fields)
    parts = _Parts(network)
    found: list[Diagnostic] = []
    for expectation in network.expectations:
        try:
            found.extend(_failure(figures, expectation, parts))
        except _Wrong as wrong:
            found.append(wrong.found)
    return tuple(found)


class _Parts:
    """The parts of a network that checks are about, each found once."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.known: dict[int, _Part] = {}
        self.visits = 0
        self.labels = {index: f" up to @{name}" for name, index in network.taps.items()}
        for name, index in [*network.outputs.items()][::-1]:  # a head that is the trunk's end goes by `main`
            self.labels[index] = f" of {name}"

    def part(self, expectation: Expectation, weight: int = 1) -> _Part:
        """What an expectation is about. Raises E112 where the checks of a spec visit too many layers.

        weight: what a visit of a layer costs, in those of a sum.
        """
        network, index = self.network, expectation.node
        if self.visits <= _LARGEST_SUM:
            if index is None:
                part = _Part(range(len(network.nodes)), network.outputs["main"], "")
            elif index in self.known:
                part = self.known[index]
            else:
                label = self.labels.get(index, f" up to {network.nodes[index].name}")
                part = self.known[index] = _Part(sorted(network.ancestors(index)), index, label)
            self.visits += weight * len(part.members)
            if self.visits <= _LARGEST_SUM:
                return part
        text = f"this spec checks too much: the parts it checks have more than {_LARGEST_SUM:,} layers together"
        raise _wrong("E112", text, expectation.check.span, "check fewer parts")


def _wrong(code: str, message: str, span: Span, help_text: str, fixes: tuple[Fix, ...] = ()) -> _Wrong:
    return _Wrong(Diagnostic(code, "error", message, span, help_text, fixes=fixes))


def _failure(figures: _Figures, expectation: Expectation, parts: _Parts) -> Iterator[Diagnostic]:
    check = expectation.check
    name = check.metric.name
    metric = METRICS.get(name)
    if metric is None:
        known = ", ".join(METRICS)
        guess = nearest(name, METRICS)
        help_text = f"{did_you_mean(guess)} There are: {known}" if guess else f"there are: {known}"
        fixes = (Fix(check.metric.span, guess, safe=False),) if guess else ()
        raise _wrong("E405", f"`{name}` is not a quantity that `expect` can check", check.metric.span, help_text, fixes)
    setting = _setting(check, metric) if metric.kind != "time" else _Setting()
    part = parts.part(expectation, _REPLAY if metric.kind in ("replay", "time") else 1)
    part = part.replace(at=_at(metric, setting))
    if metric.kind == "volume":
        yield from _compare_volume(figures, check, part)
    elif metric.kind == "digest":
        yield from _compare_digest(figures, check, expectation)
    elif metric.kind == "time":
        yield from time_failure(figures.network, check, part.label)
    else:
        yield from _compare_number(figures, check, metric, part, setting)


def _at(metric: _Metric, setting: _Setting) -> str:
    """What a figure that depends on the batch was worked out for."""
    if "batch" not in metric.arguments:
        return ""
    device = f" on {setting.device}" if "device" in metric.arguments else ""
    return f" at batch {setting.batch}{device}"


_EXAMPLES = {
    "batch": "batch=8",
    "dtype": "dtype=bfloat16",
    "optimizer": "optimizer=adamw",
    "device": "device=cuda",
    "autocast": "autocast=bfloat16",
}
_NAMED = {"optimizer": "an optimizer", "device": "a device", "autocast": "a type that autocast computes in"}


def _setting(check: Check, metric: _Metric) -> _Setting:
    setting = _Setting()
    name = check.metric.name
    taken = ", ".join(metric.arguments)
    for arg in check.args:
        if arg.name is None or arg.name.name not in metric.arguments:
            said = "an argument without a name" if arg.name is None else f"no argument `{arg.name.name}`"
            text = f"`{name}` takes {said}" if arg.name is not None else f"`{name}` has {said}"
            example = ", ".join(_EXAMPLES[each] for each in metric.arguments)
            help_text = f"it takes {taken}: `{name}({example})`" if taken else f"write `{name}` alone"
            raise _wrong("E406", text, arg.span, help_text)
        given = arg.name.name
        if given in _NAMED:
            if not isinstance(arg.value, Name):
                raise _wrong("E406", f"{_NAMED[given]} is a name", arg.span, f"write `{_EXAMPLES[given]}`")
            names: dict[str, Any] = {given: arg.value.name}
            setting = setting.replace(**names)
        else:
            setting = _batch(setting, arg) if given == "batch" else _dtype(setting, arg)
    return setting


def _batch(setting: _Setting, arg: Arg) -> _Setting:
    value = arg.value
    if not isinstance(value, Num) or value.value.denominator != 1 or value.value < 1:
        raise _wrong("E406", "a batch is a whole number of at least 1", arg.span, "write a number: `batch=8`")
    return setting.replace(batch=value.value.numerator)


def _dtype(setting: _Setting, arg: Arg) -> _Setting:
    value = arg.value
    if not isinstance(value, Name) or value.name not in ITEM_SIZES:
        raise _wrong("E406", "this is not a dtype", arg.span, f"there are: {', '.join(ITEM_SIZES)}")
    return setting.replace(dtype=value.name)


# ---- volumes and digests ---------------------------------------------------------------------------------------------


def _compare_volume(figures: _Figures, check: Check, part: _Part) -> Iterator[Diagnostic]:
    value = check.value
    shape = figures.network.nodes[part.end].output
    if value.volume is not None:
        wanted = Shape(value.volume.channels, value.volume.extents)
    elif value.number is not None and value.number.denominator == 1:
        wanted = Shape(value.number.numerator)
    else:
        text = f"`{value.text}` is not a volume"
        raise _wrong("E406", text, value.span, "write `out=512@7x7`, or `out=1000` for a flat output")
    if check.comparison != "=":
        text = f"`{check.metric.name}` is a volume: `{check.comparison}` does not compare it"
        raise _wrong("E406", text, check.span, f"write `{check.metric.name}={value.text}`")
    if shape != wanted:
        yield Diagnostic(
            "E403",
            "error",
            f"the output{part.label} is {shape}, not {wanted}",
            check.span,
            f"write `{check.metric.name}={shape}` if the network is right",
        )


def _compare_digest(figures: _Figures, check: Check, expectation: Expectation) -> Iterator[Diagnostic]:
    name, value = check.metric.name, check.value
    if expectation.node is not None:
        raise _wrong(
            "E406", f"`{name}` pins the whole network, not a part of it", check.span, f"write `expect: {name}=…`"
        )
    if check.comparison != "=":
        text = f"`{name}` is a digest: `{check.comparison}` does not compare it"
        raise _wrong("E406", text, check.span, f"write `{name}={value.text}`")
    from convsize.graph.digest import digest

    ours = digest(figures.network)
    if value.text != ours:
        yield Diagnostic(
            "E404",
            "error",
            f"the graph's digest is {ours}, not {value.text}: the network is wired, sized or ordered differently",
            check.span,
            f"write `{name}={ours}` if the network is right",
        )


# ---- numbers ---------------------------------------------------------------------------------------------------------


def _compare_number(
    figures: _Figures, check: Check, metric: _Metric, part: _Part, setting: _Setting
) -> Iterator[Diagnostic]:
    value, name = check.value, check.metric.name
    if value.text == "input" and metric.reading is _receptive_field:
        yield from _compare_with_input(figures, check, part)
        return
    if value.number is None:
        what = "a volume" if value.volume is not None else "not a number"
        raise _wrong(
            "E406", f"`{name}` is a number, but `{value.text}` is {what}", value.span, f"write `{name}=…`, a number"
        )
    if unit_of(value) and (unit_of(value).endswith("B") != metric.in_bytes or unit_of(value) in SECONDS):
        units = "KiB, MiB or GiB" if metric.in_bytes else "K, M or G"
        what = "in bytes" if metric.in_bytes else "a count"
        raise _wrong(
            "E406", f"`{name}` is {what}, but `{value.text}` is not", value.span, f"write it plainly or with {units}"
        )
    each = metric.each
    if metric.whole is not None:
        spent = []
        ours: Extents | None = (_whole(figures, check, metric.whole, part, setting),)
    elif each is not None:
        own = figures.replace(counts=counted_once(figures.network, figures.counts, part.members))
        spent = [each(own, index, setting) for index in part.members]
        ours = (sum(spent),)
    else:
        spent = []
        ours = metric.reading(figures, part) if metric.reading is not None else None
    if not ours:
        text = f"there is no `{name}`{part.label}: no layer of it has positions"
        raise _wrong("E406", text, check.span, "leave this check out")
    if all(_holds(one, check) for one in ours):
        return
    if check.comparison in ("=", "~"):
        yield _differs(check, metric, part, ours)
    else:
        yield _broken_budget(figures, check, metric, part, ours, spent)


def _whole(
    figures: _Figures, check: Check, quantity: Callable[[_Figures, _Setting], int], part: _Part, setting: _Setting
) -> int:
    name = check.metric.name
    if part.label:
        text = f"`{name}` is about the whole network, not a part of it"
        raise _wrong("E406", text, check.span, f"write `expect: {name}(…)…`")
    try:
        return quantity(figures, setting)
    except UsageError as error:
        raise _wrong("E406", str(error), check.span, "set other arguments") from None


def _compare_with_input(figures: _Figures, check: Check, part: _Part) -> Iterator[Diagnostic]:
    """`receptive_field>=input`: axis by axis, against the input that the part sees."""
    comparison = check.comparison
    if comparison in ("=", "~"):
        text = f"a receptive field cannot exceed the input, so `{comparison}` cannot hold"
        raise _wrong("E406", text, check.span, "write `receptive_field>=input`, or a number")
    ours = _receptive_field(figures, part)
    if ours is None:
        text = f"there is no `receptive_field`{part.label}: no layer of it has positions"
        raise _wrong("E406", text, check.span, "leave this check out")
    network = figures.network
    name = next(name for name, found in figures.fields.items() if found.rows[part.end] is not None)
    extents = network.nodes[network.inputs[name]].output.spatial
    if not all(within(one, comparison, extent) for one, extent in zip(ours, extents, strict=True)):
        sizes = "x".join(map(str, ours)), "x".join(map(str, extents))
        text = f"receptive_field{part.label} is {sizes[0]}, not {comparison} the input's {sizes[1]}"
        wider = "more layers, larger kernels, strides or dilations widen it"
        narrower = "fewer layers, smaller kernels, strides or dilations narrow it"
        yield Diagnostic("E402", "error", text, check.span, wider if ">" in comparison else narrower)


def _holds(ours: int, check: Check) -> bool:
    number, step = check.value.number, check.value.step
    assert number is not None
    if check.comparison == "~":
        return abs(ours - number) * 2 <= (step if step is not None else 1)
    return within(ours, check.comparison, number)


def _differs(check: Check, metric: _Metric, part: _Part, ours: Extents) -> Diagnostic:
    value, name = check.value, check.metric.name
    assert value.number is not None
    unit = unit_of(value)
    shown = amounts(ours, unit, metric.in_bytes)
    message = f"{name}{part.label}{part.at} is {shown}, not {value.text}"
    if check.comparison == "~":
        message = f"{name}{part.label}{part.at} is {shown}, which does not round to {value.text}"
    elif len(ours) == 1:
        difference = ours[0] - value.number
        message += f": {amount(abs(difference), '', metric.in_bytes)} {'more' if difference > 0 else 'less'}"
    if len(set(ours)) > 1:
        return Diagnostic(
            "E401", "error", message, check.span, "one number applies to every axis: state a bound instead"
        )
    exact = f"{name}={ours[0]}"
    help_text = f"write `{exact}` if the network is right"
    if unit and check.comparison == "=" and value.step is not None and abs(ours[0] - value.number) * 2 <= value.step:
        help_text = f"`=` is exact: write `{name}~{value.text}` for the digits shown, or `{exact}`"
    return Diagnostic("E401", "error", message, check.span, help_text)


def _broken_budget(
    figures: _Figures,
    check: Check,
    metric: _Metric,
    part: _Part,
    ours: Extents,
    spent: Sequence[int],
) -> Diagnostic:
    value, name = check.value, check.metric.name
    assert value.number is not None
    unit = unit_of(value)
    above = check.comparison in ("<", "<=")
    message = (
        f"{name}{part.label}{part.at} is {amounts(ours, unit, metric.in_bytes)}, not {check.comparison} {value.text}"
    )
    total = ours[0]
    if len(ours) == 1 and total != value.number:
        difference = amount(abs(total - value.number), unit, metric.in_bytes)
        message += f": {difference} too {'much' if above else 'little'}"
    help_text = None
    if sum(spent) and above:
        order = sorted(range(len(spent)), key=lambda place: -spent[place])[:3]
        most = [
            f"{figures.network.nodes[part.members[place]].name} ({percent(spent[place] / total)})"
            for place in order
            if spent[place]
        ]
        help_text = f"the largest parts: {', '.join(most)}"
    return Diagnostic("E402", "error", message, check.span, help_text)
