//! Text of one `.pc` file to syntax tree, and back.
//!
//! [`parse()`] never fails: it gives the items that are whole and an error for each that is not.
//! [`parse_expr`] and [`parse_query`] read the short texts of a command line, and [`format()`] writes a file
//! in the one layout there is. What a name means, and whether it exists, is not known here.

pub mod ast;
mod fmt;
mod nesting;
mod parse;
mod recover;
mod scan;
mod trivia;

pub use fmt::format;
pub use parse::{Parse, parse, parse_expr, parse_query};
pub use trivia::{Comment, Trivia};
