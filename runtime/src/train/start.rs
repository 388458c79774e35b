//! Where parameters start.
//!
//! One pass over the data gathers the statistics of each variable; input units then start at exponential
//! noise times those of the table's variables, sums at exponential noise, normalised. Near-uniform starts
//! sit on a saddle, where EM moves by nothing for many steps. Every table has a random stream of its own,
//! so a table starts the same whatever other tables there are before it.
//!
//! Only tables without values that are not fixed get a start; nothing is overwritten.

use super::keyed::{Purpose, Stream};
use super::leaf_tables::write_column;
use super::rows::{Rows, for_each_chunk, weights_of};
use pcc_ir::family::Smoothing;
use pcc_ir::recipe::Start;
use pcc_ir::{Batch, Family, Graph, LayerKind, ParamId, ParamShape, Params, VarId};
use rustc_hash::FxHashMap;

/// Observations of a discrete variable that nobody made.
const IMAGINARY: f64 = 0.01;

/// Gives every unset table a start. The data is looked at only when an input table is unset.
pub fn start(graph: &Graph, data: &dyn Rows, how: Start, seed: u64, params: &mut Params) {
    let unset: Vec<ParamId> = (0..graph.params().len())
        .map(ParamId::new)
        .filter(|&id| !graph.param(id).is_fixed && !params.is_set(id))
        .collect();
    let marginals = Marginals::gather(graph, data, &unset);
    for id in unset {
        let mut stream = Stream::new(seed, Purpose::Start, &[id.index() as u64]);
        match graph.param(id).shape {
            ParamShape::Sum { columns: cells, .. } | ParamShape::Mix { children: cells, .. } => {
                let rows = params.table_mut(id).chunks_exact_mut(cells as usize);
                let is_live = |i: usize| graph.param(id).mask.as_ref().is_none_or(|mask| mask.is_live(i));
                for (unit, row) in rows.enumerate() {
                    start_row(how, &mut stream, row, |i| is_live(unit * cells as usize + i));
                }
            }
            ParamShape::Input { family, units } => {
                let stats = marginals.of_table(id, family);
                for group in params.table_mut(id).chunks_exact_mut(family.n_params() * units as usize) {
                    start_units(family, units as usize, &stats, how, &mut stream, group);
                }
            }
        }
    }
}

/// A number around one.
fn noise(how: Start, stream: &mut Stream) -> f64 {
    match how {
        Start::Exponential => -(1.0 - stream.uniform()).ln(),
        Start::Uniform(share) => (1.0 + share * (2.0 * stream.uniform() - 1.0)).max(0.0),
    }
}

fn start_row(how: Start, stream: &mut Stream, row: &mut [f32], is_live: impl Fn(usize) -> bool) {
    let mut number = |i| if is_live(i) { noise(how, stream) } else { 0.0 };
    let numbers: Vec<f64> = (0..row.len()).map(&mut number).collect();
    let mut weights = vec![0.0; numbers.len()];
    normalise(&numbers, &mut weights);
    row.iter_mut().zip(&weights).for_each(|(to, from)| *to = *from as f32);
}

fn start_units(
    family: Family,
    units: usize,
    stats: &[f64],
    how: Start,
    stream: &mut Stream,
    table: &mut [f32],
) {
    let mut theta = vec![0.0; family.n_params()];
    for unit in 0..units {
        match how {
            Start::Exponential => family.get().start(stats, &mut || stream.uniform(), &mut theta),
            Start::Uniform(_) => start_near_uniform(family, stats, how, stream, &mut theta),
        }
        write_column(&theta, units, unit, table);
    }
}

