//! Random smooth, decomposable circuits with every kind of layer, for tests of whatever runs circuits.
//!
//! In: a seed and what to favour. Out: a graph with values for all tables, or rows of evidence; the same
//! for the same seed, everywhere. Circuits are small enough for an interpreter, and made to be awkward:
//! groups that do not match, shared layers, tied tables, structural zeros, several factors.

use crate::family::{Bernoulli, Binomial, Categorical, Gaussian};
use crate::{Batch, Domain, Family, Graph, GraphBuilder, LayerId, Param, ParamId, ParamShape, Value, VarId};
use pcc_diag::Span;

/// A source of random numbers that is part of a test's meaning: SplitMix64 (Steele, Lea and Flood, 2014).
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// The numbers of a seed.
    pub fn new(seed: u64) -> Self {
        Random(seed)
    }

    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number in [0, 1).
    pub fn uniform(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// A number below `n`, which must be positive.
    pub fn below(&mut self, n: u32) -> u32 {
        (self.bits() % u64::from(n)) as u32
    }

    /// True with that probability.
    pub fn chance(&mut self, probability: f64) -> bool {
        self.uniform() < probability
    }

    /// `n` probabilities, each zero with that probability, but never all.
    pub fn simplex(&mut self, n: usize, zero: f64) -> Vec<f64> {
        let mut weights: Vec<f64> = (0..n)
            .map(|_| if self.chance(zero) { 0.0 } else { -(1.0 - self.uniform()).ln() + 1e-3 })
            .collect();
        if weights.iter().all(|&w| w == 0.0) {
            weights[self.below(n as u32) as usize] = 1.0;
        }
        let total: f64 = weights.iter().sum();
        weights.iter().map(|w| w / total).collect()
    }
}

/// What circuits to make.
#[derive(Clone, Copy, Debug)]
pub struct Taste {
    /// Variables, of all domains in turn.
    pub n_variables: u32,
    /// Levels of sums that may lie over each other without a product between.
    pub depth: u32,
    /// The share of weights that are zero.
    pub zero_weights: f64,
    /// Whether single units only are made, as in trees learned from data.
    pub is_single: bool,
}

/// A random circuit. Every table has values in the graph.
pub fn circuit(seed: u64, taste: Taste) -> Graph {
    let mut maker = Maker {
        random: Random::new(seed),
        taste,
        builder: GraphBuilder::new(),
        made: Vec::new(),
        params: Vec::new(),
    };
    let variables = maker.variables();
    let root = maker.sum(&variables, 1, taste.depth);
    maker.builder.finish(root).expect("the root has one unit")
}

/// Random rows of evidence over a graph's variables, each value missing with that probability; latents are
/// observed only if asked for.
pub fn batch(graph: &Graph, seed: u64, n_rows: usize, missing: f64, with_latents: bool) -> Batch {
    let mut random = Random::new(seed ^ 0x5eed);
    let mut batch = Batch::missing(graph.variables().len(), n_rows);
    for row in 0..n_rows {
        for (i, variable) in graph.variables().iter().enumerate() {
            if random.chance(missing) || (variable.is_latent && !with_latents) {
                continue;
            }
            let value = match variable.domain.n_values() {
                Some(n) => Value::Code(random.below(n)),
                None => Value::Real(6.0 * random.uniform() - 3.0),
            };
            batch.set(row, VarId::new(i), value);
        }
    }
    batch
}

struct Maker {
    random: Random,
    taste: Taste,
    builder: GraphBuilder,
    /// Layers made so far, to be shared: their variables, units, and id.
    made: Vec<(Vec<VarId>, u32, LayerId)>,
    /// Tables made so far, to be tied.
    params: Vec<(ParamShape, u32, ParamId)>,
}

const DOMAINS: [Domain; 5] =
    [Domain::Bool, Domain::Cat(5), Domain::Real, Domain::Int(-1, 2), Domain::Token(3)];

impl Maker {
    fn variables(&mut self) -> Vec<VarId> {
        (0..self.taste.n_variables)
            .map(|i| {
                let is_latent = i % 5 == 4;
                let domain = DOMAINS[i as usize % DOMAINS.len()];
                let group = self.builder.variables(&format!("V{i}"), &[], domain, is_latent);
                self.builder.graph().var_group(group).first
            })
            .collect()
    }

    /// A layer over exactly these variables with exactly that many units.
    fn layer(&mut self, variables: &[VarId], units: u32, depth: u32) -> LayerId {
        let same = |(v, u, _): &&(Vec<VarId>, u32, LayerId)| v == variables && *u == units;
        if self.random.chance(0.25)
            && let Some((_, _, id)) = self.made.iter().find(same)
        {
            return *id;
        }
        let id = match (variables, depth) {
            (&[one], 0) => self.leaf(one, units),
            (_, 0) => self.factors(variables, units),
            (&[one], _) if self.random.chance(0.6) => self.leaf(one, units),
            _ if variables.len() > 1 && self.random.chance(0.4) => self.factors(variables, units),
            _ if self.random.chance(0.25) => self.mix(variables, units, depth),
            _ => self.sum(variables, units, depth),
        };
        self.made.push((variables.to_vec(), units, id));
        id
    }

    fn leaf(&mut self, variable: VarId, units: u32) -> LayerId {
        let domain = self.builder.graph().variable(variable).domain;
        let groups = self.divisor(units);
        let width = units / groups;
        let Some(n) = domain.n_values() else { return self.input(variable, domain, groups, width) };
        match self.random.below(8) {
            0 => {
                let value = self.random.below(n);
                self.builder.literal(variable, value, groups, width, Span::default())
            }
            1 if width <= n => {
                let first = self.random.below(n - width + 1);
                self.builder.indicator(variable, first, groups, width, Span::default())
            }
            _ => self.input(variable, domain, groups, width),
        }
    }

