//! Charts as SVG: points and lines over two axes.
//!
//! In: series of numbers. Out: a panel to be put into a page, or a picture of several panels that stands for
//! itself. Colours are classes of [`STYLE`], which knows a light and a dark form, so a chart follows the page it
//! is in. Nothing here knows what the numbers mean.

mod axis;
mod draw;

pub use axis::compact;
pub use draw::{panel, sheet};

/// How many of the first points of a course lie so far from the others that nothing else would be seen beside
/// them: at most a quarter. Each point is given by its values.
pub fn first_shown(points: &[Vec<f64>]) -> usize {
    let extent = |from: usize| {
        let values = points[from..].iter().flatten();
        let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), &v| (a.min(v), b.max(v)));
        (high - low).max(0.0)
    };
    let most = points.len() / 4;
    (0..=most).find(|&from| extent(from) <= 6.0 * extent(most)).unwrap_or(most)
}

/// The style of charts: a page with panels has it once.
pub const STYLE: &str = include_str!("style.css");

/// Series over two axes.
#[derive(Clone, Debug, PartialEq)]
pub struct Chart {
    /// What is to be seen, for those who don't see it.
    pub title: String,
    /// From left to right.
    pub x: Axis,
    /// From bottom to top.
    pub y: Axis,
    /// What is drawn, the first below the others.
    pub series: Vec<Series>,
}

/// An axis.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    /// What its numbers are.
    pub label: String,
    /// Where they lie.
    pub scale: Scale,
}

/// How numbers become places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// Evenly.
    Linear,
    /// Evenly, from zero on.
    FromZero,
    /// By their logarithms, over whole decades.
    Decades,
}

/// Points that belong together.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// What the legend calls it; none for a line that only helps the eye.
    pub name: Option<String>,
    /// Its colour.
    pub tone: Tone,
    /// How its points are shown.
    pub look: Look,
    /// The points, from left to right.
    pub points: Vec<Point>,
}

/// The colours, told apart by people with any kind of sight, on light and on dark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// What the chart is about.
    Blue,
    /// What it is compared with.
    Orange,
    /// A third thing.
    Green,
    /// A fourth.
    Purple,
    /// What stands behind.
    Grey,
}

/// How points are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// Joined by a line.
    Line,
    /// Joined by a dashed line.
    Dashed,
    /// Each by itself.
    Dots,
    /// A faint dashed line that does not count for the extent of an axis.
    Guide,
}

/// A point.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// From left to right.
    pub x: f64,
    /// From bottom to top.
    pub y: f64,
    /// What is told of it when it is pointed at.
    pub note: Option<String>,
}

impl Point {
    /// A point that nothing is told of.
    pub fn new(x: f64, y: f64) -> Self {
        Point { x, y, note: None }
    }
}
