"""`convsize check --fix`, `--unsafe-fixes` and `--diff` as a user sees them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

SAFE = "input: 3@32x32\nC3D64 relu M FC10  # kept\n"
# 13 = 2·6 + 1: the pool drops the last row and column unless it rounds up.
UNSAFE = "input: 3@13x13\nC3D64 R M FC10\n"
BOTH = "input: 3@13x13\nC3D64 relu M FC10\n"


@pytest.fixture
def spec(tmp_path: Path) -> Callable[[str], Path]:
    def write(text: str) -> Path:
        path = tmp_path / "net.spec"
        path.write_bytes(text.encode())
        return path

    return write


def test_fix_leaves_sizes_alone(spec: Callable[[str], Path], convsize: Callable[..., Any]) -> None:
    path = spec(BOTH)
    ran = convsize("check", "--isolated", "--fix", path)
    assert path.read_text() == "input: 3@13x13\nC3D64 R M FC10\n"
    assert ran.code == 1
    assert "W501" in ran.out
    assert ran.err == (
        f"{path}:2:7: E104 replaced `relu` by `R`\n1 finding was fixed in 1 file; --unsafe-fixes would fix 1 more\n"
    )


def test_unsafe_fixes_need_no_other_option(spec: Callable[[str], Path], convsize: Callable[..., Any]) -> None:
    path = spec(BOTH)
    ran = convsize("check", "--isolated", "--unsafe-fixes", path)
    assert path.read_text() == "input: 3@13x13\nC3D64 R Mceil FC10\n"
    assert (ran.code, ran.out) == (0, "no findings (1 file checked)\n")
    assert ran.err == (
        f"{path}:2:7: E104 replaced `relu` by `R`\n{path}:2:9: W501 replaced `M` by `Mceil`\n"
        "2 findings were fixed in 1 file\n"
    )


def test_nothing_safe_to_fix(spec: Callable[[str], Path], convsize: Callable[..., Any]) -> None:
    path = spec(UNSAFE)
    ran = convsize("check", "--isolated", "--fix", path)
    assert path.read_text() == UNSAFE
    assert ran.err == "nothing to fix; --unsafe-fixes would fix 1\n"
    assert ran.code == 1


def test_diff_writes_nothing(spec: Callable[[str], Path], convsize: Callable[..., Any]) -> None:
    path = spec(SAFE)
    ran = convsize("check", "--isolated", "--diff", path)
    assert path.read_text() == SAFE
    assert ran.out == (
        f"--- {path} (current)\n+++ {path} (fixed)\n@@ -1,2 +1,2 @@\n input: 3@32x32\n-C3D64 relu M FC10  # "
        "kept\n+C3D64 R M FC10  # kept\n"
    )
    assert ran.err == "1 finding would be fixed in 1 file\n"
    assert ran.code == 1


def test_standard_input_goes_to_standard_output(convsize: Callable[..., Any]) -> None:
    ran = convsize("check", "--isolated", "--fix", "-", stdin=BOTH)
    assert ran.out == UNSAFE
    assert "W501" in ran.err
    assert ran.err.endswith("1 finding was fixed in 1 file; --unsafe-fixes would fix 1 more\n")
    assert ran.code == 1


def test_standard_input_without_findings_is_passed_on(convsize: Callable[..., Any]) -> None:
    text = "input: 3@12x12\nC3D64 R M FC10\n"
    ran = convsize("check", "--isolated", "--fix", "-", stdin=text)
    assert (ran.code, ran.out) == (0, text)


@pytest.mark.parametrize("options", [["--diff"], ["--fix", "-"]])
def test_one_output_cannot_hold_two_things(options: list[str], convsize: Callable[..., Any]) -> None:
    ran = convsize("check", "--isolated", "--format", "json", *options, stdin=SAFE)
    assert ran.code == 2
    assert "not both" in ran.err


def test_line_ends_comments_and_layout_stay(spec: Callable[[str], Path], convsize: Callable[..., Any]) -> None:
    path = spec("# LeNet?\r\ninput: 3@32x32\r\n\r\nC3D64   relu\r\n  M # pool\r\nFC10")
    assert convsize("check", "--isolated", "--fix", path).code == 0
    assert path.read_bytes() == b"# LeNet?\r\ninput: 3@32x32\r\n\r\nC3D64   R\r\n  M # pool\r\nFC10"


def test_a_link_stays_a_link(spec: Callable[[str], Path], convsize: Callable[..., Any], tmp_path: Path) -> None:
    path = spec(SAFE)
    link = tmp_path / "link.spec"
    link.symlink_to(path)
    assert convsize("check", "--isolated", "--fix", link).code == 0
    assert link.is_symlink()
    assert "relu" not in path.read_text()


def test_only_what_is_selected_is_fixed(spec: Callable[[str], Path], convsize: Callable[..., Any]) -> None:
    path = spec("input: 3@13x13\nC3D64 R drop(0) M FC10\n")
    ran = convsize("check", "--isolated", "--select", "W501", "--unsafe-fixes", path)
    assert path.read_text() == "input: 3@13x13\nC3D64 R drop(0) Mceil FC10\n"
    assert ran.code == 0


def test_what_is_suppressed_is_not_fixed(spec: Callable[[str], Path], convsize: Callable[..., Any]) -> None:
    text = "input: 3@13x13\nC3D64 R M FC10  # convsize: ignore[W501]\n"
    path = spec(text)
    assert convsize("check", "--isolated", "--unsafe-fixes", path).code == 0
    assert path.read_text() == text


def test_several_files_in_several_processes(tmp_path: Path, convsize: Callable[..., Any]) -> None:
    for number in range(4):
        (tmp_path / f"net{number}.spec").write_text(SAFE if number % 2 else UNSAFE)
    ran = convsize("check", "--isolated", "--unsafe-fixes", "--jobs", 2, tmp_path)
    assert ran.code == 0
    *made, outcome = ran.err.splitlines()
    assert outcome == "4 findings were fixed in 4 files"
    assert made == [
        f"{tmp_path}/net{number}.spec:2:{place}"
        for number, place in enumerate(["9: W501 replaced `M` by `Mceil`", "7: E104 replaced `relu` by `R`"] * 2)
    ]


@pytest.mark.parametrize(
    ("series", "mended"),
    [
        ("C3D8 R M C3D8/2p0 R M", "C3D8 R Mceil C3D8/2p0:1 R M"),
        ("C3D8 R M4/3 C7D8/2 R M", "C3D8 R M4/3ceil C7D8/2 R Mceil"),
    ],
)
def test_a_loss_that_a_fix_hands_on_is_mended_where_it_goes(
    series: str, mended: str, spec: Callable[[str], Path], convsize: Callable[..., Any]
) -> None:
    extent = 63 if "p0" in series else 50
    path = spec(f"input: 3@{extent}x{extent}\n{series} GAP FC10\n")
    ran = convsize("check", "--isolated", "--select", "W501", "--unsafe-fixes", path)
    assert ran.out == "no findings (1 file checked)\n"
    assert path.read_text() == f"input: 3@{extent}x{extent}\n{mended} GAP FC10\n"
    made = [line.partition(": ")[2] for line in ran.err.splitlines()[:-1]]
    assert all(line.startswith("W501 replaced `") for line in made)
    assert len(made) == sum(old != new for old, new in zip(series.split(), mended.split(), strict=True))


def test_a_file_that_cannot_be_read_is_a_finding(spec: Callable[[str], Path], convsize: Callable[..., Any]) -> None:
    path = spec("")
    ran = convsize("check", "--isolated", "--fix", path)
    assert ran.code == 1
    assert "E019" in ran.out
    assert path.read_bytes() == b""


# ---- the three classic traps, by both commands that a beginner calls -------------------------------------------------

CORPUS = Path(__file__).parent / "corpus"


@pytest.mark.parametrize("command", [["check", "--isolated"], ["analyze"]], ids=lambda command: command[0])
@pytest.mark.parametrize(
    ("name", "says"),
    [
        # 300/2/2 = 75, and 75/2 drops a pixel; 16·18 = 288, 16·19 = 304.
        ("trap-unet-300", ["512@37x37 and 512@36x36", "multiples of 16, but 300 is not", "1@304x304", "@s4 crop(@u4)"]),
        ("trap-unet-nested", ["1@288x192", "x crop(36,24)"]),
        # (224 - 11)/4 leaves 1; 3 more zeros make 216 = 4·54.
        (
            "trap-alexnet-224-exact",
            ["(224 - 11)/4 + 1 = 54.25 is not a whole number", "C11D96/4p0:3exact", "223 or 227"],
        ),
        ("trap-residual-stride", ["64@16x16 and 64@32x32", "stride of 2", "replace `x` by `C1D64/2`"]),
        ("trap-residual-block", ["replace `x` by `C1D{d}/{s}`"]),
    ],
)
def test_the_message_alone_says_what_to_write(
    name: str, says: list[str], command: list[str], convsize: Callable[..., Any]
) -> None:
    ran = convsize(*command, CORPUS / f"{name}.spec")
    assert ran.code == 1
    for part in says:
        assert part in ran.out + ran.err


def test_a_fix_that_is_not_applied_says_why(spec: Callable[[str], Path], convsize: Callable[..., Any]) -> None:
    path = spec((Path(__file__).parent / "corpus" / "E407-two.spec").read_text())
    assert "not applied" not in convsize("check", "--isolated", path).out
    ran = convsize("check", "--isolated", "--unsafe-fixes", path)
    assert "round up: `Mceil` gives 64@112x112, or let 222 or 224 pixels enter; not applied: it would" in ran.out
