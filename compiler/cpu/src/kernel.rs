//! Names for the kernels that emitted code calls, with their addresses and how many words they take.
//!
//! In: the table of a tier. Every argument of a kernel is a `usize` or a pointer, one integer word in the
//! C calling convention of every 64-bit target, so the count is the whole signature; it comes from the
//! field's type and cannot fall behind it.

use pcc_kernels::{Kernels, Tier, tier};

/// A kernel's address and the number of its arguments.
#[derive(Clone, Copy)]
struct Entry {
    address: *const u8,
    n_arguments: usize,
}

/// An argument that is passed as one integer word.
trait Word {}
impl Word for usize {}
impl<T> Word for *const T {}
impl<T> Word for *mut T {}

trait ToEntry {
    fn to_entry(self) -> Entry;
}

macro_rules! to_entry {
    ($($n:literal: $($word:ident)*;)*) => { $(
        impl<$($word: Word),*> ToEntry for unsafe extern "C" fn($($word),*) {
            fn to_entry(self) -> Entry {
                Entry { address: self as *const u8, n_arguments: $n }
            }
        }
    )* };
}
to_entry! {
    2: A B;
    3: A B C;
    4: A B C D;
    5: A B C D E;
    6: A B C D E F;
    7: A B C D E F G;
    8: A B C D E F G H;
    9: A B C D E F G H I;
    10: A B C D E F G H I J;
    11: A B C D E F G H I J K;
    12: A B C D E F G H I J K L;
    13: A B C D E F G H I J K L M;
}

macro_rules! kernels {
    ($($name:ident = $field:ident),* $(,)?) => {
        /// A kernel that emitted code calls, by its place in the context's table of addresses.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub(crate) enum Kernel { $($name),* }

        impl Kernel {
            /// All of them.
            pub(crate) const ALL: &'static [Kernel] = &[$(Kernel::$name),*];

            /// Its place in a tier.
            fn entry(self, kernels: &Kernels) -> Entry {
                match self { $(Kernel::$name => kernels.$field.to_entry()),* }
            }
        }
    };
}
kernels! {
    Product = product, Sum = sum, Outer = outer, SumDown = sum_down, Scatter = scatter, Fetch = fetch,
    Zero = zero, Copy = copy, Add = add, OuterLeft = outer_left, OuterRight = outer_right,
    Rescale = rescale, MaxExponent = max_exponent, Align = align, Ratio = ratio,
    MixForward = mix_forward, MixBackward = mix_backward, GuardMix = guard_mix,
    LeafIndicator = leaf_indicator, LeafLiteral = leaf_literal, LeafGiven = leaf_given,
    Normal = normal, NormalDown = normal_down,
    SumUnits = sum_units, ProductUnits = product_units, SumUnitsFlow = sum_units_flow,
}

impl Kernel {
    /// No kernel takes more.
    pub(crate) const MAX_ARGUMENTS: usize = 13;

    /// How many words it takes.
    pub(crate) fn n_arguments(self) -> usize {
        let portable = tier(Tier::Portable).expect("portable kernels run everywhere");
        self.entry(portable).n_arguments
    }

    /// The addresses of all kernels of a tier, in their order.
    pub(crate) fn addresses(kernels: &Kernels) -> Vec<usize> {
        Kernel::ALL.iter().map(|kernel| kernel.entry(kernels).address as usize).collect()
    }
}
