//! Panels and sheets of panels as SVG text.

use super::axis::Range;
use super::{Chart, Look, STYLE, Scale, Series, Tone};
use crate::markup::escape;
use std::fmt::Write;

const WIDTH: f64 = 330.0;
const HEIGHT: f64 = 200.0;
/// Room for words around a plot: left, top, right, bottom.
const MARGINS: [f64; 4] = [52.0, 30.0, 18.0, 42.0];
/// What a letter of the legend takes, about.
const LETTER: f64 = 5.9;
/// The line before a name in the legend, with the room behind it.
const SWATCH: f64 = 22.0;
/// Lines with at most so many points show them too.
const SHOWN_POINTS: usize = 60;

/// One chart, to be put into a page that has [`STYLE`].
pub fn panel(chart: &Chart) -> String {
    let mut svg = opening(1, &chart.title);
    Panel::of(chart, (MARGINS[0], MARGINS[1])).draw(&mut svg);
    svg.push_str("</svg>\n");
    svg
}

/// Charts side by side as a picture that stands for itself.
pub fn sheet(charts: &[Chart], title: &str) -> String {
    let mut svg = opening(charts.len(), title);
    // Writing to a String cannot fail.
    let _ = write!(svg, "<style>\n{STYLE}</style>\n<rect class=\"paper\" width=\"100%\" height=\"100%\"/>\n");
    for (i, chart) in charts.iter().enumerate() {
        Panel::of(chart, (MARGINS[0] + i as f64 * outer_width(), MARGINS[1])).draw(&mut svg);
    }
    svg.push_str("</svg>\n");
    svg
}

fn outer_width() -> f64 {
    MARGINS[0] + WIDTH + MARGINS[2]
}

fn opening(panels: usize, title: &str) -> String {
    let (width, height) = (outer_width() * panels as f64, MARGINS[1] + HEIGHT + MARGINS[3]);
    let title = escape(title);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"chart\" viewBox=\"0 0 {width} {height}\" \
         role=\"img\" aria-label=\"{title}\">\n"
    )
}

/// A chart at a place of the picture.
struct Panel<'c> {
    chart: &'c Chart,
    origin: (f64, f64),
    x: Range,
    y: Range,
}

impl<'c> Panel<'c> {
    fn of(chart: &'c Chart, origin: (f64, f64)) -> Self {
        let points = || chart.series.iter().filter(|s| s.look != Look::Guide).flat_map(|s| &s.points);
        let x = Range::around(points().map(|p| p.x), chart.x.scale);
        let y = Range::around(points().map(|p| p.y), chart.y.scale);
        Panel { chart, origin, x, y }
    }

    fn at(&self, x: f64, y: f64) -> (f64, f64) {
        (self.origin.0 + WIDTH * self.x.place(x), self.origin.1 + HEIGHT * (1.0 - self.y.place(y)))
    }

    fn draw(&self, svg: &mut String) {
        self.axes(svg);
        self.chart.series.iter().for_each(|series| self.series(series, svg));
        self.legend(svg);
    }

    fn axes(&self, svg: &mut String) {
        let (left, top) = self.origin;
        let (right, bottom) = (left + WIDTH, top + HEIGHT);
        for (tick, words) in self.x.ticks().into_iter().zip(self.x.words()) {
            let x = left + WIDTH * self.x.place(tick);
            if self.chart.x.scale == Scale::Decades {
                line(svg, (x, top), (x, bottom), "grid");
            }
            text(svg, (x, bottom + 16.0), "middle", &words);
        }
        for (tick, words) in self.y.ticks().into_iter().zip(self.y.words()) {
            let y = top + HEIGHT * (1.0 - self.y.place(tick));
            line(svg, (left, y), (right, y), "grid");
            text(svg, (left - 7.0, y + 4.0), "end", &words);
        }
        line(svg, (left, bottom), (right, bottom), "base");
        text(svg, (left + WIDTH / 2.0, bottom + 34.0), "middle", &self.chart.x.label);
        text(svg, (left - 40.0, top - 13.0), "start", &self.chart.y.label);
    }

