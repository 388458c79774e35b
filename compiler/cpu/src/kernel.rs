//! Names for the kernels that emitted code calls, with their addresses and how many words they take.
//!
//! In: the table of a tier. Every argument of a kernel is a `usize` or a pointer, one integer word in the
//! C calling convention of every 64-bit target, so the count is the whole signature; it comes from the
//! field's type and cannot fall behind it.

use pcc_kernels::Kernels;

/// A kernel's address and the number of its arguments.
#[derive(Clone, Copy)]
pub(crate) struct Entry {
    pub(crate) address: *const u8,
    pub(crate) n_arguments: usize,
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
}

macro_rules! kernels {
    ($($name:ident = $field:ident),* $(,)?) => {
        /// A kernel that emitted code calls.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub(crate) enum Kernel { $($name),* }

        impl Kernel {
            /// All of them.
            pub(crate) const ALL: &'static [Kernel] = &[$(Kernel::$name),*];

            /// The symbol under which emitted code knows it.
            pub(crate) fn symbol(self) -> &'static str {
                match self { $(Kernel::$name => concat!("pcc_kernel_", stringify!($field))),* }
            }

            /// Its place in a tier.
            pub(crate) fn entry(self, kernels: &Kernels) -> Entry {
                match self { $(Kernel::$name => kernels.$field.to_entry()),* }
            }
        }
    };
}
kernels! {
    Matmul = matmul, Flow = flow, GuardSum = guard_sum,
    Zero = zero, Copy = copy, Add = add, Multiply = multiply, MultiplyAccumulate = multiply_accumulate,
    Outer = outer, OuterLeft = outer_left, OuterRight = outer_right,
    GuardProduct = guard_product, GuardOuter = guard_outer, GuardFall = guard_fall,
    Rescale = rescale, MaxExponent = max_exponent, Align = align, Ratio = ratio,
    MixForward = mix_forward, MixBackward = mix_backward, GuardMix = guard_mix,
    LeafGather = leaf_gather, LeafScatter = leaf_scatter,
    LeafIndicator = leaf_indicator, LeafLiteral = leaf_literal,
    LeafGaussian = leaf_gaussian, LeafGaussianStats = leaf_gaussian_stats,
    SumUnits = sum_units, ProductUnits = product_units, SumUnitsFlow = sum_units_flow,
}
