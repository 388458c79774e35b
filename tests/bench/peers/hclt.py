"""W2 and W6, a hidden tree.   hclt.py w2 SYSTEM FILE forward,em

numpy-scaled, torch-scaled: linear, normalised at each node; torch-lse: log space. All take the nodes of one height
together: gather, batched product. cirkit: the same circuit from its symbolic layers, folded and optimised.
"""
import sys

import rig
import arrays
import numpy as np

sys.setrecursionlimit(20000)
workload, system, path, ops = rig.arguments()
report = rig.Report(workload, system)
given = arrays.read(path)
parent = given["parent"]
n, values, k = given["E"].shape


def heights():
    children = [[] for _ in range(n)]
    for child, above in enumerate(parent):
        if above >= 0:
            children[above].append(child)
    order = [int(np.where(parent < 0)[0][0])]
    for node in order:
        order.extend(children[node])
    height = np.zeros(n, int)
    for node in reversed(order):
        height[node] = 1 + max((height[c] for c in children[node]), default=-1)
    return height, children, order


def schedule():
    """Nodes by height, and for each height its slice with the places of the children, padded with `n`."""
    height, children, _ = heights()
    by_height = np.lexsort((np.arange(n), height))
    place = np.empty(n, int)
    place[by_height] = np.arange(n)
    levels = []
    for h in range(height.max() + 1):
        ids = np.where(height[by_height] == h)[0]
        low, high = int(ids[0]), int(ids[-1]) + 1
        slots = np.full((high - low, max(len(children[by_height[i]]) for i in range(low, high))), n)
        for i in range(low, high):
            own = [place[c] for c in children[by_height[i]]]
            slots[i - low, : len(own)] = own
        levels.append((low, high, slots))
    return by_height, levels


def run_numpy():
    by_height, levels = schedule()
    e = given.pop("E")[by_height]
    a = np.ascontiguousarray(given.pop("A")[by_height].transpose(0, 2, 1))
    pi = given["pi"]
    xt = np.ascontiguousarray(given["X"].T[by_height])
    nodes, batch = np.arange(n)[:, None], xt.shape[1]

    def forward():
        seen = e[nodes, xt]
        out = np.ones((n + 1, batch, k), np.float32)
        log = np.zeros(batch, np.float32)
        for low, high, slots in levels:
            v = seen[low:high]
            for j in range(slots.shape[1]):
                v *= out[slots[:, j]]
            s = v.sum(2, keepdims=True)
            log += np.log(s).sum((0, 2))
            v /= s
            if high == n:
                return log + np.log(v[-1] @ pi)
            np.matmul(v, a[low:high], out=out[low:high])

    report.check(forward().mean(dtype=np.float64))
    if "forward" in ops:
        report.measure("forward", forward)


