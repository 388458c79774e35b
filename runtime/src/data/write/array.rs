//! Numpy arrays out.

use pcc_ir::{Batch, Domain, Value, VarGroup};
use std::io::Write;

/// Writes the values of some groups as one `.npy` array, rows first: `[rows, extents..]` for one group,
/// `[rows, variables]` for several. Values stand for themselves, not as codes; they are bytes where all fit,
/// 64-bit integers for other discrete domains, 32-bit floats for real ones and 64-bit floats for mixtures and
/// wherever a value is missing (NaN).
///
/// # Errors
/// What the writer reports.
pub fn write_npy(to: &mut dyn Write, groups: &[VarGroup], batch: &Batch) -> std::io::Result<()> {
    let mut shape = vec![batch.n_rows() as u64];
    match groups {
        [group] => shape.extend(group.extents.iter().map(|&e| u64::from(e))),
        _ => shape.push(groups.iter().map(VarGroup::len).sum::<usize>() as u64),
    }
    let values = numbers(groups, batch);
    let has_missing = values.iter().any(|v| v.is_nan());
    let all = |test: &dyn Fn(Domain) -> bool| groups.iter().all(|g| test(g.domain));
    match () {
        () if has_missing => write_array(to, &shape, values),
        () if all(&is_bytes) => write_array(to, &shape, values.iter().map(|&v| v as u8)),
        () if all(&Domain::is_discrete) => write_array(to, &shape, values.iter().map(|&v| v as i64)),
        () if all(&|d| d == Domain::Real) => write_array(to, &shape, values.iter().map(|&v| v as f32)),
        () => write_array(to, &shape, values),
    }
}

fn is_bytes(domain: Domain) -> bool {
    !matches!(domain, Domain::Int(..)) && domain.n_values().is_some_and(|n| n <= 256)
}

/// All values of the groups, row-major, NaN where missing.
fn numbers(groups: &[VarGroup], batch: &Batch) -> Vec<f64> {
    let mut numbers = Vec::with_capacity(batch.n_rows() * groups.iter().map(VarGroup::len).sum::<usize>());
    for row in 0..batch.n_rows() {
        for group in groups {
            let words = &batch.row(row)[group.first.index()..group.first.index() + group.len()];
            numbers.extend(words.iter().map(|&word| number_of(word, group.domain)));
        }
    }
    numbers
}

/// The number that a word stands for; NaN when it is missing.
pub(super) fn number_of(word: u32, domain: Domain) -> f64 {
    match Value::from_word(word, domain.is_discrete()) {
        Value::Missing => f64::NAN,
        Value::Code(code) => domain.value_of(code),
        Value::Real(x) => x,
    }
}

/// Writes one number a row as a `.npy` array of 64-bit floats.
///
/// # Errors
/// What the writer reports.
pub fn write_numbers(to: &mut dyn Write, numbers: &[f64]) -> std::io::Result<()> {
    write_array(to, &[numbers.len() as u64], numbers.iter().copied())
}

/// Writes rows of so many numbers as a `.npy` array of 64-bit floats, `[rows, columns]`.
///
/// # Errors
/// What the writer reports.
pub fn write_matrix(to: &mut dyn Write, n_columns: usize, numbers: &[f64]) -> std::io::Result<()> {
    let n_rows = numbers.len().checked_div(n_columns).unwrap_or(0);
    write_array(to, &[n_rows as u64, n_columns as u64], numbers.iter().copied())
}

/// Writes elements in row-major order.
pub(in crate::data) fn write_array<T: npyz::AutoSerialize>(
    to: &mut dyn Write,
    shape: &[u64],
    elements: impl IntoIterator<Item = T>,
) -> std::io::Result<()> {
    use npyz::WriterBuilder;
    let mut writer = npyz::WriteOptions::new().default_dtype().shape(shape).writer(to).begin_nd()?;
    writer.extend(elements)?;
    writer.finish()
}
