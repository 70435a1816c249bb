# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The benchmark's samples as a Markdown page and an SVG plot."""

from __future__ import annotations

import html
import statistics
from pathlib import Path
from typing import Any

Sample = dict[str, Any]

#: Kind, run, what it is compared with, the ratio to reach by hosts (0 for any number).
GOALS = (
    ("repeat", "role", "ping", {3: 1.35, 20: 1.25}),
    ("repeat", "playbook", "ping", {3: 1.35, 20: 1.25}),
    ("repeat", "role", "peer", {0: 0.55}),
    ("repeat", "playbook", "peer", {0: 0.55}),
    ("repeat", "verify", "playbook", {0: 1.05}),
    ("first", "role", "peer", {0: 1.0}),
    ("first", "playbook", "peer", {0: 1.0}),
    ("module", "group_replication_plugin", "ping", {0: 1.6}),
)


def values(samples: list[Sample], measure: str, **wanted: object) -> list[float]:
    """Return one measure of the samples that have the wanted fields."""
    return [
        sample[measure]
        for sample in samples
        if all(sample.get(key) == value for key, value in wanted.items())
    ]


def write(results: dict[str, Any], docs: Path) -> str:
    """Write benchmark_results.md and images/benchmark.svg; return the page."""
    samples = results["samples"]
    page = "\n".join(
        [
            "# Benchmark results",
            "",
            "Made by `make bench`. [The benchmark](benchmark.md) says what is measured and how.",
            "",
            "| machine | |",
            "| --- | --- |",
            *(
                f"| {key.replace('_', ' ')} | {value} |"
                for key, value in results["machine"].items()
            ),
            "",
            "## Ratios",
            "",
            "Of the medians. CPU time is the steadier of the two where the machine has other work.",
            "",
            "| run | hosts | against | wall-clock | CPU | reach |",
            "| --- | --- | --- | --- | --- | --- |",
            *_ratios(samples),
            "",
            "## Times",
            "",
            "Medians in seconds, and the lowest and highest sample.",
            "",
            "| kind | run | hosts | samples | wall-clock | CPU | memory, MiB |",
            "| --- | --- | --- | --- | --- | --- | --- |",
            *_times(samples),
            "",
            "![Repeat runs](images/benchmark.svg)",
            "",
            "## Option files",
            "",
            "The reading of a tree of included option files, against its bytes alone; medians.",
            "",
            "| files | KiB | bytes alone, ms | read as MySQL does, ms | µs a file |",
            "| --- | --- | --- | --- | --- |",
            *_curve(samples),
            "",
        ]
    )
    (docs / "benchmark_results.md").write_text(page)
    (docs / "images/benchmark.svg").write_text(plot(samples))
    return page


def _sizes(samples: list[Sample], kind: str) -> list[Any]:
    return list(dict.fromkeys(s.get("hosts") for s in samples if s["kind"] == kind))


def _ratios(samples: list[Sample]) -> list[str]:
    rows = []
    for kind, run, other, reach in GOALS:
        for hosts in _sizes(samples, kind):
            cells = []
            for measure in ("wall", "cpu"):
                above, below = (
                    statistics.median(values(samples, measure, kind=kind, run=name, hosts=hosts))
                    for name in (run, other)
                )
                cells.append(f"{above / below:.2f}")
            goal = reach.get(hosts, reach.get(0, "-"))
            rows.append(
                f"| {kind}: {run} | {hosts or 1} | {other} | {' | '.join(cells)} | {goal} |"
            )
    return rows


def _times(samples: list[Sample]) -> list[str]:
    keys = dict.fromkeys(
        (s["kind"], s["run"], s.get("hosts")) for s in samples if s["kind"] != "option files"
    )
    rows = []
    for kind, run, hosts in keys:
        cells = []
        for measure in ("wall", "cpu"):
            found = values(samples, measure, kind=kind, run=run, hosts=hosts)
            cells.append(f"{statistics.median(found):.3f} ({min(found):.3f} to {max(found):.3f})")
        count = len(values(samples, "wall", kind=kind, run=run, hosts=hosts))
        memory = "-"
        if kind != "module":
            found = values(samples, "memory_mib", kind=kind, run=run, hosts=hosts)
            memory = f"{statistics.median(found):.0f}"
        rows.append(f"| {kind} | {run} | {hosts or 1} | {count} | {' | '.join(cells)} | {memory} |")
    return rows


def _curve(samples: list[Sample]) -> list[str]:
    rows = []
    for files in dict.fromkeys(s["files"] for s in samples if s["kind"] == "option files"):
        alone, ours = (
            statistics.median(values(samples, "wall", run=run, files=files))
            for run in ("bytes", "options")
        )
        size = values(samples, "bytes", files=files)[0] / 1024
        rows.append(
            f"| {files} | {size:.0f} | {alone * 1e3:.1f} | {ours * 1e3:.1f} |"
            f" {ours / files * 1e6:.0f} |"
        )
    return rows


def plot(samples: list[Sample]) -> str:
    """Return a bar chart of the CPU time of repeat runs, in multiples of ping's."""
    bars = []
    for hosts in _sizes(samples, "repeat"):
        runs = dict.fromkeys(s["run"] for s in samples if s["kind"] == "repeat")
        middle = {
            run: statistics.median(values(samples, "cpu", kind="repeat", run=run, hosts=hosts))
            for run in runs
        }
        bars += [(f"{run}, {hosts} hosts", middle[run] / middle["ping"]) for run in runs]
    widest = max(ratio for _name, ratio in bars)
    height = 40 + 26 * len(bars)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 640 {height}" role="img">',
        "<style>text{font:14px sans-serif;fill:#222}rect{fill:#2f6fb0}"
        "@media(prefers-color-scheme:dark){text{fill:#ddd}rect{fill:#6aa9e9}}</style>",
        '<text x="0" y="18">CPU time of a repeat run on the control node, as a multiple of'
        " ping's</text>",
    ]
    for number, (name, ratio) in enumerate(bars):
        y = 34 + 26 * number
        width = 420 * ratio / widest
        lines += [
            f'<text x="0" y="{y + 15}">{html.escape(name)}</text>',
            f'<rect x="150" y="{y}" width="{width:.0f}" height="20"/>',
            f'<text x="{width + 158:.0f}" y="{y + 15}">{ratio:.2f}</text>',
        ]
    return "\n".join([*lines, "</svg>", ""])
