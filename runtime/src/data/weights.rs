//! The weights of rows: how much each row of a data set counts in learning and in metrics.

use super::{Dataset, fault, read};
use pcc_diag::Diagnostic;
use pcc_ir::recipe::{DataSource, Reader, WeightSource};
use pcc_ir::{Domain, Value, VarGroup, VarId};
use std::path::PathBuf;

/// One finite number for each row, none negative and not all zero.
#[derive(Clone, Debug)]
pub struct Weights {
    values: Vec<f32>,
    key: String,
}

impl Weights {
    /// The weight of each row.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// A key of their content, like that of a [`Dataset`].
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Reads the weights of a data set of `n_rows` rows. The file is looked for in `places`, in order.
    ///
    /// # Errors
    /// `bad-weight` for a number that is no weight, `data-shape` when there are more or fewer than rows, and
    /// what [`read`] reports.
    pub fn read(source: &WeightSource, n_rows: usize, places: &[PathBuf]) -> Result<Self, Diagnostic> {
        if let Reader::Text(_) | Reader::Bits = source.reader {
            let message = format!("`{}` is read as tokens or bits, and weights are numbers", source.name);
            return Err(Diagnostic::error("data-format", message).at(source.span, "declared here"));
        }
        let numbers = read(&as_data(source), &[one_number(source)], places, None).map_err(no_number)?;
        let values = (0..numbers.n_rows()).map(|row| weight(source, &numbers, row));
        let values = values.collect::<Result<Vec<f32>, _>>()?;
        if values.len() != n_rows {
            return Err(other_count(source, values.len(), n_rows));
        }
        if values.iter().all(|&weight| weight == 0.0) {
            let message = format!("the weights of `{}` are all zero, so no row counts", source.name);
            return Err(Diagnostic::error("bad-weight", message).at(source.span, "declared here"));
        }
        Ok(Weights { values, key: numbers.key() })
    }
}

/// The same file as a data set over one real number.
fn as_data(source: &WeightSource) -> DataSource {
    let WeightSource { name, path, beside, reader, rows, span, .. } = source.clone();
    DataSource { variables: vec![name.clone()], name, path, beside, reader, rows, span }
}

fn one_number(source: &WeightSource) -> VarGroup {
    VarGroup {
        name: source.name.clone(),
        extents: Vec::new(),
        domain: Domain::Real,
        is_latent: false,
        first: VarId::new(0),
    }
}

fn weight(source: &WeightSource, numbers: &Dataset, row: usize) -> Result<f32, Diagnostic> {
    let name = fault::grouped(source.rows.start + row as u64 + 1);
    let fault = match numbers.value(row, 0) {
        Value::Real(weight) if weight >= 0.0 => return Ok(weight as f32),
        Value::Real(weight) => format!("row {name} of `{}` has the weight {weight}", source.name),
        _ => format!("row {name} of `{}` has no weight", source.name),
    };
    Err(bad_weight(Diagnostic::error("bad-weight", fault).at(source.span, "declared here")))
}

/// What is said of a value of data, said of a weight.
fn no_number(fault: Diagnostic) -> Diagnostic {
    match fault.code {
        "value-out-of-domain" | "missing-value" => bad_weight(Diagnostic { code: "bad-weight", ..fault }),
        _ => fault,
    }
}

fn bad_weight(fault: Diagnostic) -> Diagnostic {
    fault.help("a weight is a finite number that is not negative; 0 leaves a row out")
}

fn other_count(source: &WeightSource, found: usize, wanted: usize) -> Diagnostic {
    let (found, wanted) = (fault::grouped(found as u64), fault::grouped(wanted as u64));
    let WeightSource { name, of, span, .. } = source;
    let message = format!("`{name}` has {found} weights, but `{of}` has {wanted} rows");
    Diagnostic::error("data-shape", message)
        .at(*span, "declared here")
        .help(format!("a range of rows counts for weights too: give `{name}` the `rows` of `{of}`"))
}