/// Values all about equally likely; where there are infinitely many, the mean of the data moved by up to
/// the share of its deviation.
fn start_near_uniform(family: Family, stats: &[f64], how: Start, stream: &mut Stream, theta: &mut [f64]) {
    let mut noisy: Vec<f64> = match family.get().n_values() {
        Some(_) => stats.iter().map(|_| noise(how, stream)).collect(),
        None => stats.to_vec(),
    };
    if let Family::Gaussian(_) = family {
        shift_moments(noise(how, stream) - 1.0, &mut noisy);
    }
    let standard = [0.0, 1.0];
    let old = &standard[..family.n_params().min(standard.len())];
    match family {
        Family::Categorical(_) => normalise(&noisy, theta),
        _ => family.get().maximize(&noisy, Smoothing { per_node: 0.0 }, old, theta),
    }
}

/// The statistics (weight, sum, sum of squares) of the same data moved by a share of its deviation.
fn shift_moments(share: f64, stats: &mut [f64]) {
    let [weight, sum, squares] = [stats[0], stats[1], stats[2]];
    if weight > 0.0 {
        let mean = sum / weight;
        let shift = share * (squares / weight - mean * mean).max(0.0).sqrt();
        stats[1] = sum + weight * shift;
        stats[2] = squares + 2.0 * shift * sum + weight * shift * shift;
    }
}

fn normalise(numbers: &[f64], into: &mut [f64]) {
    let total: f64 = numbers.iter().sum();
    for (p, x) in into.iter_mut().zip(numbers) {
        *p = if total > 0.0 { x / total } else { 1.0 / numbers.len() as f64 };
    }
}

/// Statistics of single variables over the whole data set, for each family that stands over them.
struct Marginals {
    stats: FxHashMap<(VarId, Family), Vec<f64>>,
    variables: FxHashMap<ParamId, Vec<VarId>>,
}

impl Marginals {
    /// One pass over the data, for the variables of these tables.
    fn gather(graph: &Graph, data: &dyn Rows, tables: &[ParamId]) -> Self {
        let mut all = Marginals { stats: FxHashMap::default(), variables: FxHashMap::default() };
        let mut is_wanted = vec![false; graph.params().len()];
        tables.iter().for_each(|id| is_wanted[id.index()] = true);
        for id in graph.layer_ids() {
            if let LayerKind::Input { var, param } = graph.layer(id).kind
                && is_wanted[param.index()]
                && let ParamShape::Input { family, .. } = graph.param(param).shape
            {
                all.stats.entry((var, family)).or_insert_with(|| vec![0.0; family.n_stats()]);
                let variables = all.variables.entry(param).or_default();
                if !variables.contains(&var) {
                    variables.push(var);
                }
            }
        }
        if !all.stats.is_empty() {
            for_each_chunk(graph.variables().len(), data, |rows, batch| {
                all.observe(graph, batch, weights_of(data, rows).as_deref());
                true
            });
        }
        all
    }

    fn observe(&mut self, graph: &Graph, batch: &Batch, weights: Option<&[f32]>) {
        for (&(var, family), stats) in &mut self.stats {
            let theta = vec![0.0; family.n_params()];
            for row in 0..batch.n_rows() {
                let weight = weights.map_or(1.0, |w| f64::from(w[row]));
                family.get().observe(&theta, batch.get(graph, row, var), weight, stats);
            }
        }
    }

    /// The statistics of all variables that share a table, and a little imaginary one spread over the values of
    /// discrete ones: what the data never shows may still come, and a unit that gets no rows of its own, as
    /// that of an empty cluster, keeps its start.
    fn of_table(&self, table: ParamId, family: Family) -> Vec<f64> {
        let n_values = family.get().n_values().map_or(0, |n| n as usize);
        let imaginary = if n_values == family.n_stats() { IMAGINARY / n_values as f64 } else { 0.0 };
        let mut sum = vec![imaginary; family.n_stats()];
        for var in self.variables.get(&table).into_iter().flatten() {
            let stats = &self.stats[&(*var, family)];
            sum.iter_mut().zip(stats).for_each(|(a, b)| *a += b);
        }
        sum
    }
}
