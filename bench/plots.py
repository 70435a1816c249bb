# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""SVG plots of the samples, legible on a light and on a dark page."""

from __future__ import annotations

import html
import math
from collections.abc import Mapping, Sequence

from figures import Point, Sample, kinds, middle

READ = "read alone"
FILE_RUNS = (READ, "nothing to change", "check mode")
SCALE_RUNS = ("ping", "playbook")

_STYLE = """<style>
text{font:13px sans-serif;fill:#24292f}
.title{font-size:15px;font-weight:bold}
.grid{stroke:#8c959f;stroke-opacity:.35}
.axis{stroke:#57606a}
.goal{stroke:#cf222e;stroke-width:3}
.c0{fill:#8c959f;stroke:#8c959f}.c1{fill:#bc6c00;stroke:#bc6c00}.c2{fill:#2f6fb0;stroke:#2f6fb0}
polyline{fill:none!important;stroke-width:2}
text.c0,text.c1,text.c2{stroke:none}
text.c0{fill:#57606a}
@media(prefers-color-scheme:dark){
text{fill:#e6edf3}.axis{stroke:#9ea7b3}.goal{stroke:#ff7b72}
.c0,text.c0{fill:#a3adb8;stroke:#a3adb8}.c1{fill:#e3a008;stroke:#e3a008}.c2{fill:#6aa9e9;stroke:#6aa9e9}
text.c0,text.c1,text.c2{stroke:none}
}
</style>"""
_COLOURS = {"ping": 0, "peer": 1}


def repeat(samples: list[Sample], goals: Mapping[int, float]) -> str:
    """Return bars: repeat runs as multiples of ping's wall-clock time."""
    runs = kinds(samples, "run")
    groups = [
        (connection, size)
        for size in kinds(samples, "hosts")
        for connection in kinds(samples, "connection")
    ]
    ratios = {
        (connection, size, run): middle(samples, "wall", **_same(connection, size, run))
        / middle(samples, "wall", **_same(connection, size, "ping"))
        for connection, size in groups
        for run in runs
    }
    left, right, top = 190, 640, 62
    ticks = _ticks(max(ratios.values()))
    scale = (right - left) / ticks[-1]
    step, head = 20, 28
    bottom = top + len(groups) * (head + step * len(runs)) + 8
    out = [
        _text(0, 18, "Wall-clock time of a repeat run, as a multiple of ping's", "title"),
        _line(3, 30, 3, 46, "goal"),
        _text(12, 43, "the goal for role and playbook"),
    ]
    for tick in ticks:
        x = left + tick * scale
        out += [_line(x, top, x, bottom, "grid"), _middle(x, bottom + 18, f"{tick:g}")]
    y = float(top)
    for connection, size in groups:
        y += head
        out.append(_text(0, y - 8, f"{connection}, {size} servers"))
        for run in runs:
            ratio = ratios[connection, size, run]
            colour = f"c{_COLOURS.get(run, 2)}"
            out += [
                _text(16, y + 13, run),
                f'<rect class="{colour}" x="{left}" y="{y + 2:.0f}" width="{ratio * scale:.1f}"'
                f' height="{step - 5}"/>',
                _end(700, y + 13, f"{ratio:.2f}"),
            ]
            if run in ("role", "playbook") and size in goals:
                x = left + goals[size] * scale
                out.append(_line(x, y, x, y + step - 1, "goal"))
            y += step
    out.append(_middle((left + right) / 2, bottom + 38, "multiple of ping's wall-clock time"))
    return _svg(720, bottom + 48, out)


def file_points(samples: list[Sample], run: str, measure: str = "wall") -> list[Point]:
    """Return the medians of one process by the number of files."""
    return [
        (files, middle(samples, measure, run=run, files=files))
        for files in sorted(kinds(samples, "files"))
    ]


def option_files(samples: list[Sample]) -> str:
    """Return the curve: time by the number of included option files."""
    series = {
        run: [(x, y * 1e3) for x, y in file_points(samples, run, "wall")] for run in FILE_RUNS
    }
    out = [
        _text(0, 18, "plugin_load_add on a tree of option files of 2 KiB", "title"),
        *_lines(70, 50, 500, 300, series, "included files", "wall-clock time, ms"),
    ]
    return _svg(720, 410, out)


