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
//! - Fixed tables and held tables stay as they are. Only they keep structural zeros for certain: plain EM
//!   keeps a zero, as its flow is zero, but a pseudocount gives it mass, as it does to any unseen event.
//! - Weights that do not sum to one are normalised by their first update.
//!
//! Tables are 32-bit floats. Totals are 64-bit sums of at most 256 numbers in 32 bits each; a parameter's move
//! is 32-bit arithmetic, since it is rounded to that anyway, but for units that were hardly used.

use super::{leaf_tables, weight_tables};
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
    /// For each table, whether it stays as it is.
    pub held: &'a [bool],
    /// How many threads share the tables.
    pub threads: usize,
}

impl Update<'_> {
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
    flows: &'a [f32],
    theta: &'a mut [f32],
}

/// Below so many parameters, starting a thread costs more than it saves.
const WORTH_A_THREAD: usize = 1 << 16;

/// Moves all tables that are neither fixed nor held.
pub fn maximize(graph: &Graph, flows: &Flows, update: &Update, params: &mut Params) {
    let jobs = jobs(graph, flows, update, params);
    let n: usize = jobs.iter().map(|job| job.theta.len()).sum();
    let threads = update.threads.min(n / WORTH_A_THREAD).max(1);
    std::thread::scope(|scope| {
        for share in shares(jobs, threads) {
            let work = move || share.into_iter().for_each(|job| maximize_table(job, update));
            match threads {
                1 => work(),
                _ => drop(scope.spawn(work)),
            }
        }
    });
}

fn jobs<'a>(graph: &'a Graph, flows: &'a Flows, update: &Update, params: &'a mut Params) -> Vec<Job<'a>> {
    let mut rest = params.values_mut();
    let mut jobs = Vec::with_capacity(graph.params().len());
    for (i, param) in graph.params().iter().enumerate() {
        let (theta, after) = rest.split_at_mut(param.len());
        rest = after;
        if !param.is_fixed && !update.held[i] {
            jobs.push(Job { param, flows: flows.table(ParamId::new(i)), theta });
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

fn maximize_table(job: Job, update: &Update) {
    match job.param.shape {
        ParamShape::Sum { columns: cells, .. } | ParamShape::Mix { children: cells, .. } => {
            weight_tables::maximize(cells as usize, job.flows, update, job.theta);
        }
        ParamShape::Input { family, units } => {
            let groups = job.flows.chunks_exact(job.param.group_stats_len());
            for (flows, theta) in groups.zip(job.theta.chunks_exact_mut(job.param.group_len())) {
                leaf_tables::maximize(family, units as usize, flows, update, theta);
            }
        }
    }
}
