"""Work in processes: everything once, whatever dies."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from multiprocessing import active_children
from types import SimpleNamespace

import psutil
import pytest

from napari_snow_unet.base import processes as base_processes
from napari_snow_unet.base.processes import Died, ProcessPool, usable_cores

DIE = "__import__('os')._exit(9)"
INTERRUPTED = """
import multiprocessing, os, sys
from napari_snow_unet.base.processes import ProcessPool
if __name__ == "__main__":
    tasks = ["__import__('os').getpid()"] + ["__import__('time').sleep(1)"] * 9
    for task, result in ProcessPool(eval, tasks, 2):
        print(result, flush=True)
"""


UNGUARDED = """
import os, sys
from napari_snow_unet.base.processes import ProcessPool
print("runs")
pids = [pid for _, pid in ProcessPool(eval, ["__import__('os').getpid()"] * 4, 2)]
print(os.getpid() in pids, __file__ == sys.argv[0])
"""


def crew_of(count, number=2):
    return ProcessPool(eval, (f"{each} * 2" for each in range(count)), number)


@pytest.mark.parametrize("number", [1, 2])
def test_every_task_gives_its_result_once(number):
    results = dict(crew_of(50, number))
    assert results == {f"{each} * 2": each * 2 for each in range(50)}


def test_a_task_that_kills_its_process_is_given_up_and_the_others_are_done():
    tasks = [f"{number} + 0" for number in range(20)]
    tasks[7] = DIE
    results = dict(ProcessPool(eval, tasks, 2))
    assert isinstance(results.pop(DIE), Died)
    assert results == {task: eval(task) for task in tasks if task != DIE}


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL there")
def test_processes_killed_from_outside_change_nothing():
    tasks = [f"({number}, __import__('os').getpid(), sleep(0.02))[:2]" for number in range(30)]
    tasks = [task.replace("sleep", "__import__('time').sleep") for task in tasks]
    killed, seen = 0, []
    for _, (number, pid) in ProcessPool(eval, tasks, 2):
        seen.append(number)
        if len(seen) in (3, 12):
            os.kill(pid, signal.SIGKILL)
            killed += 1
    assert killed == 2
    assert sorted(seen) == list(range(30))


def test_what_a_task_raises_ends_the_work():
    pool = ProcessPool(eval, ["1", "1 / 0"], 2)
    with pytest.raises(ZeroDivisionError) as caught:
        list(pool)
    assert "Traceback" in caught.value.__notes__[0]
    list(pool.finish())
    assert not active_children()


def test_stopping_gives_what_was_under_way():
    pool = ProcessPool(eval, (f"({n}, __import__('time').sleep(0.05))[0]" for n in range(100)), 2)
    seen = []
    for _, result in pool:
        seen.append(result)
        if len(seen) == 5:
            break
    seen += [result for _, result in pool.finish()]
    assert not active_children()
    assert len(seen) == len(set(seen))
    assert 5 <= len(seen) <= 5 + 2 * 2, "two in the hands of each process"


@pytest.mark.skipif(sys.platform == "win32", reason="a process id says nothing there")
def test_processes_end_when_the_main_process_is_killed(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(INTERRUPTED)
    with subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True) as main:
        worker = int(main.stdout.readline())
        main.kill()
    with suppress(psutil.NoSuchProcess):  # where nobody waits for it, it stays as a zombie
        while psutil.Process(worker).status() != psutil.STATUS_ZOMBIE:
            time.sleep(0.1)


# A task that says which process does it, and ends once so many of them are at one.
TOGETHER = """(lambda os, time: [
    open(os.path.join({folder!r}, str(os.getpid())), "w").close(),
    [time.sleep(0.05) for _ in iter(lambda: len(os.listdir({folder!r})) < {processes}, False)],
    os.getpid(),
][-1])(__import__("os"), __import__("time"))"""


def test_little_work_is_done_in_this_process_and_much_by_others(tmp_path, monkeypatch):
    here = "__import__('os').getpid()"
    clock = [0.0]  # time passes for those who ask for it
    monkeypatch.setattr(base_processes, "time", SimpleNamespace(perf_counter=lambda: clock[0]))
    little = [str(pid) for _, pid in ProcessPool(eval, [here] * 40)]
    assert set(little) == {str(os.getpid())}
    cores = usable_cores()
    processes, number = min(cores, 60), 200
    task = TOGETHER.format(folder=str(tmp_path), processes=processes)
    pool = ProcessPool(eval, [here] * 8 + [task] * (number - 8))
    pids = []
    for _, pid in pool:
        pids.append(pid)
        clock[0] += 0.5
    list(pool.finish())
    assert len(pids) == number
    assert pids[:8] == [os.getpid()] * 8
    others = set(pids[8:])
    assert os.getpid() not in others or cores == 1
    assert len(others) == processes


def test_a_script_without_a_guard_is_not_run_again_by_its_processes(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(UNGUARDED)
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert done.stdout.split() == ["runs", "False", "True"]
