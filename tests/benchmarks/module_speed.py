"""Step time of the modules that specs make against hand-written ones, in turns within one run: python <this file>.

ResNet-18 and VGG-11 as torchvision writes them (He et al. 2015; Simonyan & Zisserman 2015, A), with the same weights;
a step is forward, cross entropy and backward on one core. Processor time is taken, which other processes disturb less
than the clock on the wall; run on an idle machine all the same.
"""

from __future__ import annotations

import statistics
import sys
import time
from pathlib import Path

import torch
from torch import Tensor, nn

import convsize

SPECS = Path(__file__).resolve().parents[2] / "specs"
WARM_UP = 3


class BasicBlock(nn.Module):
    def __init__(self, before: int, depth: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(before, depth, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(depth)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(depth, depth, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(depth)
        self.downsample = None
        if stride != 1:
            self.downsample = nn.Sequential(nn.Conv2d(before, depth, 1, stride, bias=False), nn.BatchNorm2d(depth))

    def forward(self, x: Tensor) -> Tensor:
        identity = x if self.downsample is None else self.downsample(x)
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out)) + identity
        return self.relu(out)


class ResNet18(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        self.layer1 = nn.Sequential(BasicBlock(64, 64), BasicBlock(64, 64))
        self.layer2 = nn.Sequential(BasicBlock(64, 128, 2), BasicBlock(128, 128))
        self.layer3 = nn.Sequential(BasicBlock(128, 256, 2), BasicBlock(256, 256))
        self.layer4 = nn.Sequential(BasicBlock(256, 512, 2), BasicBlock(512, 512))
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(512, 1000)

    def forward(self, x: Tensor) -> Tensor:
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(torch.flatten(self.avgpool(x), 1))


class VGG11(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        before = 3
        for depth in (64, 0, 128, 0, 256, 256, 0, 512, 512, 0, 512, 512, 0):
            if depth:
                layers += [nn.Conv2d(before, depth, 3, padding=1), nn.ReLU(inplace=True)]
                before = depth
            else:
                layers.append(nn.MaxPool2d(2, 2))
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Sequential(
            nn.Linear(512 * 7 * 7, 4096),
            nn.ReLU(inplace=True),
            nn.Dropout(0.5),
            nn.Linear(4096, 4096),
            nn.ReLU(inplace=True),
            nn.Dropout(0.5),
            nn.Linear(4096, 1000),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(torch.flatten(self.features(x), 1))


def step(module: nn.Module, images: Tensor, labels: Tensor) -> float:
    module.zero_grad()
    start = time.process_time()
    nn.functional.cross_entropy(module(images), labels).backward()
    return time.process_time() - start


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    torch.set_num_threads(1)
    for spec, theirs, batch in (("resnet18", ResNet18(), 2), ("vgg_a", VGG11(), 1)):
        ours = convsize.load(SPECS / f"{spec}.spec").to_torch(logits=True)
        with torch.no_grad():
            for mine, other in zip(ours.parameters(), theirs.parameters(), strict=True):
                other.copy_(mine)
        images, labels = torch.rand(batch, 3, 224, 224), torch.randint(0, 1000, (batch,))
        times: dict[str, list[float]] = {"ours": [], "theirs": []}
        for turn in range(rounds + WARM_UP):
            pair = (("ours", ours), ("theirs", theirs))
            for name, module in pair if turn % 2 else reversed(pair):
                taken = step(module, images, labels)
                if turn >= WARM_UP:
                    times[name].append(taken)
        ratio = statistics.median(a / b for a, b in zip(times["ours"], times["theirs"], strict=True))
        best = min(times["ours"]) / min(times["theirs"])
        module_ms, hand_ms = (1000 * statistics.median(times[name]) for name in ("ours", "theirs"))
        print(f"{spec}: {module_ms:.1f} ms a step, by hand {hand_ms:.1f}, {rounds} times in turn")
        print(f"  ratio: median of the pairs {ratio:.3f}, of the best {best:.3f}")


if __name__ == "__main__":
    main()
