//! The M-step: from flows to new parameters.
//!
//! With flows F of a unit's edges (or of its statistics) and a step size alpha,
//! `theta <- (1 - alpha) theta + alpha (F + share) / (sum of F + c)`, where the pseudocount c of a unit is
//! spread evenly over its edges or values: `share = c / edges`. With a pseudocount per node, c is the given
//! count; per cell, each share is. The conventions:
//!
//! - A pseudocount is given once to each table and update, however many layers share the table: their
//!   flows are summed before they come here.
//! - A unit without flow keeps its parameters, whatever the pseudocount: the data says nothing about it.
//! - Fixed tables and held tables stay as they are, and so do the zeros of edges that were pruned: the pseudocount
//!   is that of the edges that are left. Other zeros get mass of it, as any unseen event does.
//! - Weights that do not sum to one are normalised by their first update.
//! - Anemone (Liu et al., 2025) gives each unit a step of its own. With R rows in the batch and TD the probability
//!   that the model itself reaches the unit ([`Reach`]), both counted over all layers that share the table,
//!   `theta ~ alpha F/R + (1 - alpha) TD theta`, which is the step `alpha F / (alpha F + (1 - alpha) R TD)` with F
//!   the sum of the unit's flows: a unit used as often as the model expects steps by alpha.
//!
//! Tables are 32-bit floats. Totals are 64-bit sums of at most 256 numbers in 32 bits each; a parameter's move
//! is 32-bit arithmetic, since it is rounded to that anyway, but for units that were hardly used.

use super::{Reach, leaf_tables, weight_tables};
use pcc_ir::graph::EdgeMask;
use pcc_ir::recipe::Per;
use pcc_ir::{Flows, Graph, Param, ParamId, ParamShape, Params};

/// How parameters are moved.
#[derive(Clone, Copy, Debug)]
pub struct Update<'a> {
    /// The step size alpha: 1 takes the new parameters, 0 keeps the old ones.
    pub step: f64,
    /// Imaginary observations.
    pub pseudocount: f64,
    /// What each of them is given to.
    pub per: Per,
    /// Where units have steps of their own, as Anemone has it: the rows that were gathered, by weight.
    pub rows: Option<f64>,
    /// For each table, whether it stays as it is.
    pub held: &'a [bool],
    /// How many threads share the tables.
    pub threads: usize,
}

impl<'a> Update<'a> {
    /// How often the model reaches each unit, where steps depend on it.
    pub(crate) fn reach(&self, graph: &Graph, params: &Params) -> Option<Reach> {
        self.rows.map(|_| Reach::of(graph, params))
    }

    /// The update of a table, by what [`Update::reach`] gave.
    pub(crate) fn of_table<'t>(
        &self,
        graph: &'t Graph,
        id: ParamId,
        reach: Option<&'t Reach>,
    ) -> TableUpdate<'t> {
        let Update { step, pseudocount, per, rows, .. } = *self;
        let (rows, reach) = (rows.unwrap_or(0.0), reach.map_or(&[][..], |reach| reach.table(id)));
        let param = graph.param(id);
        let edges = param.mask.as_ref().map(|mask| Edges { mask, first: 0, of_unit: param.unit_len() });
        TableUpdate { step, pseudocount, per, rows, reach, edges }
    }
}

/// How the units of one table, or of a part of it, are moved.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TableUpdate<'a> {
    pub(crate) step: f64,
    pseudocount: f64,
    per: Per,
    rows: f64,
    /// For each unit, how often the model reaches it in a row; empty where all take the whole step.
    pub(crate) reach: &'a [f64],
    /// The edges that are there, where some were pruned.
    edges: Option<Edges<'a>>,
}

/// Edges of a table from one on.
#[derive(Clone, Copy, Debug)]
struct Edges<'a> {
    mask: &'a EdgeMask,
    first: usize,
    /// How many a unit would have with all of them.
    of_unit: usize,
}

