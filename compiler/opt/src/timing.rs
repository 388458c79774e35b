//! The passes by name and description, and what each run of one cost. No clock is read here.

use std::time::Duration;

macro_rules! passes {
    ($($(#[$doc:meta])* $pass:ident = $name:literal, $description:literal;)*) => {
        /// A pass of the pipeline.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Pass {
            $($(#[$doc])* $pass,)*
        }

        impl Pass {
            /// Its name, as in file names and reports.
            pub fn name(self) -> &'static str {
                match self {
                    $(Pass::$pass => $name,)*
                }
            }

            /// What it does, in a line.
            pub fn description(self) -> &'static str {
                match self {
                    $(Pass::$pass => $description,)*
                }
            }
        }
    };
}

passes! {
    /// See [`crate::pipeline::PASSES`].
    CollapseUnitSums = "collapse_unit_sums", "replace sums and products that pass one layer through by that layer";
    /// See [`crate::pipeline::PASSES`].
    DropDead = "drop_dead", "drop alternatives that fixed weights of zero silence, and what only they use";
    /// See [`crate::pipeline::PASSES`].
    ShareLayers = "share_layers", "compute equal layers once";
    /// See [`crate::pipeline::PASSES`].
    FlattenProducts = "flatten_products", "take products with a single user, itself a product, into it";
}

/// One run of a pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// The pass.
    pub pass: Pass,
    /// How long it took.
    pub elapsed: Duration,
    /// Layers of the graph before.
    pub n_layers_before: usize,
    /// Layers of the graph after.
    pub n_layers_after: usize,
}
