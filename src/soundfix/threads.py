"""Matrices as small as ours take longer in several threads: libraries of linear algebra are held to one."""

import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cache

from threadpoolctl import ThreadpoolController


def one_thread() -> AbstractContextManager[object]:
    """Of BLAS, as long as this lasts; PyTorch has its own (`one_torch_thread`)."""
    return _pools().limit(limits=1, user_api="blas")


@contextmanager
def one_torch_thread() -> Iterator[None]:
    """Of PyTorch, if it is loaded: sums are added up in another order by several, and answers would differ by machine."""
    torch = sys.modules.get("torch")
    if torch is None:
        yield
        return
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@cache
def _pools() -> ThreadpoolController:
    """Those of the libraries that are loaded: to look for them takes milliseconds."""
    return ThreadpoolController()
