//! The passes over graphs, one file each.
//!
//! Each file opens with the change in the graph's text form, *before -> after*, and has one public function
//! `run(&Graph) -> Graph`. [`divide`] and [`settled`] are no passes: they make other circuits of one.

pub(crate) mod carry;
pub(crate) mod collapse_unit_sums;
pub(crate) mod divide;
pub(crate) mod drop_dead;
pub(crate) mod flatten_products;
mod rebuild;
pub(crate) mod settled;
pub(crate) mod share_layers;
