"""Saved for backward on CUDA, without a GPU: run as a program with the shim's path, a type, and specs.

The shim must be loaded before PyTorch, so this is a process of its own. It writes a line of JSON a spec: its name, and
the bytes that autograd keeps on fake CUDA tensors. No kernel runs; cuDNN's own reserve in a batch norm is 0 here.
"""

import ctypes
import json
import sys

if __name__ == "__main__":
    shim, dtype, batch, *paths = sys.argv[1:]
    ctypes.CDLL(shim, ctypes.RTLD_GLOBAL)

    import torch
    from torch._subclasses.fake_tensor import FakeTensorMode

    import convsize
    from convsize.runtime.step_meters import batch_of, saved_by_torch

    for path in paths:
        network = convsize.load(path)
        with FakeTensorMode():
            saved = saved_by_torch(batch_of(network, int(batch), "cuda", getattr(torch, dtype)))
        print(json.dumps([network.name, saved]), flush=True)
