"""A sample of `make fuzz`: damaged files are read or refused, in bounded time and memory."""

import json
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="limits and /proc of Linux")


def fuzz(repository, *words):
    command = [sys.executable, repository / "tools" / "fuzz.py", "--json", *words]
    return subprocess.run(command, capture_output=True, text=True)


def test_damaged_files_do_no_harm_to_any_reader(repository):
    done = fuzz(repository, "--cases", "100", "--seed", "1")
    assert done.returncode == 0, done.stdout + done.stderr
    rows = json.loads(done.stdout)
    assert len(rows) == 16
    for row in rows:
        assert row["cases"] == 100
        assert row["refused"] + row["read"] == 100
        assert row["slowest"] < 2


def test_what_harms_is_noticed(repository, tmp_path):
    """Readers that raise, take memory, do not end, or take the process with them are faults."""
    for name in ("fuzz.py", "fuzz_mutation.py"):
        (tmp_path / name).write_bytes((repository / "tools" / name).read_bytes())
    (tmp_path / "fuzz_readers.py").write_text(
        "import os\n"
        "from dataclasses import dataclass\n"
        "@dataclass\n"
        "class Reader:\n"
        "    file: str\n"
        "    seeds: list\n"
        "    read: object\n"
        "seed = b'good' * 9\n"
        "def only_bad(action):\n"
        "    return lambda: Reader('x', [seed], lambda p: p.read_bytes() == seed or action())\n"
        "READERS = {\n"
        "    'raises': only_bad(lambda: {}['x']),\n"
        "    'grows': only_bad(lambda: bytearray(1 << 30)),\n"
        "    'endless': only_bad(lambda: any(False for _ in iter(int, 1))),\n"
        "    'dies': only_bad(os.abort),\n"
        "}\n"
    )
    command = [sys.executable, tmp_path / "fuzz.py", "--json", "--cases", "1"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1, done.stderr
    told = {row["reader"]: " ".join(row["faults"]) for row in json.loads(done.stdout)}
    assert "KeyError" in told["raises"]
    assert "MemoryError" in told["grows"]
    assert "than 2 s" in told["endless"]
    assert "exit code -6" in told["dies"]
