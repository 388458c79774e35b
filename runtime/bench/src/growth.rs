//! Plots of how time grows, as SVG: a panel for each thing that grows, both axes logarithmic, and through the
//! last point of each operation a line of slope one, along which points lie when time is linear.
//!
//! In: the records of the workloads `growth-*`. Out: a picture. Only runs on one thread are drawn.

use crate::record::{Operation, Record};
use std::fmt::Write;

/// How large what grows is in a record.
type Extent = fn(&Record) -> f64;

/// The panels: a workload, what grows in it, and how large that is in a record.
const PANELS: [(&str, &str, Extent); 3] = [
    ("growth-samples", "rows", |r| r.batch as f64),
    ("growth-variables", "variables", |r| r.params.variables as f64),
    ("growth-parameters", "edges", |r| r.params.edges as f64),
];

/// Operations with their colours.
const OPERATIONS: [(Operation, &str); 2] = [(Operation::Forward, "#1f6fb4"), (Operation::Em, "#c2410c")];

const WIDTH: f64 = 300.0;
const HEIGHT: f64 = 260.0;
/// Room for labels around a panel: left, top, right, bottom.
const MARGINS: [f64; 4] = [52.0, 30.0, 14.0, 44.0];

/// The picture.
pub fn plot(records: &[Record]) -> String {
    let [left, top, right, bottom] = MARGINS;
    let step = left + WIDTH + right;
    let (width, height) = (step * PANELS.len() as f64, top + HEIGHT + bottom);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" \
         font-family=\"sans-serif\" font-size=\"11\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
    );
    for (i, (workload, what, size)) in PANELS.into_iter().enumerate() {
        let points: Vec<Point> = records
            .iter()
            .filter(|r| r.workload == workload && r.threads == 1)
            .map(|r| Point { operation: r.op, x: size(r), y: r.milliseconds })
            .collect();
        if !points.is_empty() {
            let origin = (i as f64 * step + left, top);
            Panel::around(&points, origin).draw(&points, what, &mut svg);
        }
    }
    svg.push_str("</svg>\n");
    svg
}

#[derive(Clone, Copy)]
struct Point {
    operation: Operation,
    x: f64,
    y: f64,
}

/// Decades that an axis shows: from ten to the first power to ten to the second.
#[derive(Clone, Copy)]
struct Decades(i32, i32);

impl Decades {
    fn around(numbers: impl Iterator<Item = f64> + Clone) -> Self {
        let least = numbers.clone().fold(f64::INFINITY, f64::min).log10().floor() as i32;
        let most = numbers.fold(0.0, f64::max).log10().ceil() as i32;
        Decades(least, most.max(least + 1))
    }

    /// Where a number lies, from 0 to 1.
    fn place(self, x: f64) -> f64 {
        (x.log10() - f64::from(self.0)) / f64::from(self.1 - self.0)
    }
}

struct Panel {
    origin: (f64, f64),
    x: Decades,
    y: Decades,
}

impl Panel {
    fn around(points: &[Point], origin: (f64, f64)) -> Self {
        let (x, y) = (points.iter().map(|p| p.x), points.iter().map(|p| p.y));
        Panel { origin, x: Decades::around(x), y: Decades::around(y) }
    }

    fn at(&self, x: f64, y: f64) -> (f64, f64) {
        (self.origin.0 + WIDTH * self.x.place(x), self.origin.1 + HEIGHT * (1.0 - self.y.place(y)))
    }

    fn draw(&self, points: &[Point], what: &str, svg: &mut String) {
        self.axes(what, svg);
        for (i, (operation, colour)) in OPERATIONS.into_iter().enumerate() {
            let own: Vec<Point> = points.iter().copied().filter(|p| p.operation == operation).collect();
            if let (Some(first), Some(last)) = (own.first(), own.last()) {
                self.slope_one(*first, *last, colour, svg);
                own.iter().for_each(|point| self.dot(*point, colour, svg));
                let (x, y) = (self.origin.0 + 10.0, self.origin.1 + 16.0 + 15.0 * i as f64);
                text(svg, x, y, "start", colour, operation.name());
            }
        }
    }

    fn axes(&self, what: &str, svg: &mut String) {
        let (left, top) = self.origin;
        for decade in self.x.0..=self.x.1 {
            let (x, _) = self.at(10_f64.powi(decade), 1.0);
            line(svg, (x, top), (x, top + HEIGHT), "stroke=\"#ddd\"");
            text(svg, x, top + HEIGHT + 16.0, "middle", "#333", &power(decade));
        }
        for decade in self.y.0..=self.y.1 {
            let (_, y) = self.at(1.0, 10_f64.powi(decade));
            line(svg, (left, y), (left + WIDTH, y), "stroke=\"#ddd\"");
            text(svg, left - 6.0, y + 4.0, "end", "#333", &power(decade));
        }
        text(svg, left + WIDTH / 2.0, top + HEIGHT + 34.0, "middle", "#333", what);
        text(svg, left, top - 12.0, "start", "#333", "milliseconds");
    }

    /// The line of slope one through a point, as far as the panel shows it from another on.
    fn slope_one(&self, from: Point, through: Point, colour: &str, svg: &mut String) {
        let bottom = 10_f64.powi(self.y.0);
        let x = from.x.max(through.x * bottom / through.y);
        let start = self.at(x, through.y * x / through.x);
        let style = format!("stroke=\"{colour}\" stroke-dasharray=\"4 3\" opacity=\"0.6\"");
        line(svg, start, self.at(through.x, through.y), &style);
    }

    fn dot(&self, point: Point, colour: &str, svg: &mut String) {
        let (x, y) = self.at(point.x, point.y);
        // Writing to a String cannot fail.
        let _ = writeln!(svg, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3.5\" fill=\"{colour}\"/>");
    }
}

/// `1,000` for 3, `10 M` for 7, `0.01` for -2.
fn power(decade: i32) -> String {
    match u32::try_from(decade) {
        Ok(decade @ 6..) => format!("{} M", pcc_diag::grouped(10_u64.pow(decade - 6))),
        Ok(decade) => pcc_diag::grouped(10_u64.pow(decade)),
        Err(_) => format!("{}", 10_f64.powi(decade)),
    }
}

fn line(svg: &mut String, from: (f64, f64), to: (f64, f64), style: &str) {
    let _ = writeln!(
        svg,
        "<line x1=\"{:.1}\" y1=\"{:.1}\" x2=\"{:.1}\" y2=\"{:.1}\" {style}/>",
        from.0, from.1, to.0, to.1
    );
}

fn text(svg: &mut String, x: f64, y: f64, anchor: &str, colour: &str, what: &str) {
    let _ = writeln!(
        svg,
        "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" fill=\"{colour}\">{what}</text>"
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_lie_where_their_logarithms_do() {
        let decades = Decades::around([2.0, 900.0].into_iter());
        assert_eq!((decades.0, decades.1), (0, 3));
        assert!((decades.place(10.0) - 1.0 / 3.0).abs() < 1e-12);
        assert_eq!([power(0), power(4), power(7), power(-2)], ["1", "10,000", "10 M", "0.01"]);
    }
}
