//! Rows as pictures, for reports: as they are, with a half taken away, and completed.

use crate::data::{Picture, PictureGrid, picture_of, write_png};
use crate::exec::Executor;
use crate::query::sample;
use pcc_diag::Diagnostic;
use pcc_ir::{Batch, Graph, MISSING, VarGroup};

/// The groups that are no latents.
pub(super) fn observed_groups(graph: &Graph) -> Vec<VarGroup> {
    graph.var_groups().iter().filter(|group| !group.is_latent).cloned().collect()
}

/// The picture that the first observed group shows in a row.
///
/// # Errors
/// `not-a-picture`.
pub(super) fn picture(graph: &Graph, row: &[u32]) -> Result<Picture, Diagnostic> {
    let no_group = || Diagnostic::error("not-a-picture", "the circuit has no observed variables to show");
    picture_of(observed_groups(graph).first().ok_or_else(no_group)?, row)
}

/// One picture of the first observed group for each row.
///
/// # Errors
/// `not-a-picture`.
pub(super) fn pictures(graph: &Graph, rows: &Batch) -> Result<Vec<Picture>, Diagnostic> {
    (0..rows.n_rows()).map(|row| picture(graph, rows.row(row))).collect()
}

/// A picture as a PNG of its own.
pub(super) fn png_of(picture: &Picture) -> Vec<u8> {
    let mut bytes = Vec::new();
    let alone = PictureGrid { per_line: 1, separator: 0, scale: 1 };
    write_png(&mut bytes, std::slice::from_ref(picture), alone)
        .expect("memory takes any picture that has pixels");
    bytes
}

/// Pictures whose lower half is drawn anew.
pub(super) struct Inpainted {
    /// The rows without their lower halves.
    pub halves: Batch,
    /// Completions, all of a row one after the other.
    pub completed: Batch,
}

/// Takes the lower half of each row away, and completes the rest so many times.
///
/// # Errors
/// Those of [`sample`].
pub(super) fn inpainted(
    executor: &mut dyn Executor,
    originals: &Batch,
    times: usize,
    seed: u64,
) -> Result<Inpainted, Diagnostic> {
    let mut halves = originals.clone();
    for row in 0..halves.n_rows() {
        hide_lower_half(executor.graph(), halves.row_mut(row));
    }
    let completed = sample(executor, &halves, times, seed)?;
    Ok(Inpainted { halves, completed })
}

/// Makes the second half of every observed group missing; groups are row-major, so that is the lower half
/// of a picture. Of an odd number of lines the middle one is kept.
fn hide_lower_half(graph: &Graph, words: &mut [u32]) {
    for group in observed_groups(graph) {
        let lines = group.extents.first().map_or(1, |&e| e as usize);
        let line = group.len() / lines.max(1);
        let first = group.first.index() + lines.div_ceil(2) * line;
        words[first..group.first.index() + group.len()].fill(MISSING);
    }
}
