"""What checks say where they do not hold."""

import pytest

from convsize.analyses.expectations import figures
from convsize.analyses.expectations.figures import METRICS
from convsize.analyses.report import broken
from convsize.api import parse

# conv1 16·3·9 + 16 = 448, conv2 32·16·9 + 32 = 4,640, fc1 10·32 + 10 = 330: 5,418 parameters, of them 5,360 weights.
# The head: 4·16 + 4 = 68 and 2·4 + 2 = 10. MACs: 32²·16·27 + 16²·32·144 + 320 = 442,368 + 1,179,648 + 320 = 1,622,336
# for the trunk, 16²·4·16 + 8 = 16,392 for the head.
SPEC = """input: 3@32x32
C3D16 R M as a
C3D32 R as b GAP FC10
head aux @a: C1D4 GAP FC2
"""


def findings(check, target=""):
    text = f"{SPEC}expect{' ' + target if target else ''}: {check}"
    report = parse(text).analyze()
    return report.diagnostics, report.source


def message(check, target=""):
    (found,), source = findings(check, target)
    assert source.slice(found.span) in check
    assert found.severity == "error"
    return f"{found.code} {found.message}", found.help


@pytest.mark.parametrize(
    ("check", "target"),
    [
        ("params=5496 parameters=5496 weights=5432 biases=64 buffers=0 macs=1638728", ""),
        ("params=5418 macs=1622336 layers=3 out=10", "main"),
        ("params=526 out=2 layers=3", "aux"),
        ("params=5088 out=32@16x16 receptive_field=8 layers=2", "@b"),
        ("params~5.5K macs~1.6M macs~1.639M params<=5496 params<5497 params>=5.496K params>5495", ""),
        ("receptive_field=8 receptive_field<=8 receptive_field>7 receptive_field~8", ""),
    ],
)
def test_what_holds_is_silent(check, target):
    assert findings(check, target)[0] == ()


def test_figures_that_differ():
    assert message("params=5497") == (
        "E401 params is 5,496, not 5497: 1 less",
        "write `params=5496` if the network is right",
    )
    assert message("params=4640", "@b")[0] == "E401 params up to @b is 5,088, not 4640: 448 more"
    assert message("weights=1", "aux")[0] == "E401 weights of aux is 504, not 1: 503 more"
    assert message("params=5.42K", "main") == (
        "E401 params of main is 5,418 (5.418K), not 5.42K: 2 less",
        "`=` is exact: write `params~5.42K` for the digits shown, or `params=5418`",
    )


def test_the_digits_shown_are_what_a_tilde_compares():
    # 1,638,728: within half of 0.01M of 1.64M, not of 1.63M; half a step off still rounds to it.
    assert findings("macs~1.64M")[0] == ()
    assert message("macs~1.63M")[0] == "E401 macs is 1,638,728 (1.639M), which does not round to 1.63M"
    assert findings("layers~3")[0] == ()
    assert message("layers~2")[0] == "E401 layers is 3, which does not round to 2"


def test_budgets_say_who_spends():
    # 1,622,336 + 16,392 = 1,638,728; conv2 1,179,648 of it = 72 %, conv1 442,368 = 27 %, the head's conv1 1 %.
    assert message("macs<=1M") == (
        "E402 macs is 1,638,728 (1.639M), not <= 1M: 638,728 (0.6387M) too much",
        "the largest parts: conv2 (72 %), conv1 (27 %), aux.conv1 (1 %)",
    )
    assert message("params>=1M") == (
        "E402 params is 5,496 (0.005496M), not >= 1M: 994,504 (0.9945M) too little",
        None,
    )
    assert message("params<5496") == ("E402 params is 5,496, not < 5496", message("params<5496")[1])
    assert message("receptive_field>=9", "@b")[0] == "E402 receptive_field up to @b is 8x8, not >= 9"


def test_memory_counts_parameters_buffers_and_activations():
    # BN: 2 parameters, 2 running statistics and an 8-byte counter a layer; two outputs of 4x4.
    spec = "input: 1@4x4\nC1b0 BN\nexpect: memory({})={}"
    # Parameters (1 + 2)·4, buffers 2·4 + 8, activations 2·16·4·3: 12 + 16 + 384 = 412.
    assert parse(spec.format("batch=3", 412)).analyze().diagnostics == ()
    # In half precision the counter stays: 6 + 4 + 8 + 2·16·2 = 82.
    assert parse(spec.format("dtype=float16", 82)).analyze().diagnostics == ()
    assert parse("input: 1@4x4\nC1 R\nexpect: activations(batch=3)=96 memory<1KiB").analyze().diagnostics == ()
    assert message("memory(batch=8)<=1MiB")[0] == (
        "E402 memory at batch 8 is 1,760,224 bytes (1.679 MiB), not <= 1MiB: 711,648 bytes (0.6787 MiB) too much"
    )


