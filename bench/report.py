# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The recorded samples as a Markdown page and SVG plots."""

from __future__ import annotations

import statistics
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import plots
from figures import Sample, apart, kinds, line, middle, values

#: Section, run, what it is compared with, the ratio to reach by hosts (0 for any number).
GOALS = (
    ("repeat", "role", "ping", {3: 1.35, 20: 1.25}),
    ("repeat", "playbook", "ping", {3: 1.35, 20: 1.25}),
    ("repeat", "role", "peer", {0: 0.55}),
    ("repeat", "playbook", "peer", {0: 0.55}),
    ("repeat", "verify", "playbook", {0: 1.05}),
    ("first", "role", "peer", {0: 1.0}),
    ("first", "playbook", "peer", {0: 1.0}),
)
MODULE = "group_replication_plugin"
MODULE_GOAL = 1.6
# "The same slope" and "linear", in numbers.
SAME = 1.05
LINEAR = 0.1

TITLES = {
    "repeat": "Repeat runs",
    "first": "First runs",
    "module": "The module alone",
    "option_files": "Option files",
    "scale": "Scale",
}
#: What a part of the module's time is; those of files and imports are named by the part itself.
PARTS = {
    "Python's start": "Python's start and end",
    "wrapper": "Ansible's wrapper: unpack the payload",
    "import ansible": "import of `ansible.module_utils`",
    "import pymysql": "import of PyMySQL",
    "import standard library": "imports from Python's own library, by our files",
    "file packages": "the collection's package folders",
    "AnsibleModule()": "`AnsibleModule()`: arguments",
    "resolve_login": "`resolve_login`, but for reading option files",
    "connect": "`connect`",
    "read_state": "`read_state`, but for the two below",
    "find_server_process": "`find_server_process`",
    "read_server_options": "`read_server_options`, of all calls",
    "the rest": "the plan and all else up to `exit_json`",
    "exit_json": "`exit_json`",
    "wrapper's end": "Ansible's wrapper: clean up",
}


def write(sections: dict[str, Any], docs: Path) -> None:
    """Write benchmark_results.md and the plots of the sections that were measured."""
    samples = {name: section["samples"] for name, section in sections.items()}
    pages = {
        "repeat": lambda: _repeat(samples["repeat"]),
        "first": lambda: _first(samples["first"]),
        "module": lambda: _module(samples["module"]),
        "option_files": lambda: _option_files(samples["option_files"]),
        "scale": lambda: _scale(samples),
    }
    page = [
        "# Benchmark results",
        "",
        "Made by `make bench`. [The benchmark](benchmark.md) says what is measured and how.",
        "",
        *_table(
            "section | date | cores | memory, GiB | ansible-core | Python | on the servers | MySQL"
            " | load before | load after",
            (_circumstances(name, section) for name, section in sections.items()),
        ),
        "",
        "The load is the number of processes that want to run, over the last minute, and counts the"
        " benchmark's own afterwards. CPU time is the steadier measure where the machine has other"
        " work.",
        "",
        "## Goals",
        "",
        "Ratios of the medians, wall-clock and CPU time. A goal counts as reached where both"
        " ratios, as they are written here, are within it.",
        "",
        *_table(
            "run | against | connection | hosts | reach at most | wall-clock | CPU | goal",
            _goals(samples),
        ),
    ]
    for name, title in TITLES.items():
        page += ["", f"## {title}", ""]
        page += pages[name]() if name in samples else ["Not measured yet."]
    (docs / "benchmark_results.md").write_text("\n".join([*page, ""]))
    images = docs / "images"
    if "repeat" in samples:
        goals = GOALS[1][3]
        (images / "benchmark.svg").write_text(plots.repeat(samples["repeat"], goals))
    if "option_files" in samples:
        curve = plots.option_files(samples["option_files"])
        (images / "benchmark_option_files.svg").write_text(curve)
    if "scale" in samples:
        scale = plots.scale(scale_points(samples["scale"], samples.get("repeat", [])))
        (images / "benchmark_scale.svg").write_text(scale)


def _table(head: str, rows: Iterable[Iterable[object]]) -> list[str]:
    columns = head.split(" | ")
    lines = [columns, ["---"] * len(columns), *([str(cell) for cell in row] for row in rows)]
    return [f"| {' | '.join(cells)} |" for cells in lines]


def _circumstances(name: str, section: dict[str, Any]) -> list[object]:
    keys = ("date", "cores", "memory_gib", "ansible_core", "python", "python_on_servers", "mysql")
    return [name, *(section[key] for key in (*keys, "load_before", "load_after"))]


