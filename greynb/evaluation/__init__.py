"""How good predictions are: metrics per race with intervals and baselines, and charts of them."""

from __future__ import annotations

from greynb.evaluation.evaluating import evaluate, evaluate_on
from greynb.evaluation.result import Evaluation

__all__ = ["Evaluation", "evaluate", "evaluate_on"]
