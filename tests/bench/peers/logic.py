"""W5, weighted model counts of a compiled formula.   logic.py w5-60 SYSTEM FILE forward,em

Every row has its own weights: p for a variable's being true, 1 - p for false. numba-f64, numba-f32: a flat program of
multiply-adds in linear space, rows innermost, in strips of 64. klay-real, klay-log: its torch module. pysdd-real,
pysdd-log: one row after another, always with the downward pass, for the first rows only. `em` is the derivative by all
weights. The circuit is FILE.sdd with FILE.vtree.
"""
import rig
import arrays
import numpy as np

workload, system, path, ops = rig.arguments()
report = rig.Report(workload, system)
weights = arrays.read(path)["p"]
batch, n = weights.shape
TRUE, FALSE = 10**6, 10**6 + 1  # Literals that are constants.


def program():
    """The nodes, children first: where each one's elements start, primes and subs, and literals."""
    ids, starts, primes, subs, literals = {}, [0], [], [], []
    with open(path + ".sdd") as file:
        for line in file:
            words = line.split()
            if not words or words[0] in ("c", "sdd"):
                continue
            ids[int(words[1])] = len(literals)
            literal = 0
            if words[0] == "D":
                elements = [ids[int(word)] for word in words[4:]]
                primes += elements[0::2]
                subs += elements[1::2]
            else:
                literal = int(words[3]) if words[0] == "L" else TRUE if words[0] == "T" else FALSE
            literals.append(literal)
            starts.append(len(primes))
    return [np.array(numbers) for numbers in (starts, primes, subs, literals)]


def run_numba(kind):
    import numba

    starts, primes, subs, literals = program()
    width = min(batch, 64)

    @numba.njit(fastmath=True, nogil=True)
    def strip(starts, primes, subs, literals, p, values, out):
        for i in range(len(literals)):
            value = values[i]
            if starts[i + 1] > starts[i]:
                value[:] = 0
                for e in range(starts[i], starts[i + 1]):
                    a, b = values[primes[e]], values[subs[e]]
                    for row in range(values.shape[1]):
                        value[row] += a[row] * b[row]
            elif literals[i] == 1000000:
                value[:] = 1
            elif literals[i] == 1000001:
                value[:] = 0
            elif literals[i] > 0:
                value[:] = p[literals[i] - 1]
            else:
                value[:] = 1 - p[-literals[i] - 1]
        out[:] = values[len(literals) - 1]

    @numba.njit(parallel=True)
    def all_strips(starts, primes, subs, literals, p, values, out, width):
        threads = values.shape[0]
        for thread in numba.prange(threads):
            for b in range(thread, p.shape[1] // width, threads):
                part = slice(b * width, (b + 1) * width)
                strip(starts, primes, subs, literals, p[:, part].copy(), values[thread], out[part])

    numba.set_num_threads(rig.THREADS)
    p = np.ascontiguousarray(weights.T.astype(kind))
    values, out = np.empty((rig.THREADS, len(literals), width), kind), np.empty(batch, kind)
    run = lambda: all_strips(starts, primes, subs, literals, p, values, out, width)
    run()
    report.check(np.log(out.astype(np.float64)).mean())
    if "forward" in ops:
        report.measure("forward", run)


def run_klay(semiring):
    torch = rig.torch_threads()
    import klay

    circuit = klay.Circuit()
    circuit.add_sdd_from_file(path + ".sdd")
    module = circuit.to_torch_module(semiring, compile=False)
    positive = torch.tensor(weights, dtype=torch.float32)
    negative = 1 - positive
    if semiring == "log":
        positive, negative = positive.log(), negative.log()
    positive.requires_grad_()
    negative.requires_grad_()
    with torch.no_grad():
        values = module(positive, negative).flatten().double()
        report.check((values if semiring == "log" else values.log()).mean())
        if "forward" in ops:
            report.measure("forward", lambda: module(positive, negative))

    def derivatives():
        positive.grad = negative.grad = None
        module(positive, negative).sum().backward()

    if "em" in ops:
        report.measure("em", derivatives)


def run_pysdd(is_log):
    from array import array

    from pysdd.sdd import SddManager, Vtree

    manager = SddManager.from_vtree(Vtree.from_file((path + ".vtree").encode()))
    node = manager.read_sdd_file((path + ".sdd").encode())
    counter = node.wmc(log_mode=is_log)
    rows = 8 if node.count() < 100_000 else 1
    given = [np.concatenate([(1 - row)[::-1], row]) for row in weights[:rows]]
    given = [array("d", (np.log(row) if is_log else row).tolist()) for row in given]

    def run():
        for row in given:
            counter.set_literal_weights_from_array(row)
            counter.propagate()

    # The time of all rows, by that of a few.
    report.scale = batch / rows
    for op in ops:
        report.measure(op, run)


kind, _, how = system.partition("-")
if kind == "numba":
    run_numba({"f64": np.float64, "f32": np.float32}[how])
elif kind == "klay":
    run_klay(how)
else:
    run_pysdd(how == "log")