def _goals(samples: dict[str, list[Sample]]) -> list[list[object]]:
    rows = []
    for section, run, other, reach in GOALS:
        found = samples.get(section, [])
        for size in kinds(found, "hosts"):
            for connection in kinds(found, "connection"):
                same = {"hosts": size, "connection": connection}
                ratios = [
                    middle(found, measure, run=run, **same)
                    / middle(found, measure, run=other, **same)
                    for measure in ("wall", "cpu")
                ]
                name = f"{section}: {run}"
                goal = reach.get(size, reach.get(0))
                rows.append(_goal(name, other, connection, size, goal, *ratios))
    if module := samples.get("module"):
        ratios = [
            middle(module, measure, run=MODULE) / middle(module, measure, run="ping")
            for measure in ("wall", "cpu")
        ]
        rows.append(_goal("the module alone", "ping alone", "none", 1, MODULE_GOAL, *ratios))
    return rows + _option_file_goals(samples) + _scale_goals(samples)


def _goal(
    run: str, other: str, connection: str, size: object, goal: float | None, *ratios: float
) -> list[object]:
    within = [goal is not None and round(ratio, 2) <= goal for ratio in ratios]
    words = {
        (True, True): "reached",
        (True, False): "not reached: CPU is not",
        (False, True): "not reached: wall-clock is not",
        (False, False): "not reached",
        (True,): "reached",
        (False,): "not reached",
    }
    cells = [f"{ratio:.2f}" for ratio in ratios]
    verdict = words[tuple(within)] if goal is not None else "none for this size"
    blank = ["-"] * (2 - len(cells))
    return [run, other, connection, size, goal or "-", *blank, *cells, verdict]


def _spread(found: list[float], digits: int, factor: float = 1) -> str:
    low, high = min(found) * factor, max(found) * factor
    return f"{low:.{digits}f} to {high:.{digits}f}"


def _times(samples: list[Sample], *fields: str) -> list[list[object]]:
    """Return a row for each run: its fields, samples, times with their spread, memory."""
    rows = []
    for key in dict.fromkeys(tuple(sample[field] for field in fields) for sample in samples):
        same = dict(zip(fields, key, strict=True))
        row: list[object] = [*key, len(values(samples, "wall", **same))]
        for measure in ("wall", "cpu"):
            row.append(f"{middle(samples, measure, **same):.3f}")
            row.append(_spread(values(samples, measure, **same), 3))
        if memory := values(samples, "memory_mib", **same):
            row.append(f"{max(memory):.0f}")
        rows.append(row)
    return rows


_TIMES = "samples | wall-clock, s | from, to | CPU, s | from, to"


def _repeat(samples: list[Sample]) -> list[str]:
    plot = "![Repeat runs, as multiples of ping](images/benchmark.svg)"
    return [plot, "", *_first(samples)]


def _first(samples: list[Sample]) -> list[str]:
    order = kinds(samples, "connection").index
    ordered = sorted(samples, key=lambda sample: (sample["hosts"], order(sample["connection"])))
    return [
        "Medians, and the lowest and highest sample. Memory is the most that the largest single"
        " process of the run had resident.",
        "",
        *_table(
            f"hosts | connection | run | {_TIMES} | memory, MiB",
            _times(ordered, "hosts", "connection", "run"),
        ),
    ]


def _module(samples: list[Sample]) -> list[str]:
    ping, ours = (
        [sample for sample in samples if sample["run"] == run] for run in ("ping", MODULE)
    )
    difference = {
        measure: apart([sample[measure] for sample in ping], [sample[measure] for sample in ours])
        for measure in ("wall", "cpu", "parts_wall", "parts_cpu")
    }
    rows: list[list[object]] = []
    sums = [0.0, 0.0]
    for part in _parts(samples):
        times = [
            [[_part(sample["parts"], part, clock) for sample in run] for run in (ping, ours)]
            for clock in (0, 1)
        ]
        found = [apart(*both) for both in times]
        sums = [total + difference for total, difference in zip(sums, found, strict=True)]
        cells = [*map(statistics.median, times[0]), *found]
        rows.append([_part_name(part), *(f"{cell * 1e3:.2f}" for cell in cells)])

    def last(name: str, wall: float, cpu: float) -> list[object]:
        return [f"**{name}**", "", "", f"**{wall * 1e3:.2f}**", f"**{cpu * 1e3:.2f}**"]

    rows += [
        last("sum of the differences", *sums),
        last("measured, with the parts timed", difference["parts_wall"], difference["parts_cpu"]),
        last("measured, as Ansible runs it", difference["wall"], difference["cpu"]),
        last("not accounted for", difference["wall"] - sums[0], difference["cpu"] - sums[1]),
    ]
    return [
        "The payloads that Ansible sent, run on a server's host without Ansible.",
        "",
        *_table(f"run | {_TIMES}", _times(samples, "run")),
        "",
        "### Where the time goes",
        "",
        "Medians in milliseconds; a difference is the median of the differences within a round, so"
        " that a change of the machine's load between two rounds is in none. Each moment of a"
        " process counts for one part, the innermost. Our files come from the payload's zip, so"
        " that each is compiled in each run.",
        "",
        *_table("part | ping | module | difference | of it CPU", rows),
    ]


