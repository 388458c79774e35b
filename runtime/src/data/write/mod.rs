//! Writers: batches and numbers become arrays, tables and pictures.
//!
//! Formats write to any writer; [`write_atomically`] gives them a file that appears only when it is whole.

mod array;
mod atomic;
mod picture;
mod table;
#[cfg(test)]
mod tests;

pub(super) use array::write_array;
pub use array::{write_matrix, write_npy, write_numbers};
pub use atomic::write_atomically;
pub use picture::{Picture, PictureGrid, picture_of, write_png};
pub use table::{write_csv, write_matrix_csv};
