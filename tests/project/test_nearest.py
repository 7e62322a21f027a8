"""Near names: a slip of the keys is one, a word of another meaning none."""

import pytest

from convsize.ops import catalogue
from convsize.words import nearest


@pytest.mark.parametrize(
    ("name", "known", "meant"),
    [
        # slips
        ("hswich", catalogue.WORDS, "hswish"),
        ("tahn", catalogue.WORDS, "tanh"),
        ("sigmoyd", catalogue.WORDS, "sigmoid"),
        ("Sig_moid", catalogue.WORDS, "sigmoid"),
        ("pixelshufle", catalogue.WORDS, "pixelshuffle"),
        ("stm", ["stem", "skip"], "stem"),
        ("paramters", ["parameters", "params"], "parameters"),
        ("inputs", ["input", "let"], "input"),
        ("expected", ["expect", "head"], "expect"),
        # other words
        ("pixelunshufle", ["shuffle"], None),
        ("maxunpool", catalogue.WORDS, None),
        ("roipool", catalogue.WORDS, None),
        ("max", catalogue.WORDS, None),
        ("a6000", ["a100", "h100"], None),
        ("v100", ["a100", "h100"], None),
        ("a10", ["a100"], None),
        ("l40", ["l4"], None),
        ("s4", ["s3", "s5"], None),
        ("W502", ["W501", "W503"], None),
        ("--json", ["--sort", "--let"], None),
        ("banana", catalogue.WORDS, None),
        ("", catalogue.WORDS, None),
    ],
)
def test_near_names(name: str, known: list[str], meant: str | None) -> None:
    assert nearest(name, known) == meant
