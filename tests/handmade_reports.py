"""Reports made by hand, so that views are tested without the floors above them."""

from __future__ import annotations

from fractions import Fraction

from convsize.errors import Diagnostic, Source, Span
from convsize.records import Insight, Iteration, LayerRow, ParameterRow, ReceptiveField, Report, Totals


def field(size: int, jump: Fraction | int = 1, start: int = 0, *, whole: bool = False) -> ReceptiveField:
    two = (Fraction(jump), Fraction(jump))
    first = (Fraction(start), Fraction(start))
    middle = (Fraction(start) + Fraction(size - 1, 2),) * 2
    return ReceptiveField((size, size), (size, size), two, first, middle, Fraction(1, 4), whole)


def layer(
    index: int,
    name: str,
    spec: str,
    output: tuple[int, ...],
    *,
    op: str = "convolution",
    inputs: tuple[str, ...] = ("input",),
    input_shape: tuple[int, ...] = (3, 32, 32),
    weights: int = 0,
    biases: int = 0,
    macs: int = 0,
    sees: ReceptiveField | None = None,
    iterations: tuple[Iteration, ...] = (),
    blocks: tuple[str, ...] = (),
    repeat_of: str | None = None,
) -> LayerRow:
    elements = 1
    for extent in output:
        elements *= extent
    return LayerRow(
        index=index,
        name=name,
        op=op,
        kind=op,
        spec=spec,
        line=2,
        column=index,
        inputs=inputs,
        input_shapes=(input_shape,),
        output=output,
        parameters=weights + biases,
        weights=weights,
        biases=biases,
        buffers=0,
        tensors=(ParameterRow("weight", (weights,), "weight", weights),) if weights else (),
        macs=macs,
        flops=2 * macs + biases,
        work=(("bias", biases),) if biases else (),
        output_elements=elements,
        output_bytes=4 * elements,
        parameter_bytes=4 * (weights + biases),
        receptive_field=sees,
        receptive_fields=() if sees is None else (("input", sees),),
        lost=(),
        repeat_of=repeat_of,
        blocks=blocks,
        iterations=iterations,
    )


def totals(layers: tuple[LayerRow, ...], sees: ReceptiveField | None) -> Totals:
    def total(name: str) -> int:
        return sum(getattr(each, name) for each in layers)

    return Totals(
        parameters=total("parameters"),
        weights=total("weights"),
        biases=total("biases"),
        buffers=0,
        macs=total("macs"),
        flops=total("flops"),
        work=(("bias", total("biases")),),
        activation_elements=total("output_elements"),
        activation_bytes=total("output_bytes"),
        parameter_bytes=total("parameter_bytes"),
        weight_layers=sum(each.macs > 0 for each in layers),
        layers=len(layers),
        receptive_field=sees,
    )


def report(layers: tuple[LayerRow, ...], *, diagnostics: tuple[Diagnostic, ...] = ()) -> Report:
    sees = next((each.receptive_field for each in reversed(layers) if each.receptive_field), None)
    return Report(
        name="tiny",
        source=Source("input: 3@32x32\nC3D8 M FC10\n", "tiny.spec"),
        graph="0123456789abcdef",
        inputs=(("input", (3, 32, 32)),),
        outputs=(("main", layers[-1].output),),
        batch=1,
        dtype="float32",
        layers=layers,
        totals=totals(layers, sees),
        unread=(),
        insights=(Insight("parameters", "98.9% of the parameters are in fc1", 0.989, ("fc1",)),),
        diagnostics=diagnostics,
    )


# 3@32x32, C3D8: 3·3·3·8 = 216 weights and 8 biases at 32·32 = 1024 places: 216·1024 = 221,184 multiply-adds.
# Pooled 2 by 2: 8@16x16 = 2048 values, times 10 units: 20,480 weights.
TINY = report(
    (
        layer(1, "conv1", "C3D8", (8, 32, 32), weights=216, biases=8, macs=221_184, sees=field(3, 1, -1)),
        layer(2, "maxpool1", "M", (8, 16, 16), op="max pooling", inputs=("conv1",), sees=field(4, 2, -1)),
        layer(
            3, "fc1", "FC10", (10,), op="fully connected", inputs=("maxpool1",), weights=20_480, biases=10, macs=20_480
        ),
    ),
    diagnostics=(Diagnostic("W501", "warning", "something is odd", Span(15, 19), "write it otherwise"),),
)
