//! Handles of layers.

use pcc_ir::LayerId;

/// A layer of the graph that is being built, and the `copies` it was built under.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct LayerValue {
    /// The layer.
    pub(crate) id: LayerId,
    /// Which evaluation of `copies` it belongs to; 0 outside all of them.
    pub(crate) copies: u32,
}
