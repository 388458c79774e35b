#!/usr/bin/env python3
"""Compares pcc with other systems on the same circuits, numbers and threads.

    compare.py --python /path/to/venv/bin/python [--pcc target/release/pcc] [--only w1,w2] [--out results.jsonl]

The arrays of a workload are written once; then the systems take turns, a process each, for several rounds, with
glibc's malloc as it is and with thresholds that keep large blocks. Each system says its mean log-likelihood, and a
system that disagrees is not compared. Written are a line of JSON for each measurement and a table of ratios to the
best other system, beside the ratio that is aimed at. This script needs nothing but Python; the others need what
`README.md` lists, in the environment of `--python`.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
PEERS = HERE / "peers"
MALLOC = {
    "default": {},
    "raised": {
        "MALLOC_MMAP_THRESHOLD_": "8589934592",
        "MALLOC_TRIM_THRESHOLD_": "17179869184",
        "MALLOC_TOP_PAD_": "268435456",
    },
}
AGREEMENT = 1e-5
ABSENT = "EinsumNetworks, simple-einet and SPNC are not on PyPI and are not compared."


@dataclass
class Item:
    """One workload at one size, who runs it, and the ratios aimed at."""

    workload: str
    k: int
    batch: int
    script: str
    systems: list
    ops: list = field(default_factory=lambda: ["forward", "em"])
    more: dict = field(default_factory=dict)
    targets: dict = field(default_factory=dict)

    @property
    def name(self):
        return f"{self.workload} K={self.k} rows={self.batch}"


def plan():
    torch, numpy = ["torch-scaled", "torch-lse"], ["numpy-scaled"]
    items = [
        Item("w1", k, 256, "hmm.py", numpy + torch, targets={"forward": 1.05, "em": 2 if k == 256 else None})
        for k in (128, 256, 512)
    ]
    items.append(
        Item("w1-words", 128, 256, "hmm.py", numpy + torch[:1], more={"values": 33278}, targets={"em": 6})
    )
    for k, forward, em in ((16, 3.5, 4), (32, 2.5, 3), (64, 1.7, 2.5), (128, 1.3, 2)):
        systems = numpy + torch + (["cirkit"] if k <= 32 else [])
        items.append(Item("w2", k, 256, "hclt.py", systems, targets={"forward": forward, "em": em}))
    for k, em in ((16, 7), (32, 5), (64, 4), (128, 2.5)):
        items.append(Item("w2-large", k, 4096, "hclt.py", torch[:1], ops=["em"], targets={"em": em}))
    for graph in ("quad-graph", "poon-domingos"):
        for k in (16, 32, 64):
            targets = {"forward": 6, "em": 6}
            items.append(Item(f"w3-{graph}", k, 128, "image.py", ["cirkit"], more={"graph": graph}, targets=targets))
    for k in (16, 32):
        systems = ["torch-gemm", "torch-direct"]
        items.append(Item("w4", k, 128, "rat.py", systems, targets={"forward": 2, "em": 2}))
    for variables, batch in ((40, 256), (60, 256), (64, 32), (70, 8)):
        systems = ["numba-f64", "numba-f32", "klay-real", "klay-log", "pysdd-real"]
        more, targets = {"variables": variables}, {"forward": 2}
        items.append(Item(f"w5-{variables}", 1, batch, "logic.py", systems, more=more, targets=targets))
    for side, k in ((4, 4), (8, 4), (8, 8)):
        more = {"side": side, "values": 16}
        items.append(Item(f"w6-{side * side}", k, 8192, "hclt.py", numpy + torch + ["cirkit"], more=more))
    return items


def chosen(arguments):
    def is_wanted(item):
        names = not arguments.only or any(
            item.workload == name or item.workload.startswith(name + "-") for name in arguments.only.split(",")
        )
        return names and (not arguments.k or item.k in [int(k) for k in arguments.k.split(",")])

    items = [item for item in plan() if is_wanted(item)]
    for item in items:
        if arguments.systems:
            item.systems = [system for system in item.systems if system in arguments.systems.split(",")]
        if arguments.ops:
            item.ops = [op for op in item.ops if op in arguments.ops.split(",")]
    return items


def run(command, arguments, malloc):
    """The lines of JSON that a process writes; one with `error` when it fails."""
    environment = dict(os.environ, BENCH_THREADS=str(arguments.threads), BENCH_SECONDS=str(arguments.seconds))
    environment.update(MALLOC[malloc])
    try:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=arguments.timeout)
    except subprocess.TimeoutExpired:
        return [{"error": f"no result in {arguments.timeout} s"}]
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        lines.append({"error": f"exit code {done.returncode}: {last[:200]}"})
    return lines


def commands(item, arguments, path):
    """What each system is started with; pcc first."""
    ops = ",".join(item.ops)
    machine = ["--threads", str(arguments.threads), "--seconds", str(arguments.seconds), "--op", ops]
    circuit = ["--circuit", path + ".sdd", "--vtree", path + ".vtree"] if item.script == "logic.py" else []
    name = "w5" if circuit else item.workload
    yield "pcc", [arguments.pcc, "bench", name, "--arrays", path, *circuit, "--format", "json", *machine]
    for system in item.systems:
        yield system, [arguments.python, str(PEERS / item.script), item.workload, system, path, ops]


def write_arrays(item, arguments, path):
    more = [f"{key}={value}" for key, value in item.more.items()]
    size = [str(item.k), str(item.batch)]
    command = [arguments.python, str(PEERS / "workloads.py"), item.workload, *size, path, *more]
    subprocess.run(command, check=True)


def measure(item, arguments, out):
    """All lines of an item, written to `out` as they come."""
    lines = []
    with tempfile.TemporaryDirectory(dir=arguments.scratch) as folder:
        path = str(Path(folder) / "arrays.safetensors")
        write_arrays(item, arguments, path)
        for turn in range(arguments.rounds):
            for system, command in commands(item, arguments, path):
                for malloc in arguments.malloc.split(","):
                    print(f"  {item.name} round {turn + 1} {system} malloc {malloc}", file=sys.stderr, flush=True)
                    for line in run(command, arguments, malloc):
                        about = {"workload": item.workload, "k": item.k, "batch": item.batch, "system": system}
                        line = {**line, **about, "malloc": malloc, "round": turn}
                        line.setdefault("threads", arguments.threads)
                        lines.append(line)
                        print(json.dumps(line), file=out, flush=True)
    return lines


def measure_all(items, arguments):
    """The lines of each item, measured now."""
    found = []
    with open(arguments.out, "a") as out:
        for item in items:
            try:
                found.append((item, measure(item, arguments, out)))
            except subprocess.CalledProcessError as error:
                print(f"{item.name}: its arrays can't be made: {error}", file=sys.stderr)
    return found


def measured(items, arguments):
    """The lines of each item that a file holds."""
    with open(arguments.table) as file:
        lines = [json.loads(line) for line in file]

    def is_of(item, line):
        size = (line["workload"], line["k"], line["batch"], line["threads"])
        return size == (item.workload, item.k, item.batch, arguments.threads)

    return [(item, [line for line in lines if is_of(item, line)]) for item in items]


def disagreement(lines):
    """Systems whose mean log-likelihood is not pcc's, with the relative difference."""
    values = {}
    for line in lines:
        if line.get("mean_log_likelihood") is not None:
            values.setdefault(line["system"], line["mean_log_likelihood"])
    if "pcc" not in values:
        return {}
    own = values["pcc"]
    differences = {system: abs(value - own) / abs(own) for system, value in values.items()}
    return {system: difference for system, difference in differences.items() if not difference <= AGREEMENT}


