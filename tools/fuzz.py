"""Give every reader of files damaged ones, and count what becomes of them.

Each file must be read correctly or refused by an InputError, within a bound of time and memory. A
child process per reader holds the memory bound (RLIMIT_AS) and the time bound: an alarm of its CPU
time, and the parent's patience for code that never comes back to Python. One that crashes is named.

    python tools/fuzz.py [--cases 10000] [--seed 0] [READER ...]
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
import warnings
from multiprocessing.connection import Connection
from pathlib import Path

from fuzz_mutation import mutate
from fuzz_readers import READERS, Reader

SECONDS = 2.0  # of computing, for a file of a few kilobytes
STUCK = 20.0  # seconds after which code is stuck outside Python
MEMORY = 512 << 20  # bytes beyond what the process has before the first file
# The HDF5 library asks for what a damaged group claims, touches none of it and refuses the file:
# 1.6 GiB of addresses for 18 KB, with 47 MiB resident.
UNTOUCHED = "memory allocation failed for on disk image buffer"


class TooSlow(BaseException):
    """A file took longer than its bound."""


def main() -> int:
    """Run the readers asked for and print a table; exit code 1 if any let something through."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("readers", nargs="*", metavar="READER", help=", ".join(READERS))
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true", help="print JSON in place of a table")
    given = parser.parse_args()
    if unknown := set(given.readers) - set(READERS):
        parser.error(f"no such reader: {', '.join(sorted(unknown))}")
    rows = []
    for name in given.readers or READERS:
        rows.append(fuzz(name, given.cases, given.seed))
        if not given.json:
            _print_row(rows[-1])
    if given.json:
        print(json.dumps(rows))
    return 1 if any(row["faults"] for row in rows) else 0


def fuzz(name: str, cases: int, seed: int) -> dict:
    """Run one reader in child processes; a crash ends one and the next goes on behind it."""
    row = {"reader": name, "cases": 0, "refused": 0, "read": 0, "slowest": 0.0, "faults": []}
    began, case = time.monotonic(), 0
    context = multiprocessing.get_context("fork")
    while case < cases:
        ours, theirs = context.Pipe(duplex=False)
        child = context.Process(target=_child, args=(theirs, name, seed, case, cases))
        child.start()
        theirs.close()
        case = _collect(row, ours, child, case)
    row["seconds"] = round(time.monotonic() - began, 1)
    return row


def _collect(row: dict, ours: Connection, child: multiprocessing.Process, case: int) -> int:
    """Take a child's results until it ends, and return the number of the next case."""
    try:
        while ours.poll(STUCK):
            outcome, seconds, told = ours.recv()
            if outcome == "ready":
                continue
            if outcome == "broken":
                sys.exit(f"{row['reader']}: a valid file is not read\n{told}")
            case += 1
            row["cases"] += 1
            row["slowest"] = max(row["slowest"], round(seconds, 3))
            if outcome == "fault":
                row["faults"].append(f"case {case - 1}: {told}")
            else:
                row[outcome] += 1
        child.kill()
        told = "stuck"
    except EOFError:
        child.join()
        if child.exitcode == 0:
            return case
        told = f"the process died (exit code {child.exitcode})"
    row["cases"] += 1
    row["faults"].append(f"case {case}: {told}")
    child.join()
    return case + 1


def _child(results: Connection, name: str, seed: int, first: int, cases: int) -> None:
    with tempfile.TemporaryDirectory() as home:
        os.chdir(home)
        sys.stderr = open(os.devnull, "w")  # noqa: PTH123, SIM115
        os.dup2(sys.stderr.fileno(), 2)
        warnings.simplefilter("ignore")
        place = Path(home, "case")
        try:
            reader = READERS[name]()
            for data in reader.seeds:  # they are good; and what is imported late is imported now
                _put(place, reader, data)
                reader.read(place / reader.file)
        except BaseException:
            results.send(("broken", 0.0, traceback.format_exc()))
            return
        results.send(("ready", 0.0, ""))
        used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, used + MEMORY))
        signal.signal(signal.SIGPROF, _too_slow)
        for case in range(first, cases):
            chance = random.Random(f"{name} {seed} {case}")
            data = mutate(chance.choice(reader.seeds), chance.choice(reader.seeds), chance)
            _put(place, reader, data)
            results.send(_attempt(reader, place / reader.file))


def _put(place: Path, reader: Reader, data: bytes) -> None:
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    (place / reader.file).write_bytes(data)


def _too_slow(*_: object) -> None:
    raise TooSlow


def _attempt(reader: Reader, path: Path) -> tuple[str, float, str]:
    from napari_snow_unet.base.errors import InputError

    began = time.process_time()
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    try:
        reader.read(path)
        outcome = ("read", "")
    except InputError as error:
        told = str(error).replace(UNTOUCHED, "")
        memory = isinstance(error.__cause__, MemoryError) or "memory" in told
        outcome = ("fault", "out of memory") if memory else ("refused", "")
    except TooSlow:
        outcome = ("fault", f"longer than {SECONDS:g} s: {traceback.format_exc(limit=-3)}")
    except BaseException:
        outcome = ("fault", traceback.format_exc(limit=-3))
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    return outcome[0], time.process_time() - began, outcome[1]


def _print_row(row: dict) -> None:
    names = ("reader", "cases", "refused", "read", "seconds", "slowest")
    print("  ".join(f"{name} {row[name]!s:>8}" for name in names), f"  faults {len(row['faults'])}")
    for fault in row["faults"][:10]:
        print("   ", fault.strip().replace("\n", "\n    "))
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
