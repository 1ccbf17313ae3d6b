"""Shares of the time of a piece of work: matrix products, other tensor operations, and Python."""

import time
from collections.abc import Callable

from torch.profiler import ProfilerActivity, profile

PRODUCTS = ("aten::mm", "aten::addmm", "aten::bmm", "aten::baddbmm")
ACTIVATIONS = ("aten::relu", "aten::clamp_min", "aten::threshold_backward", "aten::tanh",
               "aten::tanh_backward")  # fmt: skip
OPTIMISER = ("aten::_foreach", "aten::_fused", "aten::addcdiv", "aten::addcmul", "aten::lerp")
_PROFILED = 10  # profiled repetitions of a piece; the profiler keeps every operation in memory
KINDS = ("matrix products", "activations", "optimiser's arithmetic", "other tensors", "Python")


def shares(work: Callable[[], object], seconds: float) -> dict[str, float]:
    """Return the share of processor time that each of ``KINDS`` takes in a piece of work.

    Tensor operations are measured with PyTorch's profiler, which makes each a little longer.
    Python's share is the rest of the time without the profiler, so it is a lower bound.

    Args:
        work: function that does the piece.
        seconds: time of each of the two measurements, s.
    """
    work()
    begin, count = time.process_time(), 0  # The load of other programs does not count.
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
