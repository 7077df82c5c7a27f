"""Matrices as small as ours take longer in several threads: libraries of linear algebra are held to one."""

from contextlib import AbstractContextManager
from functools import cache

from threadpoolctl import ThreadpoolController


def one_thread() -> AbstractContextManager[object]:
    """Of BLAS, as long as this lasts; PyTorch has its own."""
    return _pools().limit(limits=1, user_api="blas")


@cache
def _pools() -> ThreadpoolController:
    """Those of the libraries that are loaded: to look for them takes milliseconds."""
    return ThreadpoolController()