def test_outputs():
    assert message("out=11") == ("E403 the output is 10, not 11", "write `out=10` if the network is right")
    assert message("out=32@5x5", "@b")[0] == "E403 the output up to @b is 32@16x16, not 32@5x5"
    assert message("out=2@1x1", "aux")[0] == "E403 the output of aux is 2, not 2@1x1"


def test_the_digest():
    graph = parse(SPEC).analyze().graph
    assert findings(f"graph={graph}")[0] == ()
    found, help_text = message("graph=0123456789abcdef")
    assert found == (
        f"E404 the graph's digest is {graph}, not 0123456789abcdef: the network is wired, sized or ordered differently"
    )
    assert help_text == f"write `graph={graph}` if the network is right"


def test_unknown_metrics():
    found, help_text = message("parms=3")
    assert found == "E405 `parms` is not a quantity that `expect` can check"
    assert help_text == f"did you mean `params`? There are: {', '.join(METRICS)}"
    assert message("zzz=3")[1] == f"there are: {', '.join(METRICS)}"


@pytest.mark.parametrize(
    ("check", "target", "text", "help_text"),
    [
        ("flops(batch=3)=3", "", "`flops` takes no argument `batch`", "write `flops` alone"),
        (
            "memory(size=3)=3",
            "",
            "`memory` takes no argument `size`",
            "it takes batch, dtype: `memory(batch=8, dtype=bfloat16)`",
        ),
        (
            "activations(8)=3",
            "",
            "`activations` has an argument without a name",
            "it takes batch: `activations(batch=8)`",
        ),
        ("memory(batch=0)=3", "", "a batch is a whole number of at least 1", "write a number: `batch=8`"),
        ("memory(dtype=int8)=3", "", "this is not a dtype", "there are: float64, float32, float16, bfloat16"),
        ("params=32@5x5", "", "`params` is a number, but `32@5x5` is a volume", "write `params=…`, a number"),
        ("params=many", "", "`params` is a number, but `many` is not a number", "write `params=…`, a number"),
        ("params=3MiB", "", "`params` is a count, but `3MiB` is not", "write it plainly or with K, M or G"),
        ("memory=3M", "", "`memory` is in bytes, but `3M` is not", "write it plainly or with KiB, MiB or GiB"),
        ("out<=10", "", "`out` is a volume: `<=` does not compare it", "write `out=10`"),
        ("out=abc", "", "`abc` is not a volume", "write `out=512@7x7`, or `out=1000` for a flat output"),
        ("graph~abc", "", "`graph` is a digest: `~` does not compare it", "write `graph=abc`"),
        ("graph=abc", "main", "`graph` pins the whole network, not a part of it", "write `expect: graph=…`"),
    ],
)
def test_checks_that_make_no_sense(check, target, text, help_text):
    assert message(check, target) == (f"E406 {text}", help_text)


def test_a_network_without_positions_has_no_receptive_field():
    (found,) = parse("input: 8@1\nFC4\nexpect: receptive_field=1").analyze().diagnostics
    assert found.message == "there is no `receptive_field`: no layer of it has positions"
    assert found.code == "E406"


def test_axes_that_differ():
    spec = "input: 1@9x9\nC3x5\nexpect: receptive_field{}"
    (found,) = parse(spec.format("=3")).analyze().diagnostics
    assert (found.message, found.help) == (
        "receptive_field is 3x5, not 3",
        "one number applies to every axis: state a bound instead",
    )
    assert parse(spec.format(">=3")).analyze().diagnostics == ()
    assert parse(spec.format("<=5")).analyze().diagnostics == ()
    (found,) = parse(spec.format("<=4")).analyze().diagnostics
    assert found.message == "receptive_field is 3x5, not <= 4"


def test_checks_of_too_many_parts_end(monkeypatch):
    monkeypatch.setattr(figures, "_LARGEST_SUM", 10)
    spec = "input: 1@9x9\nC3 R R R as a R R R as b\nexpect @a: params=10\nexpect @b: params=10"
    (found,) = parse(spec).analyze().diagnostics
    assert found.code == "E112"
    assert found.message == "this spec checks too much: the parts it checks have more than 10 layers together"


def test_findings_stand_in_the_order_of_the_file():
    report = parse(f"expect: params=1 out=3\n{SPEC}expect: macs=2").analyze()
    assert [found.code for found in report.diagnostics] == ["E401", "E403", "E401"]


@pytest.mark.parametrize(
    "check", ["params=7", "receptive_field>=input", "layers<1 out=3", "memory(batch=2)<1KiB", "x=1"]
)
def test_what_does_not_hold_is_found_without_the_rest_of_the_report(check: str) -> None:
    network = parse(f"input: 3@32x32\nC3D8 as a C3D8/2 GAP FC10\nexpect: macs<1 {check}\nexpect @a: params=1\n")
    assert broken(network) == network.analyze().diagnostics
    assert len(broken(network)) >= 3
