//! Names, values and elaboration: from a parsed program to circuits.
//!
//! [`load`] reads the files of a program. What its items say, apart from circuits, is given by
//! [`variables`], [`data_sources`], [`weight_sources`], [`learn_requests`], [`assertions`] and [`recipes`]; [`elaborate`] runs
//! the structures of one circuit and gives its [`pcc_ir::Graph`].
//! All of it is a pure function of the source, the settings and the learned values: this crate opens no
//! files, draws no unkeyed random numbers and knows nothing of machines. Bad programs get diagnostics.

pub mod builtin;
mod claims;
mod elab;
mod items;
mod modules;
mod query;
mod resolve;
mod types;
mod value;
mod words;
mod world;

pub use claims::verify;
pub use elab::{Elaborated, elaborate};
pub use items::{Assertion, Bound, Property, Size, assertions, check_settings, data_sources, learn_requests};
pub use items::{check_recipes, recipes, variables, weight_sources};
pub use modules::{ItemId, Module, ModuleId, Named, Program, declared, load, std_module};
pub use query::{ResolvedQuery, resolve_evidence, resolve_query};
pub use types::check_program;
pub use value::formula::Formula;
pub use value::vtree::Vtree;
pub use world::{Budget, Settings, World};
