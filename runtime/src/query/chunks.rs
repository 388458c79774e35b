//! Few rows at a time: the values of all units take eight bytes each and row.

use pcc_ir::{Batch, Graph};

/// Values of at most so many units and rows are held at a time: 64 MiB.
const MOST_VALUES: usize = 8 << 20;

/// The rows in runs of a size that the circuit allows, each with the position of its first row.
pub(super) fn row_chunks(graph: &Graph, rows: &Batch) -> Vec<(usize, Batch)> {
    let n_units: usize = graph.layer_ids().map(|id| graph.n_units(id)).sum();
    let size = (MOST_VALUES / n_units.max(1)).clamp(1, 1024);
    let run = |first: usize| {
        let mut batch = Batch::empty(rows.n_variables());
        (first..rows.n_rows().min(first + size)).for_each(|row| batch.push(rows.row(row)));
        (first, batch)
    };
    (0..rows.n_rows()).step_by(size).map(run).collect()
}