    fn series(&self, series: &Series, svg: &mut String) {
        let tone = series.tone.class();
        let places = || series.points.iter().map(|point| (point, self.at(point.x, point.y)));
        if let Some(class) = series.look.class() {
            let points: Vec<String> = places().map(|(_, (x, y))| format!("{x:.1},{y:.1}")).collect();
            let _ = writeln!(svg, "<polyline class=\"{class} {tone}\" points=\"{}\"/>", points.join(" "));
        }
        let radius = match series.look {
            Look::Dots => 3.5,
            Look::Line if series.points.len() <= SHOWN_POINTS => 2.2,
            Look::Dashed if series.points.len() == 1 => 2.2,
            Look::Line | Look::Dashed | Look::Guide => return,
        };
        for (point, (x, y)) in places() {
            let note = point.note.as_ref().map_or(String::new(), |n| format!("<title>{}</title>", escape(n)));
            let _ = writeln!(
                svg,
                "<circle class=\"dot {tone}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{radius}\">{note}</circle>"
            );
        }
    }

    /// The names of the series, over the right end of the plot.
    fn legend(&self, svg: &mut String) {
        let y = self.origin.1 - 13.0;
        let mut right = self.origin.0 + WIDTH;
        for series in self.chart.series.iter().rev() {
            let Some(name) = &series.name else { continue };
            let left = right - LETTER * name.chars().count() as f64;
            text(svg, (left, y), "start", name);
            match series.look.class() {
                Some(class) => {
                    let class = format!("{class} {}", series.tone.class());
                    line(svg, (left - SWATCH, y - 4.0), (left - 5.0, y - 4.0), &class);
                }
                None => {
                    let (x, y) = (left - 9.0, y - 4.0);
                    let tone = series.tone.class();
                    let _ =
                        writeln!(svg, "<circle class=\"dot {tone}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3.5\"/>");
                }
            }
            right = left - SWATCH - 12.0;
        }
    }
}

impl Tone {
    fn class(self) -> &'static str {
        match self {
            Tone::Blue => "blue",
            Tone::Orange => "orange",
            Tone::Green => "green",
            Tone::Purple => "purple",
            Tone::Grey => "grey",
        }
    }
}

impl Look {
    /// The class of the line through the points, if there is one.
    fn class(self) -> Option<&'static str> {
        match self {
            Look::Line => Some("line"),
            Look::Dashed => Some("dashed"),
            Look::Guide => Some("guide"),
            Look::Dots => None,
        }
    }
}

fn line(svg: &mut String, from: (f64, f64), to: (f64, f64), class: &str) {
    let _ = writeln!(
        svg,
        "<line class=\"{class}\" x1=\"{:.1}\" y1=\"{:.1}\" x2=\"{:.1}\" y2=\"{:.1}\"/>",
        from.0, from.1, to.0, to.1
    );
}

fn text(svg: &mut String, at: (f64, f64), anchor: &str, what: &str) {
    let (x, y) = at;
    let _ = writeln!(svg, "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{}</text>", escape(what));
}

#[cfg(test)]
mod tests {
    use super::super::{Axis, Point};
    use super::*;

    fn chart(points: Vec<Point>, look: Look) -> Chart {
        let axis = |label: &str, scale| Axis { label: label.into(), scale };
        let series = vec![Series { name: Some("a < b".into()), tone: Tone::Blue, look, points }];
        Chart { title: "t".into(), x: axis("x", Scale::FromZero), y: axis("y", Scale::FromZero), series }
    }

    #[test]
    fn the_corners_of_the_data_are_the_corners_of_the_plot() {
        let svg = panel(&chart(vec![Point::new(0.0, 0.0), Point::new(8.0, 3.0)], Look::Line));
        assert!(svg.contains("points=\"52.0,230.0 382.0,30.0\""), "{svg}");
        assert!(svg.contains("a &lt; b"), "{svg}");
    }

    #[test]
    fn points_tell_what_they_are() {
        let note = Some("epoch 1: 3".into());
        let svg = panel(&chart(vec![Point { x: 1.0, y: 3.0, note }], Look::Dots));
        assert!(svg.contains("<title>epoch 1: 3</title>"), "{svg}");
    }

    #[test]
    fn a_sheet_has_its_style_and_all_panels() {
        let one = chart(vec![Point::new(1.0, 1.0)], Look::Dots);
        let svg = sheet(&[one.clone(), one], "two");
        assert!(svg.contains("viewBox=\"0 0 800 272\"") && svg.contains("prefers-color-scheme"), "{svg}");
        assert_eq!(
            svg.matches("<circle class=\"dot blue\"").count(),
            4,
            "a point and a mark of the legend each"
        );
    }
}
