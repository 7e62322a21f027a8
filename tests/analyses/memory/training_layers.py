"""Layers that the specs do not have."""

# One layer of each kind that the specs do not have, in the middle of a network.
LAYERS = [
    "INb1", "IN", "GN4", "LN", "rms", "rms(gain=0)", "GRN", "frn", "tlu", "prelu", "elu", "mish", "softplus",
    "hsigmoid", "hswish", "leaky(0.1)", "A3/1p1",
    "A3/2ceil", "shuffle(2)", "pixelshuffle(2)", "up(2,bilinear)", "droppath(0.3)", "drop(0)", "drop(1)",
    "times(3)", "plus(2)", "clamp(lo=0)", "clamp(-1,1)", "abs", "exp", "abs plus(1) log", "R plus(1) sqrt", "power(2)",
    "selu", "glu", "bias", "elu(0.5)", "gelu(tanh)", "scale", "weight", "affine", "softmax(2)", "S", "slice(2,6)",
    "pick(1,1,0)", "plus(1,2,3,4,5,6,7,8)", "times(1,2,3,4,5,6,7,8)", "pad(1)",
    "pad(-1)", "crop(3,3)", "widen(12)", "sumpool(2)", "LRN3", "T3D8/2p1a1", "T3D8/2psame", "C2D8psame",
    "M3/2ceil", "M3/2p0:1", "GMP", "DW3", "C3D8ws", "C3D8/2b0sws", "DW3sws",
    "(C3 + C3 + x)", "(C3 * x * C1)", "(C3 - x)", "(C3 / x)", "(x * GAP)", "(x * GAP flat)",
    "(x * reduce(mean,depth))", "(x * reduce(max,width))", "(x - reduce(std,height))",
    "(x / reduce(norm,positions) plus(1))", "(x - reduce(var,depth))",
    "C1D24 attn(2,depth)", "reduce(max,slices,2)", "reduce(sum,slices,2,groups=2)", "(x - reduce(sum,positions))",
    "[x | C3 | x]", "split[x | C3]", "flat FC8 R",
    "lppool(2,2)", "lppool(3,2)", "A3/2psame", "A2psame", "A3d2", "A3p0:1z0",
]  # fmt: skip
