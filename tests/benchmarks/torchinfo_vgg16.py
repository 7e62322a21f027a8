"""VGG-16 as a person would write it in PyTorch, and torchinfo's summary of it: what `analyze` is measured against."""

import torchinfo
from torch import nn

layers: list[nn.Module] = []
depth = 3
for width, count in ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)):
    for _ in range(count):
        layers += [nn.Conv2d(depth, width, 3, padding=1), nn.ReLU(inplace=True)]
        depth = width
    layers.append(nn.MaxPool2d(2))
classifier = [nn.Flatten(), nn.Linear(512 * 7 * 7, 4096), nn.ReLU(inplace=True), nn.Dropout()]
classifier += [nn.Linear(4096, 4096), nn.ReLU(inplace=True), nn.Dropout(), nn.Linear(4096, 1000)]
torchinfo.summary(nn.Sequential(*layers, *classifier), (1, 3, 224, 224))
