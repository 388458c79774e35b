"""Timing and memory of one system in its own process; imported before numpy and torch, because it sets the threads.

A line of JSON for each operation: workload, system, op, threads, least and median milliseconds (CPU time of the
process on one thread, else the wall's), peak resident megabytes, and the check value of the workload.
"""
import gc
import json
import os
import statistics
import sys
import time

# These make an up-to-date OpenBLAS slow where they are set.
for variable in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):
    os.environ.pop(variable, None)
THREADS = int(os.environ.get("BENCH_THREADS", "1"))
for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[variable] = str(THREADS)
SECONDS = float(os.environ.get("BENCH_SECONDS", "1.5"))
LEAST_REPETITIONS, MOST_REPETITIONS = 3, 60


def torch_threads():
    import torch

    torch.set_num_threads(THREADS)
    return torch


def forget_peak():
    try:
        with open("/proc/self/clear_refs", "w") as file:
            file.write("5")
    except OSError:
        pass  # The peak is then that of the whole process.


def peak_mb():
    with open("/proc/self/status") as file:
        for line in file:
            if line.startswith("VmHWM"):
                return int(line.split()[1]) * 1024 / 1e6
    return None


def repeat(run):
    clock = time.process_time if THREADS == 1 else time.perf_counter
    run()
    forget_peak()
    times, start = [], time.perf_counter()
    gc.disable()
    while len(times) < LEAST_REPETITIONS or (
        len(times) < MOST_REPETITIONS and time.perf_counter() - start < SECONDS
    ):
        before = clock()
        run()
        times.append((clock() - before) * 1e3)
    gc.enable()
    return times


class Report:
    """What a script says of the system that it runs."""

    def __init__(self, workload, system):
        self.line = {"workload": workload, "system": system, "threads": THREADS}
        self.value = None
        # Rows of the workload for each row that is run.
        self.scale = 1

    def check(self, value):
        self.value = float(value)

    def measure(self, op, run):
        try:
            times = [self.scale * time for time in repeat(run)]
        except Exception as error:  # A peer that can't is a result too.
            self.say(op, error=f"{type(error).__name__}: {str(error)[:200]}")
            return
        self.say(
            op,
            least_milliseconds=min(times),
            milliseconds=statistics.median(times),
            repetitions=len(times),
            peak_mb=peak_mb(),
            mean_log_likelihood=self.value,
        )

    def say(self, op, **fields):
        print(json.dumps({**self.line, "op": op, **fields}), flush=True)


def arguments():
    """`SCRIPT WORKLOAD SYSTEM FILE OPS`"""
    workload, system, path, ops = sys.argv[1:5]
    return workload, system, path, ops.split(",")
