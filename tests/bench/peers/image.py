"""W3, image circuits of CP layers over a region graph.   image.py w3-quad-graph cirkit FILE forward,em

cirkit, folded and optimised, with the tables of `workloads.table` behind a softmax, as its users have them. `em` is
the gradient of the log-likelihood by all parameters, which is the work of the flows.
"""
import functools
import sys

import numpy as np

CUT_EVERY = 4


def softmax_of(probabilities):
    """A parameter whose softmax is a table of probabilities."""
    from cirkit.symbolic.initializers import ConstantTensorInitializer
    from cirkit.symbolic.parameters import Parameter, SoftmaxParameter, TensorParameter

    logits = np.log(probabilities)
    tensor = TensorParameter(*logits.shape, initializer=ConstantTensorInitializer(logits))
    return Parameter.from_unary(SoftmaxParameter(logits.shape), tensor)


def symbolic(graph, k, values=256):
    from cirkit.symbolic.layers import CategoricalLayer
    from cirkit.symbolic.parameters import mixing_weight_factory
    from cirkit.templates.region_graph import PoonDomingos, QuadGraph, QuadTree

    from workloads import table

    shape = (1, 28, 28)
    regions = {
        "quad-tree": lambda: QuadTree(shape, num_patch_splits=2),
        "quad-graph": lambda: QuadGraph(shape),
        "poon-domingos": lambda: PoonDomingos(shape, delta=CUT_EVERY),
    }[graph]()
    weights = lambda shape: softmax_of(table(shape))
    return regions.build_circuit(
        input_factory=lambda scope, units: CategoricalLayer(
            scope, units, num_categories=values, probs=softmax_of(table((units, values)))
        ),
        sum_product="cp",
        sum_weight_factory=weights,
        nary_sum_weight_factory=functools.partial(mixing_weight_factory, param_factory=weights),
        num_input_units=k,
        num_sum_units=k,
    )


def sum_shapes(circuit):
    """For each sum layer the shape of its table: rows by columns, or by partitions where it mixes."""
    from cirkit.symbolic.layers import SumLayer

    sums = [layer for layer in circuit.layers if isinstance(layer, SumLayer)]
    return [(s.num_output_units, s.num_input_units if s.arity == 1 else s.arity) for s in sums]


def main():
    import rig
    import arrays

    workload, system, path, ops = rig.arguments()
    report = rig.Report(workload, system)
    torch = rig.torch_threads()
    import cirkit.backend.torch.semiring as semiring
    from cirkit.pipeline import PipelineContext

    # Release 0.3.1 clamps every log value at that of the least double.
    semiring.LOG_CLAMP_MIN = float("-inf")
    given = arrays.read(path)
    _, values, k = given.pop("E").shape
    with PipelineContext(backend="torch", semiring="lse-sum", fold=True, optimize=True) as context:
        circuit = context.compile(symbolic(workload.removeprefix("w3-"), k, values))
    x = torch.from_numpy(given["X"])

    def gradient():
        circuit.zero_grad(set_to_none=True)
        (-circuit(x).mean()).backward()

    with torch.no_grad():
        report.check(circuit(x).double().mean())
        if "forward" in ops:
            report.measure("forward", lambda: circuit(x))
    if "em" in ops:
        report.measure("em", gradient)


if __name__ == "__main__":
    sys.exit(main())
