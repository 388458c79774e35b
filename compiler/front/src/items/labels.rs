//! Whether labels are for the variables of the latent that they are attached to, as far as declarations tell.

use crate::elab::learn::Inventory;
use pcc_diag::{Diagnostic, Span};
use pcc_ir::VarGroup;
use pcc_ir::recipe::{Codes, Features, LearnCall, Teacher};

/// Refuses labels for tiles or patches whose grid is not that of the latent.
///
/// # Errors
/// `data-shape`.
pub(super) fn check_grid(
    codes: &Codes,
    latent: &str,
    inventory: &Inventory,
    span: Span,
) -> Result<(), Diagnostic> {
    let Some(latent) = inventory.variables.iter().find(|group| group.name == latent) else { return Ok(()) };
    let Some(grid) = grid_of(&codes.call, inventory) else { return Ok(()) };
    // A latent that is a sequence counts the tiles row by row.
    if grid == latent.extents
        || (latent.extents.len() == 1 && grid.iter().product::<u32>() == latent.extents[0])
    {
        return Ok(());
    }
    let by = |extents: &[u32]| extents.iter().map(u32::to_string).collect::<Vec<_>>().join(" x ");
    let message = format!(
        "`{}` labels a grid of {}, but `{}` is one of {}",
        codes.name,
        by(&grid),
        latent.name,
        by(&latent.extents)
    );
    Err(Diagnostic::error("data-shape", message)
        .at(span, "attached here")
        .help("every variable of the latent is one tile or patch"))
}

/// The grid whose cells are labelled, if it is one.
fn grid_of(call: &LearnCall, inventory: &Inventory) -> Option<Vec<u32>> {
    match call {
        LearnCall::Kmeans { features, .. } | LearnCall::Assign { features, .. } => match features {
            Features::Tiles { tiles, .. } => Some(tiles.clone()),
            Features::Teacher { teacher, data, .. } => patches(teacher, data, inventory),
            Features::Array(_) => None,
        },
        LearnCall::TeacherCodes { teacher, data } => patches(teacher, data, inventory),
        LearnCall::ChowLiu { .. } | LearnCall::ChowLiuOfCodes { .. } => None,
    }
}

/// The grid of patches that a teacher cuts data into.
fn patches(teacher: &Teacher, data: &str, inventory: &Inventory) -> Option<Vec<u32>> {
    let patch = teacher.network.patch()?;
    let source = inventory.sources.iter().find(|source| source.name == data)?;
    let [name] = source.variables.as_slice() else { return None };
    let group: &VarGroup = inventory.variables.iter().find(|group| group.name == *name)?;
    group.extents.iter().zip(patch).map(|(extent, size)| extent.checked_div(*size)).collect()
}
