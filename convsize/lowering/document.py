"""The plan as JSON."""

from __future__ import annotations

import json

from convsize.lowering.plan import Plan
from convsize.ops.base import TorchCall


def document(plan: Plan) -> str:
    """A plan as a JSON object: inputs, steps and outputs; a step names the inputs and steps whose values it reads."""
    names = [each.name for each in plan.inputs] + [step.name for step in plan.steps]
    data = {
        "name": plan.name,
        "logits": plan.logits,
        "inputs": [
            {"name": each.name, "shape": each.dims, "dtype": "int64" if each.tokens else "float"}
            for each in plan.inputs
        ],
        "steps": [
            {
                "name": step.name,
                "op": step.op,
                "spec": step.spec,
                "inputs": [names[index] for index in step.inputs],
                "output": step.output,
                "calls": [_call(call) for call in step.calls],
                "parameters": [
                    {
                        "name": f"{step.module}.{each.name}",
                        "shape": each.shape,
                        "trained": each.role != "buffer",
                        "dtype": each.dtype,
                    }
                    for each in step.parameters
                ],
                "init": None if step.init is None else step.init.as_dict(),
            }
            for step in plan.steps
        ],
        "outputs": {name: names[index] for name, index in plan.outputs},
    }
    return json.dumps(data, indent=1) + "\n"


def _call(call: TorchCall) -> dict[str, object]:
    """A call; JSON has no infinity, so that is a string."""
    arguments = {key: str(value) if value in (float("inf"), float("-inf")) else value for key, value in call.kwargs}
    return {"target": call.target, "arguments": arguments}
