//! Teachers: what gives latents their first values, from word vectors to networks, trained here or read from checkpoints.
//!
//! Data sets go in, a vector for each row and position comes out, through the trait
//! [`Teachers`](pcc_runtime::learn::Teachers) by which learning asks for them. This is the only crate that knows
//! a network library, and it is left out by building without the feature `networks`. Nothing here knows a
//! circuit or a recipe.

#[cfg(feature = "networks")]
mod chunks;
#[cfg(feature = "networks")]
mod kept;
mod networks;
#[cfg(feature = "networks")]
mod operations;
#[cfg(feature = "networks")]
mod patches;
#[cfg(test)]
mod sample;
mod text;
#[cfg(feature = "networks")]
mod threads;
#[cfg(feature = "networks")]
mod transformer;
mod words;

pub use networks::{Doing, Networks, Progress};
