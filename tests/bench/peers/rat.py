"""W4, a RAT-SPN with Gaussian leaves.   rat.py w4 SYSTEM FILE forward,em

torch-gemm: leaf regions as two matrix products, of x and of its squares. torch-direct: densities written out and
summed. Both in log space above the leaves. `em` is the gradient of the log-likelihood by all parameters, which is
the work of the flows.
"""
import rig
import arrays

workload, system, path, ops = rig.arguments()
report = rig.Report(workload, system)
torch = rig.torch_threads()
given = {name: torch.from_numpy(array) for name, array in arrays.read(path).items()}
x, perm = given["X"], given["perm"]
repetitions, n = perm.shape
batch, k = len(x), given["E"].shape[-1]
depth = sum(name.startswith("W") for name in given)
regions = repetitions << depth
mean = given["E"][:, 0].reshape(regions, -1, k).contiguous().requires_grad_()
log_deviation = given["E"][:, 1].log().reshape(regions, -1, k).contiguous().requires_grad_()
weights = [given[f"W{level}"].transpose(1, 2).log().contiguous().requires_grad_() for level in reversed(range(depth))]
root = given["T"].log().requires_grad_()
parameters = [mean, log_deviation, root, *weights]
LOG_SQRT_TAU = 0.9189385332


def leaves():
    dealt = x[:, perm].reshape(batch, regions, -1).transpose(0, 1)
    if system == "torch-gemm":
        precision = torch.exp(-2 * log_deviation)
        constant = (-0.5 * mean * mean * precision - log_deviation - LOG_SQRT_TAU).sum(1, keepdim=True)
        a = torch.baddbmm(constant, dealt, mean * precision)
        return torch.baddbmm(a, dealt * dealt, -0.5 * precision)
    z = (dealt[..., None] - mean[:, None]) * torch.exp(-log_deviation)[:, None]
    return (-0.5 * z * z - log_deviation[:, None] - LOG_SQRT_TAU).sum(2)


def forward():
    a = leaves()
    for w in weights:
        left, right = a[0::2], a[1::2]
        top_left, top_right = left.amax(2, keepdim=True), right.amax(2, keepdim=True)
        pairs = (left - top_left).exp()[:, :, :, None] * (right - top_right).exp()[:, :, None, :]
        pairs = pairs.reshape(len(left), batch, k * k)
        a = torch.bmm(pairs, torch.softmax(w, 1)).log() + top_left + top_right
    return torch.logsumexp(a[:, :, 0] + torch.log_softmax(root, 0)[:, None], 0)


def gradient():
    for parameter in parameters:
        parameter.grad = None
    (-forward().mean()).backward()


with torch.no_grad():
    report.check(forward().double().mean())
    if "forward" in ops:
        report.measure("forward", forward)
if "em" in ops:
    report.measure("em", gradient)
