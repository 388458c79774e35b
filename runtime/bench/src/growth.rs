//! Plots of how time grows, as SVG: a panel for each thing that grows, both axes logarithmic, and through the
//! last point of each operation a line of slope one, along which points lie when time is linear.
//!
//! In: the records of the workloads `growth-*`. Out: a picture. Only runs on one thread are drawn.

use crate::record::{Operation, Record};
use pcc_runtime::chart::{Axis, Chart, Look, Point, Scale, Series, Tone, sheet};

/// How large what grows is in a record.
type Extent = fn(&Record) -> f64;

/// The panels: a workload, what grows in it, and how large that is in a record.
const PANELS: [(&str, &str, Extent); 3] = [
    ("growth-samples", "rows", |r| r.batch as f64),
    ("growth-variables", "variables", |r| r.params.variables as f64),
    ("growth-parameters", "edges", |r| r.params.edges as f64),
];

/// Operations with their colours.
const OPERATIONS: [(Operation, Tone); 2] = [(Operation::Forward, Tone::Blue), (Operation::Em, Tone::Orange)];

/// The picture.
pub fn plot(records: &[Record]) -> String {
    let charts: Vec<Chart> = PANELS
        .into_iter()
        .filter_map(|(workload, what, size)| chart(records, workload, what, size))
        .collect();
    sheet(&charts, "time against rows, variables and edges, both axes logarithmic")
}

/// The chart of a workload, if there are records of it.
fn chart(records: &[Record], workload: &str, what: &str, size: Extent) -> Option<Chart> {
    let mut own: Vec<&Record> = records.iter().filter(|r| r.workload == workload && r.threads == 1).collect();
    own.sort_by(|a, b| size(a).total_cmp(&size(b)));
    let fastest = own.iter().map(|r| r.milliseconds).reduce(f64::min)?;
    let bottom = 10_f64.powf(fastest.log10().floor());
    let of = |(operation, tone): (Operation, Tone)| {
        let own = own.iter().filter(|r| r.op == operation);
        let points: Vec<Point> = own.map(|r| Point::new(size(r), r.milliseconds)).collect();
        let guide = slope_one(&points, bottom).map(|points| (None, Look::Guide, points));
        let dots = (Some(operation.name().to_string()), Look::Dots, points);
        let all = guide.into_iter().chain([dots]).filter(|(.., points)| !points.is_empty());
        all.map(|(name, look, points)| Series { name, tone, look, points }).collect::<Vec<_>>()
    };
    let axis = |label: &str| Axis { label: label.into(), scale: Scale::Decades };
    let title = format!("milliseconds against {what}");
    let series = OPERATIONS.into_iter().flat_map(of).collect();
    Some(Chart { title, x: axis(what), y: axis("milliseconds"), series })
}

/// The line of slope one through the last point, from the first on as far as it lies over the bottom.
fn slope_one(points: &[Point], bottom: f64) -> Option<Vec<Point>> {
    let (first, last) = (points.first()?, points.last()?);
    let x = first.x.max(last.x * bottom / last.y);
    Some(vec![Point::new(x, last.y * x / last.x), last.clone()])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_slope_one_ends_at_the_bottom_of_its_panel() {
        let points = [Point::new(1.0, 0.5), Point::new(100.0, 2.0)];
        let line = slope_one(&points, 0.1).unwrap();
        assert_eq!(line, [Point::new(5.0, 0.1), Point::new(100.0, 2.0)]);
        assert_eq!(slope_one(&points, 0.001).unwrap()[0], Point::new(1.0, 0.02));
    }
}