def _parts(samples: list[Sample]) -> list[str]:
    """Return the names of the parts, in the order of a process."""
    names = [*PARTS, *(part for sample in samples for part in sample["parts"])]
    ends = {"Python's end", *PARTS}
    order = [name for name in dict.fromkeys(names) if name not in ends]
    at = list(PARTS).index("file packages")
    return [*list(PARTS)[:at], *order, *list(PARTS)[at:]]


def _part(parts: dict[str, list[float]], part: str, clock: int) -> float:
    both = (part, "Python's end") if part == "Python's start" else (part,)
    return sum(parts[name][clock] for name in both if name in parts)


def _part_name(part: str) -> str:
    return PARTS.get(part) or f"`{part.removeprefix('file ')}`"


def _option_files(samples: list[Sample]) -> list[str]:
    rows = []
    for files in kinds(samples, "files"):
        if not files:
            continue
        row: list[object] = [files, f"{middle(samples, 'bytes', files=files) / 1024:.0f}"]
        row.append(len(values(samples, "wall", run=plots.READ, files=files)))
        for run in plots.FILE_RUNS:
            row.append(f"{middle(samples, 'wall', run=run, files=files) * 1e3:.0f}")
            wall, cpu = (_work(samples, run, files, measure) for measure in ("wall", "cpu"))
            row.append(f"{wall * 1e3:.1f}")
            row.append(f"{wall / files * 1e6:.0f}")
            row.append(f"{cpu / files * 1e6:.0f}")
        rows.append(row)
    fits = []
    for run in plots.FILE_RUNS:
        for measure, name in (("wall", "wall-clock"), ("cpu", "CPU")):
            points = plots.file_points(samples, run, measure)
            if fit := line(points):
                share = fit.deviation / points[-1][1]
                fits.append(
                    [
                        *(run, name, f"{fit.slope * 1e6:.0f}", f"{fit.start * 1e3:.1f}"),
                        *(f"{fit.deviation * 1e3:.1f}", f"{share:.1%}"),
                    ]
                )
    columns = " | ".join(f"{run}, ms | work, ms | a file, µs | CPU, µs" for run in plots.FILE_RUNS)
    return [
        "![Option files](images/benchmark_option_files.svg)",
        "",
        "Medians: the whole process, wall-clock; the work, which is that less the same process on a"
        " tree without files; and the work by file, wall-clock and CPU time. Where the time grows"
        " in a straight line, the time a file stays the same.",
        "",
        *_table(f"files | KiB | samples | {columns}", rows),
        "",
        "The straight line by least squares through the medians of the whole processes, from no"
        " file on, and the most that one lies off it, also as a share of the time of the largest"
        " tree.",
        "",
        *_table(
            "process | time | slope, µs a file | at no file, ms | off it, ms | share",
            fits,
        ),
    ]


def _work(samples: list[Sample], run: str, files: int, measure: str) -> float:
    """Return what a process takes over the same process on an empty tree."""
    whole, empty = (middle(samples, measure, run=run, files=number) for number in (files, 0))
    return whole - empty


def _option_file_goals(samples: dict[str, list[Sample]]) -> list[list[object]]:
    found = samples.get("option_files", [])
    rows: list[list[object]] = []
    for run in plots.FILE_RUNS[1:] if found else ():
        cells = []
        within = True
        for measure in ("wall", "cpu"):
            points = plots.file_points(found, run, measure)
            fit = line(points)
            share = fit.deviation / points[-1][1] if fit else 0.0
            within = within and round(share, 2) <= LINEAR
            cells.append(f"{share:.0%} off")
        name = f"`plugin_load_add`, {run}"
        files = f"{max(kinds(found, 'files'))} files"
        verdict = "reached" if within else "not reached"
        rows.append([name, "a straight line", "none", files, f"{LINEAR:.0%} off", *cells, verdict])
    return rows


