"""The bootstrap: races are drawn again with replacement, and the sums over them taken anew.

Every metric is a function of sums over races, so a resample is a row of weights (how often each race was
drawn) and all resamples of all sums are one matrix product.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_BLOCK: Final = 2_000_000  # weights at a time: 16 MB


@dataclass(frozen=True, slots=True)
class Part:
    """Some numbers that are functions of sums over races.

    Attributes
    ----------
    columns
        What is summed, shape (races, columns); quickest with each column in one piece.
    values
        Makes the numbers by name, shape (…), from sums of shape (…, columns).
    """

    columns: Floats
    values: Callable[[Floats], Mapping[Any, Floats]]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number with the ends of its 95 % interval."""

    value: float
    low: float
    high: float


def estimates(parts: Sequence[Part], resamples: int, seed: int) -> list[dict[Any, Estimate]]:
    """Take all numbers on the races as they are and on the same resamples of them."""
    import numpy as np

    totals = resampled(np.vstack([part.columns.T for part in parts]).T, resamples, seed)
    ends = np.cumsum([part.columns.shape[1] for part in parts])
    found = []
    for part, end in zip(parts, ends, strict=True):
        whole = part.values(part.columns.sum(axis=0))
        again = part.values(totals[:, end - part.columns.shape[1] : end])
        numbers = np.array([again[name] for name in whole]).reshape(len(whole), resamples).T
        low, high = interval(numbers, len(part.columns))
        found.append(
            {
                name: Estimate(float(whole[name]), float(low[number]), float(high[number]))
                for number, name in enumerate(whole)
            }
        )
    return found


def resampled(columns: Floats, resamples: int, seed: int) -> Floats:
    """Sum the columns over the races of each resample.

    Parameters
    ----------
    columns
        Shape (races, columns).
    resamples
        How many resamples, each of as many races as there are.
    seed
        The same seed and number of races give the same draws, so that what is resampled twice is paired.

    Returns
    -------
    ndarray
        Shape (resamples, columns).
    """
    from concurrent.futures import Future, ThreadPoolExecutor

    import numpy as np
    from threadpoolctl import threadpool_limits

    races = len(columns)
    totals = np.empty((resamples, columns.shape[1]))
    if races == 0:
        return np.zeros_like(totals)
    # A column that is the same in all races sums to the same in all resamples.
    varying = columns.min(axis=0) != columns.max(axis=0)
    totals[:] = columns[0] * races
    chosen = columns.T[varying].T
    sums: list[Future[Floats]] = []
    # One block is drawn while the one before is multiplied, on one thread each: the threads of a BLAS wait
    # for each other by spinning, which makes it ten times slower where other work takes turns with them.
    with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(1) as pool:
        for weights in _weights(races, resamples, seed):
            if sums:
                sums[-1].result()
            sums.append(pool.submit(np.matmul, weights, chosen))
        totals[:, varying] = np.vstack([each.result() for each in sums])
    return totals


def _weights(races: int, resamples: int, seed: int) -> Iterator[Floats]:
    """How often each race was drawn: blocks of shape (resamples of the block, races).

    A race's number is the high half of 32 random bits times the number of races, which favours no race by
    more than one in 2³² / races.
    """
    import numpy as np

    bits = np.random.SFC64(seed)
    at_once = max(1, _BLOCK // races)
    for start in range(0, resamples, at_once):
        rows = min(at_once, resamples - start)
        raw = bits.random_raw(rows * ((races + 1) // 2)).view(np.uint32).reshape(rows, -1)[:, :races]
        drawn = ((raw * np.uint64(races)) >> np.uint64(32)).view(np.int64)
        drawn += (np.arange(rows) * races)[:, None]
        yield np.bincount(drawn.ravel(), minlength=rows * races).reshape(rows, races).astype(np.float64)


def interval(values: Floats, races: int) -> tuple[Floats, Floats]:
    """The 2.5th and 97.5th percentile of each column; resamples where it has no value are left out.

    NaN for a column that has none in more than half of the resamples, and where there is only one race, which
    says nothing of another.
    """
    import numpy as np

    ends = np.full((2, values.shape[1]), np.nan)
    if races < 2:
        return ends[0], ends[1]
    missing = np.isnan(values)
    whole = ~missing.any(axis=0)
    ends[:, whole] = np.percentile(values[:, whole], (2.5, 97.5), axis=0)
    for column in np.flatnonzero(~whole & (missing.mean(axis=0) <= 0.5)):
        ends[:, column] = np.percentile(values[~missing[:, column], column], (2.5, 97.5))
    return ends[0], ends[1]
