//! Names: which declaration each name of the source means.
//!
//! The loader gives each module a table of its items and imports; here are the local names in view
//! ([`scopes`]), the reports of names that mean nothing or two things ([`names`], [`duplicates`]), and the
//! walk that finds the named parts of a circuit ([`parts`]). The order in which a name is looked for is
//! fixed: locals, then items and imports, then the prelude. Nothing here knows what a name's value is.

pub(crate) mod duplicates;
pub(crate) mod names;
pub(crate) mod parts;
pub(crate) mod scopes;
