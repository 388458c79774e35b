//! Circuits and vtrees in the formats of other systems, and telling formats apart.
//!
//! A reader takes the decompressed content of a file and gives a [`Graph`](pcc_ir::Graph) with its
//! parameters, and warnings. What a file is, is decided by its content ([`Content`]), never by its name,
//! and nothing that could run code (a pickle) is ever opened.

mod sniff;

pub use sniff::Content;
