//! Attention within sequences of any lengths that lie one after the other (Vaswani et al., 2017).
//!
//! Nothing is padded and no mask is needed: each head of each sequence is computed by itself, from a table whose
//! rows hold the query, the key and the value of a token side by side. Its parts are first copied to where they lie
//! as loops want them: rows of whole vectors, and number by number.

use super::{LANES, exp, numbers, sum};
use candle_core::{CpuStorage, CustomOp1, CustomOp2, Layout, Result, Shape, Tensor};
use pcc_kernels::{Loops, at_full_width};
use std::ops::Range;
use std::sync::Arc;

/// Sequences of tokens, one after the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sequences {
    lengths: Arc<[usize]>,
}

impl Sequences {
    /// Sequences with these lengths.
    pub(crate) fn new(lengths: impl IntoIterator<Item = usize>) -> Self {
        Sequences { lengths: lengths.into_iter().collect() }
    }

    /// How many tokens there are.
    pub(crate) fn n_tokens(&self) -> usize {
        self.lengths.iter().sum()
    }

    /// The tokens of each sequence.
    pub(crate) fn ranges(&self) -> impl Iterator<Item = Range<usize>> {
        self.lengths.iter().scan(0, |start, length| {
            let range = *start..*start + length;
            *start = range.end;
            Some(range)
        })
    }
}

/// Each token's mean of the values of its sequence, weighted by how well their keys answer its query, for each head
/// apart. `table` is `[token][query, key, value][head][width]`, the result `[token][head][width]`.
pub(crate) fn attention(table: &Tensor, sequences: &Sequences, heads: usize) -> Result<Tensor> {
    let (tokens, width) = table.dims2()?;
    if tokens != sequences.n_tokens() || !width.is_multiple_of(3 * heads) {
        candle_core::bail!("a table of {tokens} x {width} is not one of {} tokens", sequences.n_tokens());
    }
    let shape = Heads { sequences: sequences.clone(), heads, width: width / 3 / heads };
    table.contiguous()?.apply_op1(Attention(shape))
}

#[derive(Clone)]
struct Heads {
    sequences: Sequences,
    heads: usize,
    /// Numbers of a head.
    width: usize,
}

struct Attention(Heads);
struct AttentionDown(Heads);

/// The parts of a token's row.
const QUERY: usize = 0;
const KEY: usize = 1;
const VALUE: usize = 2;

impl Heads {
    /// Numbers of a row of the result.
    fn of_token(&self) -> usize {
        self.heads * self.width
    }

    /// Where a part of a token lies in the table, for a head.
    #[inline(always)]
    fn part(&self, token: usize, part: usize, head: usize) -> Range<usize> {
        let start = (3 * token + part) * self.of_token() + head * self.width;
        start..start + self.width
    }

    /// Where a token's result lies, for a head.
    #[inline(always)]
    fn result(&self, token: usize, head: usize) -> Range<usize> {
        let start = token * self.of_token() + head * self.width;
        start..start + self.width
    }

    /// The scale of queries, so that the products of long vectors are no larger than those of short ones.
    fn scale(&self) -> f32 {
        1.0 / (self.width as f32).sqrt()
    }
}

/// A matrix whose rows are filled up with zeros to whole vectors.
#[derive(Default)]
struct Rows {
    /// Numbers of a row, zeros included.
    stride: usize,
    numbers: Vec<f32>,
}

impl Rows {
    /// Becomes zero.
    #[inline(always)]
    fn reset(&mut self, rows: usize, width: usize) {
        self.stride = width.next_multiple_of(LANES);
        self.numbers.clear();
        self.numbers.resize(rows * self.stride, 0.0);
    }

