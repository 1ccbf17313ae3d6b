"""Where the time of a piece of work goes: matrix products, what else tensors cost, and Python."""

import time
from collections.abc import Callable

from torch.profiler import ProfilerActivity, profile

PRODUCTS = ("aten::mm", "aten::addmm", "aten::bmm", "aten::baddbmm")
ACTIVATIONS = ("aten::relu", "aten::clamp_min", "aten::threshold_backward", "aten::tanh",
               "aten::tanh_backward")  # fmt: skip
OPTIMISER = ("aten::_foreach", "aten::_fused", "aten::addcdiv", "aten::addcmul", "aten::lerp")
_PROFILED = 10  # Times that a piece is profiled; the profiler keeps every operation in memory.
KINDS = ("matrix products", "activations", "optimiser's arithmetic", "other tensors", "Python")


def shares(work: Callable[[], object], seconds: float) -> dict[str, float]:
    """Return the share of processor time that each of ``KINDS`` takes of a piece of work.

    Tensors are measured under PyTorch's profiler, which makes each operation a little longer, and
    Python is what is left of a run without it: Python's share is the least that it can be.

    Args:
        work: the piece.
        seconds: to measure for, each time.
    """
    work()
    begin, count = time.process_time(), 0  # Other programs' load does not count.
    while (spent := time.process_time() - begin) < seconds:
        work()
        count += 1
    few = min(count, _PROFILED)
    with profile(activities=[ProfilerActivity.CPU]) as profiled:
        for _ in range(few):
            work()
    found = dict.fromkeys(KINDS, 0.0)
    for event in profiled.key_averages():
        if event.key.startswith("aten::"):
            found[_kind(event.key)] += 1e-6 * event.self_cpu_time_total * count / few
    found["Python"] = max(0.0, spent - sum(found.values()))
    whole = sum(found.values())
    return {kind: value / whole for kind, value in found.items()}


def _kind(name: str) -> str:
    if name in PRODUCTS:
        return KINDS[0]
    if name in ACTIVATIONS:
        return KINDS[1]
    return KINDS[2] if name.startswith(OPTIMISER) else KINDS[3]
