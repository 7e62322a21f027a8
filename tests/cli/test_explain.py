"""`convsize explain`: what other tools count, and why."""

from __future__ import annotations

import json


def test_all_tools_in_short(convsize) -> None:
    ran = convsize("explain", "macs", "specs/resnet50.spec", width=140)
    assert ran.code == 0
    figures = {line.split()[0]: line.split()[1] for line in ran.out.splitlines() if "," in line[:30]}
    assert figures["convsize"] == "4,089,184,256"
    assert figures["torch"] == "8,178,368,512"
    assert figures["thop"] == "4,133,742,592"


def test_one_tool_layer_by_layer(convsize) -> None:
    ran = convsize("explain", "macs", "specs/resnet50.spec", "--as", "thop", width=140)
    (norms,) = [line.split() for line in ran.out.splitlines() if "4 a value" in line]
    assert norms[-11:-7] == ["53", "0", "44,455,936", "+44,455,936"]
    assert "thop counts +1.09 %" in ran.out


def test_where_a_layer_can_be_written_in_several_ways(convsize) -> None:
    ran = convsize("explain", "macs", "-e", "C3D6 attn(1) GAP FC3", "--input", "3@8x8", "--as", "thop")
    assert ran.code == 0
    assert "at least" in ran.out
    assert "not known" in ran.out


def test_tools_that_agree(convsize) -> None:
    ran = convsize("explain", "macs", "-e", "C3D6 R", "--input", "3@8x8", "--as", "torchvision")
    assert "Both count every layer alike." in ran.out


def test_json_has_every_layer(convsize) -> None:
    ran = convsize("explain", "macs", "-e", "C3D6 R", "-e", "FC2", "--input", "3@8x8", "-f", "json")
    counts = json.loads(ran.out)["counts"]
    assert len(counts) == 12
    fvcore = next(each for each in counts if each["tool"] == "fvcore")
    assert fvcore["layers"] == {"conv1": 3 * 9 * 6 * 64, "relu1": 0}


def test_analyze_counts_as_a_tool_does(convsize) -> None:
    ran = convsize("analyze", "specs/resnet50.spec", "--convention", "thop", width=100)
    assert "4,133,742,592  as thop 0.1.1.post2209072238 counts" in ran.out
    assert "FLOPs" not in ran.out
    asked = convsize("analyze", "specs/resnet50.spec", "--convention", "thop", "--format", "json")
    found = json.loads(asked.out)
    assert (found["convention"], found["totals"]["macs"]) == ("thop 0.1.1.post2209072238", 4_133_742_592)


def test_unknown_tools_and_figures(convsize) -> None:
    assert "did you mean `thop`" in convsize("explain", "macs", "-e", "C3", "--input", "3@8x8", "--as", "tohp").err
    assert convsize("explain", "params", "specs/vgg_d.spec").code == 2