    /// Takes up rows.
    #[inline(always)]
    fn set<'r>(&mut self, n: usize, width: usize, rows: impl Iterator<Item = &'r [f32]>) {
        self.reset(n, width);
        for (to, from) in self.numbers.chunks_exact_mut(self.stride).zip(rows) {
            to[..width].copy_from_slice(from);
        }
    }

    /// Becomes the first columns of another matrix.
    #[inline(always)]
    fn transpose(&mut self, of: &Rows, width: usize) {
        let n = of.numbers.len() / of.stride;
        self.reset(width, n);
        for (i, row) in of.numbers.chunks_exact(of.stride).enumerate() {
            for (j, x) in row[..width].iter().enumerate() {
                self.numbers[j * self.stride + i] = *x;
            }
        }
    }

    #[inline(always)]
    fn row(&self, i: usize) -> &[f32] {
        &self.numbers[i * self.stride..][..self.stride]
    }

    #[inline(always)]
    fn column(&self, j: usize) -> impl Iterator<Item = f32> + Clone {
        self.numbers[j..].iter().step_by(self.stride).copied()
    }

    #[inline(always)]
    fn row_mut(&mut self, i: usize) -> &mut [f32] {
        &mut self.numbers[i * self.stride..][..self.stride]
    }

    /// The sum of the rows, each with its weight; `into` may be shorter than a row.
    #[inline(always)]
    fn combine(&self, weights: impl Iterator<Item = f32> + Clone, into: &mut [f32]) {
        for (block, into) in into.chunks_mut(LANES).enumerate() {
            let mut sums = [0.0; LANES];
            let rows = self.numbers.chunks_exact(self.stride).map(|row| &row[block * LANES..][..LANES]);
            for (weight, row) in weights.clone().zip(rows) {
                sums.iter_mut().zip(row).for_each(|(sum, x)| *sum += weight * x);
            }
            into.copy_from_slice(&sums[..into.len()]);
        }
    }
}

/// The parts of one head of a sequence.
#[derive(Default)]
struct Parts {
    queries: Rows,
    keys: Rows,
    values: Rows,
    /// Number by number.
    of_keys: Rows,
    /// What share of its attention each query gives to each token.
    shares: Rows,
}

impl Parts {
    #[inline(always)]
    fn set(&mut self, heads: &Heads, table: &[f32], tokens: &Range<usize>, head: usize) {
        let rows = |part| tokens.clone().map(move |token| &table[heads.part(token, part, head)]);
        for (to, part) in [(&mut self.queries, QUERY), (&mut self.keys, KEY), (&mut self.values, VALUE)] {
            to.set(tokens.len(), heads.width, rows(part));
        }
        self.of_keys.transpose(&self.keys, heads.width);
        self.shares.reset(tokens.len(), tokens.len());
        for i in 0..tokens.len() {
            let query = self.queries.row(i).iter().map(|x| x * heads.scale());
            let shares = self.shares.row_mut(i);
            self.of_keys.combine(query, shares);
            softmax(shares, tokens.len());
        }
    }
}

/// Makes shares of logarithms; those from `n` on are no tokens and get none.
#[inline(always)]
fn softmax(shares: &mut [f32], n: usize) {
    shares[n..].fill(f32::NEG_INFINITY);
    let mut largest = [f32::NEG_INFINITY; LANES];
    for block in shares.chunks_exact(LANES) {
        largest.iter_mut().zip(block).for_each(|(a, b)| *a = if *b > *a { *b } else { *a });
    }
    let largest = largest.into_iter().fold(f32::NEG_INFINITY, f32::max);
    shares.iter_mut().for_each(|x| *x = exp(*x - largest));
    shares[n..].fill(0.0);
    let share = 1.0 / sum(shares, |x| x);
    shares.iter_mut().for_each(|x| *x *= share);
}

struct Up<'a> {
    heads: &'a Heads,
    table: &'a [f32],
}

