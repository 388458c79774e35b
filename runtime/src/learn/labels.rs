//! Labels: which cluster each row's vector at each position belongs to.

use super::features::FeatureRows;
use super::kmeans::{Clustering, Points, kmeans, nearest};
use pcc_diag::{Diagnostic, Span};
use pcc_ir::recipe::{Centres, Clusters, KmeansOptions, Labels};

/// Clusters vectors, all of them together or each position apart.
///
/// # Errors
/// `empty-data` without vectors.
pub fn cluster(
    features: &FeatureRows,
    options: &KmeansOptions,
    threads: usize,
    span: Span,
) -> Result<Labels, Diagnostic> {
    if features.values.is_empty() {
        let message = "there is nothing to cluster: the features have no rows, positions or numbers";
        return Err(Diagnostic::error("empty-data", message).at(span, "asked for here"));
    }
    let mut labels = vec![0; features.rows * features.positions];
    let mut values = Vec::new();
    for (position, points) in sets(features, options.clusters).enumerate() {
        let points = Points { width: features.width, values: &points };
        let Clustering { centres, nearest } = kmeans(points, options, position as u64, threads);
        put(&nearest.labels, position, features.positions, options.clusters, &mut labels);
        values.extend(centres);
    }
    let centres = Centres { clusters: options.clusters, width: features.width, values };
    Ok(Labels { n_values: options.k, positions: features.positions, labels, centres })
}

/// Labels other vectors by the clusters of some labels.
///
/// # Errors
/// `data-shape` when the vectors have another width or other positions, `kind-mismatch` when the labels came
/// without centres.
pub(super) fn assign(
    of: &Labels,
    features: &FeatureRows,
    threads: usize,
    span: Span,
) -> Result<Labels, Diagnostic> {
    let Centres { clusters, width, values } = &of.centres;
    if *width == 0 {
        let message = "these labels have no centres, so nothing is near to one";
        return Err(Diagnostic::error("kind-mismatch", message)
            .at(span, "asked for here")
            .help("ask the teacher for the codes of the other rows"));
    }
    let has_positions = *clusters == Clusters::Shared || of.positions == features.positions;
    if *width != features.width || !has_positions {
        let message = format!(
            "the clusters are of {} positions of {width} numbers, but these rows have {} of {}",
            of.positions, features.positions, features.width
        );
        return Err(Diagnostic::error("data-shape", message).at(span, "asked for here"));
    }
    let mut labels = vec![0; features.rows * features.positions];
    let centres = values.chunks_exact(of.n_values as usize * width);
    for (position, (points, centres)) in sets(features, *clusters).zip(centres).enumerate() {
        let found = nearest(Points { width: *width, values: &points }, centres, threads);
        put(&found.labels, position, features.positions, *clusters, &mut labels);
    }
    Ok(Labels { labels, positions: features.positions, ..of.clone() })
}

/// The vectors that are clustered together, set by set.
fn sets(features: &FeatureRows, clusters: Clusters) -> impl Iterator<Item = std::borrow::Cow<'_, [f32]>> {
    let n = if clusters == Clusters::Shared { 1 } else { features.positions };
    (0..n).map(move |position| match clusters {
        Clusters::Shared => features.values.as_slice().into(),
        Clusters::PerPosition => {
            let rows = features.values.chunks_exact(features.positions * features.width);
            let own = rows.flat_map(|row| &row[position * features.width..][..features.width]);
            own.copied().collect::<Vec<f32>>().into()
        }
    })
}

/// Puts the labels of a set where they belong.
fn put(found: &[u32], position: usize, positions: usize, clusters: Clusters, labels: &mut [u32]) {
    match clusters {
        Clusters::Shared => labels.copy_from_slice(found),
        Clusters::PerPosition => {
            labels.iter_mut().skip(position).step_by(positions).zip(found).for_each(|(to, from)| *to = *from);
        }
    }
}
