"""Loads a pcc model with safetensors and numpy alone, and evaluates it.

    python load_model.py model.pcm rows.csv

prints the mean log-likelihood of the rows in nats, as `pcc eval` gives it. The first line of the csv names
the columns (`X[3, 5]`); variables without a column, and empty fields, are summed out.

A model is one safetensors file: the tensor `pcc.graph` holds the circuit as text, one line for each group of
variables, table and layer, children before parents; every table is a tensor of its own, named as in the text.
"""

import csv
import math
import re
import sys

import numpy as np
from safetensors.numpy import load_file


def split_words(line):
    """Words of a line; a quoted name is one word."""
    words = re.findall(r'"[^"]*"|\S+', line)
    unescape = lambda w: re.sub(r"\\u\{([0-9a-f]+)\}", lambda m: chr(int(m[1], 16)), w.strip('"'))
    return [unescape(w) if w.startswith('"') else w for w in words]


def arguments(word):
    """The name and the numbers of `categorical(256)`, `int(0..9)` or `bernoulli`."""
    name, _, rest = word.partition("(")
    return name, [float(x) for x in rest.rstrip(")").replace("..", ",").split(",") if x]


class Circuit:
    """The lines of `pcc.graph`, parsed."""

    def __init__(self, path):
        self.tensors = load_file(path)
        self.domains, self.tables, self.layers, self.root = {}, {}, {}, None
        for line in bytes(self.tensors["pcc.graph"]).decode().splitlines():
            self.parse(split_words(line))

    def parse(self, words):
        if words[0] in ("vars", "latent"):
            self.parse_group(words)
        elif words[0] == "root":
            self.root = words[1]
        elif len(words) > 2 and words[2] == "table":
            self.parse_table(words)
        elif len(words) > 2 and words[1] == "=":
            groups, width = int(words[-3]), int(words[-1])
            self.layers[words[0]] = (words[2], words[3:-4], groups, width)

    def parse_group(self, words):
        name, _, extents = words[1].partition("[")
        domain = arguments(words[3])
        if not extents:
            self.domains[name] = domain
            return
        shape = [int(e) for e in extents.rstrip("]").split(",")]
        for index in np.ndindex(*shape):
            self.domains[f"{name}[{','.join(map(str, index))}]"] = domain

    def parse_table(self, words):
        # t0 = table "emit" input categorical(256) x 8 groups 1
        family = arguments(words[5]) if words[4] == "input" else None
        self.tables[words[0]] = (self.tensors[words[3]].astype(np.float64), family)

    def log_likelihoods(self, columns, n_rows):
        """Log-likelihood of each row. `columns` maps variables to arrays of codes or reals, NaN if missing."""
        with np.errstate(divide="ignore"):
            values = {}
            for name, (kind, words, groups, width) in self.layers.items():
                values[name] = self.layer(kind, words, groups, width, values, columns, n_rows)
            return values[self.root][:, 0]

    def layer(self, kind, words, groups, width, values, columns, n_rows):
        """Logarithms of the units of one layer, [rows, groups * width], group after group."""
        if kind in ("input", "literal", "indicator"):
            x = columns.get(words[0], np.full(n_rows, np.nan))
            return leaf(kind, x, self.leaf_argument(kind, words[1]), groups, width)
        if kind == "product":
            return sum(values[child] for child in words)
        if kind == "outer":
            a, b = (parts(values[child], groups) for child in words)
            return (a[:, :, :, None] + b[:, :, None, :]).reshape(n_rows, -1)
        table = copies(self.tables[words[0]][0], groups)
        children = [parts(values[child], groups) for child in words[1:]]
        if kind == "sum":
            terms = np.log(table)[None] + np.concatenate(children, axis=2)[:, :, None, :]
        elif kind == "mix":
            terms = np.log(table)[None] + np.stack(children, axis=3)
        else:
            raise ValueError(f"unknown kind of layer: {kind}")
        return log_sum_exp(terms).reshape(n_rows, -1)

    def leaf_argument(self, kind, word):
        return self.tables[word] if kind == "input" else int(word)


def parts(values, groups):
    """The units that each group of a parent reads: [rows, groups, units]."""
    return values.reshape(len(values), groups, -1)


def copies(table, groups):
    """One table for each group of a layer: group g has the table g * tables / groups."""
    return table[np.arange(groups) * len(table) // groups]


def log_sum_exp(terms):
    """Over the last axis; minus infinity where all terms are."""
    top = terms.max(axis=-1)
    safe = np.where(np.isfinite(top), top, 0.0)
    return np.log(np.exp(terms - safe[..., None]).sum(axis=-1)) + safe


def leaf(kind, x, argument, groups, width):
    """Logarithms of leaf units for the values x; 0 (probability one) where x is missing."""
    is_missing = np.isnan(x)
    known = np.where(is_missing, 0.0, x)
    if kind == "input":
        logs = log_density(known, *argument, groups)
    else:
        value = argument + (np.arange(width) if kind == "indicator" else np.zeros(width))
        is_value = known[:, None] == value[None, :]
        logs = np.tile(np.where(is_value, 0.0, -np.inf), (1, groups))
    logs = logs.reshape(len(x), -1)
    logs[is_missing] = 0.0
    return logs


def log_density(x, table, family, groups):
    """Logarithms of densities, [rows, groups, units]; `table` is [tables, parameters, units]."""
    name, settings = family
    theta = copies(table, groups)
    x = x[:, None, None]
    if name == "bernoulli":
        p = theta[:, 0, :]
        return np.log(np.where(x == 1, p, 1.0 - p))
    if name == "categorical":
        return np.log(theta[:, x[:, 0, 0].astype(int), :]).transpose(1, 0, 2)
    if name == "binomial":
        n, p = settings[0], theta[:, 0, :]
        choose = np.vectorize(lambda k: math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1))(x)
        return choose + x * np.log(p) + (n - x) * np.log1p(-p)
    if name == "gaussian":
        mean, sd = theta[:, 0, :], theta[:, 1, :]
        return -0.5 * ((x - mean) / sd) ** 2 - np.log(sd) - 0.5 * math.log(2 * math.pi)
    raise ValueError(f"unknown family: {name}")


def read_columns(path, domains):
    """Codes of discrete variables and values of real ones, by name; NaN where missing."""
    with open(path, newline="") as file:
        header, *rows = csv.reader(file)
    columns = {}
    for i, name in enumerate(header):
        name = name.replace(" ", "")
        domain, bounds = domains[name]
        lowest = bounds[0] if domain == "int" else 0.0
        columns[name] = np.array([float(row[i]) - lowest if row[i] else np.nan for row in rows])
    return columns, len(rows)


if __name__ == "__main__":
    circuit = Circuit(sys.argv[1])
    columns, n_rows = read_columns(sys.argv[2], circuit.domains)
    print(circuit.log_likelihoods(columns, n_rows).mean())
