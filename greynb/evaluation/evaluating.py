"""`greynb.evaluate`: how good predictions were."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from greynb.errors import GreynbError, telling_interrupts
from greynb.evaluation.arguments import FRAME, Arguments, checked
from greynb.evaluation.result import Evaluation
from greynb.routing import Settings

if TYPE_CHECKING:
    from os import PathLike

    import pandas as pd

    from greynb.databases.reading import CellSession
    from greynb.evaluation.reading import Waiting

UNVERIFIABLE: Final = "the predictions were a DataFrame: these numbers cannot be verified later"


def evaluate(
    predictions: object = "predictions",
    *,
    by: str | None = None,
    since: object = None,
    until: object = None,
    price: str = "starting_price",
    bins: int = 20,
    kelly: float = 0.25,
    resamples: int = 1_000,
    seed: int = 0,
) -> Evaluation:
    """Evaluate win probabilities against the results in analytics, and beside two baselines.

    The baselines are the favourite by market odds (the inverse odds of a race, scaled to sum to 1) and equal
    chances for all starters of a race. Formulas, sources and conventions are in ``docs/evaluation.md``.

    Parameters
    ----------
    predictions
        A table or view of analytics (also a temporary one of the cells), or a DataFrame (of pandas or polars,
        or an Arrow table), with the columns
        ``race_id``, ``dog_clean_name`` and ``predicted_probability``; ``timestamp`` and ``id``, where there,
        say which of several predictions of a starter is the last before the start.
    by
        Give the metrics for each value of this too: ``"month"``, ``"box"``, ``"odds_band"``, or a column of
        race_metadata, dog_race_data or the predictions.
    since, until
        The first and the last day of racing that count: dates, or texts like ``2025-07-01``.
    price
        The column of dog_race_data with the decimal odds.
    bins
        The number of equally wide reliability bins.
    kelly
        The part of the Kelly stake that is staked.
    resamples
        The number of bootstrap resamples (of races) behind each 95 % interval.
    seed
        Of the resamples.

    Returns
    -------
    Evaluation
        The metrics, their intervals, what was counted and left out, the SQL, and charts.

    Raises
    ------
    UsageError
        An argument, a column, or any race to evaluate is missing.
    QueryError
        There is no such table.
    QueryInterrupted
        The user pressed Ctrl-C.
    """
    with telling_interrupts("evaluate: interrupted while the races were resampled"):
        from greynb.connections import analytics_session
        from greynb.databases.notebook_frames import is_frame
        from greynb.databases.waiting import on_worker
        from greynb.locating import located
        from greynb.opening import in_duckdb

        frame = predictions if is_frame(predictions) else None
        arguments = checked(
            predictions=predictions if frame is None else FRAME,
            by=by,
            since=since,
            until=until,
            price=price,
            bins=bins,
            kelly=kelly,
            resamples=resamples,
            seed=seed,
        )
        route = Settings.current().route("analytics")
        try:
            session = in_duckdb(analytics_session(route))
            return evaluate_on(
                session,
                arguments,
                str(route.place),
                frame=frame,
                waiting=lambda task: on_worker(task, interrupt=session.interrupt, label="evaluate"),
            )
        except GreynbError as error:
            raise located(error, route) from error.__cause__


def evaluate_on(
    session: CellSession,
    arguments: Arguments,
    file: str | PathLike[str],
    *,
    frame: object = None,
    waiting: Waiting = lambda task: task(),
) -> Evaluation:
    """Evaluate on the version that a session reads.

    Parameters
    ----------
    session
        Of the analytics file.
    arguments
        What to evaluate.
    file
        The name of the analytics file, for the provenance.
    frame
        The predictions where they are a DataFrame of pandas or polars, or an Arrow table.
    waiting
        Runs what runs a query, so that it can be interrupted.
    """
    from greynb.evaluation.frames import frames
    from greynb.evaluation.reading import read

    begun = time.perf_counter()
    found = read(session, arguments, frame, waiting)
    version = session.snapshot.id
    made = frames(found, arguments)
    origin = {
        "sql": found.sql,
        "parameters": found.parameters,
        "setup": found.setup,
        "file": file,
        "snapshot": version,
        "seconds": time.perf_counter() - begun,
    }
    for name, df in made.items():
        if df is not None:
            _sign(df, name, arguments, origin)
    return Evaluation(
        **made,  # type: ignore[arg-type]  # only groups may be None
        sql=found.sql,
        arguments=arguments,
        version=version,
        notes=(*found.notices, *([UNVERIFIABLE] if frame is not None else [])),
    )


def _sign(df: pd.DataFrame, part: str, arguments: Arguments, origin: Mapping[str, Any]) -> None:
    """Say on a frame where it came from."""
    from greynb.databases.provenance import provenance

    df.attrs["greynb"] = {
        **provenance(**origin, role="analytics", rows=len(df), columns=list(df.columns)),
        "kind": "evaluation",
        "arguments": {**arguments.as_dict(), "part": part},
    }