    fn input(&mut self, variable: VarId, domain: Domain, groups: u32, units: u32) -> LayerId {
        let family = match (domain, domain.n_values()) {
            (Domain::Bool, _) => Family::Bernoulli(Bernoulli),
            (Domain::Int(..), Some(n)) => Family::Binomial(Binomial { n: n - 1 }),
            (_, Some(n)) => Family::Categorical(Categorical { n }),
            (_, None) => Family::Gaussian(Gaussian::default()),
        };
        let param = self.param(ParamShape::Input { family, units }, groups);
        self.builder.input(variable, param, groups, Span::default()).expect("the table fits")
    }

    /// A product or outer product over a split of the variables.
    fn factors(&mut self, variables: &[VarId], units: u32) -> LayerId {
        if self.random.chance(0.3) && !self.taste.is_single {
            return self.outer(variables, units);
        }
        let n = 2 + self.random.below(3.min(variables.len() as u32 - 1)) as usize;
        let parts = self.split(variables, n);
        let children: Vec<LayerId> =
            parts.iter().map(|part| self.layer(part, units, self.taste.depth)).collect();
        self.builder.product(&children, Span::default()).expect("factors have the same units")
    }

    fn outer(&mut self, variables: &[VarId], units: u32) -> LayerId {
        let groups = self.divisor(units);
        let left = self.divisor(units / groups);
        let right = units / groups / left;
        let parts = self.split(variables, 2);
        let a = self.layer(&parts[0], groups * left, self.taste.depth);
        let b = self.layer(&parts[1], groups * right, self.taste.depth);
        self.builder.outer(a, b, groups, Span::default()).expect("groups divide both factors")
    }

    fn sum(&mut self, variables: &[VarId], units: u32, depth: u32) -> LayerId {
        let groups = self.divisor(units);
        let rows = units / groups;
        let n = 1 + self.random.below(3) as usize;
        let part = if self.taste.is_single { 1 } else { 1 + self.random.below(4) };
        let children: Vec<LayerId> =
            (0..n).map(|_| self.layer(variables, groups * part, depth.saturating_sub(1))).collect();
        let param = self.param(ParamShape::Sum { rows, columns: n as u32 * part }, groups);
        self.builder.sum(&children, param, groups, Span::default()).expect("the table fits")
    }

    fn mix(&mut self, variables: &[VarId], units: u32, depth: u32) -> LayerId {
        let groups = self.divisor(units);
        let n = 1 + self.random.below(3);
        let children: Vec<LayerId> =
            (0..n).map(|_| self.layer(variables, units, depth.saturating_sub(1))).collect();
        let param = self.param(ParamShape::Mix { units: units / groups, children: n }, groups);
        self.builder.mix(&children, param, groups, Span::default()).expect("the table fits")
    }

    /// Cuts variables into `n` non-empty parts.
    fn split(&mut self, variables: &[VarId], n: usize) -> Vec<Vec<VarId>> {
        let mut parts = vec![Vec::new(); n];
        for (i, &v) in variables.iter().enumerate() {
            let part = if i < n { i } else { self.random.below(n as u32) as usize };
            parts[part].push(v);
        }
        parts
    }

    fn divisor(&mut self, n: u32) -> u32 {
        let divisors: Vec<u32> = (1..=n).filter(|d| n.is_multiple_of(*d)).collect();
        divisors[self.random.below(divisors.len() as u32) as usize]
    }

    /// A new table for a layer of that many groups, or one that is there already.
    fn param(&mut self, shape: ParamShape, layer_groups: u32) -> ParamId {
        let fits = |(s, g, _): &&(ParamShape, u32, ParamId)| *s == shape && layer_groups.is_multiple_of(*g);
        if self.random.chance(0.3)
            && let Some((_, _, id)) = self.params.iter().find(fits)
        {
            return *id;
        }
        let groups = self.divisor(layer_groups);
        let values = (0..groups).flat_map(|_| self.values(shape)).collect();
        let id = self.builder.param(Param {
            shape,
            groups,
            initial: Some(values),
            is_fixed: false,
            mask: None,
            name: String::new(),
            span: Span::default(),
        });
        self.params.push((shape, groups, id));
        id
    }

    /// Values for one group of a table.
    fn values(&mut self, shape: ParamShape) -> Vec<f64> {
        let zero = self.taste.zero_weights;
        match shape {
            ParamShape::Sum { rows, columns } => {
                (0..rows).flat_map(|_| self.random.simplex(columns as usize, zero)).collect()
            }
            ParamShape::Mix { units, children } => {
                (0..units).flat_map(|_| self.random.simplex(children as usize, zero)).collect()
            }
            ParamShape::Input { family, units } => self.input_values(family, units as usize),
        }
    }

    fn input_values(&mut self, family: Family, units: usize) -> Vec<f64> {
        let random = &mut self.random;
        match family {
            Family::Bernoulli(_) | Family::Binomial(_) => (0..units).map(|_| random.uniform()).collect(),
            Family::Gaussian(_) => {
                let means: Vec<f64> = (0..units).map(|_| 4.0 * random.uniform() - 2.0).collect();
                let deviations = (0..units).map(|_| 0.2 + random.uniform());
                means.into_iter().chain(deviations.collect::<Vec<_>>()).collect()
            }
            Family::Categorical(Categorical { n }) => {
                let columns: Vec<Vec<f64>> =
                    (0..units).map(|_| random.simplex(n as usize, self.taste.zero_weights)).collect();
                (0..n as usize).flat_map(|v| columns.iter().map(move |c| c[v])).collect()
            }
        }
    }
}
