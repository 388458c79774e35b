//! The list of kernels: one entry gives a field of [`Kernels`], its symbol for emitted code, and its
//! wrapper in every tier.
//!
//! In: nothing but this list. Out: the table type and the macro [`with_kernels`], which hands the list
//! to another macro. Arithmetic does not belong here; it is in `kernel/`, once for all tiers.
//!
//! Abbreviations in the comments: `x[i]` is row `i` of `x`, all operations on rows are sample by sample,
//! and `(+)=` assigns, or adds where `accumulate` is not 0.

use crate::{Factor, GivenRows, NormalLeaf, Tier, Tiles};

/// Calls `$callback! { $($prefix)* ; entries }` with every kernel's documentation, name and arguments.
macro_rules! with_kernels {
    ($callback:ident $(, $prefix:tt)*) => {
        $callback! { $($prefix)* ;

        // Layers, each over all tiles of a bundle. Blocks are roughly normalised: the largest mantissa of a
        // sample is in `[2^-8, 2^8)`, or 0 in a zero group.

        /// The elementwise product of `n >= 1` factors of `width` units, into a block.
        ///
        /// A leaf's unit `u` has the value `tables[table + code * width + u]`, and 1 where the code is
        /// missing; other codes must have a row. `guard` holds guard bits.
        product(tiles: *const Tiles, n: usize, width: usize, base: *const f32, tables: *const f32,
                row_exponents: *const f32, factors: *const Factor, out: *mut f32, exponent: *mut f32,
                guard: usize);

        /// All pairs of two groups, `out[i * nb + j] = a[i] * b[j]`, into a block. `guard` holds guard bits.
        outer(tiles: *const Tiles, na: usize, nb: usize, a: *const f32, a_exponent: *const f32,
              b: *const f32, b_exponent: *const f32, out: *mut f32, exponent: *mut f32, guard: usize);

        /// `out[i] = sum over j of w[i * k + j] * terms[j]`, for `i < m` and `j < k`, into a block.
        ///
        /// `floor` points to the table's smallest positive weight. Where `is_watched` is not 0, that is,
        /// where some weight is 0 or under `2^-40`, samples are looked through for sums of which every term
        /// was flushed.
        sum(tiles: *const Tiles, m: usize, k: usize, w: *const f32, floor: *const f32, is_watched: usize,
            terms: *const f32, term_exponent: *const f32, out: *mut f32, exponent: *mut f32);

        /// The flows of [`Kernels::sum`]: with `r[i] = flow[i] / out[i]`, and 0 where either is 0,
        /// `dw[i * k + j] += sum over samples of r[i] * terms[j]`, and
        /// `child_flow[j] (+)= terms[j] * sum over i of w[i * k + j] * r[i]`.
        ///
        /// `value` and `value_exponent` are the sum's block. `child_flow` may be null, and is added to where
        /// `is_added` is not 0. `scratch` belongs to the thread and has room for `m + 2 * k` rows for each
        /// tile, `k` rounded up to a multiple of 16.
        sum_down(tiles: *const Tiles, m: usize, k: usize, w: *const f32, flow: *const f32,
                 value: *const f32, value_exponent: *const f32, terms: *const f32,
                 term_exponent: *const f32, dw: *mut f32, child_flow: *mut f32, is_added: usize,
                 scratch: *mut f32);

        /// The flow of a discrete leaf: `counts[code * units + u] += flow[u]` for each sample that counts;
        /// missing codes are skipped.
        scatter(tiles: *const Tiles, units: usize, codes: *const u32, flow: *const f32, counts: *mut f32);

        /// Notes in the tiles' [`Ahead`](crate::Ahead) the rows `table[code]`, of `units` numbers each and
        /// `n_rows` in all, that samples will need soon; the next [`Kernels::sum`] or [`Kernels::sum_down`]
        /// asks for them.
        fetch(tiles: *const Tiles, units: usize, n_rows: usize, codes: *const u32, table: *const f32);

        /// The elementwise product of the densities of `n >= 1` normal leaves of `units` units, into a block.
        ///
        /// A leaf's values are a row from `base`, NaN where missing: its densities are then 1. Its table is
        /// `[3][unit]`: mean, reciprocal standard deviation and `-ln(sd) - ln(2 pi) / 2`. A product under about
        /// `2^-124` of its group's largest is raised to that, so that it stays positive and the guards of what
        /// it feeds see it. Densities out of range of an exponent mark.
        normal(tiles: *const Tiles, n: usize, units: usize, base: *const f32, tables: *const f32,
               leaves: *const NormalLeaf, out: *mut f32, exponent: *mut f32);

        /// The flow of [`Kernels::normal`] to every leaf, whose statistics are `[3][unit]`: with `d` the
        /// distance of a value from the unit's mean, `flow[u]`, `flow[u] * d` and `flow[u] * d * d` are added
        /// for each sample that counts and is not missing.
        ///
        /// `scratch` belongs to the thread and has room for `units` rows for each tile, rounded up to a multiple
        /// of 16.
        normal_down(tiles: *const Tiles, n: usize, units: usize, base: *const f32, tables: *const f32,
                    leaves: *const NormalLeaf, flow: *const f32, stats: *mut f32, scratch: *mut f32);

        // The matrix product alone, which peaks are measured with.

        /// `out[i] (+)= sum over j of w[i * w_row_stride + j * w_col_stride] * e[j]`, for `i < m` and `j < k`.
        ///
        /// `out` must not overlap `e` or `w`.
        matmul(m: usize, k: usize, w: *const f32, w_row_stride: usize, w_col_stride: usize,
               e: *const f32, out: *mut f32, accumulate: usize);

        // Rows, one by one.

        /// `out[i] = 0`.
        zero(n: usize, out: *mut f32);

        /// `out[i] = a[i]`; the two must be the same or not overlap.
        copy(n: usize, a: *const f32, out: *mut f32);

        /// `out[i] = a[i] + b[i]`; `out` may be `a` or `b`. Adds exponents as well as flows.
        add(n: usize, a: *const f32, b: *const f32, out: *mut f32);

        /// `flow_a[i] += sum over j of f[i * nb + j]`: the flow of [`Kernels::outer`] to its left group.
        outer_left(na: usize, nb: usize, f: *const f32, flow_a: *mut f32);

        /// `flow_b[j] += sum over i of f[i * nb + j]`: the flow of [`Kernels::outer`] to its right group.
        outer_right(na: usize, nb: usize, f: *const f32, flow_b: *mut f32);

        // Scales.

        /// Divides each sample's `n` mantissas by the largest power of two not over their maximum, exactly,
        /// and adds its exponent to `exponent` (one row); a sample that is all zero gets [`ZERO_EXPONENT`].
        ///
        /// `guard` chooses rules: [`GUARD_MAXIMUM`] the maximum is positive and under `2^-60`,
        /// [`GUARD_ENTRY`] the rule for sums. Overflow and exponents out of range are always marked.
        rescale(n: usize, rows: *mut f32, exponent: *mut f32, guard: usize, marks: *mut u64);

        /// `out = max(a, b)`, one row each: the exponent that two blocks are aligned to. `out` may be `a` or `b`.
        max_exponent(a: *const f32, b: *const f32, out: *mut f32);

        /// `out[i] = rows[i] * 2^(from - to)`, with `from` and `to` one row each and `from <= to`.
        ///
        /// Exact, for any difference; with [`GUARD_ENTRY`](crate::GUARD_ENTRY) in `guard` a positive value that
        /// becomes 0 marks, with [`GUARD_RAISE`](crate::GUARD_RAISE) it becomes `2^-126`. `out` may be `rows`.
        align(n: usize, rows: *const f32, from: *const f32, to: *const f32, out: *mut f32, guard: usize,
              marks: *mut u64);

        /// `out[i] = flow[i] / (value[i] * 2^(value_exponent - term_exponent))`, and 0 where `value[i]` is 0.
        ///
        /// The first step down through a sum: `value` and `value_exponent` are its rescaled output,
        /// `term_exponent` that of the rows it was computed from. `out` may be `flow`.
        /// With flows up to 1 and the guards in force a ratio is at most `2^100`.
        ratio(n: usize, flow: *const f32, value: *const f32, value_exponent: *const f32,
              term_exponent: *const f32, out: *mut f32);

        // Mixtures: an elementwise weighted sum, one call for each child.

        /// `out[i] (+)= w[i * stride] * child[i]`.
        mix_forward(n: usize, w: *const f32, stride: usize, child: *const f32, out: *mut f32, accumulate: usize);

        /// `dw[i * dw_stride] += sum over samples of r[i] * child[i]`, and `child_flow[i] += w[i * stride] * r[i] * child[i]`.
        mix_backward(n: usize, w: *const f32, stride: usize, r: *const f32, child: *const f32,
                     dw: *mut f32, dw_stride: usize, child_flow: *mut f32);

        /// Marks samples for which `out[i]` is 0 although `w[i * stride]` and `child[i]` are positive.
        guard_mix(n: usize, w: *const f32, stride: usize, child: *const f32, out: *const f32, marks: *mut u64);

        // Evidence.

        /// `out[v * 64 + i] = rows[i][v]`, for `v < n` and `i < 16` ([`PACKED`](crate::PACKED)), whatever the words.
        pack(n: usize, rows: *const *const u32, out: *mut u32);

        // Leaves.

        /// `out[u] = 1` where the code is `first + u`, else 0; ones where it is missing. Sets `exponent`.
        leaf_indicator(units: usize, first: usize, codes: *const u32, out: *mut f32, exponent: *mut f32);

        /// `out[u] = 1` for every unit where the code is `value` or missing, else 0. Sets `exponent`.
        leaf_literal(units: usize, value: usize, codes: *const u32, out: *mut f32, exponent: *mut f32);

        /// `out[u] =` the weight at `first + u` of each sample's row of soft evidence, under the exponent at
        /// `slot`, for samples that count.
        ///
        /// A weight that is kept by its logarithm becomes `2^-125`; with [`GUARD_ENTRY`](crate::GUARD_ENTRY) in
        /// `guard` it marks.
        leaf_given(tiles: *const Tiles, given: *const GivenRows, units: usize, first: usize, slot: usize,
                   out: *mut f32, exponent: *mut f32, guard: usize);


        // Single units, each with a mantissa row and an exponent row of its own.
        //
        // `children` has two entries for each child: its mantissa row and its exponent row, in rows of 64
        // from `base`. Mantissas are 0 or within `[2^-30, 2^30]`; results are 0 or in `[1, 2)`.

        /// `sum over j of weights[j] * child[j]`, for `j < n`, normalised, into a mantissa and an exponent row.
        ///
        /// Terms are aligned by the exponents of child and weight together, so that only what is under
        /// `2^-100` of the largest term is lost, and what is not zero never becomes zero.
        sum_units(n: usize, weights: *const f32, base: *const f32, children: *const u32,
                  out: *mut f32, exponent: *mut f32, marks: *mut u64);

        /// The product of `n` children, normalised, into a mantissa and an exponent row.
        product_units(n: usize, base: *const f32, children: *const u32, out: *mut f32, exponent: *mut f32,
                      marks: *mut u64);

        /// The flows of [`Kernels::sum_units`]: with `p[j] = flow * child[j] / value`, `dw[j] += sum over
        /// samples of p[j]` and the child's flow row `+= weights[j] * p[j]`; children of weight 0 are skipped.
        ///
        /// `value` and `exponent` are the unit's own rows; `flow_children[j]` is the row of child `j` from
        /// `flow_base`, or [`NO_FLOW`](crate::NO_FLOW).
        sum_units_flow(n: usize, weights: *const f32, base: *const f32, children: *const u32,
                       value: *const f32, exponent: *const f32, flow: *const f32,
                       flow_base: *mut f32, flow_children: *const u32, dw: *mut f32);
        }
    };
}
pub(crate) use with_kernels;

macro_rules! declare_table {
    (; $( $(#[$doc:meta])* $name:ident ( $($arg:ident : $ty:ty),* $(,)? ); )*) => {
        /// The kernels of one tier, as C functions that emitted code calls.
        ///
        /// Every function is unsafe: sizes, strides and addresses must describe buffers as the field's
        /// comment says, live for the call, and nothing else may write to them meanwhile.
        #[derive(Clone, Copy, Debug)]
        pub struct Kernels {
            /// The tier these functions were compiled for.
            pub tier: Tier,
            $( $(#[$doc])* pub $name: unsafe extern "C" fn($($arg: $ty),*), )*
        }
    };
}
with_kernels!(declare_table);