impl TableUpdate<'_> {
    /// That of the units from one on.
    #[inline(always)]
    pub(crate) fn starting_at(self, unit: usize) -> Self {
        TableUpdate {
            reach: self.reach.get(unit..).unwrap_or(&[]),
            edges: self.edges.map(|edges| Edges { first: edges.first + unit * edges.of_unit, ..edges }),
            ..self
        }
    }

    /// How many edges of a unit are there.
    #[inline(always)]
    pub(crate) fn n_cells(&self, unit: usize, all: usize) -> usize {
        match &self.edges {
            None => all,
            Some(edges) => {
                let first = edges.first + unit * edges.of_unit;
                edges.mask.n_live_in(first..first + edges.of_unit)
            }
        }
    }

    /// Makes the weights of a unit's pruned edges zero.
    #[inline(always)]
    pub(crate) fn clear_pruned(&self, unit: usize, weights: &mut [f32]) {
        if let Some(edges) = &self.edges {
            edges.mask.clear(edges.first + unit * edges.of_unit, weights);
        }
    }

    /// The step of a unit that was used, by how much that was.
    #[inline(always)]
    pub(crate) fn step_of(&self, unit: usize, used: f64) -> f64 {
        match self.reach.get(unit) {
            Some(reach) if self.step > 0.0 => {
                let moved = self.step * used;
                moved / (moved + (1.0 - self.step) * self.rows * reach)
            }
            _ => self.step,
        }
    }

    /// The pseudocount of one unit with so many edges or values.
    pub(crate) fn count_of_unit(&self, cells: usize) -> f64 {
        match self.per {
            Per::Node => self.pseudocount,
            Per::Cell => self.pseudocount * cells as f64,
        }
    }
}

/// One table and its flows.
struct Job<'a> {
    param: &'a Param,
    update: TableUpdate<'a>,
    flows: &'a [f32],
    theta: &'a mut [f32],
}

/// Below so many parameters, starting a thread costs more than it saves.
const WORTH_A_THREAD: usize = 1 << 16;

/// Moves all tables that are neither fixed nor held.
pub fn maximize(graph: &Graph, flows: &Flows, update: &Update, params: &mut Params) {
    let reach = update.reach(graph, params);
    let jobs = jobs(graph, flows, update, reach.as_ref(), params);
    let n: usize = jobs.iter().map(|job| job.theta.len()).sum();
    let threads = update.threads.min(n / WORTH_A_THREAD).max(1);
    std::thread::scope(|scope| {
        for share in shares(jobs, threads) {
            let work = move || share.into_iter().for_each(maximize_table);
            match threads {
                1 => work(),
                _ => drop(scope.spawn(work)),
            }
        }
    });
}

fn jobs<'a>(
    graph: &'a Graph,
    flows: &'a Flows,
    update: &Update,
    reach: Option<&'a Reach>,
    params: &'a mut Params,
) -> Vec<Job<'a>> {
    let mut rest = params.values_mut();
    let mut jobs = Vec::with_capacity(graph.params().len());
    for (i, param) in graph.params().iter().enumerate() {
        let (theta, after) = rest.split_at_mut(param.len());
        rest = after;
        if !param.is_fixed && !update.held[i] {
            let id = ParamId::new(i);
            let update = update.of_table(graph, id, reach);
            jobs.push(Job { param, update, flows: flows.table(id), theta });
        }
    }
    jobs
}

/// Splits tables into runs of about equal numbers of parameters. A table is never split, so the result
/// does not depend on the number of threads.
fn shares(jobs: Vec<Job>, threads: usize) -> Vec<Vec<Job>> {
    let most = jobs.iter().map(|job| job.theta.len()).sum::<usize>().div_ceil(threads);
    let mut shares = vec![Vec::new()];
    let mut len = 0;
    for job in jobs {
        if len >= most {
            shares.push(Vec::new());
            len = 0;
        }
        len += job.theta.len();
        shares.last_mut().expect("there is always a share").push(job);
    }
    shares
}

fn maximize_table(job: Job) {
    match job.param.shape {
        ParamShape::Sum { columns: cells, .. } | ParamShape::Mix { children: cells, .. } => {
            weight_tables::maximize(cells as usize, job.flows, job.update, job.theta);
        }
        ParamShape::Input { family, units } => {
            let groups = job.flows.chunks_exact(job.param.group_stats_len());
            let units = units as usize;
            let thetas = job.theta.chunks_exact_mut(job.param.group_len());
            for (group, (flows, theta)) in groups.zip(thetas).enumerate() {
                leaf_tables::maximize(family, units, flows, job.update.starting_at(group * units), theta);
            }
        }
    }
}
