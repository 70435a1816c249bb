# Copyright (c) 2026, the dbfleet.mysql authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the fuzzers share: the loop over random cases, its progress, and shrinking a mistake."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import Counter
from typing import Callable, Generic, Iterable, Iterator, NamedTuple, TypeVar

from oracle import Oracle

#: Cases that are judged at once.
BATCH = 1000
#: The same while a mistake is shrunk, where the first smaller case will do.
SHRINK_BATCH = 100

CaseT = TypeVar("CaseT")


class Verdict(NamedTuple):
    """What came of a case.

    Attributes:
        word: what happened, for the summary.
        mistake: what is wrong; empty if nothing is.
        skipped: nothing could be learnt from it.
    """

    word: str
    mistake: str = ""
    skipped: bool = False


class Fuzzer(Generic[CaseT]):
    """The kind of case to try.

    Attributes:
        make: gives the case of a seed and a number.
        judge: gives a verdict for each of some cases, in order.
        smaller: gives cases with something less.
        show: prints a case, and what the readers make of it.
    """

    def __init__(
        self,
        make: Callable[[int, int], CaseT],
        judge: Callable[[list[CaseT]], Iterable[Verdict]],
        smaller: Callable[[CaseT], Iterator[CaseT]],
        show: Callable[[CaseT], None],
    ) -> None:
        self.make = make
        self.judge = judge
        self.smaller = smaller
        self.show = show

    def run(self, seed: int, count: int) -> int:
        """Try cases up to a mistake, which is shrunk and shown; returns the exit status."""
        words: Counter[str] = Counter()
        skipped = 0
        begin = time.monotonic()
        for start in range(0, count, BATCH):
            cases = [self.make(seed, number) for number in range(start, min(start + BATCH, count))]
            for index, verdict in enumerate(self.judge(cases)):
                words[verdict.word] += 1
                skipped += verdict.skipped
                if verdict.mistake:
                    print(f"tree {start + index} of seed {seed}: {verdict.mistake}")
                    print("Made smaller:", flush=True)
                    self.show(self.shrink(cases[index]))
                    return 1
            _progress(start + len(cases), count, time.monotonic() - begin)
        for word, number in words.most_common():
            print(f"{number:7d}  {word}")
        print(f"{count} trees of seed {seed}: {count - skipped} right, {skipped} skipped")
        return 0

    def shrink(self, case: CaseT) -> CaseT:
        """Return a smaller case that is still a mistake, by taking things away in turn."""
        while True:
            candidates = list(self.smaller(case))
            for start in range(0, len(candidates), SHRINK_BATCH):
                part = candidates[start : start + SHRINK_BATCH]
                found = [c for c, verdict in zip(part, self.judge(part)) if verdict.mistake]
                if found:
                    case = found[0]
                    break
            else:
                return case


def _progress(done: int, count: int, seconds: float) -> None:
    rate = done / seconds
    left = (count - done) / rate
    print(
        f"{done} of {count} trees, {rate:.0f} a second, {left / 60:.1f} min left",
        file=sys.stderr,
        flush=True,
    )


def parse_options(description: str) -> tuple[Oracle, int, int]:
    """Return oracle, seed and count of the command line; ``description``'s first line is help."""
    parser = argparse.ArgumentParser(description=description.splitlines()[0])
    parser.add_argument("--command", default=os.environ.get("LAB_ORACLE"))
    parser.add_argument("--count", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    if not options.command:
        parser.error("give --command or set LAB_ORACLE")
    return Oracle(options.command), options.seed, options.count
