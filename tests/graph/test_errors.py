"""The exact text of what the builder finds wrong: names and numbers, geometry, joins, inline volumes."""

from typing import NamedTuple

import pytest

from convsize.errors import Source, SpecError
from convsize.graph.build import attempt, build
from convsize.language.parser import parse
from convsize.ops import catalogue


class Case(NamedTuple):
    text: str
    code: str
    message: str
    at: str
    help: str | None
    label: str = ""
    labels: tuple[tuple[str, str], ...] = ()
    fixes: tuple[tuple[str, bool], ...] = ()


def cases(text: str) -> list[Case]:
    file, errors = parse(Source(text, "net.spec"))
    assert not errors, errors
    with pytest.raises(SpecError) as caught:
        build(file)
    return [
        Case(
            text,
            found.code,
            found.message,
            file.source.slice(found.span),
            found.help,
            found.label,
            tuple((file.source.slice(label.span), label.text) for label in found.labels),
            tuple((fix.replacement, fix.safe) for fix in found.fixes),
        )
        for found in caught.value.diagnostics
    ]


CASES = [
    [
        Case(
            "input: 3@32x32\nC3 foo\n",
            "E104",
            "there is no block or word called `foo`",
            "foo",
            "define it: `def foo: …`; `convsize ops` lists the words",
        ),
    ],
    [
        Case(
            "input: 3@32x32\nC3 relu\n",
            "E104",
            "there is no block or word called `relu`",
            "relu",
            "write `R`",
            fixes=(("R", True),),
        ),
    ],
    [
        Case(
            "input: 3@32x32\nC3 hswich\n",
            "E104",
            "there is no block or word called `hswich`",
            "hswich",
            "did you mean `hswish`?",
            fixes=(("hswish", False),),
        ),
    ],
    [
        Case("input: 3@32x32\ndef b(d): C3D{d}\nb\n", "E105", "`d` is missing for the block `b`", "b", "it is `b(d)`"),
    ],
    [
        Case(
            "input: 3@32x32\ndef b(d): C3D{d}\nb(1,2)\n",
            "E105",
            "2 arguments are too many for the block `b`",
            "b(1,2)",
            "it is `b(d)`",
        ),
    ],
    [
        Case(
            "input: 3@32x32\ndef b(d): C3D{d}\nb(e=2)\n",
            "E105",
            "there is no parameter `e` in the block `b`",
            "b(e=2)",
            "it is `b(d)`",
        ),
    ],
    [
        Case(
            "input: 3@32x32\nC3D{q}\n",
            "E106",
            "there is no number called `q`",
            "q",
            "add `let q=…`, or write the number",
        ),
    ],
    [
        Case(
            "input: 3@32x32\nC3D{c/2}\n",
            "E107",
            "this must be a whole number: c/2 = 3/2 = 1.5",
            "c/2",
            "`c/2` must divide, or write `//`",
        ),
    ],
    [
        Case("input: 3@32x32\nC3D{1/0}\n", "E107", "this divides by zero", "1/0", "1/0 has no value"),
    ],
    [
        Case("input: 3@32x32\nC3*{1-2}\n", "E107", "this repeats -1 times", "1-2", "a repeat is 0 or more"),
    ],
    [
        Case(
            "input: 3@32x32\n@foo C3\n",
            "E108",
            "nothing before this is named `foo`",
            "@foo",
            "name a value before it: `C3D64 as foo`",
        ),
    ],
    [
        Case(
            "input: 3@32x32\nC3 as stem @stm\n",
            "E108",
            "nothing before this is named `stm`",
            "@stm",
            "did you mean `@stem`?",
            fixes=(("@stem", False),),
        ),
    ],
    [
        Case(
            "input: 3@32x32\ndef a: b\ndef b: a\na\n",
            "E109",
            "blocks may not call themselves: `a` → `b` → `a`",
            "a",
            "repeat with `*3`, or write the layers out",
        ),
    ],
    [
        Case(
            "input: 3@32x32\nlet x=3\nC3\n",
            "E113",
            "`x` is reserved: it is the value that entered a block",
            "x",
            "choose another name",
        ),
    ],
    [
        Case(
            "input: 3@32x32\ndef c: C3\nc\n",
            "E113",
            "`c` is reserved: it is the depth at that point",
            "c",
            "choose another name",
        ),
    ],
    [
        Case(
            "input: 3@32x32\ndef a: C3\ndef a: C5\na\n",
            "E114",
            "there is a block `a` already",
            "a",
            "give this one another name, or remove it",
        ),
    ],
    [
        Case(
            "input: 3@32x32\nC3 x\n",
            "E115",
            "`x` is the value that enters a group or a block: it is allowed only at the start of one",
            "x",
            "name the value you mean and write its tap: `… as skip`, later `@skip`",
        ),
    ],
    [
        Case(
            "input: 3@32x32\nx C3\n",
            "E115",
            "`x` is the value that enters a group or a block: it is allowed only at the start of one",
            "x",
            "name the value you mean and write its tap: `… as skip`, later `@skip`",
        ),
    ],
    [
        Case(
            "input: 3@32x32\n[C3|C5|C1] as a, b\n",
            "E116",
            "3 branches have 2 names",
            "b",
            "name every branch, in their order",
        ),
    ],
    [
        Case(
            "input: 3@32x32\nC3 as a, b\n",
            "E116",
            "2 names need as many branches: `[a | b] as a, b`",
            "b",
            "keep one name: `as a`",
        ),
    ],
    [
        Case(
            "input: 3@32x32\ndef f: [C3|C5|C1] as a, b, d\nf as u, v\n",
            "E116",
            "the block `f` gives 3 values, and here it gets 2 names",
            "v",
            "write 3 names",
        ),
    ],
    [
        Case(
            "input: 3@32x32\ndef f: C3 R as a\nf as u, v\n",
            "E116",
            "the block `f` gives 1 value, and here it gets 2 names",
            "v",
            "end its body in named values: `[a | b] as a, b`",
        ),
    ],
    [
        Case(
            "input: 3@32x32\ndef f: [C3|C5] as a, b\nf*3 as u, v\n",
            "E116",
            "a repeat gives one value, and 2 names stand after it",
            "v",
            "name them inside: `(f(…) as u, v)*3`",
        ),
    ],
    [
        Case(
            "input: 3@32x32\nC3\nexpect foo: params=3\n",
            "E119",
            "there is no head called `foo`",
            "foo",
            "`main` is the trunk; a tap is written `@name`",
        ),
    ],
    [
        Case(
            "input: 3@32x32\nC3\nexpect @foo: params=3\n",
            "E108",
            "nothing before this is named `foo`",
            "@foo",
            "name a value before it: `C3D64 as foo`",
        ),
    ],
    [
        Case(
            "input: 3@32x32\nlet a=b, b=a\nC3D{a}\n",
            "E109",
            "these constants depend on each other in a circle: `b` needs `a` needs `b`",
            "b",
            "give one of them a number",
        ),
        Case(
            "input: 3@32x32\nlet a=b, b=a\nC3D{a}\n",
            "E109",
            "these constants depend on each other in a circle: `a` needs `b` needs `a`",
            "a",
            "give one of them a number",
        ),
    ],
    [
        Case(
            "input: 3@32x32\n[CONV -> RELU]*N FC10\n",
            "E013",
            "`*N` has no value",
            "N",
            "add a line `let N=2`, or write the number: `*2`",
        ),
    ],
    [
        Case(
            "input: 3@32x32\nC3D8 as emb C3 q\ndef q: (C3 + @emb)\n",
            "E108",
            "a block sees its own taps only, and `emb` is named outside of it",
            "@emb",
            "give the block a parameter for it, as in `def block(emb): … @emb`, and pass the value: `block(@emb)`",
            labels=(("q", "in this call"),),
        ),
    ],
    [
        Case(
            "input: 3@32x32\n(C3D64 R C3D128 + x)\n",
            "E301",
            "the branches of this sum have different depths: 128 and 3",
            "C3D64 R C3D128",
            "project the shortcut: replace `x` by `C1D128`",
            label="this branch gives 128@32x32",
            labels=(("x", "this branch gives 3@32x32"),),
            fixes=(("C1D128", False),),
        ),
    ],
    [
        Case(
            "input: 3@32x32\n(C3D64/2 + x)\n",
            "E302",
            "the branches of this sum have different extents: 64@16x16 and 3@32x32",
            "C3D64/2",
            "only one branch has a stride of 2; project the shortcut: replace `x` by `C1D64/2`",
            label="this branch gives 64@16x16",
            labels=(("x", "this branch gives 3@32x32"),),
            fixes=(("C1D64/2", False),),
        ),
    ],
    [
        Case(
            "input: 3@32x32\n(C3p0 + x)\n",
            "E302",
            "the branches of this sum have different extents: 3@30x30 and 3@32x32",
            "C3p0",
            "crop the larger branch: write `x crop(30)`",
            label="this branch gives 3@30x30",
            labels=(("x", "this branch gives 3@32x32"),),
            fixes=(
                (" crop(30)", False),
                (" pad(1,1,1,1)", False),
                ("(C3p0 as small + x crop(@small))", False),
            ),
        ),
    ],
    [
        Case(
            "input: 3@32x32\nM as a\n@a crop(@input)\n",
            "E210",
            "the tap 3@32x32 is larger than the 16 pixels of the height of what is cropped",
            "crop(@input)",
            "crop the larger of the two to the smaller one",
            label="the input here is 3@16x16",
        ),
    ],
    [
        Case(
            "input: 3@32x32\nC3p0 as a\n@input [C3 | @a]\n",
            "E303",
            "the branches of this concatenation have different extents: 3@32x32 and 3@30x30",
            "C3",
            "crop the larger branch: write `C3 crop(@a)`",
            label="this branch gives 3@32x32",
            labels=(("@a", "this branch gives 3@30x30"),),
            fixes=((" crop(@a)", False), (" crop(30)", False), (" pad(1,1,1,1)", False)),
        ),
    ],
    [
        Case(
            "input: 3@32x32\nC3 as a\n[C3p0 | @a crop(28)]\n",
            "E303",
            "the branches of this concatenation have different extents: 3@30x30 and 3@28x28",
            "C3p0",
            "crop to the other branch: write `crop(30)`",
            label="this branch gives 3@30x30",
            labels=(("@a crop(28)", "this branch gives 3@28x28"),),
            fixes=(("crop(30)", False), (" crop(28)", False), (" pad(1,1,1,1)", False)),
        ),
    ],
    [
        Case(
            "input: 3@32x32\n[C3|C3/2]\n",
            "E303",
            "the branches of this concatenation have different extents: 3@32x32 and 3@16x16",
            "C3",
            "only one branch has a stride of 2; project the other branch: write `C3 C1/2`",
            label="this branch gives 3@32x32",
            labels=(("C3/2", "this branch gives 3@16x16"),),
            fixes=((" C1/2", False),),
        ),
    ],
    [
        Case(
            "input: 3@32x32\n(x * C3D5)\n",
            "E304",
            "this gate does not broadcast: 3@32x32 and 5@32x32",
            "x",
            "give the gate as many values as its input has maps: write `C3D3`",
            label="this branch gives 3@32x32",
            labels=(("C3D5", "this branch gives 5@32x32"),),
            fixes=(("C3D3", False),),
        ),
    ],
    [
        Case(
            "input: 3@32x32\nsplit[x|C3]\n",
            "E305",
            "2 equal parts of the depth 3: 3/2 leaves 1",
            "split[x|C3]",
            "make the depth a multiple of the number of branches",
        ),
    ],
    [
        Case(
            "input: 3@32x32\nC7p0 C7p0 C7p0 C7p0 C7p0 C7p0\n",
            "E202",
            "a 7-wide filter does not fit the 2 pixels of the height",
            "C7p0",
            "a kernel of at most 2, a padding of `p3` or a larger input fits; the extents changed on line 2: 20x20 after `C7p0`, 14x14 after `C7p0`, 8x8 after `C7p0`, 2x2 after `C7p0`",
            label="the input here is 3@2x2",
        ),
    ],
    [
        Case(
            "input: 3@32x32\nFC10 C3\n",
            "E205",
            "convolution after flattening: its input is a vector of 10 units without positions",
            "C3",
            "put it before the layer that flattens, or give the vector positions: `reshape(10,1,1)`",
            label="the input here is 10",
        ),
    ],
    [
        Case(
            "input: 3@32x32\nC4\n",
            "E207",
            "half padding needs an odd kernel: 1·(4 - 1)/2 = 1.5 zeros on each side of the height",
            "C4",
            "write the padding: `p0` for none, `p1:2` to keep the extents at stride 1",
            label="the input here is 3@32x32",
        ),
    ],
    [
        Case("input: 3@32x32\nC3D0\n", "E111", "the depth is 0, it must be at least 1", "0", "write a larger one"),
    ],
    [
        Case(
            "input: 3@32x32\nC3g2\n",
            "E204",
            "2 groups do not divide the input's depth 3: 3/2 leaves 1",
            "C3g2",
            "take `g1`, or a depth of 4",
            label="the input here is 3@32x32",
        ),
    ],
    [
        Case(
            "input: 3@32x32\nslice(0,7)\n",
            "E110",
            "the slice from 0 to 7 does not lie in the depth 3",
            "slice(0,7)",
            "the maps are 0 to 2, and the second number is exclusive: `slice(0,3)`",
            label="the input here is 3@32x32",
        ),
    ],
    [
        Case(
            "input: 3@32x32\npick(5)\n",
            "E110",
            "map 5 does not lie in the depth 3",
            "pick(5)",
            "the maps are 0 to 2",
            label="the input here is 3@32x32",
        ),
    ],
    [
        Case(
            "input: 3@32x32\nup\n",
            "E105",
            "`scale` is missing for `up`",
            "up",
            "write it as `up(scale… or @tap, mode=nearest, sampling=centred)`",
        ),
    ],
    [
        Case(
            "input: 3@32x32\nup(2,foo)\n",
            "E106",
            "there is no number, layer, word or block called `foo`",
            "foo",
            "write one of nearest, linear, bilinear, trilinear, bicubic, centred, aligned, antialias, or a number",
        ),
    ],
    [
        Case(
            "input: 3@32x32\ndrop(1.5)\n",
            "E111",
            "`p` must be from 0 to 1, not 1.5",
            "drop(1.5)",
            "write `p=0.5`",
            label="the input here is 3@32x32",
        ),
    ],
    [
        Case(
            "input: 3@32x32\ndrop(0.5,3)\n",
            "E105",
            "too many arguments for `drop`",
            "drop(0.5,3)",
            "write it as `drop(p=0.5)`",
        ),
    ],
    [
        Case(
            "input: 3@32x32\nbn(foo=3)\n",
            "E105",
            "there is no argument `foo` of `bn`",
            "bn(foo=3)",
            "write it as `bn(eps=1e-05, momentum=0.1)`",
        ),
    ],
    [
        Case(
            "input: 3@32x32\nC3D{10000000000*10000000000}\n",
            "E103",
            "this number is beyond 10^18",
            "10000000000*10000000000",
            "no size of a network needs it",
        ),
    ],
    [
        Case(
            "input: 3@32x32\nM2p2\n",
            "E203",
            "padding 2 is over half of the pool's 2-wide window",
            "M2p2",
            "pad by at most `p1`",
            label="the input here is 3@32x32",
        ),
    ],
    [
        Case(
            "input: 3@32x32\nT2/2a3\n",
            "E209",
            "output padding 3 must be below the stride 2 or the dilation 1",
            "T2/2a3",
            "write `a1` or less",
            label="the input here is 3@32x32",
        ),
    ],
    [
        Case(
            "input: 3@32x32\nC3/2exact\n",
            "E201",
            "(32 - 3 + 2·1)/2 + 1 = 16.5 is not a whole number: 1 pixel of the height is left over",
            "C3/2exact",
            "any one of these divides: a kernel of 2, a stride of 1, or an input of 31 or 33 pixels",
            label="the input here is 3@32x32",
        ),
    ],
    [
        Case(
            "input: 3@32x32\nGN5\n",
            "E212",
            "5 groups do not divide the depth 3: 3/5 leaves 3",
            "GN5",
            "take 1, or a depth of 5",
            label="the input here is 3@32x32",
        ),
    ],
    [
        Case(
            "input: 3@32x32\ncrop(40)\n",
            "E210",
            "a crop to 40 is larger than the 32 pixels of the height",
            "crop(40)",
            "crop to at most 32",
            label="the input here is 3@32x32",
        ),
    ],
    [
        Case(
            "input: 3@32x32\nreshape(4,4)\n",
            "E211",
            "3@32x32 has 3·32·32 = 3,072 values, 4@4 would have 4·4 = 16",
            "reshape(4,4)",
            "write `reshape(768,4)`",
            label="the input here is 3@32x32",
        ),
    ],
    [
        Case(
            "input: 3@32x32\ndef b(d): C{d}D4 M\n b(3)\n",
            "E109",
            "blocks may not call themselves: `b` → `b`",
            "b",
            "repeat with `*3`, or write the layers out",
        ),
    ],
    [
        Case(
            "input: 3@32x32\ndef b(d): C3D{d/2} M\nb(3)*3\n",
            "E107",
            "this must be a whole number: d/2 = 3/2 = 1.5",
            "d/2",
            "`d/2` must divide, or write `//`",
            labels=(("b(3)", "in this call"),),
        ),
    ],
    [
        Case(
            "input: 3@32x32\ndef f(a): a\nf(3)\n",
            "E105",
            "`a` is a number here, not a block",
            "a",
            "a number goes inside a token: `D{a}`",
            labels=(("f(3)", "in this call"),),
        ),
    ],
    [
        Case(
            "input: 3@32x32\ndef f(a): C3D{a}\nf(R)\n",
            "E106",
            "`a` is a block here, not a number",
            "a",
            "pass the number as an argument",
            labels=(("f(R)", "in this call"),),
        ),
    ],
    [
        Case(
            "input: 3@32x32\nC3x3x3\n",
            "E206",
            "`3x3x3` names 3 axes, the input has 2",
            "C3x3x3",
            "write one number for every axis, or 2 joined by `x`",
            label="the input here is 3@32x32",
        ),
    ],
    [
        Case(
            "input: 3@32x32\nC1D64 M*6 M\n",
            "E202",
            "a 2-wide filter does not fit the 1 pixel of the height",
            "M",
            "a kernel of at most 1, a padding of `p1` or a larger input fits; the extents changed on line 2: 8x8 after `M`, 4x4 after `M`, 2x2 after `M`, 1x1 after `M`",
            label="the input here is 64@1x1",
        ),
    ],
    [
        Case(
            "input: 3@32x32\nC3 conv\n",
            "E104",
            "there is no block or word called `conv`",
            "conv",
            "a convolution is written `CkDn`: its kernel k, then its depth n",
        ),
    ],
    [
        Case(
            "input: 3@32x32\nC3D{N}\nlet N=C\n",
            "E106",
            "there is no number called `C`",
            "C",
            "add `let C=…`, or write the number",
        ),
    ],
    [
        Case(
            "input: 3@32x32\nC3 b(3)\ndef b(n, n=2): C3\n",
            "E114",
            "there is a parameter `n` already",
            "n",
            "give this one another name, or remove it",
        ),
    ],
    [
        Case(
            "input: 3@32x32\nlet a=1, a=2\nC3\n",
            "E114",
            "there is a constant `a` already",
            "a",
            "give this one another name, or remove it",
        ),
    ],
    [
        Case(
            "input: 3@32x32\ndef main: C3\nhead main: C3\nmain\n",
            "E113",
            "`main` is reserved: it is the end of the trunk",
            "main",
            "choose another name",
        ),
    ],
    [
        Case(
            "input: 3@32x32\nC3 f(@q)\ndef f(p): @p\n",
            "E108",
            "nothing before this is named `q`",
            "@q",
            "name a value before it: `C3D64 as q`",
        ),
    ],
    [
        Case(
            "input: 3@32x32\ndef f(p): C3D{p}\nC3 as q f(@q)\n",
            "E106",
            "`p` is a tap here, not a number",
            "p",
            "the value itself is `@p`",
            labels=(("f(@q)", "in this call"),),
        ),
    ],
    [
        Case(
            "input: 3@32x32\ndef f(d): @d C3\nf(3)\n",
            "E108",
            "`d` is a number here, not a tap",
            "@d",
            "write `d`",
            labels=(("f(3)", "in this call"),),
        ),
    ],
    [
        Case(
            "input: 3@32x32\nf(hswich)\ndef f(a): C3 a\n",
            "E106",
            "there is no number, layer, word or block called `hswich`",
            "hswich",
            "did you mean `hswish`?",
        ),
    ],
    [
        Case(
            "input: 3@32x32\nf(leaky(0.1))\ndef f(a): C3 a(3)\n",
            "E105",
            "`a` already has its arguments: it was passed as `leaky(…)`",
            "a(3)",
            "write `a` without brackets",
            labels=(("f(leaky(0.1))", "in this call"),),
        ),
    ],
    [
        Case(
            "input: 3@32x32\nf(C3D8)\ndef f(a): a(2)\n",
            "E105",
            "`a` is the layer `C3D8` here, it takes no arguments",
            "a(2)",
            "write `a`",
            labels=(("f(C3D8)", "in this call"),),
        ),
    ],
    [
        Case(
            "input: 3@32x32\nround(3)\n",
            "E104",
            "there is no block or word called `round`",
            "round",
            "specs have no such layer; `convsize ops` lists the layers",
        ),
    ],
    [
        Case("input: 3@32x32\nC3D{round(3)}\n", "E105", "`round` takes two numbers", "round(3)", "`round(a, b)`"),
    ],
    [
        Case(
            "input: 3@32x32\nC3D{foo(3)}\n",
            "E106",
            "`foo` is not an arithmetic function",
            "foo",
            "there are min, max, round",
        ),
    ],
    [
        Case(
            "input: 3@32x32\nC3\nhead h @q: C3\n",
            "E108",
            "nothing before this is named `q`",
            "@q",
            "name a value before it: `C3D64 as q`",
        ),
    ],
    [
        Case(
            "input: 3@32x32\nb(1, d=1)\ndef b(d): C3D{d}\n",
            "E105",
            "`d` is given twice to the block `b`",
            "b(1, d=1)",
            "it is `b(d)`",
        ),
    ],
    [
        Case(
            "input: 3@32x32\nb(e=1, 2)\ndef b(d, e): C3D{d}\n",
            "E105",
            "an unnamed argument follows a named one",
            "2",
            "put unnamed arguments first",
        ),
    ],
    [
        Case(
            "input: 3@32x32\nR*1000000\n",
            "E112",
            "this is too large to expand: 1,000,000 iterations, and a network may have 50,000 layers",
            "R*1000000",
            "write a smaller repeat",
        ),
    ],
    [
        Case(
            "input: 3@32x32\n(x)*1000000000000\n",
            "E112",
            "this is too large to expand: 1,000,000,000,000 iterations, and a network may have 50,000 layers",
            "(x)*1000000000000",
            "write a smaller repeat",
        ),
    ],
    [
        Case(
            "input: 3@32x32\n((((R*1000)*1000)*1000)*1000)\n",
            "E112",
            "this is too large to expand: 1,000 iterations of 1,001 items each, and a network may have 50,000 layers",
            "(R*1000)*1000",
            "write a smaller repeat",
        ),
    ],
    [
        Case(
            "input: 3@32x32\nup(100)*5\n",
            "E103",
            "the volume 3@32000000x32000000 is too large: the limits are a depth of 2147483647 and an extent of 16777216",
            "up(100)",
            "no network is that large",
        ),
    ],
    [
        Case(
            "input: 3@32x32\nC3D{3000000000}\n",
            "E103",
            "the depth 3000000000 is beyond 2147483647",
            "3000000000",
            "write a smaller one",
        ),
    ],
    [
        Case("input: 3@32x32\nC3/{0}\n", "E111", "the stride is 0, it must be at least 1", "0", "write a larger one"),
    ],
    [
        Case(
            "input: 3@32x32\nC3p{0-1}\n",
            "E111",
            "the padding is -1, it must be at least 0",
            "0-1",
            "write a larger one",
        ),
    ],
    [
        Case(
            "input: 3@32x32\nC3 C5D{c*c*1000000}*3\n",
            "E103",
            "this number is beyond 10^18",
            "c*c*1000000",
            "no size of a network needs it",
        ),
    ],
    [
        Case(
            "C3\n",
            "E117",
            "this spec declares no input",
            "C3",
            "add a first line, such as `input: 3@224x224`, or pass `--input 3@224x224`",
        ),
    ],
    [
        Case(
            "input: 3@32x32\n",
            "E117",
            "this spec has no layers",
            "input: 3@32x32",
            "add a line such as `C3D64 R M FC10 S`",
        ),
    ],
    [
        Case(
            "",
            "E117",
            "this spec declares no input",
            "",
            "add a first line, such as `input: 3@224x224`, or pass `--input 3@224x224`",
        ),
    ],
    [
        Case(
            "input a: 3@8x8\ninput b: 3@8x8\nC3\n",
            "E117",
            "with 2 inputs the trunk must say where it starts",
            "C3",
            "begin it with `@a` or `@b`",
        ),
    ],
    [
        Case(
            "input: 0@3x3\nC3\n", "E111", "the volume 0@3x3 has no elements", "0@3x3", "every number must be at least 1"
        ),
    ],
    [
        Case(
            "input: 3@3x3\ninput: 3@3x3\nC3\n",
            "E114",
            "there is an input `input` already",
            "input: 3@3x3",
            "give every input its own name: `input left: 3@32x32`",
        ),
    ],
]