impl Loops for Up<'_> {
    type Output = Vec<f32>;

    #[inline(always)]
    fn run(self) -> Vec<f32> {
        let heads = self.heads;
        let mut result = vec![0.0; self.table.len() / 3];
        let mut parts = Parts::default();
        for tokens in heads.sequences.ranges() {
            for head in 0..heads.heads {
                parts.set(heads, self.table, &tokens, head);
                for (i, token) in tokens.clone().enumerate() {
                    let shares = parts.shares.row(i).iter().copied();
                    parts.values.combine(shares, &mut result[heads.result(token, head)]);
                }
            }
        }
        result
    }
}

struct Down<'a> {
    heads: &'a Heads,
    table: &'a [f32],
    /// That of the result.
    gradient: &'a [f32],
}

impl Loops for Down<'_> {
    type Output = Vec<f32>;

    /// With P the shares, G the gradient of the result and D = P (G V' - the mean of a row under P): the gradients of
    /// values, queries and keys are P' G, D K and D' Q. The shares are computed again, which takes less than keeping
    /// them.
    #[inline(always)]
    fn run(self) -> Vec<f32> {
        let heads = self.heads;
        let mut result = vec![0.0; self.table.len()];
        let (mut parts, mut of_values) = (Parts::default(), Rows::default());
        let (mut gradients, mut of_shares) = (Rows::default(), Rows::default());
        for tokens in heads.sequences.ranges() {
            let n = tokens.len();
            for head in 0..heads.heads {
                parts.set(heads, self.table, &tokens, head);
                of_values.transpose(&parts.values, heads.width);
                let rows = tokens.clone().map(|token| &self.gradient[heads.result(token, head)]);
                gradients.set(n, heads.width, rows);
                of_shares.reset(n, n);
                for i in 0..n {
                    let row = of_shares.row_mut(i);
                    of_values.combine(gradients.row(i).iter().copied(), row);
                    through_softmax(row, parts.shares.row(i), heads.scale());
                }
                for (i, token) in tokens.clone().enumerate() {
                    let part = |part| heads.part(token, part, head);
                    parts.keys.combine(of_shares.row(i).iter().copied(), &mut result[part(QUERY)]);
                    parts.queries.combine(of_shares.column(i), &mut result[part(KEY)]);
                    gradients.combine(parts.shares.column(i), &mut result[part(VALUE)]);
                }
            }
        }
        result
    }
}

/// Turns gradients of shares into those of the logarithms that they came from.
#[inline(always)]
fn through_softmax(gradients: &mut [f32], shares: &[f32], scale: f32) {
    let mut means = [0.0; LANES];
    for (gradients, shares) in gradients.chunks_exact(LANES).zip(shares.chunks_exact(LANES)) {
        means.iter_mut().zip(gradients).zip(shares).for_each(|((mean, g), share)| *mean += g * share);
    }
    let mean: f32 = means.iter().sum();
    gradients.iter_mut().zip(shares).for_each(|(g, share)| *g = share * (*g - mean) * scale);
}

impl CustomOp1 for Attention {
    fn name(&self) -> &'static str {
        "attention"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let heads = &self.0;
        let result = at_full_width(Up { heads, table: numbers(storage, layout)? });
        Ok((CpuStorage::F32(result), Shape::from((heads.sequences.n_tokens(), heads.of_token()))))
    }

    fn bwd(&self, table: &Tensor, _: &Tensor, gradient: &Tensor) -> Result<Option<Tensor>> {
        table.apply_op2_no_bwd(&gradient.contiguous()?, &AttentionDown(self.0.clone())).map(Some)
    }
}

impl CustomOp2 for AttentionDown {
    fn name(&self) -> &'static str {
        "attention-down"
    }

    fn cpu_fwd(
        &self,
        of_table: &CpuStorage,
        table: &Layout,
        of_gradient: &CpuStorage,
        gradient: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let shape = table.shape().clone();
        let (table, gradient) = (numbers(of_table, table)?, numbers(of_gradient, gradient)?);
        Ok((CpuStorage::F32(at_full_width(Down { heads: &self.0, table, gradient })), shape))
    }
}
