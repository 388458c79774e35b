//! Exact samples, unconditional or given any pattern of evidence.
//!
//! One upward pass gives every unit's value under the evidence; a sample then descends from the root: a
//! sum picks one child with probability proportional to weight times value, a product follows all. Each
//! sample has a random stream of its own, named by the seed, the row and the sample's number.

use super::chunks::row_chunks;
use super::evidence::{check, impossible};
use super::units::{Edge, Join, Units};
use crate::exec::{Executor, Values};
use crate::train::{Purpose, Stream};
use pcc_diag::Diagnostic;
use pcc_ir::{Batch, LayerId, LayerKind, Value};

/// Draws `count` completions of each row of evidence, row after row: known values stay, the others are
/// drawn, latents included. To sample without evidence, give one row in which nothing is known.
///
/// # Errors
/// `impossible-evidence`, `value-out-of-domain`, `unset-parameter`.
pub fn sample(
    executor: &mut dyn Executor,
    evidence: &Batch,
    count: usize,
    seed: u64,
) -> Result<Batch, Diagnostic> {
    check(executor, evidence)?;
    let mut samples = Batch::empty(evidence.n_variables());
    for (first, batch) in row_chunks(executor.graph(), evidence) {
        let values = executor.values(&batch);
        let (graph, params) = executor.circuit();
        let units = Units { graph, params };
        let mut descent = Descent { units, values: &values, edges: Vec::new(), path: Vec::new() };
        for row in 0..batch.n_rows() {
            if values.get(units.graph.root(), 0, row) == f64::NEG_INFINITY {
                return Err(impossible(first + row));
            }
            for number in 0..count {
                let path = [(first + row) as u64, number as u64];
                let mut sample = batch.row(row).to_vec();
                descent.draw(row, &mut Stream::new(seed, Purpose::Sample, &path), &mut sample);
                samples.push(&sample);
            }
        }
    }
    Ok(samples)
}

/// A walk from the root to one leaf for each variable.
struct Descent<'a> {
    units: Units<'a>,
    values: &'a Values,
    edges: Vec<Edge>,
    path: Vec<(LayerId, usize)>,
}

impl Descent<'_> {
    fn draw(&mut self, row: usize, stream: &mut Stream, sample: &mut [u32]) {
        self.path.push((self.units.graph.root(), 0));
        while let Some((id, unit)) = self.path.pop() {
            match self.units.join(id) {
                Join::Leaf => self.draw_leaf(id, unit, stream, sample),
                Join::All => {
                    self.units.edges(id, unit, &mut self.edges);
                    self.path.extend(self.edges.iter().map(|edge| (edge.layer, edge.unit)));
                }
                Join::Choice => {
                    self.units.edges(id, unit, &mut self.edges);
                    self.path.extend(self.choose(row, self.values.get(id, unit, row), stream));
                }
            }
        }
    }

    fn choose(&self, row: usize, log: f64, stream: &mut Stream) -> Option<(LayerId, usize)> {
        let share = |e: &Edge| e.weight * (self.values.get(e.layer, e.unit, row) - log).exp();
        let chosen = stream.draw(self.edges.iter().map(share))?;
        Some((self.edges[chosen].layer, self.edges[chosen].unit))
    }

    fn draw_leaf(&self, id: LayerId, unit: usize, stream: &mut Stream, sample: &mut [u32]) {
        let graph = self.units.graph;
        let layer = graph.layer(id);
        let Some(var) = layer.kind.var() else { return };
        let word = &mut sample[var.index()];
        if Value::from_word(*word, graph.variable(var).domain.is_discrete()) != Value::Missing {
            return;
        }
        *word = match layer.kind {
            LayerKind::Literal { value, .. } => value,
            LayerKind::Indicator { first, .. } => first + (unit % layer.width as usize) as u32,
            LayerKind::Input { param, .. } => {
                let (family, theta) = self.units.distribution(id, unit, param);
                family.get().sample(&theta, &mut || stream.uniform()).to_word()
            }
            _ => return,
        };
    }
}
