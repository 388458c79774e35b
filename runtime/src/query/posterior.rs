//! All single-variable posteriors, in one upward and one downward pass for each row.
//!
//! Given the evidence, exactly one leaf over a variable is reached by a top-down draw; its flow is the
//! probability that it is this one. The posterior of the variable is the mixture of the leaves'
//! distributions by their flows. A variable that the evidence knows has all its mass on what is known.

use super::chunks::row_chunks;
use super::downward::flows;
use super::evidence::{check, impossible};
use super::units::Units;
use crate::exec::{Executor, Values};
use pcc_diag::Diagnostic;
use pcc_ir::{Batch, Graph, LayerId, LayerKind, Value, VarId};

/// What is known of one variable, given the evidence of a row.
#[derive(Clone, Debug, PartialEq)]
pub enum Posterior {
    /// The probability of each value, by code.
    Table(Vec<f64>),
    /// The mean and standard deviation of a variable without finitely many values.
    Moments {
        /// The mean.
        mean: f64,
        /// The standard deviation.
        sd: f64,
    },
}

/// For each row of evidence, the posterior of each of these variables.
///
/// # Errors
/// `impossible-evidence`, `value-out-of-domain`, `unset-parameter`; `unknown-name` for a variable that is
/// not in the circuit's scope.
pub fn posteriors(
    executor: &mut dyn Executor,
    evidence: &Batch,
    variables: &[VarId],
) -> Result<Vec<Vec<Posterior>>, Diagnostic> {
    check(executor, evidence)?;
    refuse_strangers(executor.graph(), variables)?;
    let mut all = Vec::with_capacity(evidence.n_rows());
    for (first, batch) in row_chunks(executor.graph(), evidence) {
        let values = executor.values(&batch);
        let (graph, params) = executor.circuit();
        let units = Units { graph, params };
        for row in 0..batch.n_rows() {
            if values.get(units.graph.root(), 0, row) == f64::NEG_INFINITY {
                return Err(impossible(first + row));
            }
            all.push(of_row(units, &values, &batch, row, variables));
        }
    }
    Ok(all)
}

fn refuse_strangers(graph: &Graph, variables: &[VarId]) -> Result<(), Diagnostic> {
    let scope = graph.scope(graph.root());
    match variables.iter().find(|&&var| !scope.contains(var)) {
        Some(&var) => {
            let message = format!("the circuit says nothing about `{}`", graph.variable_name(var));
            Err(Diagnostic::error("unknown-name", message)
                .help("ask about a variable of the circuit's scope"))
        }
        None => Ok(()),
    }
}

fn of_row(units: Units, values: &Values, batch: &Batch, row: usize, variables: &[VarId]) -> Vec<Posterior> {
    let graph = units.graph;
    let mut sums: Vec<Option<Sums>> = vec![None; graph.variables().len()];
    for &var in variables {
        sums[var.index()] = Some(Sums::new(graph, var));
    }
    let flows = flows(units, values, row);
    for id in graph.layer_ids() {
        let Some(var) = graph.layer(id).kind.var() else { continue };
        let Some(sums) = &mut sums[var.index()] else { continue };
        let known = batch.get(graph, row, var);
        for (unit, &flow) in flows[id.index()].iter().enumerate().filter(|(_, f)| **f > 0.0) {
            sums.add(units, id, unit, known, flow);
        }
    }
    variables.iter().filter_map(|var| sums[var.index()].as_ref().map(Sums::finish)).collect()
}

/// A mixture that is being gathered. Values are codes for discrete variables.
#[derive(Clone)]
enum Sums {
    Table(Vec<f64>),
    Moments { weight: f64, sum: f64, squares: f64 },
}

impl Sums {
    fn new(graph: &Graph, var: VarId) -> Self {
        match graph.variable(var).domain.n_values() {
            Some(n) => Sums::Table(vec![0.0; n as usize]),
            None => Sums::Moments { weight: 0.0, sum: 0.0, squares: 0.0 },
        }
    }

    /// Adds the distribution of one leaf, as far as the known value leaves it open.
    fn add(&mut self, units: Units, id: LayerId, unit: usize, known: Value, flow: f64) {
        let k = unit % units.graph.layer(id).width as usize;
        match (known, units.graph.layer(id).kind) {
            (Value::Missing, LayerKind::Input { param, .. }) => {
                let (family, theta) = units.distribution(id, unit, param);
                self.add_distribution(family.get(), &theta, flow);
            }
            (Value::Missing, LayerKind::Literal { value, .. }) => self.add_value(f64::from(value), flow),
            (Value::Missing, LayerKind::Indicator { first, .. }) => {
                self.add_value(f64::from(first) + k as f64, flow);
            }
            (Value::Code(code), _) => self.add_value(f64::from(code), flow),
            (Value::Real(x), _) => self.add_value(x, flow),
            (Value::Missing, _) => unreachable!("only leaves have a variable"),
        }
    }

    fn add_distribution(&mut self, family: &dyn pcc_ir::family::Distribution, theta: &[f64], flow: f64) {
        match self {
            Sums::Table(table) => {
                for (code, p) in table.iter_mut().enumerate() {
                    *p += flow * family.log_density(theta, Value::Code(code as u32)).exp();
                }
            }
            Sums::Moments { weight, sum, squares } => {
                let mean = family.mean(theta);
                *weight += flow;
                *sum += flow * mean;
                *squares += flow * (family.variance(theta) + mean * mean);
            }
        }
    }

    fn add_value(&mut self, value: f64, flow: f64) {
        match self {
            Sums::Table(table) => table[value as usize] += flow,
            Sums::Moments { weight, sum, squares } => {
                *weight += flow;
                *sum += flow * value;
                *squares += flow * value * value;
            }
        }
    }

    fn finish(&self) -> Posterior {
        match self {
            Sums::Table(table) => {
                let total: f64 = table.iter().sum();
                Posterior::Table(table.iter().map(|p| p / total).collect())
            }
            Sums::Moments { weight, sum, squares } => {
                let mean = sum / weight;
                Posterior::Moments { mean, sd: (squares / weight - mean * mean).max(0.0).sqrt() }
            }
        }
    }
}
