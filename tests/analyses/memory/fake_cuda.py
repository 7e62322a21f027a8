"""What training holds on CUDA, without a GPU: a program that takes the shim's path and reads lines of JSON.

The shim must be loaded before PyTorch, so this is a process of its own. It writes an empty list where PyTorch takes the
shim. A line that it reads has the path of a spec, or its text, and a training setting; a line of the answer has the
bytes that autograd keeps on fake CUDA tensors and, where they are asked for, the peaks of two steps by the storages
that live after every operator. No kernel runs; cuDNN's own reserve in a batch norm is 0 here. Under fake tensors
autograd never adds a gradient to another one in place.
"""

import ctypes
import json
import sys
import weakref

if __name__ == "__main__":
    ctypes.CDLL(sys.argv[1], ctypes.RTLD_GLOBAL)

    import torch
    from torch._subclasses.fake_tensor import FakeTensorMode
    from torch.utils._python_dispatch import TorchDispatchMode
    from torch.utils._pytree import tree_iter

    with FakeTensorMode():
        torch.ones(1, device="cuda", requires_grad=True).sum().backward()
    print([], flush=True)  # the stand-in works; what fails from here on is the tool's

    import convsize
    from convsize.records import TrainingSetting
    from convsize.runtime.meters.step import batch_for, optimizer_of, saved_by_torch, step

    # PyTorch would leave autocast and the optimizers of a GPU out where it sees none.
    torch.cuda.amp.common.amp_definitely_not_available = lambda: False
    torch.cuda.is_bf16_supported = lambda including_emulation=True: True

    def together(update):
        for group in update.param_groups:
            group["foreach"] = True
        return update

    class Meter(TorchDispatchMode):
        """The most bytes of CUDA storages that live at the end of an operator."""

        def __init__(self, tensors):
            super().__init__()
            self.known = {}
            self.live = self.peak = 0
            for tensor in tensors:
                self.see(tensor)
            self.peak = self.live

        def see(self, tensor):
            if tensor.device.type != "cuda":
                return
            storage = tensor.untyped_storage()
            if storage._cdata not in self.known:
                size = storage.nbytes()
                self.known[storage._cdata] = weakref.finalize(storage, self.forget, storage._cdata, size)
                self.live += size

        def forget(self, place, size):
            del self.known[place]
            self.live -= size

        def __torch_dispatch__(self, function, types, args=(), kwargs=None):
            result = function(*args, **(kwargs or {}))
            for value in tree_iter(result):
                if isinstance(value, torch.Tensor):
                    self.see(value)
            self.peak = max(self.peak, self.live)
            return result

    def peaks(batch, name, turns):
        update = together(optimizer_of(name, batch.module.parameters()))
        found = []
        tensors = [*batch.module.state_dict(keep_vars=True).values(), *batch.inputs, *batch.targets]
        with Meter(tensors) as meter:
            for _ in range(2):
                meter.peak = meter.live
                step(batch, update, turns)
                found.append(meter.peak)
        return found

    for line in sys.stdin:
        spec, fields, with_peaks = json.loads(line)
        network = convsize.parse(spec) if "\n" in spec else convsize.load(spec)
        for name in ("frozen", "losses", "checkpoint"):
            fields[name] = tuple(tuple(each) if isinstance(each, list) else each for each in fields.get(name, ()))
        setting = TrainingSetting(**fields)
        with FakeTensorMode():
            saved = saved_by_torch(batch_for(network, setting))
            found = peaks(batch_for(network, setting), setting.optimizer, setting.accumulate) if with_peaks else []
        print(json.dumps([saved, found]), flush=True)
