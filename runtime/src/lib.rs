//! Running circuits: data, execution, learning, queries, recipes, files.
//!
//! Everything that takes time or memory lives here. The runtime sees graphs, plans and recipes as plain
//! data; it knows neither syntax nor the names of a source file.

pub mod change;
pub mod chart;
mod clock;
pub mod data;
pub mod exec;
pub mod formats;
pub mod learn;
mod markup;
pub mod model;
mod pages;
pub mod query;
pub mod recipe;
pub mod train;

pub use clock::processor_seconds;
pub use pages::LargePages;
