"""The pages of E401 to E407: what a spec says of itself and does not hold."""

from __future__ import annotations

from convsize.rules.base import Rule

_TESTS = "The language: `expect` states what must hold; a published count is the best test of a spec."

RULES = (
    Rule(
        code="E401",
        name="expectation-differs",
        summary="a number differs from what `expect` says",
        checks="`=` and `~` in `expect` lines: parameters, multiply-adds, memory, receptive fields and others.",
        why="A spec that contains the paper's count cannot drift away from the paper unnoticed.",
        source=_TESTS,
        example="input: 3@6x6\nC3D64 R GAP FC10\nexpect: params=2441\n",
        better="input: 3@6x6\nC3D64 R GAP FC10\nexpect: params=2442\n",
        fix="Find what differs (`convsize diff`), or correct the expectation.",
    ),
    Rule(
        code="E402",
        name="over-budget",
        summary="a budget is exceeded",
        checks=(
            "`<`, `<=`, `>`, `>=` in `expect` lines and in the configuration. The message names the largest layers."
        ),
        why="A network must fit its device and keep fitting it when someone changes a depth.",
        source=_TESTS,
        example="input: 3@6x6\nC3D64 R FC1000\nexpect: params<=1M\n",
        better="input: 3@6x6\nC3D64 R GAP FC1000\nexpect: params<=1M\n",
        fix="Reduce the layers that the message names.",
    ),
    Rule(
        code="E403",
        name="wrong-output",
        summary="the output is not the volume that `expect` says",
        checks="`out=` in `expect` lines.",
        why="The number of classes is fixed by the data.",
        source=_TESTS,
        example="input: 3@6x6\nC3D64 R GAP FC10\nexpect: out=100\n",
        better="input: 3@6x6\nC3D64 R GAP FC100\nexpect: out=100\n",
        fix="Change the last layer, or the expectation.",
    ),
    Rule(
        code="E404",
        name="wrong-graph",
        summary="the structure has a different digest from the pinned one",
        checks="`graph=` in `expect` lines: a digest of the layers and their wiring, without names and layout.",
        why=("Counts cannot detect wrong wiring: two layers in a different order have the same number of parameters."),
        source=_TESTS,
        example="input: 3@6x6\nC3D64 R GAP FC10\nexpect: graph=0123456789abcdef\n",
        better="input: 3@6x6\nC3D64 R GAP FC10\nexpect: out=10\n",
        fix="If the change is intended, write the new digest; `convsize diff` shows what changed.",
    ),
    Rule(
        code="E405",
        name="unknown-expectation",
        summary="`expect` has no quantity of this name",
        checks="Names in `expect` lines that are not a metric. The message offers the nearest one.",
        why="A misspelt check that is skipped would look like one that passes.",
        source=_TESTS,
        example="input: 3@6x6\nC3D64 R GAP FC10\nexpect: parms=2442\n",
        better="input: 3@6x6\nC3D64 R GAP FC10\nexpect: params=2442\n",
        fix="Correct the name.",
    ),
    Rule(
        code="E406",
        name="senseless-expectation",
        summary="an expectation that cannot be compared",
        checks="Values of the wrong kind, unknown arguments, units that do not fit, a volume compared by `<`.",
        why="Such a check can neither pass nor fail.",
        source=_TESTS,
        example="input: 3@6x6\nC3D64 R GAP FC10\nexpect: params=2GiB\n",
        better="input: 3@6x6\nC3D64 R GAP FC10\nexpect: params<=2G\n",
        fix="Write it as the message says.",
    ),
    Rule(
        code="E407",
        name="volume-differs",
        summary="the volume at this point differs from the one written there",
        checks="Volumes such as `512@7x7` inside a series.",
        why=(
            "Papers print these numbers beside their figures; they locate the layer at which a transcription "
            "went wrong."
        ),
        source="LeCun et al. 1998, figure 2; the volumes beside every AlexNet drawing.",
        example="input: 3@227x227\nC11D96/4p0 96@54x54 R FC10\n",
        better="input: 3@227x227\nC11D96/4p0 96@55x55 R FC10\n",
        fix="Correct the layer before it, or the volume.",
    ),
)
