//! Random small circuits for tests by enumeration: smooth and decomposable, over a few boolean variables of
//! which some are latent, with every kind of layer, groups, shared children, and many literals, so that
//! about as many sums are deterministic as not.

#![allow(dead_code)] // Each test uses its part of this module.

use pcc_diag::Span;
use pcc_ir::family::Bernoulli;
use pcc_ir::{Domain, Family, Graph, GraphBuilder, LayerId, Param, ParamShape, VarId};
use std::collections::HashMap;

/// Uniform numbers from a seed (xorshift64*).
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize % n
    }
}

/// What the circuits of one run look like.
pub struct Shape {
    pub n_observed: usize,
    pub n_latent: usize,
    /// Whether every scope is always split in the same way.
    pub is_structured: bool,
    /// Most units of an inner layer.
    pub most_units: usize,
}

pub struct Builder<'d> {
    pub b: GraphBuilder,
    dice: &'d mut Dice,
    shape: Shape,
    splits: HashMap<Vec<VarId>, usize>,
    made: HashMap<(Vec<VarId>, usize), Vec<LayerId>>,
}

/// A random circuit.
pub fn random(dice: &mut Dice, shape: Shape) -> Graph {
    let mut b = GraphBuilder::new();
    b.variables("X", &[shape.n_observed as u32], Domain::Bool, false);
    if shape.n_latent > 0 {
        b.variables("Z", &[shape.n_latent as u32], Domain::Bool, true);
    }
    let mut vars: Vec<VarId> = (0..b.graph().variables().len()).map(VarId::new).collect();
    for i in (1..vars.len()).rev() {
        vars.swap(i, dice.below(i + 1));
    }
    let mut builder = Builder { b, dice, shape, splits: HashMap::new(), made: HashMap::new() };
    let root = builder.layer(&vars, 1);
    builder.b.finish(root).expect("the root has one unit")
}

pub fn table(shape: ParamShape, groups: u32) -> Param {
    Param { shape, groups, initial: None, is_fixed: false, mask: None, name: String::new(), span: Span::NONE }
}

impl Builder<'_> {
    /// A layer over exactly these variables with so many units in all.
    pub fn layer(&mut self, vars: &[VarId], units: usize) -> LayerId {
        let mut key = vars.to_vec();
        key.sort();
        let known = self.made.get(&(key.clone(), units)).cloned().unwrap_or_default();
        if !known.is_empty() && self.dice.below(3) == 0 {
            return known[self.dice.below(known.len())];
        }
        let made = match (vars.len(), self.dice.below(8)) {
            (1, _) => self.leaf(vars[0], units),
            (_, 0..2) => self.product(vars, units),
            (_, 2) => self.outer(vars, units),
            (_, 3..5) => self.decision(vars, units),
            (_, 5) => self.mix(vars, units),
            _ => self.sum(vars, units),
        };
        self.made.entry((key, units)).or_default().push(made);
        made
    }

    fn leaf(&mut self, var: VarId, units: usize) -> LayerId {
        let family = Family::Bernoulli(Bernoulli);
        match self.dice.below(5) {
            0 | 1 => self.b.literal(var, self.dice.below(2) as u32, 1, units as u32, Span::NONE),
            2 if units.is_multiple_of(2) => self.b.indicator(var, 0, units as u32 / 2, 2, Span::NONE),
            2 | 3 => {
                let both = self.b.indicator(var, 0, 1, 2, Span::NONE);
                self.dense(&[both], units, 1)
            }
            _ => {
                let param = self.b.param(table(ParamShape::Input { family, units: units as u32 }, 1));
                self.b.input(var, param, 1, Span::NONE).unwrap()
            }
        }
    }

    /// Two disjoint halves of the variables.
    fn split(&mut self, vars: &[VarId]) -> (Vec<VarId>, Vec<VarId>) {
        let mut key = vars.to_vec();
        if self.shape.is_structured {
            key.sort();
        }
        let at = 1 + self.dice.below(vars.len() - 1);
        let at = if self.shape.is_structured { *self.splits.entry(key.clone()).or_insert(at) } else { at };
        if !self.shape.is_structured {
            let shift = self.dice.below(key.len());
            key.rotate_left(shift);
        }
        (key[..at].to_vec(), key[at..].to_vec())
    }

    fn product(&mut self, vars: &[VarId], units: usize) -> LayerId {
        let (a, b) = self.split(vars);
        let factors = [self.layer(&a, units), self.layer(&b, units)];
        self.b.product(&factors, Span::NONE).unwrap()
    }

    fn outer(&mut self, vars: &[VarId], units: usize) -> LayerId {
        if !units.is_multiple_of(2) {
            return self.product(vars, units);
        }
        let (a, b) = self.split(vars);
        let (a, b) = (self.layer(&a, 2), self.layer(&b, units / 2));
        self.b.outer(a, b, 1, Span::NONE).unwrap()
    }

    /// A sum that decides on the first part: `x and f, or not x and g`, with x a variable of a split.
    fn decision(&mut self, vars: &[VarId], units: usize) -> LayerId {
        let (a, b) = self.split(vars);
        let alternatives: Vec<LayerId> = (0..2)
            .map(|value| {
                let guard = match a.as_slice() {
                    [one] => self.b.literal(*one, value, 1, 1, Span::NONE),
                    _ => self.layer(&a, 1),
                };
                let rest = self.layer(&b, 1);
                self.b.product(&[guard, rest], Span::NONE).unwrap()
            })
            .collect();
        self.dense(&alternatives, units, 1)
    }

    fn sum(&mut self, vars: &[VarId], units: usize) -> LayerId {
        let groups = if units.is_multiple_of(2) { 1 + self.dice.below(2) } else { 1 };
        let n = 1 + self.dice.below(2);
        let children: Vec<LayerId> = (0..n)
            .map(|_| {
                let child_units = groups * (1 + self.dice.below(self.shape.most_units));
                self.layer(vars, child_units)
            })
            .collect();
        self.dense(&children, units, groups)
    }

    fn mix(&mut self, vars: &[VarId], units: usize) -> LayerId {
        let children = [self.layer(vars, units), self.layer(vars, units)];
        let shape = ParamShape::Mix { units: units as u32, children: 2 };
        let param = self.b.param(table(shape, 1));
        self.b.mix(&children, param, 1, Span::NONE).unwrap()
    }

    /// A sum layer with a table of its own.
    pub fn dense(&mut self, children: &[LayerId], units: usize, groups: usize) -> LayerId {
        let total: usize = children.iter().map(|&c| self.b.graph().n_units(c)).sum();
        let (rows, columns) = ((units / groups) as u32, (total / groups) as u32);
        let param = self.b.param(table(ParamShape::Sum { rows, columns }, 1));
        self.b.sum(children, param, groups as u32, Span::NONE).unwrap()
    }
}
