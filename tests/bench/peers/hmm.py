"""W1, a hidden Markov model with its own tables at each step.   hmm.py w1 SYSTEM FILE forward,em

numpy-scaled, torch-scaled: linear with normalisation at each step. torch-lse: log space, a maximum taken out at each
step. cirkit: its HMM template (parameters of its own, so no check value).
"""
import rig
import arrays
import numpy as np

workload, system, path, ops = rig.arguments()
report = rig.Report(workload, system)


def numpy_scaled(pi, a_, e, xt):
    a, log = pi * e[0][xt[0]], 0
    for t in range(1, len(xt)):
        s = a.sum(1, keepdims=True)
        log = log + np.log(s)
        a = ((a / s) @ a_[t - 1]) * e[t][xt[t]]
    return (log + np.log(a.sum(1, keepdims=True)))[:, 0]


def run_numpy():
    given = arrays.read(path)
    xt = np.ascontiguousarray(given["X"].T)
    run = lambda: numpy_scaled(given["pi"], given["A"], given["E"], xt)
    report.check(run().mean(dtype=np.float64))
    if "forward" in ops:
        report.measure("forward", run)


def run_torch(is_scaled):
    torch = rig.torch_threads()
    given = {name: torch.from_numpy(array) for name, array in arrays.read(path).items()}
    pi, a_, e = given["pi"], given["A"], given["E"]
    xt = given["X"].t().contiguous()
    steps, batch, k = *xt.shape, len(pi)

    def scaled():
        a, log = pi * e[0][xt[0]], 0.0
        for t in range(1, steps):
            s = a.sum(1, keepdim=True)
            log = log + s.log()
            a = ((a / s) @ a_[t - 1]) * e[t][xt[t]]
        return (log + a.sum(1, keepdim=True).log())[:, 0]

    def lse():
        a = pi.log() + le[0][xt[0]]
        for t in range(1, steps):
            m = a.amax(1, keepdim=True)
            a = ((a - m).exp() @ a_[t - 1]).log() + m + le[t][xt[t]]
        return torch.logsumexp(a, 1)

    if not is_scaled:
        le = e.log()
    run = scaled if is_scaled else lse
    with torch.no_grad():
        report.check(run().double().mean())
        if "forward" in ops:
            report.measure("forward", run)
    if "em" not in ops:
        return
    # Emissions as [T, K, V] and one gather for all steps: indexing E[t] would make autograd fill a whole table a step.
    given.clear()
    parameters = [pi, a_.transpose(1, 2).contiguous(), e.transpose(1, 2).contiguous()]
    del e
    for parameter in parameters:
        parameter.requires_grad_()

    def train():
        p, transposed, emission = parameters
        if not is_scaled:
            emission = emission.log()
        seen = emission.gather(2, xt[:, None, :].expand(steps, k, batch)).unbind(0)
        moves = transposed.unbind(0)
        if is_scaled:
            a, log = p[:, None] * seen[0], 0.0
            for t in range(1, steps):
                s = a.sum(0, keepdim=True)
                log = log + s.log()
                a = (moves[t - 1] @ (a / s)) * seen[t]
            return (log + a.sum(0, keepdim=True).log())[0]
        a = p.log()[:, None] + seen[0]
        for t in range(1, steps):
            m = a.amax(0, keepdim=True)
            a = (moves[t - 1] @ (a - m).exp()).log() + m + seen[t]
        return torch.logsumexp(a, 0)

    def em():
        for parameter in parameters:
            parameter.grad = None
        train().sum().backward()
        with torch.no_grad():  # A flow is a parameter times the derivative of the log-likelihood by it.
            for parameter, axis in zip(parameters, (-1, 1, -1)):
                parameter.mul_(parameter.grad).add_(1e-3)
                parameter.div_(parameter.sum(axis, keepdim=True))

    report.measure("em", em)


def run_cirkit():
    torch = rig.torch_threads()
    from cirkit.pipeline import PipelineContext
    from cirkit.templates import pgms

    given = arrays.read(path)
    steps, values, k = given.pop("E").shape
    symbolic = pgms.hmm(list(range(steps)), num_latent_states=k, input_layer_kwargs={"num_categories": values})
    with PipelineContext(backend="torch", semiring="lse-sum", fold=True, optimize=True) as context:
        circuit = context.compile(symbolic)
    x = torch.from_numpy(given["X"])
    with torch.no_grad():
        if "forward" in ops:
            report.measure("forward", lambda: circuit(x))


if system == "numpy-scaled":
    run_numpy()
elif system == "cirkit":
    run_cirkit()
else:
    run_torch(system == "torch-scaled")