def run_torch(is_scaled):
    torch = rig.torch_threads()
    by_height, levels = schedule()
    levels = [(low, high, torch.from_numpy(slots)) for low, high, slots in levels]
    e = torch.from_numpy(given.pop("E")[by_height])
    a = torch.from_numpy(given.pop("A")[by_height]).transpose(1, 2).contiguous()
    pi = torch.from_numpy(given["pi"])
    xt = torch.from_numpy(given["X"]).t()[by_height].contiguous()
    nodes = torch.arange(n)[:, None]

    def scaled():
        seen = e[nodes, xt]
        out = seen.new_ones(n + 1, *seen.shape[1:])
        log = seen.new_zeros(xt.shape[1])
        for low, high, slots in levels:
            v = seen[low:high]
            for j in range(slots.shape[1]):
                v *= out[slots[:, j]]
            s = v.sum(2, keepdim=True)
            log += s.log().sum((0, 2))
            v /= s
            if high == n:
                return log + (v[-1] @ pi).log()
            torch.bmm(v, a[low:high], out=out[low:high])

    def lse():
        seen = le[nodes, xt]
        out = seen.new_zeros(n + 1, *seen.shape[1:])
        for low, high, slots in levels:
            v = seen[low:high]
            for j in range(slots.shape[1]):
                v += out[slots[:, j]]
            m = v.amax(2, keepdim=True)
            x = (v - m).exp_()
            if high == n:
                return ((x @ pi).log() + m[:, :, 0])[-1]
            torch.add(torch.bmm(x, a[low:high]).log_(), m, out=out[low:high])

    if not is_scaled:
        le = e.log()
    run = scaled if is_scaled else lse
    with torch.no_grad():
        report.check(run().double().mean())
        if "forward" in ops:
            report.measure("forward", run)
    if "em" not in ops:
        return
    parameters = [e.requires_grad_(), a.requires_grad_(), pi.requires_grad_()]
    sizes = [high - low for low, high, _ in levels]

    # Split once and kept as single nodes: slices in every level would make autograd fill whole tables.
    def train():
        emission, moves, start = parameters
        seen = (emission if is_scaled else emission.log())[nodes, xt]
        neutral = (torch.ones_like if is_scaled else torch.zeros_like)(seen[0])
        message, log = [None] * n, 0.0
        for (low, high, slots), v, move in zip(levels, seen.split(sizes), moves.split(sizes)):
            for j in range(slots.shape[1]):
                child = torch.stack([message[c] if c < n else neutral for c in slots[:, j]])
                v = v * child if is_scaled else v + child
            if is_scaled:
                s = v.sum(2, keepdim=True)
                log = log + s.log().sum((0, 2))
                v = v / s
                if high == n:
                    return log + (v[-1] @ start).log()
                up = torch.bmm(v, move)
            else:
                m = v.amax(2, keepdim=True)
                if high == n:
                    return (((v - m).exp() @ start).log() + m[:, :, 0])[-1]
                up = torch.bmm((v - m).exp(), move).log() + m
            for i, one in enumerate(up.unbind(0)):
                message[low + i] = one

    def em():
        for parameter in parameters:
            parameter.grad = None
        train().sum().backward()
        with torch.no_grad():
            for parameter, axis in zip(parameters, (1, 1, -1)):
                parameter.mul_(parameter.grad).add_(1e-3)
                parameter.div_(parameter.sum(axis, keepdim=True))

    report.measure("em", em)


def run_cirkit():
    torch = rig.torch_threads()
    import cirkit.backend.torch.semiring as semiring
    from cirkit.pipeline import PipelineContext
    from cirkit.symbolic.circuit import Circuit
    from cirkit.symbolic.layers import CategoricalLayer, HadamardLayer, SumLayer
    from cirkit.templates.utils import Parameterization, parameterization_to_factory
    from cirkit.utils.scope import Scope

    # Release 0.3.1 clamps every log value at that of the least double.
    semiring.LOG_CLAMP_MIN = float("-inf")
    weights = parameterization_to_factory(Parameterization(activation="softmax", initialization="normal"))
    _, children, order = heights()
    layers, inputs, out = [], {}, {}
    for node in order[::-1]:
        top = CategoricalLayer(Scope([node]), k, num_categories=values)
        layers.append(top)
        if children[node]:
            product = HadamardLayer(k, 1 + len(children[node]))
            layers.append(product)
            inputs[product] = [top] + [out[c] for c in children[node]]
            top = product
        out[node] = SumLayer(k, 1 if parent[node] < 0 else k, weight_factory=weights)
        layers.append(out[node])
        inputs[out[node]] = [top]
    symbolic = Circuit(layers, inputs, [out[order[0]]])
    with PipelineContext(backend="torch", semiring="lse-sum", fold=True, optimize=True) as context:
        circuit = context.compile(symbolic)
    x = torch.from_numpy(given["X"])
    if "forward" in ops:
        with torch.no_grad():
            report.measure("forward", lambda: circuit(x))
    if "em" in ops:
        from cirkit.backend.torch.em_optimizer import EM

        optimizer = EM(circuit, lr=0.1, pseudocount=0.1)

        def em():
            optimizer.zero_grad()
            circuit(x).sum().backward()
            optimizer.step()

        report.measure("em", em)


if system == "numpy-scaled":
    run_numpy()
elif system == "cirkit":
    run_cirkit()
else:
    run_torch(system == "torch-scaled")
