//! Whether a circuit is possible exactly under the models of a formula.
//!
//! Decided by enumeration, 64 assignments at a time, so for a limited number of boolean variables; past the
//! limits the answer is *unknown*. Only variables that the circuit restricts, or that the formula names,
//! are enumerated: inputs have full support.

use super::columns::{columns, n_lists};
use crate::{Domain, Graph, LayerId, LayerKind, Scope, VarId};

/// The answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Support {
    /// The circuit is possible under exactly the models.
    Equal,
    /// They differ under an assignment.
    Differs {
        /// The assignment.
        assignment: Vec<(VarId, bool)>,
        /// Whether the formula holds there; the circuit is possible there if it does not.
        is_model: bool,
    },
    /// Too many variables, or a variable that is not boolean; why, in words.
    Unknown(String),
}

/// The most variables that are enumerated.
pub const MOST_VARIABLES: usize = 20;
/// The most words of 64 assignments that are computed for all units together.
const MOST_WORDS: u64 = 1 << 31;

/// Compares the support of a circuit with the models of a formula over the variables of `names`.
///
/// The formula is evaluated on 64 assignments at once: it gets a word for each variable of the graph, in
/// which bit `i` is the variable's value in assignment `i`, and gives a word of truth values. Unobserved
/// variables are summed out of the circuit and must not be in the formula.
pub fn supports(graph: &Graph, observed: &Scope, names: &Scope, formula: &dyn Fn(&[u64]) -> u64) -> Support {
    let variables = enumerated(graph, observed, names);
    if let Some(var) = variables.iter().find(|&&v| graph.variable(v).domain != Domain::Bool) {
        return Support::Unknown(format!("`{}` is not boolean", graph.variable_name(*var)));
    }
    if variables.len() > MOST_VARIABLES {
        return Support::Unknown(format!(
            "{} variables are restricted, and at most {MOST_VARIABLES} are enumerated",
            variables.len()
        ));
    }
    let n_words = 1_u64 << variables.len().saturating_sub(6);
    if n_words * n_steps(graph) > MOST_WORDS {
        return Support::Unknown(format!(
            "2^{} assignments of so large a circuit are too many",
            variables.len()
        ));
    }
    let mut units = Units::new(graph, observed);
    let mut values = vec![0; graph.variables().len()];
    // Of fewer than six variables, a word's first bits are all there is.
    let all = if variables.len() >= 6 { u64::MAX } else { (1 << (1 << variables.len())) - 1 };
    for word in 0..n_words {
        for (i, var) in variables.iter().enumerate() {
            values[var.index()] = lanes(i, word);
        }
        let models = formula(&values);
        let difference = (units.root(&values) ^ models) & all;
        if difference != 0 {
            let bit = difference.trailing_zeros();
            let value = |var: &VarId| (*var, values[var.index()] >> bit & 1 == 1);
            return Support::Differs {
                assignment: variables.iter().map(value).collect(),
                is_model: models >> bit & 1 == 1,
            };
        }
    }
    Support::Equal
}

/// The value of the `i`-th enumerated variable in the assignments of a word.
fn lanes(i: usize, word: u64) -> u64 {
    const WITHIN: [u64; 6] = [
        0xAAAA_AAAA_AAAA_AAAA,
        0xCCCC_CCCC_CCCC_CCCC,
        0xF0F0_F0F0_F0F0_F0F0,
        0xFF00_FF00_FF00_FF00,
        0xFFFF_0000_FFFF_0000,
        0xFFFF_FFFF_0000_0000,
    ];
    match WITHIN.get(i) {
        Some(&lanes) => lanes,
        None if word >> (i - 6) & 1 == 1 => u64::MAX,
        None => 0,
    }
}

fn enumerated(graph: &Graph, observed: &Scope, names: &Scope) -> Vec<VarId> {
    let mut all = names.clone();
    for id in graph.layer_ids() {
        match graph.layer(id).kind {
            LayerKind::Literal { var, .. } | LayerKind::Indicator { var, .. } if observed.contains(var) => {
                all.insert(var);
            }
            _ => {}
        }
    }
    all.iter().collect()
}

/// Operations for one word.
fn n_steps(graph: &Graph) -> u64 {
    let reads = |id: LayerId| graph.children(id).iter().map(|&c| graph.n_units(c) as u64).sum::<u64>();
    graph.layer_ids().map(|id| graph.n_units(id) as u64 + reads(id)).sum()
}

/// Possibility of all units under 64 assignments.
struct Units<'a> {
    graph: &'a Graph,
    observed: &'a Scope,
    words: Vec<Vec<u64>>,
}

impl<'a> Units<'a> {
    fn new(graph: &'a Graph, observed: &'a Scope) -> Self {
        let words = graph.layer_ids().map(|id| vec![0; graph.n_units(id)]).collect();
        Units { graph, observed, words }
    }

    fn root(&mut self, values: &[u64]) -> u64 {
        for id in self.graph.layer_ids() {
            let mut own = std::mem::take(&mut self.words[id.index()]);
            self.layer(id, values, &mut own);
            self.words[id.index()] = own;
        }
        self.words[self.graph.root().index()][0]
    }

    fn layer(&self, id: LayerId, values: &[u64], own: &mut [u64]) {
        let layer = self.graph.layer(id);
        let width = layer.width as usize;
        let is = |var: VarId, code: u32| match (self.observed.contains(var), code) {
            (false, _) => u64::MAX,
            (true, 0) => !values[var.index()],
            (true, _) => values[var.index()],
        };
        let of = |position: usize, unit: usize| self.words[layer.children[position].index()][unit];
        let children = 0..layer.children.len();
        for unit in 0..own.len() {
            own[unit] = match layer.kind {
                LayerKind::Input { .. } => u64::MAX,
                LayerKind::Literal { var, value } => is(var, value),
                LayerKind::Indicator { var, first } => is(var, first + (unit % width) as u32),
                LayerKind::Product => children.clone().fold(u64::MAX, |all, c| all & of(c, unit)),
                LayerKind::Outer => {
                    let (first, second) = self.graph.outer_factors(id, unit);
                    of(0, first) & of(1, second)
                }
                LayerKind::Mix { .. } => children.clone().fold(0, |any, c| any | of(c, unit)),
                LayerKind::Sum { .. } => break,
            };
        }
        if let LayerKind::Sum { .. } = layer.kind {
            for group in 0..n_lists(self.graph, id) {
                let inputs = columns(self.graph, id, group);
                let any = inputs.iter().fold(0, |any, u| any | self.words[u.layer.index()][u.unit as usize]);
                own[group * width..(group + 1) * width].fill(any);
            }
        }
    }
}
