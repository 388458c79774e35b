//! Where the numbers of a workload come from: drawn from a seed, or given in a file.

use crate::arrays::Arrays;
use pcc_diag::Diagnostic;
use pcc_ir::random::Random;
use pcc_ir::{Batch, Domain, Graph, Param, ParamId, ParamShape, Params, Value, VarId};

/// The source of structure, tables and evidence.
pub enum Numbers {
    /// Drawn; the same for the same seed.
    Drawn {
        /// The seed.
        seed: u64,
    },
    /// Given.
    Given(Arrays),
}

impl Numbers {
    /// The seed of what is not given.
    pub fn seed(&self) -> u64 {
        match self {
            Numbers::Drawn { seed } => *seed,
            Numbers::Given(_) => 0,
        }
    }

    /// Values for all tables. Drawn weights and probabilities are uniform in 0.1 .. 1.1 and normalised.
    ///
    /// # Errors
    /// `arrays-differ` when a given array does not hold a table.
    pub fn params(&self, graph: &Graph) -> Result<Params, Diagnostic> {
        let mut params = Params::of(graph);
        for (i, param) in graph.params().iter().enumerate() {
            let table = params.table_mut(ParamId::new(i));
            match self {
                Numbers::Drawn { seed } => draw(param, &mut Random::new(seed ^ (i as u64) << 20), table),
                Numbers::Given(arrays) => {
                    let (array, slice) = place(&param.name);
                    arrays.copy_floats(array, slice * table.len(), table)?;
                }
            }
        }
        Ok(params)
    }

    /// Rows of evidence: `rows` drawn ones, or all that are given as `X`. Discrete values are uniform, real
    /// ones standard normal.
    ///
    /// # Errors
    /// `arrays-differ` when `X` has other columns than the circuit has variables, or a value is no code.
    pub fn batch(&self, graph: &Graph, rows: usize) -> Result<Batch, Diagnostic> {
        match self {
            Numbers::Drawn { seed } => Ok(drawn_rows(graph, rows, seed.wrapping_add(1))),
            Numbers::Given(arrays) => given_rows(graph, arrays),
        }
    }
}

/// `A[3]` is slice 3 of the array `A`.
fn place(table: &str) -> (&str, usize) {
    let indexed = table.strip_suffix(']').and_then(|t| t.split_once('['));
    match indexed.map(|(array, slice)| (array, slice.parse())) {
        Some((array, Ok(slice))) => (array, slice),
        _ => (table, 0),
    }
}

fn draw(param: &Param, random: &mut Random, table: &mut [f32]) {
    match param.shape {
        ParamShape::Sum { columns: cells, .. } | ParamShape::Mix { children: cells, .. } => {
            table.iter_mut().for_each(|x| *x = 0.1 + random.uniform() as f32);
            table.chunks_exact_mut(cells as usize).for_each(normalise);
        }
        ParamShape::Input { family, units } => match family.get().name() {
            "gaussian" => draw_normals(units as usize, random, table),
            "bernoulli" => table.iter_mut().for_each(|x| *x = 0.05 + 0.9 * random.uniform() as f32),
            _ => draw_columns(units as usize, random, table),
        },
    }
}

fn normalise(row: &mut [f32]) {
    let total: f64 = row.iter().map(|&x| f64::from(x)).sum();
    row.iter_mut().for_each(|x| *x = (f64::from(*x) / total) as f32);
}

/// Columns that sum to one.
fn draw_columns(units: usize, random: &mut Random, table: &mut [f32]) {
    let mut totals = vec![0.0_f64; units];
    for row in table.chunks_exact_mut(units) {
        for (x, total) in row.iter_mut().zip(&mut totals) {
            *x = 0.1 + random.uniform() as f32;
            *total += f64::from(*x);
        }
    }
    for row in table.chunks_exact_mut(units) {
        row.iter_mut().zip(&totals).for_each(|(x, total)| *x = (f64::from(*x) / total) as f32);
    }
}

/// A row of means and one of deviations near one.
fn draw_normals(units: usize, random: &mut Random, table: &mut [f32]) {
    let (means, deviations) = table.split_at_mut(units);
    means.iter_mut().for_each(|x| *x = normal(random));
    deviations.iter_mut().for_each(|x| *x = (0.1 * normal(random)).exp());
}

/// A standard normal number (Box and Muller, 1958).
fn normal(random: &mut Random) -> f32 {
    let radius = (-2.0 * (1.0 - random.uniform()).ln()).sqrt();
    (radius * (std::f64::consts::TAU * random.uniform()).cos()) as f32
}

fn drawn_rows(graph: &Graph, rows: usize, seed: u64) -> Batch {
    let mut random = Random::new(seed);
    let mut batch = Batch::missing(graph.variables().len(), rows);
    for row in 0..rows {
        for (variable, word) in graph.variables().iter().zip(batch.row_mut(row)) {
            let value = match variable.domain.n_values() {
                Some(n) => Value::Code(random.below(n)),
                None => Value::Real(f64::from(normal(&mut random))),
            };
            *word = value.to_word();
        }
    }
    batch
}

fn given_rows(graph: &Graph, arrays: &Arrays) -> Result<Batch, Diagnostic> {
    let n = graph.variables().len();
    let shape = arrays.shape("X").unwrap_or_default();
    let rows = match shape[..] {
        [rows, columns] if columns == n && rows > 0 => rows,
        _ => return Err(arrays.differ(format!("has `X` in shape {shape:?}, but there are {n} variables"))),
    };
    let mut batch = Batch::missing(n, rows);
    if graph.variables().iter().all(|v| v.domain == Domain::Real) {
        let values = arrays.floats("X")?;
        let set = |(i, x): (usize, f32)| batch.set(i / n, VarId::new(i % n), Value::Real(f64::from(x)));
        values.into_iter().enumerate().for_each(set);
        return Ok(batch);
    }
    for (i, value) in arrays.integers("X")?.into_iter().enumerate() {
        let limit = graph.variables()[i % n].domain.n_values().map_or(0, i64::from);
        match u32::try_from(value) {
            Ok(code) if value < limit => batch.set(i / n, VarId::new(i % n), Value::Code(code)),
            _ => {
                return Err(
                    arrays.differ(format!("has the value {value} in `X`, which is no code under {limit}"))
                );
            }
        }
    }
    Ok(batch)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_named_by_array_and_slice() {
        assert_eq!(place("A[12]"), ("A", 12));
        assert_eq!(place("pi"), ("pi", 0));
        assert_eq!(place("M2[0]"), ("M2", 0));
    }
}
