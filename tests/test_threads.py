"""BLAS is held to one thread, and left as it was."""

import sys

from threadpoolctl import threadpool_info, threadpool_limits

from soundfix.threads import one_thread, one_torch_thread


def test_blas_has_one_thread_as_long_as_it_lasts():
    with threadpool_limits(limits=2, user_api="blas"):
        with one_thread():
            assert blas_threads() == {1}
        assert blas_threads() == {2}


def blas_threads():
    return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}


def test_pytorch_is_not_loaded_for_its_threads(monkeypatch):
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    with one_torch_thread():
        assert "torch" not in sys.modules