@pytest.mark.parametrize("expected", CASES, ids=lambda expected: f"{expected[0].code} {expected[0].at}")
def test_exact_text(expected: list[Case]) -> None:
    assert cases(expected[0].text) == expected


@pytest.mark.parametrize(
    ("text", "message", "advice"),
    [
        ("def b(x): R\nb(2)", "E113 `x` is reserved: it is the value that entered a block", "choose another name"),
        (
            "def b(f): f\nb(relux)",
            "E106 there is no number, layer, word or block called `relux`",
            "define it, or write a number",
        ),
        (
            "def b(f): f\nb(pixelshufle)",
            "E106 there is no number, layer, word or block called `pixelshufle`",
            "did you mean `pixelshuffle`?",
        ),
        (
            "def bott(n): C3D{n}\ndef b(f): f(2)\nb(bot)",
            "E106 there is no number, layer, word or block called `bot`",
            "did you mean `bott`?",
        ),
        ("C3D{widht}", "E106 there is no number called `widht`", "add `let widht=…`, or write the number"),
        ("let width=3\nC3D{widht}", "E106 there is no number called `widht`", "did you mean `width`?"),
        ("let n=-1\nR*{n}", "E107 this repeats -1 times", "a repeat is 0 or more"),
        ("R*{n}", "E106 there is no number called `n`", "add `let n=…`, or write the number"),
        ("def b(n): n\nb(2)", "E105 `n` is a number here, not a block", "a number goes inside a token: `D{n}`"),
        ("pad(1,a=2)", "E105 there is no argument `a` of `pad`", "write it as `pad(amounts…, mode=zeros, value=0)`"),
        ("drop(p=0.5,p=0.4)", "E105 `p` is given twice to `drop`", "write it as `drop(p=0.5)`"),
        ("slice(1.5)", "E105 `start` must be a whole number, not 1.5, for `slice`", "write it as `slice(start, stop)`"),
        ("C3D{round(10,0)}", "E107 this rounds to a multiple of nothing", "the second argument must be positive"),
        ("C3D{10/3}", "E107 this must be a whole number: 10/3 = 3.333", "`10/3` must divide, or write `//`"),
        (
            "(x + C3D8/2 + C1)",
            "E302 the branches of this sum have different extents: 3@8x8 and 8@4x4",
            "only one branch has a stride of 2; project the other branches: `C1D8/2`, `C1D8/2`",
        ),
        (
            "(x + FC4)",
            "E302 the branches of this sum have different extents: 3@8x8 and 4",
            "give the flat branch as many values as the other has maps: write `FC3`",
        ),
        (
            "(x + FC192)",
            "E302 the branches of this sum have different extents: 3@8x8 and 192",
            "flatten the volume: end its branch with `flat`",
        ),
        (
            "[x | FC4]",
            "E303 a vector of 4 and a volume of 3@8x8 do not concatenate",
            "flatten the volume: end its branch with `flat`",
        ),
        ("@input", "E117 the trunk ends at an input: it has no layers", "add layers"),
    ],
)
def test_what_is_said_and_how_it_is_mended(text: str, message: str, advice: str) -> None:
    (found,) = cases(f"input: 3@8x8\n{text}\n")
    assert (f"{found.code} {found.message}", found.help) == (message, advice)