@dataclass
class Row:
    """One line of the table."""

    item: Item
    op: str
    own_ms: float
    best: str
    best_ms: float
    memory: float

    def __str__(self):
        ratio, target = self.best_ms / self.own_ms, self.item.targets.get(self.op)
        met = "" if target is None else ("yes" if ratio >= target else "no")
        size = f"{self.item.workload} | {self.item.k} | {self.item.batch} | {self.op}"
        times = f"{self.own_ms:.3g} | {self.best} | {self.best_ms:.3g} | {ratio:.2f}"
        memory = "" if self.memory is None else f"{self.memory:.1f}"
        return f"| {size} | {times} | {target or ''} | {met} | {memory} |"


HEADING = """| workload | K | rows | op | pcc ms | best other | its ms | ratio | target | met | memory ratio |
|---|---|---|---|---|---|---|---|---|---|---|"""


def rows(item, lines):
    left_out = disagreement(lines)
    for system, difference in left_out.items():
        print(f"{item.name}: {system} is not compared, its value differs by {difference:.1e}", file=sys.stderr)
    for line in lines:
        if "error" in line:
            print(f"{item.name}: {line['system']} {line.get('op', '')}: {line['error']}", file=sys.stderr)
    for op in item.ops:
        least, memory = {}, {}
        for line in lines:
            if line.get("op") == op and "least_milliseconds" in line and line["system"] not in left_out:
                key = (line["system"], line["malloc"])
                least.setdefault(key, []).append(line["least_milliseconds"])
                memory.setdefault(line["system"], []).append(line.get("peak_mb"))
        own = [min(times) for (system, _), times in least.items() if system == "pcc"]
        others = {key: min(times) for key, times in least.items() if key[0] != "pcc"}
        if own and others:
            best = min(others, key=others.get)
            yield Row(item, op, min(own), f"{best[0]}, malloc {best[1]}", others[best], shares(memory, best[0]))