def scale_points(scale: list[Sample], repeat: list[Sample]) -> dict[str, list[Sample]]:
    """Return the samples of each connection that says how a run grows with its hosts."""
    timed = [sample for sample in scale if "wall" in sample]
    real = [sample for sample in repeat if sample["connection"] == "podman"]
    return {
        "podman": [sample for sample in real if sample["run"] in plots.SCALE_RUNS],
        "local": [
            {**sample, "cpu": round(sample["cpu"] - sample["modules_cpu"], 3)} for sample in timed
        ],
    }


def _slopes(samples: dict[str, list[Sample]]) -> list[tuple[str, str, list[float], list[int]]]:
    """Return connection, measure, the slopes of the runs, and the sizes that they go through."""
    scale = samples.get("scale", [])
    timed = scale_points(scale, samples.get("repeat", []))
    result = []
    for connection, found in timed.items():
        watched = [s for s in scale if "pss_mib" in s and s["connection"] == connection]
        for measure, group in (("wall", found), ("cpu", found), ("pss_mib", watched)):
            sizes = kinds(group, "hosts")
            fits = [
                line([(size, middle(group, measure, run=run, hosts=size)) for size in sizes])
                for run in plots.SCALE_RUNS
            ]
            slopes = [fit.slope for fit in fits if fit]
            if len(slopes) == len(fits):
                result.append((connection, measure, slopes, sizes))
    return result


def _scale_goals(samples: dict[str, list[Sample]]) -> list[list[object]]:
    rows = []
    names = {"cpu": "CPU time a host", "pss_mib": "memory a host"}
    for connection, measure, (ping, ours), sizes in _slopes(samples):
        if measure in names and samples.get("scale"):
            hosts = f"{min(sizes)} to {max(sizes)}"
            goal = _goal(names[measure], "ping", connection, hosts, SAME, ours / ping)
            rows.append(goal)
    return rows


def _scale(samples: dict[str, list[Sample]]) -> list[str]:
    units = {
        "wall": ("wall-clock time", "ms", 1e3),
        "cpu": ("CPU time", "ms", 1e3),
        "pss_mib": ("memory", "MiB", 1.0),
    }
    slopes = []
    for connection, measure, (ping, ours), sizes in _slopes(samples):
        name, unit, factor = units[measure]
        through = ", ".join(map(str, sizes))
        figures = [f"{slope * factor:.2f}" for slope in (ping, ours)]
        slopes.append([connection, f"{name}, {unit}", through, *figures, f"{ours / ping:.2f}"])
    return [
        "![CPU time by hosts](images/benchmark_scale.svg)",
        "",
        "What a host more costs: the slope of the straight line by least squares through the"
        " medians by the number of hosts. CPU time is that of the control node, without that of the"
        " modules themselves, which simulated hosts run there.",
        "",
        *_table("connection | measure | hosts | ping | playbook | ratio", slopes),
        "",
        "Runs on simulated hosts, with a local connection each. Those on real servers are above.",
        "",
        *_table(
            "hosts | run | samples | wall-clock, s | from, to | CPU, s | from, to"
            " | of it modules, s | memory, MiB",
            _simulated(samples["scale"]),
        ),
        "",
        "The memory of the table above is that of the largest single process. That of all processes"
        " of a run on the control node, with what they share counted once, was looked at twice a"
        " second in runs of their own, which count for no time; the most at one moment:",
        "",
        *_table("connection | hosts | run | samples | memory, MiB | from, to", _memory(samples)),
    ]


def _simulated(samples: list[Sample]) -> list[list[object]]:
    timed = sorted((s for s in samples if "wall" in s), key=lambda sample: int(sample["hosts"]))
    rows = _times(timed, "hosts", "run")
    for row in rows:
        modules = middle(timed, "modules_cpu", hosts=row[0], run=row[1])
        row.insert(-1, f"{modules:.3f}")
    return rows


def _memory(samples: dict[str, list[Sample]]) -> list[list[object]]:
    watched = [sample for sample in samples["scale"] if "pss_mib" in sample]
    rows: list[list[object]] = []
    for connection in kinds(watched, "connection"):
        for size in sorted(kinds(watched, "hosts")):
            for run in plots.SCALE_RUNS:
                found = values(watched, "pss_mib", connection=connection, hosts=size, run=run)
                if found:
                    figure = f"{statistics.median(found):.0f}"
                    cells = [connection, size, run, len(found), figure, _spread(found, 0)]
                    rows.append(cells)
    return rows
