//! Data sets: files in, rows of evidence out.
//!
//! A [`DataSource`](pcc_ir::recipe::DataSource) and the declared variables go in; a [`Dataset`] comes out,
//! every value of which was checked against its variable's domain. The writers go the other way, from a
//! batch to arrays, tables and pictures, and never leave half a file behind.
//! Nothing here knows a circuit: no graph, no parameters, no likelihood.

mod cells;
mod column;
mod dataset;
mod fault;
mod library;
mod map;
mod mask;
mod place;
mod read;
mod vocabulary;
mod weights;
mod write;

pub use column::{Column, Columns};
pub use dataset::Dataset;
pub use library::DataSets;
pub(crate) use map::FileContent;
pub use mask::Mask;
pub use place::{decompressed, find_file, read_file};
pub use read::read;
pub use vocabulary::Vocabulary;
pub use weights::Weights;
pub use write::{
    Picture, PictureGrid, picture_of, write_atomically, write_csv, write_matrix, write_matrix_csv, write_npy,
    write_numbers, write_png,
};
