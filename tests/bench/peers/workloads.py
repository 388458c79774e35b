"""The numbers of each workload, drawn as published: numpy's default generator, parameters from seed 0, data from
seed 1, weights uniform in 0.1 .. 1.1 and normalised.

usage: workloads.py WORKLOAD K BATCH FILE [key=value ..]   writes the arrays that pcc and the peers read
"""
import sys

import numpy as np

import arrays

T = 32  # steps of a hidden Markov model
DEPTH, REPETITIONS = 4, 10  # of a RAT-SPN


def uniform(r, *shape):
    return r.random(shape, dtype=np.float32) + np.float32(0.1)


def hmm(k, batch, values=1024):
    """`pi[K]`, `A[T-1,K,K]` from state to next state, `E[T,V,K]` with the state innermost."""
    r = np.random.default_rng(0)
    pi = uniform(r, k)
    a = uniform(r, T - 1, k, k)
    e = np.empty((T, values, k), np.float32)
    for t in range(T):
        e[t] = uniform(r, values, k)
        e[t] /= e[t].sum(0)
    x = np.random.default_rng(1).integers(0, values, (batch, T))
    return {"pi": pi / pi.sum(), "A": a / a.sum(-1, keepdims=True), "E": e, "X": x}


def grid_tree(side):
    """Parents in a spanning tree of the grid: Kruskal on random weights, rooted in the middle of its longest path."""
    n = side * side
    edges = [(y * side + x, y * side + x + 1) for y in range(side) for x in range(side - 1)]
    edges += [(y * side + x, (y + 1) * side + x) for y in range(side - 1) for x in range(side)]
    leader = list(range(n))

    def find(a):
        while leader[a] != a:
            leader[a] = leader[leader[a]]
            a = leader[a]
        return a

    neighbours = [[] for _ in range(n)]
    for i in np.argsort(np.random.default_rng(0).random(len(edges))):
        a, b = edges[i]
        if find(a) != find(b):
            leader[find(a)] = find(b)
            neighbours[a].append(b)
            neighbours[b].append(a)

    def breadth_first(root):
        parent, order = {root: -1}, [root]
        for u in order:
            for v in neighbours[u]:
                if v not in parent:
                    parent[v] = u
                    order.append(v)
        return parent, order

    parent, order = breadth_first(breadth_first(0)[1][-1])
    path = [order[-1]]
    while parent[path[-1]] != -1:
        path.append(parent[path[-1]])
    parent, _ = breadth_first(path[len(path) // 2])
    return np.array([parent[i] for i in range(n)])


def hclt(k, batch, side=28, values=256):
    """`A[c]` from the parent's state to that of c (not used at the root), `E[n,V,K]`."""
    parent, n = grid_tree(side), side * side
    r = np.random.default_rng(0)
    e = uniform(r, n, values, k)
    e /= e.sum(1, keepdims=True)
    a = uniform(r, n, k, k)
    a /= a.sum(-1, keepdims=True)
    pi = uniform(r, k)
    x = np.random.default_rng(1).integers(0, values, (batch, n))
    return {"parent": parent, "E": e, "A": a, "pi": pi / pi.sum(), "X": x}


def table(shape):
    """Rows that sum to one; tables of one shape are equal, so that their order need not be known."""
    rows = uniform(np.random.default_rng(list(shape)), *shape)
    return rows / rows.sum(-1, keepdims=True)


def image(k, batch, graph="quad-graph", values=256):
    """CP layers over a region graph of 28 x 28 pixels: the library that is compared with says how many there are."""
    from image import symbolic, sum_shapes

    shapes = sum_shapes(symbolic(graph, k))
    count = {shape: shapes.count(shape) for shape in shapes}
    named = {}
    for shape, n in count.items():
        rows, columns = shape
        name = {(k, k): "W", (1, k): "R"}.get(shape, f"M{columns}" if rows == k else "T")
        named[name] = np.broadcast_to(table(shape), (n, *shape))
    e = np.ascontiguousarray(table((k, values)).T)
    x = np.random.default_rng(1).integers(0, values, (batch, 784))
    return {**named, "E": np.broadcast_to(e, (784, values, k)), "X": x}


def rat(k, batch):
    """Gaussian leaves dealt by `perm`, dense K x K partitions, one root for each repetition."""
    n, r = 784, np.random.default_rng(0)
    out = {"perm": np.stack([r.permutation(n) for _ in range(REPETITIONS)])}
    mean = r.standard_normal((REPETITIONS * n, 1, k), dtype=np.float32)
    deviation = np.exp(0.1 * r.standard_normal((REPETITIONS * n, 1, k), dtype=np.float32))
    out["E"] = np.concatenate([mean, deviation], 1)
    for level in range(DEPTH):
        w = np.exp(r.standard_normal((REPETITIONS << level, k if level else 1, k * k), dtype=np.float32))
        out[f"W{level}"] = w / w.sum(-1, keepdims=True)
    out["T"] = np.full(REPETITIONS, 1 / REPETITIONS, np.float32)
    out["X"] = np.random.default_rng(1).standard_normal((batch, n), dtype=np.float32)
    return out


def logic(k, batch, path, variables=60):
    """A random formula of clauses of three literals, half as many as variables, compiled by PySDD along a balanced
    vtree to `path.sdd` and `path.vtree`; a weight `p` for each row and variable.
    """
    import random

    from pysdd.sdd import SddManager, Vtree

    r = random.Random(0)
    vtree = Vtree(var_count=variables, vtree_type="balanced")
    manager = SddManager.from_vtree(vtree)
    formula = manager.true()
    for _ in range(variables // 2):
        clause = manager.false()
        for literal in [r.randint(1, variables) * r.choice([1, -1]) for _ in range(3)]:
            clause = clause | manager.l(literal)
        formula = formula & clause
    formula.save((path + ".sdd").encode())
    vtree.save((path + ".vtree").encode())
    return {"p": np.random.default_rng(1).uniform(0.05, 0.95, (batch, variables))}


MAKERS = {"w1": hmm, "w2": hclt, "w3": image, "w4": rat, "w5": logic, "w6": hclt}

if __name__ == "__main__":
    workload, k, batch, path = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
    more = dict(argument.split("=") for argument in sys.argv[5:])
    more = {key: int(value) if value.isdigit() else value for key, value in more.items()}
    maker = MAKERS[workload.split("-")[0]]
    if maker is logic:
        more["path"] = path
    arrays.write(path, maker(k, batch, **more))