def shares(memory, best):
    """How much more memory the best other system holds than pcc, both at their least."""
    if None in memory["pcc"] + memory[best]:
        return None
    return min(memory[best]) / min(memory["pcc"])


def describe(items, arguments):
    """What would be run."""
    print(f"{arguments.rounds} rounds, {arguments.threads} thread(s), malloc {arguments.malloc}")
    for item in items:
        print(f"{item.name}: {', '.join(item.ops)} by pcc, {', '.join(item.systems)}")
    print(ABSENT)


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--python", default=sys.executable, help="the interpreter that has the other systems")
    parser.add_argument("--pcc", default="pcc", help="the pcc to measure")
    parser.add_argument("--only", default="", help="workloads, such as w1,w3")
    parser.add_argument("--k", default="", help="sizes, such as 16,32")
    parser.add_argument("--systems", default="", help="other systems, such as numpy-scaled,cirkit")
    parser.add_argument("--ops", default="", help="forward, em")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=1.5, help="for each operation of a process")
    parser.add_argument("--timeout", type=float, default=300, help="seconds that a process may take")
    parser.add_argument("--malloc", default="default,raised", help="settings of glibc's malloc: default, raised")
    parser.add_argument("--scratch", default=None, help="a folder for arrays, up to 600 MB at a time")
    parser.add_argument("--out", default="comparison.jsonl", help="the file that measurements are added to")
    parser.add_argument("--table", default=None, help="print the table of a file of measurements, and measure nothing")
    parser.add_argument("--dry-run", action="store_true", help="print the plan and measure nothing")
    return parser.parse_args()


def main():
    arguments = parse()
    items = chosen(arguments)
    if not items:
        sys.exit("no workload of that name and size")
    if arguments.dry_run:
        describe(items, arguments)
        return
    found = measured(items, arguments) if arguments.table else measure_all(items, arguments)
    print(HEADING)
    for item, lines in found:
        for row in rows(item, lines):
            print(row)
    print(f"\n{ABSENT}")


if __name__ == "__main__":
    main()
