"""How many threads PyTorch works with."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def one_thread() -> Iterator[None]:
    """Do small work in this thread alone.

    Waking PyTorch's other threads takes longer than such work does, and they wait for more of it by
    turning in circles, on the cores that the simulation is to have next.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
