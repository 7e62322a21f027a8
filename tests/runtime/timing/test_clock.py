"""The clock: what counts, what does not, and how the noise is said."""

import time

import pytest

torch = pytest.importorskip("torch")

from convsize.runtime.timing.clock import Clock, Timing, summed_up  # noqa: E402


@pytest.mark.timed
def test_repeats_end_with_the_budget() -> None:
    started = time.perf_counter()
    timing = Clock().repeated(lambda: time.sleep(0.002), budget=0.05, warm_up=1)
    assert time.perf_counter() - started < 1
    assert 3 <= timing.repeats <= 25
    assert timing.minimum >= 0.002
    assert timing.median >= timing.minimum


def test_warm_up_does_not_count() -> None:
    runs: list[int] = []

    def work() -> None:
        runs.append(len(runs))
        if len(runs) == 1:
            time.sleep(0.02)

    timing = Clock().repeated(work, budget=10, warm_up=1, most=4)
    assert timing.repeats == 4
    assert len(runs) == 5
    assert timing.median < 0.02


def test_long_work_counts_from_its_first_run() -> None:
    runs: list[int] = []

    def work() -> None:
        runs.append(1)
        time.sleep(0.01)

    assert Clock().repeated(work, budget=0.001, warm_up=2, least=1).repeats == 1
    assert len(runs) == 1


def test_processor_time_leaves_sleep_out() -> None:
    assert Clock(kind="processor").once(lambda: time.sleep(0.05)) < 0.02
    assert Clock().once(lambda: time.sleep(0.05)) >= 0.05


def test_what_runs_before_is_not_timed() -> None:
    seen: list[int] = []
    timing = Clock().repeated(lambda: None, budget=0.02, least=2, most=3, before=lambda: seen.append(1))
    assert len(seen) == timing.repeats + 2
    assert timing.median < 0.01


def test_median_and_spread() -> None:
    timing = summed_up([1.0, 2.0, 3.0, 4.0, 5.0])
    assert timing == Timing(3.0, 1.0, pytest.approx(1 / 3), 5)  # quartiles 2 and 4, half their distance is 1 of 3
    assert summed_up([2.0]) == Timing(2.0, 2.0, 0.0, 1)


@pytest.mark.gpu
def test_cuda_events() -> None:
    if not torch.cuda.is_available():
        pytest.skip("needs a CUDA device")
    x = torch.rand(1024, 1024, device="cuda")
    assert 0 < Clock("cuda").repeated(lambda: x @ x, budget=0.1).median < 0.1
