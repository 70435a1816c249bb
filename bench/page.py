# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The samples as the tables of docs/benchmark.md and as plots."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence

from matplotlib import pyplot

from fleet import CHECKOUT
from measure import FIRST, PEERS, PING, PLAYBOOK, REPEAT, ROLE, RUNS, SCALE, Sample

# Kind, number of servers, what the playbook is compared with, the most it may take of its time.
GOALS = (
    (REPEAT, 3, PING, 1.6),
    (REPEAT, 20, PING, 1.6),
    (REPEAT, 3, PEERS, 0.65),
    (REPEAT, 20, PEERS, 0.5),
    (FIRST, 3, PEERS, 1.1),
)

_PAGE = CHECKOUT / "docs/benchmark.md"
_IMAGES = CHECKOUT / "docs/images"
_START, _END = "<!-- bench/run writes from here -->\n", "<!-- to here -->\n"
_GOAL_COLUMNS = ("run", "servers", "connection", "against", "at most", "measured", "goal")
_TIME_COLUMNS = ("run", "connection", "hosts", *RUNS[REPEAT])
_MEASURES = {"wall": "Wall-clock time", "cpu": "CPU time of the control node"}
_COLOURS = {PING: "tab:gray", PEERS: "tab:orange", ROLE: "tab:cyan", PLAYBOOK: "tab:blue"}

# By connection and number of hosts: the samples of each run.
Groups = dict[tuple[str, int], dict[str, list[Sample]]]


def write(circumstances: str, samples: Iterable[Sample]) -> None:
    """Put the figures into the page, and draw the plots of what was measured."""
    kinds: dict[str, Groups] = {kind: {} for kind in RUNS}
    for sample in samples:
        runs = kinds[sample.kind].setdefault((sample.connection, sample.hosts), {})
        runs.setdefault(sample.run, []).append(sample)
    parts = [circumstances, _table(_GOAL_COLUMNS, _goals(kinds))]
    if kinds[REPEAT]:
        _plot_repeat_runs(kinds[REPEAT])
        parts.append("![Repeat runs as multiples of ping](images/benchmark.svg)")
    for measure, title in _MEASURES.items():
        parts += [f"### {title}", _table(_TIME_COLUMNS, _times(kinds, measure))]
    if kinds[SCALE]:
        _plot_scale(kinds[SCALE])
        parts.append("![Times by the number of simulated hosts](images/benchmark_scale.svg)")
    page = _PAGE.read_text()
    before, after = page.partition(_START)[0], page.partition(_END)[2]
    _PAGE.write_text("\n".join([before + _START, "\n\n".join(parts), "", _END + after]))


def _table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(map(str, cells))} |" for cells in lines)


def _goals(kinds: dict[str, Groups]) -> Iterable[Sequence[object]]:
    for kind, servers, other, most in GOALS:
        for (connection, hosts), runs in kinds[kind].items():
            if hosts == servers:
                ratio = round(_median(runs[PLAYBOOK]) / _median(runs[other]), 2)
                verdict = "met" if ratio <= most else "**not met**"
                yield kind, servers, connection, other, most, f"{ratio:.2f}", verdict


def _times(kinds: dict[str, Groups], measure: str) -> Iterable[Sequence[object]]:
    for kind, groups in kinds.items():
        for (connection, hosts), runs in groups.items():
            cells = [_spread(runs[run], measure) if run in runs else "" for run in RUNS[REPEAT]]
            yield kind, connection, hosts, *cells


def _spread(samples: Sequence[Sample], measure: str) -> str:
    values = _values(samples, measure)
    return f"{statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


def _median(samples: Sequence[Sample], measure: str = "wall") -> float:
    return statistics.median(_values(samples, measure))


def _values(samples: Sequence[Sample], measure: str) -> list[float]:
    return [getattr(sample, measure) for sample in samples]


def _plot_repeat_runs(groups: Groups) -> None:
    """Draw a bar for each run, by connection and number of servers."""
    figure, axes = pyplot.subplots(figsize=(8, 4), layout="constrained")
    for number, run in enumerate(RUNS[REPEAT]):
        places = [place + 0.2 * number for place in range(len(groups))]
        ratios = [_median(runs[run]) / _median(runs[PING]) for runs in groups.values()]
        bars = axes.bar(places, ratios, width=0.18, label=run, color=_COLOURS[run])
        axes.bar_label(bars, fmt="%.2f", fontsize="small")
    names = [f"{hosts} servers, {connection}" for connection, hosts in groups]
    axes.set_xticks([place + 0.3 for place in range(len(groups))], names)
    axes.set_ylabel("multiple of ping's wall-clock time")
    axes.legend()
    figure.savefig(_IMAGES / "benchmark.svg")


def _plot_scale(groups: Groups) -> None:
    """Draw a line for each run, by number of simulated hosts."""
    figure, panels = pyplot.subplots(ncols=2, figsize=(8, 3.5), layout="constrained")
    sizes = [hosts for _connection, hosts in groups]
    for axes, (measure, title) in zip(panels, _MEASURES.items(), strict=True):
        for run in RUNS[SCALE]:
            medians = [_median(runs[run], measure) for runs in groups.values()]
            axes.plot(sizes, medians, marker="o", label=run, color=_COLOURS[run])
        axes.set(title=title, xlabel="simulated hosts", ylabel="seconds", ylim=(0, None))
        axes.grid(alpha=0.3)
        axes.legend()
    figure.savefig(_IMAGES / "benchmark_scale.svg")