def scale(groups: Mapping[str, list[Sample]]) -> str:
    """Return the control node's CPU time by the number of hosts, a panel for each connection."""
    titles = {"podman": "real servers, podman", "local": "simulated hosts, local connection"}
    out = [_text(0, 18, "CPU time of the control node", "title")]
    left = 60
    for connection, samples in groups.items():
        if len(kinds(samples, "hosts")) < 2:
            continue
        series = {
            run: [
                (size, middle(samples, "cpu", run=run, hosts=size))
                for size in kinds(samples, "hosts")
            ]
            for run in SCALE_RUNS
        }
        out += [
            _text(left, 46, titles[connection]),
            *_lines(left, 62, 250, 260, series, "hosts", "CPU time, s"),
        ]
        left += 400
    return _svg(left - 20, 382, out)


def _lines(
    left: float,
    top: float,
    width: float,
    height: float,
    series: Mapping[str, Sequence[Point]],
    x_label: str,
    y_label: str,
) -> list[str]:
    """Return a panel of lines, each named at its end."""
    x_ticks = _ticks(max(x for points in series.values() for x, _y in points))
    y_ticks = _ticks(max(y for points in series.values() for _x, y in points))

    def place(point: Point) -> Point:
        x, y = point
        return left + width * x / x_ticks[-1], top + height * (1 - y / y_ticks[-1])

    bottom = top + height
    out = [_line(left, bottom, left + width, bottom, "axis")]
    for tick in y_ticks:
        y = place((0, tick))[1]
        out += [_line(left, y, left + width, y, "grid"), _end(left - 8, y + 4, f"{tick:g}")]
    for tick in x_ticks:
        x = place((tick, 0))[0]
        out += [_line(x, bottom, x, bottom + 5, "axis"), _middle(x, bottom + 20, f"{tick:g}")]
    centre = top + height / 2
    out += [
        _middle(left + width / 2, bottom + 42, x_label),
        f'<text text-anchor="middle" transform="translate({left - 46:.0f} {centre:.0f})'
        f' rotate(-90)">{y_label}</text>',
    ]
    labels = []
    for number, (name, points) in enumerate(series.items()):
        colour = _COLOURS.get(name, 2) if name in SCALE_RUNS else number
        placed = [place(point) for point in points]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in placed)
        out.append(f'<polyline class="c{colour}" points="{path}"/>')
        out += [f'<circle class="c{colour}" cx="{x:.1f}" cy="{y:.1f}" r="3"/>' for x, y in placed]
        labels.append((placed[-1][1] + 4, placed[-1][0] + 10, name, colour))
    lowest = math.inf
    for y, x, name, colour in sorted(labels, reverse=True):
        lowest = min(y, lowest - 17)
        out.append(_text(x, lowest, name, f"c{colour}"))
    return out


def _ticks(highest: float) -> list[float]:
    """Return round numbers from 0 to at least the highest value."""
    step = 10 ** math.floor(math.log10(highest))
    for factor in (5, 2, 1, 0.5, 0.2):
        if highest / (step * factor) >= 3.5:
            step *= factor
            break
    return [step * number for number in range(math.ceil(highest / step - 1e-9) + 1)]


def _same(connection: str, size: int, run: str) -> dict[str, object]:
    return {"connection": connection, "hosts": size, "run": run}


def _text(x: float, y: float, text: str, kind: str = "") -> str:
    name = f' class="{kind}"' if kind else ""
    return f'<text{name} x="{x:.1f}" y="{y:.1f}">{html.escape(text)}</text>'


def _middle(x: float, y: float, text: str) -> str:
    return f'<text text-anchor="middle" x="{x:.1f}" y="{y:.1f}">{html.escape(text)}</text>'


def _end(x: float, y: float, text: str) -> str:
    return f'<text text-anchor="end" x="{x:.1f}" y="{y:.1f}">{html.escape(text)}</text>'


def _line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    return f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def _svg(width: float, height: float, content: list[str]) -> str:
    size = f"0 0 {width:.0f} {height:.0f}"
    start = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{size}" role="img">'
    return "\n".join([start, _STYLE, *content, "</svg>", ""])
