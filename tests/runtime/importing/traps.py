"""Small modules that are easily misread: changes in place, views, casts, shared modules, norms that use the batch."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812


class Trap(nn.Module):
    """A module of a few layers; its forward pass is the trap."""

    def __init__(self) -> None:
        super().__init__()
        self.a = nn.Conv2d(3, 8, 3, padding=1)
        self.b = nn.Conv2d(8, 8, 3, padding=1)
        self.bn = nn.BatchNorm2d(8)
        self.fc = nn.Linear(8, 4)


class ReluChangesTheShortcut(Trap):
    def forward(self, x: Tensor) -> Tensor:
        x = self.a(x)
        y = self.b(F.relu_(x))
        return x + y


class ReluOfACopy(Trap):
    def forward(self, x: Tensor) -> Tensor:
        x = self.a(x)
        y = self.b(F.relu_(x.clone()))
        return x + y


class AddInPlace(Trap):
    def forward(self, x: Tensor) -> Tensor:
        x = self.a(x)
        y = x
        x += self.b(x)
        return x * y


class PartInPlace(Trap):
    def forward(self, x: Tensor) -> Tensor:
        x = self.a(x)
        F.relu_(x[:, :4])
        return self.b(x)


class PartInPlaceReadAlone(Trap):
    def forward(self, x: Tensor) -> Tensor:
        x = self.a(x)
        y = F.relu_(x[:, :4])
        return torch.cat([y, x[:, 4:]], 1)


class OtherPartIsRead(Trap):
    def forward(self, x: Tensor) -> Tensor:
        y, z = self.a(x).chunk(2, 1)
        return torch.cat([F.relu_(y), z], 1)


class CopyBehindReshape(Trap):
    def forward(self, x: Tensor) -> Tensor:
        x = self.a(x)
        y = x.permute(0, 2, 3, 1).reshape(x.shape[0], -1, 8)
        y.relu_()
        return self.b(x)


class InPlaceThroughAView(Trap):
    def forward(self, x: Tensor) -> Tensor:
        x = self.a(x)
        x.flatten(2).relu_()
        return self.b(x)


class InPlaceBehindDropout(Trap):
    def forward(self, x: Tensor) -> Tensor:
        x = self.a(x)
        y = F.dropout(x, 0.5, self.training)
        y.relu_()
        return self.b(x) + y


class BatchStatistics(Trap):
    def forward(self, x: Tensor) -> Tensor:
        return F.batch_norm(self.a(x), self.bn.running_mean, self.bn.running_var, training=True)


class Half(Trap):
    def forward(self, x: Tensor) -> Tensor:
        return self.b(self.a(x).bfloat16().float())


class SharedModule(Trap):
    def forward(self, x: Tensor) -> Tensor:
        x = self.a(x)
        return self.b(F.relu(self.b(x)))


class SharedActivation(Trap):
    def __init__(self) -> None:
        super().__init__()
        self.act = nn.GELU()

    def forward(self, x: Tensor) -> Tensor:
        return self.act(self.b(self.act(self.a(x))))


class BatchAsDepth(Trap):
    def forward(self, x: Tensor) -> Tensor:
        x = self.a(x)
        return self.b(x.reshape(-1, 8, *x.shape[2:]).roll(1, 0))


class ShuffleByView(Trap):
    def forward(self, x: Tensor) -> Tensor:
        x = self.a(x)
        n, c, h, w = x.shape
        return self.b(x.view(n, 2, c // 2, h, w).transpose(1, 2).reshape(n, c, h, w))


class WrongShuffle(Trap):
    def forward(self, x: Tensor) -> Tensor:
        x = self.a(x)
        n, c, h, w = x.shape
        return self.b(x.view(n, c, h, w // 2, 2).transpose(3, 4).reshape(n, c, h, w))


class Transposed(Trap):
    def forward(self, x: Tensor) -> Tensor:
        return self.b(self.a(x).transpose(2, 3))


class MeanOfAnAxis(Trap):
    def forward(self, x: Tensor) -> Tensor:
        x = self.a(x)
        return x + x.mean(2, keepdim=True)


class MeanOfEverything(Trap):
    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.a(x).mean((2, 3)))


class MeanOfTheBatch(Trap):
    def forward(self, x: Tensor) -> Tensor:
        x = self.a(x)
        return x - x.mean(0, keepdim=True)


class LinearOverPositions(Trap):
    def __init__(self) -> None:
        super().__init__()
        self.mix = nn.Linear(64, 64)

    def forward(self, x: Tensor) -> Tensor:
        return self.mix(self.a(x).flatten(2)).view(-1, 8, 8, 8)


class LinearOverTheDepth(Trap):
    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.a(x).permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class FlattenedTheOtherWay(Trap):
    def __init__(self) -> None:
        super().__init__()
        self.wide = nn.Linear(512, 4)

    def forward(self, x: Tensor) -> Tensor:
        return self.wide(self.a(x).permute(0, 2, 3, 1).flatten(1))


class SoftmaxOverWidth(Trap):
    def forward(self, x: Tensor) -> Tensor:
        return self.a(x).softmax(-1)


class SoftmaxOverDepth(Trap):
    def forward(self, x: Tensor) -> Tensor:
        return self.a(x).softmax(1)


class NumberOfItsOwn(Trap):
    def __init__(self) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(1))
        self.gains = nn.Parameter(torch.ones(1, 8, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        return self.b(self.a(x) * self.gain) * self.gains


class GainAlongWidth(Trap):
    def __init__(self) -> None:
        super().__init__()
        self.gains = nn.Parameter(torch.ones(8))

    def forward(self, x: Tensor) -> Tensor:
        return self.a(x) * self.gains


class WeightOfWeights(Trap):
    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(self.a(x), self.b.weight * self.bn.weight.view(-1, 1, 1, 1), padding=1)


class WeightTransposed(Trap):
    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(self.a(x), self.b.weight.transpose(0, 1), padding=1)


class FixedWeights(Trap):
    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("kernel", torch.ones(8, 1, 3, 3) / 9)

    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(self.a(x), self.kernel, groups=8)


class Unequal(Trap):
    def forward(self, x: Tensor) -> Tensor:
        return self.b(F.pad(self.a(x), (0, 1, 2, 0)))


class PoolOfZeros(Trap):
    def forward(self, x: Tensor) -> Tensor:
        return F.max_pool2d(F.pad(self.a(x), (1, 1, 1, 1)), 3, 2)


class PoolThatCountsNoZeros(Trap):
    def forward(self, x: Tensor) -> Tensor:
        return F.avg_pool2d(self.a(x), 3, 2, 1, count_include_pad=False)


class PoolThatRoundsUp(Trap):
    def forward(self, x: Tensor) -> Tensor:
        return F.avg_pool2d(self.a(x), 3, 2, ceil_mode=True)


class PoolWithDivisor(Trap):
    def forward(self, x: Tensor) -> Tensor:
        return F.avg_pool2d(self.a(x), 3, 2, divisor_override=5)


class EverySecond(Trap):
    def forward(self, x: Tensor) -> Tensor:
        return self.b(self.a(x)[:, :, ::2, 1::2])


class EverySecondMap(Trap):
    def forward(self, x: Tensor) -> Tensor:
        x = self.a(x)
        return torch.cat([x[:, ::2], x[:, 1::2]], 1)


class ScalarArithmetic(Trap):
    def forward(self, x: Tensor) -> Tensor:
        return 1 - self.b((self.a(x) + 3) / 7) * 2


class Inverse(Trap):
    def forward(self, x: Tensor) -> Tensor:
        return 2 / (self.a(x).sigmoid() + 1)


class Quotient(Trap):
    def forward(self, x: Tensor) -> Tensor:
        x = self.a(x)
        return self.b(x) / x.sigmoid()


class PartOfWeights(Trap):
    def forward(self, x: Tensor) -> Tensor:
        x = self.a(x)
        gate = F.linear(x.mean((2, 3)), self.b.weight[:, :, 1, 1])
        return x * gate.sigmoid()[:, :, None, None]


class GrownList(Trap):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList([nn.Conv2d(3 + 4 * at, 4, 3, padding=1) for at in range(4)])

    def forward(self, x: Tensor) -> Tensor:
        found = [x]
        for layer in self.layers:
            found.append(layer(torch.cat(found, 1)).relu())
        return torch.cat(found, 1)


class TwoOutputs(Trap):
    def forward(self, x: Tensor) -> dict[str, Tensor]:
        x = self.a(x)
        return {"out": self.b(x), "middle": x, "class": self.fc(x.mean((2, 3)))}


class Unused(Trap):
    def forward(self, x: Tensor) -> Tensor:
        x = self.a(x)
        self.b(x)
        return F.relu(x)


class DependsOnValues(Trap):
    def forward(self, x: Tensor) -> Tensor:
        x = self.a(x)
        return self.b(x) if x.sum() > 0 else x


class Same(Trap):
    def forward(self, x: Tensor) -> Tensor:
        x = self.a(x)
        return x + x


class Centred(Trap):
    def forward(self, x: Tensor) -> Tensor:
        x = self.a(x)
        return (x - x.mean((2, 3), keepdim=True)) * x.std((2, 3), keepdim=True, unbiased=False)


class Resized(Trap):
    def forward(self, x: Tensor) -> Tensor:
        y = F.interpolate(self.a(x), scale_factor=2, mode="bilinear", align_corners=True)
        return self.b(F.interpolate(y, size=(11, 5)))


class Windows(Trap):
    def forward(self, x: Tensor) -> Tensor:
        x = self.a(x)
        n, c, h, w = x.shape
        y = x.view(n, c, 2, h // 2, 2, w // 2).permute(0, 2, 4, 1, 3, 5).reshape(-1, c, h // 2, w // 2)
        return self.b(y).mean((2, 3))


class Permuted(Trap):
    def forward(self, x: Tensor) -> Tensor:
        x = self.a(x)
        y = self.b(x)
        return x.permute(0, 2, 3, 1) + y.permute(0, 2, 3, 1)


EXACT = [
    ReluChangesTheShortcut,
    ReluOfACopy,
    AddInPlace,
    OtherPartIsRead,
    SharedActivation,
    ShuffleByView,
    MeanOfAnAxis,
    MeanOfEverything,
    LinearOverTheDepth,
    SoftmaxOverDepth,
    NumberOfItsOwn,
    Unequal,
    PoolOfZeros,
    PoolThatCountsNoZeros,
    PoolThatRoundsUp,
    EverySecond,
    EverySecondMap,
    ScalarArithmetic,
    Inverse,
    Quotient,
    GrownList,
    TwoOutputs,
    Unused,
    Same,
    Centred,
    Resized,
    InPlaceThroughAView,
]
REFUSED = [
    PartInPlace,
    PartInPlaceReadAlone,
    CopyBehindReshape,
    InPlaceBehindDropout,
    BatchStatistics,
    Half,
    SharedModule,
    BatchAsDepth,
    WrongShuffle,
    Transposed,
    MeanOfTheBatch,
    LinearOverPositions,
    FlattenedTheOtherWay,
    SoftmaxOverWidth,
    GainAlongWidth,
    WeightOfWeights,
    WeightTransposed,
    FixedWeights,
    PoolWithDivisor,
    PartOfWeights,
    DependsOnValues,
    Windows,
    Permuted,
]
