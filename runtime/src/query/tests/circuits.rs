//! Small circuits for tests: by hand, and at random from a seed.

use crate::exec::{Executor, Interpreter};
use crate::train::{Purpose, Stream};
use pcc_diag::Span;
use pcc_ir::family::{Bernoulli, Categorical, Gaussian};
use pcc_ir::{Batch, Domain, Family, Graph, GraphBuilder, LayerId, Param, ParamShape, Params, Value, VarId};

/// A graph in the making, with fewer words than the builder needs.
pub(crate) struct Make {
    pub builder: GraphBuilder,
}

impl Make {
    /// Variables `X[n]` of one domain.
    pub fn new(n: u32, domain: Domain) -> Self {
        let mut builder = GraphBuilder::new();
        builder.variables("X", &[n], domain, false);
        Make { builder }
    }

    pub fn table(&mut self, shape: ParamShape, values: Option<Vec<f64>>, is_fixed: bool) -> pcc_ir::ParamId {
        let name = String::new();
        self.builder.param(Param {
            shape,
            groups: 1,
            initial: values,
            is_fixed,
            mask: None,
            name,
            span: Span::NONE,
        })
    }

    pub fn literal(&mut self, var: u32, value: u32) -> LayerId {
        self.builder.literal(VarId(var), value, 1, 1, Span::NONE)
    }

    /// Bernoulli units; `None` leaves the table unset.
    pub fn bernoulli(&mut self, var: u32, units: u32, ps: Option<Vec<f64>>) -> LayerId {
        self.input(var, Family::Bernoulli(Bernoulli), units, ps)
    }

    pub fn categorical(&mut self, var: u32, n: u32, units: u32, ps: Option<Vec<f64>>) -> LayerId {
        self.input(var, Family::Categorical(Categorical { n }), units, ps)
    }

    pub fn gaussian(&mut self, var: u32, units: u32, means_then_sds: Option<Vec<f64>>) -> LayerId {
        self.input(var, Family::Gaussian(Gaussian::default()), units, means_then_sds)
    }

    pub fn input(&mut self, var: u32, family: Family, units: u32, values: Option<Vec<f64>>) -> LayerId {
        let table = self.table(ParamShape::Input { family, units }, values, false);
        self.builder.input(VarId(var), table, 1, Span::NONE).expect("an input of the table's shape")
    }

    pub fn product(&mut self, children: &[LayerId]) -> LayerId {
        self.builder.product(children, Span::NONE).expect("children of equal widths")
    }

    /// A sum with `rows` units; `None` leaves the weights unset.
    pub fn sum(&mut self, children: &[LayerId], rows: u32, weights: Option<Vec<f64>>) -> LayerId {
        let columns = children.iter().map(|&c| self.builder.graph().n_units(c) as u32).sum();
        let table = self.table(ParamShape::Sum { rows, columns }, weights, false);
        self.builder.sum(children, table, 1, Span::NONE).expect("a table of the right shape")
    }

    pub fn mix(&mut self, children: &[LayerId], weights: Option<Vec<f64>>) -> LayerId {
        let units = self.builder.graph().n_units(children[0]) as u32;
        let shape = ParamShape::Mix { units, children: children.len() as u32 };
        let table = self.table(shape, weights, false);
        self.builder.mix(children, table, 1, Span::NONE).expect("children of equal widths")
    }

    pub fn finish(self, root: LayerId) -> Graph {
        self.builder.finish(root).expect("a root of one unit")
    }
}

/// The interpreter with the values written in the graph.
pub(crate) fn interpreter(graph: &Graph) -> Interpreter {
    Interpreter::new(graph.clone(), Params::of(graph))
}

/// The distribution of REFERENCE `little_4var` over four booleans, as a deterministic circuit.
pub(crate) fn little() -> Graph {
    let mut make = Make::new(4, Domain::Bool);
    let halves = [(0, 1, [0.7, 0.1, 0.1, 0.1]), (2, 3, [0.1, 0.4, 0.3, 0.2])];
    let halves = halves.map(|(a, b, weights)| {
        let pairs: Vec<LayerId> = (0..4)
            .map(|i| {
                let pair = [make.literal(a, i / 2), make.literal(b, i % 2)];
                make.product(&pair)
            })
            .collect();
        make.sum(&pairs, 1, Some(weights.to_vec()))
    });
    let root = make.product(&halves);
    make.finish(root)
}

/// Max-product says 0 (0.4), but 1 has 0.6 in two parts: D12.
pub(crate) fn two_halves_beat_one() -> Graph {
    let mut make = Make::new(1, Domain::Bool);
    let children = [make.literal(0, 0), make.literal(0, 1), make.bernoulli(0, 1, Some(vec![1.0]))];
    let root = make.sum(&children, 1, Some(vec![0.4, 0.3, 0.3]));
    make.finish(root)
}

/// A smooth and decomposable circuit over `n` variables of three values, all kinds of layer but literals,
/// with random parameters (and some exact zeros among its weights) when `is_set`.
pub(crate) fn random(seed: u64, n: u32, is_set: bool) -> Graph {
    let mut make = Make::new(n, Domain::Cat(3));
    let mut stream = Stream::new(seed, Purpose::Sample, &[n.into()]);
    let mut random = Random { make: &mut make, stream: &mut stream, is_set };
    let top = random.region(&(0..n).collect::<Vec<_>>(), 2);
    let weights = random.rows(1, 2);
    let root = make.sum(&[top], 1, weights);
    make.finish(root)
}

