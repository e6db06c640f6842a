"""Work beside other work: its answer, its errors, its progress, and that none of it goes on unwanted."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from greynb.publish.aside import beside
from greynb.publish.steps import Steps

Told = Callable[[float], None]


def endless(told: Told) -> None:
    """Work until it is stopped."""
    while True:
        told(0.5)
        time.sleep(0.001)


def failing(_: Told) -> None:
    raise ValueError("no")


def threads() -> list[str]:
    return [each.name for each in threading.enumerate() if "aside" in each.name]


def test_answers_come_in_any_order_with_the_time_that_each_took() -> None:
    steps = Steps(None)

    def slow(_: Told) -> str:
        time.sleep(0.1)
        return "slow"

    with beside(steps) as aside:
        first, second = aside.begin("slow", slow), aside.begin("quick", lambda _: "quick")
        time.sleep(0.15)
        assert (second(), first()) == ("quick", "slow")
    assert list(steps.seconds) == ["quick", "slow"]
    assert steps.seconds["quick"] < 0.1 <= steps.seconds["slow"]


def test_what_goes_wrong_aside_goes_wrong_where_it_is_waited_for() -> None:
    with pytest.raises(ValueError, match="no"), beside(Steps(None)) as aside:
        failed = aside.begin("fail", failing)
        time.sleep(0.05)  # not before
        failed()
    assert not threads()


def test_nothing_goes_on_after_an_error_of_the_block() -> None:
    with pytest.raises(KeyboardInterrupt), beside(Steps(None)) as aside:
        aside.begin("endless", endless)
        raise KeyboardInterrupt
    assert not threads()


def test_what_nobody_waits_for_is_stopped_and_its_error_is_nobodys() -> None:
    with beside(Steps(None)) as aside:
        aside.begin("endless", endless)
        aside.begin("fail", failing)
    assert not threads()


def test_progress_is_told_by_the_thread_that_waits_and_may_stop_the_work() -> None:
    seen: list[tuple[str, float, str]] = []

    def told(step: str, part: float) -> None:
        seen.append((step, part, threading.current_thread().name))
        if part == 0.5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), beside(Steps(told)) as aside:
        aside.begin("endless", endless)()
    here = threading.current_thread().name
    assert seen == [("endless", 0.0, here), ("endless", 0.5, here)]
    assert not threads()
