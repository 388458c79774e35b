//! The passes over graphs, one file each.
//!
//! Each file opens with the change in the graph's text form, *before -> after*, and has one public function
//! `run(&Graph) -> Graph`. [`divide`] is no pass: it makes several graphs of one.

pub(crate) mod carry;
pub(crate) mod collapse_unit_sums;
pub(crate) mod divide;
pub(crate) mod drop_dead;
pub(crate) mod flatten_products;
mod rebuild;
pub(crate) mod share_layers;
