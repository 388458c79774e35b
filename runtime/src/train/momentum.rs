//! Moving averages of statistics, for the steps of Anemone.
//!
//! With decay b, the average after t batches is `(1 - b) / (1 - b^t)` times the sum of `b^(t-s) F_s` over the batches
//! s up to t, which is that of Adam (Kingma and Ba, 2015) with its start corrected. It is kept corrected: a batch
//! moves it a share `(1 - b) / (1 - b^t)` of the way to its own statistics. Batches differ in size by a row at most,
//! and their rows are averaged alike.
//!
//! Statistics of normal leaves are sums of distances from the unit's mean, which moves: what is kept of them is
//! moved along ([`pcc_ir::family::Distribution::recentre`]).

use super::leaf_tables::{read_column, write_column};
use pcc_ir::{Family, Flows, Graph, Param, ParamId, ParamShape, Params};

/// The averages of one stage.
#[derive(Clone, Debug, PartialEq)]
pub struct Momentum {
    /// The share of the last average in the next, before the start is corrected; 0 keeps nothing.
    decay: f64,
    /// The average of all statistics.
    average: Flows,
    /// That of the rows of a batch, by weight.
    rows: f64,
    /// The batches so far.
    batches: u64,
}

impl Momentum {
    /// Averages of nothing yet.
    pub fn new(graph: &Graph, decay: f64) -> Self {
        Momentum::resume(decay, Flows::zero(graph), 0.0, 0)
    }

    /// What was kept of a stage.
    pub fn resume(decay: f64, average: Flows, rows: f64, batches: u64) -> Self {
        Momentum { decay, average, rows, batches }
    }

    /// The share of the past.
    pub fn decay(&self) -> f64 {
        self.decay
    }

    /// The batches so far.
    pub fn batches(&self) -> u64 {
        self.batches
    }

    /// The same over some other tables: those of one circuit that are tables of another, by id.
    pub(crate) fn carried(&self, to: &Graph, tables: impl Iterator<Item = (ParamId, ParamId)>) -> Self {
        let mut average = Flows::zero(to);
        tables.for_each(|(from, to)| average.table_mut(to).copy_from_slice(self.average.table(from)));
        Momentum { average, ..*self }
    }

    /// The averages.
    pub fn average(&self) -> &Flows {
        &self.average
    }

    /// The average rows of a batch, by weight.
    pub fn rows(&self) -> f64 {
        self.rows
    }

    /// Counts a batch of so many rows. Returns how many to count for it.
    pub fn count(&mut self, rows: f64) -> f64 {
        self.batches += 1;
        self.rows += self.share() * (rows - self.rows);
        self.rows
    }

    /// The share of the batch that was counted last.
    pub(crate) fn share(&self) -> f64 {
        let past = self.decay.powf(self.batches as f64);
        if self.decay > 0.0 { (1.0 - self.decay) / (1.0 - past) } else { 1.0 }
    }

    /// Takes statistics in, and gives the averages in their place.
    pub fn add(&mut self, flows: &mut [f32]) {
        let share = self.share() as f32;
        average(flows, share, self.average.values_mut());
    }

    /// All averages, to be moved with the statistics of a batch.
    pub(crate) fn values_mut(&mut self) -> &mut [f32] {
        self.average.values_mut()
    }

    /// Takes note that tables moved: averages are those of statistics that are observed with the new parameters.
    pub fn recentre(&mut self, graph: &Graph, old: &Params, new: &Params) {
        for (i, param) in graph.params().iter().enumerate() {
            let id = ParamId::new(i);
            let averages = self.average.table_mut(id).chunks_mut(param.group_stats_len());
            let tables = old.table(id).chunks(param.group_len()).zip(new.table(id).chunks(param.group_len()));
            averages.zip(tables).for_each(|(average, (old, new))| recentre(param, old, new, average));
        }
    }
}

/// Moves averages a share of the way to statistics, and these to the averages.
#[inline(always)]
pub(crate) fn average(flows: &mut [f32], share: f32, averages: &mut [f32]) {
    for (flow, average) in flows.iter_mut().zip(averages) {
        *average += share * (*flow - *average);
        *flow = *average;
    }
}

/// Whether what is kept of a table's statistics depends on its parameters.
pub(crate) fn is_centred(param: &Param) -> bool {
    matches!(param.shape, ParamShape::Input { family, .. } if family.get().n_values().is_none())
}

/// Moves the averages of one group along with its parameters.
pub(crate) fn recentre(param: &Param, old: &[f32], new: &[f32], averages: &mut [f32]) {
    let ParamShape::Input { family, units } = param.shape else { return };
    if is_centred(param) {
        recentre_units(family, units as usize, [old, new], averages);
    }
}

fn recentre_units(family: Family, units: usize, [old, new]: [&[f32]; 2], averages: &mut [f32]) {
    let family = family.get();
    let mut stats = vec![0.0; family.n_stats()];
    let mut theta = [vec![0.0; family.n_params()], vec![0.0; family.n_params()]];
    for unit in 0..units {
        read_column(averages, units, unit, &mut stats);
        read_column(old, units, unit, &mut theta[0]);
        read_column(new, units, unit, &mut theta[1]);
        family.recentre(&theta[0], &theta[1], &mut stats);
        write_column(&stats, units, unit, averages);
    }
}
