"""BLAS is held to one thread, and left as it was."""

from threadpoolctl import threadpool_info, threadpool_limits

from soundfix.threads import one_thread


def test_blas_has_one_thread_as_long_as_it_lasts():
    with threadpool_limits(limits=2, user_api="blas"):
        with one_thread():
            assert blas_threads() == {1}
        assert blas_threads() == {2}


def blas_threads():
    return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}