struct Random<'a> {
    make: &'a mut Make,
    stream: &'a mut Stream,
    is_set: bool,
}

impl Random<'_> {
    fn region(&mut self, variables: &[u32], width: u32) -> LayerId {
        if let [var] = variables {
            let columns = (0..width).flat_map(|_| self.row(3)).collect::<Vec<f64>>();
            // Tables lie value-major; the rows drawn here are the units.
            let transposed =
                (0..3 * width).map(|i| columns[((i % width) * 3 + i / width) as usize]).collect();
            let values = self.is_set.then_some(transposed);
            return self.make.categorical(*var, 3, width, values);
        }
        let mut parts = vec![self.partition(variables, width)];
        if self.stream.uniform() < 0.4 {
            parts.push(self.partition(variables, width));
        }
        match parts.len() {
            2 if self.stream.uniform() < 0.5 => {
                let weights = self.rows(width, 2);
                let widths = parts.iter().map(|&p| self.make.builder.graph().n_units(p)).collect::<Vec<_>>();
                match widths[0] == widths[1] && widths[0] == width as usize {
                    true => self.make.mix(&parts, weights),
                    false => self.sum(&parts, width),
                }
            }
            _ => self.sum(&parts, width),
        }
    }

    fn partition(&mut self, variables: &[u32], width: u32) -> LayerId {
        let mut shuffled = variables.to_vec();
        self.stream.shuffle(&mut shuffled);
        let at = 1 + self.stream.below(variables.len() - 1);
        let [left, right] = [&shuffled[..at], &shuffled[at..]].map(|part| self.region(part, width));
        match self.stream.uniform() < 0.3 {
            true => self.make.builder.outer(left, right, 1, Span::NONE).expect("one group divides all"),
            false => self.make.product(&[left, right]),
        }
    }

    fn sum(&mut self, children: &[LayerId], width: u32) -> LayerId {
        let columns = children.iter().map(|&c| self.make.builder.graph().n_units(c) as u32).sum();
        let weights = self.rows(width, columns);
        self.make.sum(children, width, weights)
    }

    fn rows(&mut self, rows: u32, columns: u32) -> Option<Vec<f64>> {
        let drawn: Vec<f64> = (0..rows).flat_map(|_| self.row_with_zeros(columns)).collect();
        self.is_set.then_some(drawn)
    }

    fn row_with_zeros(&mut self, columns: u32) -> Vec<f64> {
        match columns > 2 && self.stream.uniform() < 0.3 {
            true => [vec![0.0], self.row(columns - 1)].concat(),
            false => self.row(columns),
        }
    }

    /// Positive numbers that sum to one.
    fn row(&mut self, columns: u32) -> Vec<f64> {
        let row: Vec<f64> = (0..columns).map(|_| 0.05 + self.stream.uniform()).collect();
        let total: f64 = row.iter().sum();
        row.iter().map(|w| w / total).collect()
    }
}

/// All complete assignments of discrete variables.
pub(crate) fn all_rows(graph: &Graph) -> Batch {
    let sizes: Vec<u32> =
        graph.variables().iter().map(|v| v.domain.n_values().expect("a finite domain")).collect();
    let mut batch = Batch::empty(sizes.len());
    let mut row = vec![0; sizes.len()];
    loop {
        batch.push(&row);
        let Some(i) = (0..row.len()).rev().find(|&i| row[i] + 1 < sizes[i]) else { return batch };
        row[i] += 1;
        row[i + 1..].fill(0);
    }
}

/// Every complete assignment with its probability, by evaluating each.
pub(crate) fn table(executor: &mut dyn Executor) -> Vec<(Vec<u32>, f64)> {
    let rows = all_rows(executor.graph());
    let logs = executor.log_likelihoods(&rows);
    logs.iter().enumerate().map(|(i, log)| (rows.row(i).to_vec(), log.exp())).collect()
}

/// Whether a complete row agrees with partial evidence.
pub(crate) fn agrees(row: &[u32], evidence: &[u32]) -> bool {
    row.iter().zip(evidence).all(|(x, e)| *e == pcc_ir::MISSING || x == e)
}

/// Rows of codes, `None` where missing.
pub(crate) fn evidence(rows: &[&[Option<u32>]]) -> Batch {
    let mut batch = Batch::empty(rows[0].len());
    for row in rows {
        let words: Vec<u32> = row.iter().map(|v| v.map_or(Value::Missing, Value::Code).to_word()).collect();
        batch.push(&words);
    }
    batch
}

/// Rows drawn uniformly, each value missing with the given probability.
pub(crate) fn random_rows(graph: &Graph, n: usize, missing: f64, seed: u64) -> Batch {
    let mut stream = Stream::new(seed, Purpose::Order, &[n as u64]);
    let mut batch = Batch::missing(graph.variables().len(), n);
    for row in 0..n {
        for (i, variable) in graph.variables().iter().enumerate() {
            if stream.uniform() >= missing {
                let code = stream.below(variable.domain.n_values().expect("a finite domain") as usize);
                batch.set(row, VarId::new(i), Value::Code(code as u32));
            }
        }
    }
    batch
}
