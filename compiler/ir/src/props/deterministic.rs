//! Determinism: no assignment to the observed variables makes two inputs of one sum possible.
//!
//! Two tiers, cheapest first, each sound. Tier 1 tells inputs apart by the boxes of their supports
//! (`by Z`, literals, categories, intervals). Tier 2 decides the pairs that are left by taking supports
//! apart, which is exact, and polynomial on circuits structured by one vtree. Both share a budget; past it
//! the answer is *unknown*, never a guess.
//!
//! Supports come from structure (literals, indicators), never from parameter values. Latents are summed out
//! unless they are observed, so a circuit may be deterministic given a latent and not without it.
//!
//! Edges that were pruned count as if they were there: what is proved holds without them too, and what would be
//! refuted is unknown.

use super::boxes::{BoxId, Boxes};
use super::columns::{Unit, child_of_column, columns, n_columns, n_lists};
use super::overlap::{Overlap, Spent};
use super::overlapping_scopes;
use super::separate::pairs_that_meet;
use crate::{Domain, Graph, LayerId, LayerKind, Scope, Value, VarGroupId, VarId};
use rustc_hash::{FxHashMap, FxHashSet};

/// What determinism is relative to, and how long to look.
#[derive(Clone, Debug)]
pub struct DeterminismConfig {
    /// The variables whose values are known.
    pub observed: Scope,
    /// Steps of both tiers together; a step is about a tenth of a microsecond.
    pub budget: u64,
}

impl DeterminismConfig {
    /// The budget that commands use: a few seconds at most.
    pub const BUDGET: u64 = 20_000_000;

    /// All variables that are not latent, and the latents of the given groups.
    pub fn given(graph: &Graph, given: &[VarGroupId]) -> Self {
        let mut observed = Scope::empty(graph.variables().len());
        for (i, variable) in graph.variables().iter().enumerate() {
            if !variable.is_latent || given.contains(&variable.group) {
                observed.insert(VarId::new(i));
            }
        }
        DeterminismConfig { observed, budget: Self::BUDGET }
    }
}

/// The answer for a circuit, or for one of its sums.
#[derive(Clone, Debug, PartialEq)]
pub enum Determinism {
    /// Proved.
    Deterministic,
    /// Refuted.
    NotDeterministic(BothPossible),
    /// Neither, and why: lower case, no full stop.
    Unknown {
        /// The sum at which the check gave up, if it got to one.
        layer: Option<LayerId>,
        /// Why.
        why: String,
    },
}

/// Two inputs of one unit of a sum that are possible under the same assignment.
#[derive(Clone, Debug, PartialEq)]
pub struct BothPossible {
    /// The sum or mix.
    pub layer: LayerId,
    /// The child of the first input, by position.
    pub first_child: usize,
    /// The first input.
    pub first: Unit,
    /// The child of the second input, by position.
    pub second_child: usize,
    /// The second input.
    pub second: Unit,
    /// A value for each observed variable of the layer's scope. First come the `n_decisive` ones that the
    /// inputs depend on; the rest may be changed at will.
    pub assignment: Vec<(VarId, Value)>,
    /// How many values matter.
    pub n_decisive: usize,
}

impl Determinism {
    /// Whether it is proved.
    pub fn is_proved(&self) -> bool {
        *self == Determinism::Deterministic
    }
}

/// Whether a whole circuit is deterministic. A refutation anywhere wins over an unknown elsewhere.
pub fn deterministic(graph: &Graph, config: &DeterminismConfig) -> Determinism {
    let mut unknown = None;
    for (_, answer) in answers(graph, config, |answer| matches!(answer, Determinism::NotDeterministic(_))) {
        match answer {
            Determinism::Deterministic => {}
            refuted @ Determinism::NotDeterministic(_) => return refuted,
            gave_up => unknown = unknown.or(Some(gave_up)),
        }
    }
    unknown.unwrap_or(Determinism::Deterministic)
}

/// The answer for each sum and mix by itself. Closed-form maximum likelihood needs all of those proved
/// whose weights it sets, with the labelled variables observed.
pub fn deterministic_sums(graph: &Graph, config: &DeterminismConfig) -> Vec<(LayerId, Determinism)> {
    answers(graph, config, |_| false)
}

