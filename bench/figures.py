# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Figures made of samples: medians, ratios, straight lines."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Any, NamedTuple

Sample = dict[str, Any]
Point = tuple[float, float]


class Line(NamedTuple):
    """A straight line through points, by least squares.

    Attributes:
        slope: what one more of x adds to y.
        start: y where x is 0.
        deviation: the most that a point lies above or below the line.
    """

    slope: float
    start: float
    deviation: float


def values(samples: list[Sample], measure: str, **wanted: object) -> list[float]:
    """Return one measure of the samples that have the wanted fields."""
    return [
        sample[measure]
        for sample in samples
        if measure in sample and all(sample.get(key) == value for key, value in wanted.items())
    ]


def middle(samples: list[Sample], measure: str, **wanted: object) -> float:
    """Return the median of one measure of the samples that have the wanted fields."""
    return statistics.median(values(samples, measure, **wanted))


def apart(first: Sequence[float], second: Sequence[float]) -> float:
    """Return the median of the differences of values that were measured in the same round."""
    return statistics.median(b - a for a, b in zip(first, second, strict=True))


def kinds(samples: list[Sample], field: str) -> list[Any]:
    """Return the different values of a field, in the order of the samples."""
    return list(dict.fromkeys(sample[field] for sample in samples if field in sample))


def line(points: Sequence[Point]) -> Line | None:
    """Return the straight line through points, None where all have the same x."""
    if len({x for x, _y in points}) < 2:
        return None
    slope, start = statistics.linear_regression(*zip(*points, strict=True))
    return Line(slope, start, max(abs(y - start - slope * x) for x, y in points))