@pytest.mark.parametrize(
    ("value", "multiple", "rounded"),
    [
        ("5/2", 1, 3),
        ("7/2", 1, 4),
        (12, 8, 16),
        (20, 8, 24),
        (19, 8, 24),
        (11, 8, 16),
        (1, 8, 8),
        (9, "9/2", 9),
        (7, "7/2", 7),
    ],
)
def test_rounding_to_a_multiple(value: object, multiple: object, rounded: int) -> None:
    """The nearest one, of two the larger; never less than 0.9 of the value: 16 for 19 would be."""
    file, errors = parse(Source(f"input: 3@8x8\nC1D{{round({value}, {multiple})}}\n", "net.spec"))
    assert not errors
    network = build(file)
    assert network.nodes[-1].output.channels == rounded


def test_a_stated_volume_that_does_not_hold_hides_no_network() -> None:
    network = build(parse(Source("input: 3@32x32\nC3D64 32@32x32 R 64@31x31\n", "net.spec"))[0])
    assert [node.name for node in network.layers] == ["conv1", "relu1"]
    assert [(found.code, found.message, found.help, found.fixes) for found in network.diagnostics] == [
        ("E407", "the volume here is 64@32x32, not 32@32x32", "write `64@32x32` if the network is right", ()),
        ("E407", "the volume here is 64@32x32, not 64@31x31", "write `64@32x32` if the network is right", ()),
    ]


_NAMED = [name for name in catalogue.word_names() if any(param.choices for param in catalogue.word(name).PARAMS)]


@pytest.mark.parametrize("word", _NAMED)
def test_the_help_for_an_unknown_name_lists_the_choices_of_its_place(word: str) -> None:
    params = catalogue.word(word).PARAMS
    for param in params:
        if not param.choices:
            continue
        before = {each.name: each for each in params[: params.index(param)]}
        stated = [each.choices[0] if each.choices else "2" for each in before.values()]
        for call in (f"{word}({param.name}=zzz)", f"{word}({','.join([*stated, 'zzz'])})"):
            file, found = parse(Source(f"input: 8@8x8\n{call} FC3\n"))
            (error,) = [each for each in attempt(file).diagnostics if each.code == "E106"]
            listed = error.help.removeprefix("write one of ").removesuffix(", or a number").split(", ")
            assert not found
            assert set(param.choices) <= set(listed), (call, error.help)
            assert not {choice for each in before.values() for choice in each.choices} - set(param.choices) & set(
                listed
            )
            if call.endswith("=zzz)"):
                assert error.help == f"write one of {', '.join(param.choices)}"