/// Answers from the leaves up, to the first that `is_last` accepts.
fn answers(
    graph: &Graph,
    config: &DeterminismConfig,
    is_last: impl Fn(&Determinism) -> bool,
) -> Vec<(LayerId, Determinism)> {
    let is_sum =
        |id: &LayerId| matches!(graph.layer(*id).kind, LayerKind::Sum { .. } | LayerKind::Mix { .. });
    let sums = graph.layer_ids().filter(is_sum);
    if overlapping_scopes(graph).next().is_some() {
        let why = "the circuit is not decomposable";
        return sums.map(|id| (id, Determinism::Unknown { layer: None, why: why.into() })).collect();
    }
    let boxes = Boxes::of(graph, &config.observed);
    let overlap = Overlap::new(graph, &boxes, &config.observed, config.budget);
    let mut check = Check { graph, boxes: &boxes, observed: &config.observed, overlap };
    let mut answers = Vec::new();
    let is_pruned = graph.is_pruned();
    for id in sums {
        let answer = match check.sum(id) {
            Determinism::NotDeterministic(_) if is_pruned => {
                let why =
                    "edges of the circuit were pruned, which the check does not take into account".into();
                Determinism::Unknown { layer: Some(id), why }
            }
            answer => answer,
        };
        answers.push((id, answer));
        if is_last(&answers[answers.len() - 1].1) {
            break;
        }
    }
    answers
}

struct Check<'a> {
    graph: &'a Graph,
    boxes: &'a Boxes,
    observed: &'a Scope,
    overlap: Overlap<'a>,
}

/// What is known of a list of inputs.
enum Inputs {
    /// Their boxes are disjoint, so any list with the same boxes is settled.
    ApartByBoxes,
    /// Their supports are disjoint.
    Apart,
    /// The inputs at these two positions may be possible together.
    Meet(usize, usize),
}

impl Check<'_> {
    fn sum(&mut self, id: LayerId) -> Determinism {
        if n_columns(self.graph, id) < 2 {
            return Determinism::Deterministic;
        }
        let mut settled: FxHashSet<Vec<BoxId>> = FxHashSet::default();
        for list in 0..n_lists(self.graph, id) {
            let inputs = columns(self.graph, id, list);
            let ids: Vec<BoxId> =
                inputs.iter().map(|u| self.boxes.of_unit(u.layer, u.unit as usize)).collect();
            if settled.contains(&ids) {
                continue;
            }
            match self.inputs(&inputs, &ids) {
                Ok(Inputs::ApartByBoxes) => drop(settled.insert(ids)),
                Ok(Inputs::Apart) => {}
                Ok(Inputs::Meet(i, j)) => return self.refute(id, (i, inputs[i]), (j, inputs[j])),
                Err(Spent) => {
                    let why = format!(
                        "the search for two alternatives that are both possible took more than {} steps",
                        self.overlap.limit()
                    );
                    return Determinism::Unknown { layer: Some(id), why };
                }
            }
        }
        Determinism::Deterministic
    }

    fn inputs(&mut self, inputs: &[Unit], ids: &[BoxId]) -> Result<Inputs, Spent> {
        self.overlap.spend(ids.len())?;
        if let Some((i, j)) = equal_exact(self.boxes, ids) {
            return Ok(Inputs::Meet(i, j));
        }
        let mut answer = Inputs::ApartByBoxes;
        pairs_that_meet(self.boxes, ids, &mut self.overlap, &mut |overlap, i, j| {
            let is_possible = overlap.is_possible(inputs[i], inputs[j])?;
            answer = if is_possible { Inputs::Meet(i, j) } else { Inputs::Apart };
            Ok(!is_possible)
        })?;
        Ok(answer)
    }

    fn refute(
        &mut self,
        layer: LayerId,
        (i, first): (usize, Unit),
        (j, second): (usize, Unit),
    ) -> Determinism {
        let Some(decisive) = self.overlap.witness(first, second) else {
            let why = "two alternatives may both be possible, but no assignment was found".into();
            return Determinism::Unknown { layer: Some(layer), why };
        };
        let n_decisive = decisive.len();
        let is_decided = |var: VarId| decisive.binary_search_by_key(&var, |d| d.0).is_ok();
        let open =
            self.graph.scope(layer).iter().filter(|&var| self.observed.contains(var) && !is_decided(var));
        let any = |var: VarId| match self.graph.variable(var).domain {
            Domain::Real => Value::Real(0.0),
            _ => Value::Code(0),
        };
        let rest: Vec<(VarId, Value)> = open.map(|var| (var, any(var))).collect();
        let assignment =
            decisive.into_iter().map(|(var, code)| (var, Value::Code(code))).chain(rest).collect();
        let child = |position| child_of_column(self.graph, layer, position);
        Determinism::NotDeterministic(BothPossible {
            layer,
            first_child: child(i),
            first,
            second_child: child(j),
            second,
            assignment,
            n_decisive,
        })
    }
}

/// Two inputs with the same exact box, as in any dense sum over inputs with full support.
fn equal_exact(boxes: &Boxes, ids: &[BoxId]) -> Option<(usize, usize)> {
    let mut seen: FxHashMap<BoxId, usize> = FxHashMap::default();
    let exact = ids.iter().enumerate().filter(|(_, id)| boxes.get(**id).is_exact);
    exact.into_iter().find_map(|(j, id)| seen.insert(*id, j).map(|i| (i, j)))
}
