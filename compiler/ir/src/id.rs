//! Typed indices: a layer is never confused with a parameter.

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $letter:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub u32);

        impl $name {
            /// The id of a position.
            pub fn new(index: usize) -> Self {
                $name(u32::try_from(index).expect("more than 2^32 entities"))
            }

            /// The position of the id.
            pub fn index(self) -> usize {
                self.0 as usize
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, concat!($letter, "{}"), self.0)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, concat!($letter, "{}"), self.0)
            }
        }
    };
}

id!(
    /// A layer of a graph. Children have smaller ids than their parents.
    LayerId, "l");
id!(
    /// A table of parameters of a graph.
    ParamId, "t");
id!(
    /// A variable of a graph.
    VarId, "v");
id!(
    /// A declared group of variables, such as `X[28, 28]`.
    VarGroupId, "g");
id!(
    /// An interned scope of a graph.
    ScopeId, "s");
id!(
    /// A value of a plan: the units of a layer for one tile.
    BlockId, "b");
id!(
    /// A range of rows in a plan's arena.
    BufferId, "m");
