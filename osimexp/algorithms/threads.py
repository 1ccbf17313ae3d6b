"""Limits on PyTorch's threads."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def one_thread() -> Iterator[None]:
    """Run small operations of PyTorch in this thread alone.

    Waking PyTorch's other threads takes longer than such an operation, and they then busy-wait for
    the next one on cores that the simulation needs.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
