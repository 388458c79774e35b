//! A vector-quantised autoencoder (van den Oord et al., 2017) of single patches: an encoder, a book of codes, and a
//! decoder that sees the nearest code instead of what was encoded.
//!
//! Gradients pass the choice of a code unchanged. Codes follow the mean of what chooses them (decay 0.99), the
//! encoder is drawn to its code by a quarter of the squared distance, and codes that few patches choose start again
//! from a patch of the batch.

use super::autoencoder::mean_squared_error;
use super::blocks::normalise;
use super::pictures::{Pictures, Scale, Table};
use super::training::{Batch, Lesson, Student};
use super::weights::{Matrix, constants, start};
use crate::operations::gelu;
use crate::threads::each;
use candle_core::{Device, Result, Tensor};
use pcc_ir::MISSING;
use pcc_ir::recipe::VqVaeOptions;
use pcc_runtime::learn::kmeans::{Points, nearest};
use pcc_runtime::train::{Purpose, Stream};
use std::ops::Range;

/// The middle of the encoder and the decoder is so many times as wide as a code.
const WIDE: usize = 4;
/// How much of a code's mean stays at each batch.
const DECAY: f32 = 0.99;
/// What the distance of encodings from their codes weighs beside the error.
const COMMITMENT: f64 = 0.25;
/// A code that gets less than this share of its equal share of the patches starts again.
const DEAD: f32 = 0.03;
/// In the last part of training no code starts again, so that all have time to settle.
const SETTLING: f64 = 0.1;
/// Rows that a thread reads at once.
const ROWS: usize = 16;

/// The network for some pictures.
pub(crate) struct VqVae<'d> {
    pictures: &'d Pictures<'d>,
    scale: Scale,
    width: usize,
    book: Book,
}

/// The codes: what chose them is counted and added up, with old batches fading.
#[derive(Clone, Debug, PartialEq)]
struct Book {
    counts: Vec<f32>,
    /// `[code][width]`
    sums: Vec<f32>,
}

impl Book {
    fn codes(&self) -> Vec<f32> {
        let width = self.sums.len() / self.counts.len();
        let code = |(sum, count): (&[f32], &f32)| sum.iter().map(|x| x / count).collect::<Vec<_>>();
        self.sums.chunks_exact(width).zip(&self.counts).flat_map(code).collect()
    }

    /// Lets a code start from an encoding, as if it had been chosen so often.
    fn put(&mut self, code: usize, encoding: &[f32], count: f32) {
        self.counts[code] = count;
        let width = encoding.len();
        let sums = &mut self.sums[code * width..][..width];
        sums.iter_mut().zip(encoding).for_each(|(sum, x)| *sum = count * x);
    }
}

impl<'d> VqVae<'d> {
    /// The network that options describe, for pictures whose values become numbers by a scale. Codes start as patches
    /// that are drawn from the pictures.
    ///
    /// # Errors
    /// What the network library reports.
    pub(crate) fn new(options: &VqVaeOptions, pictures: &'d Pictures<'d>, scale: Scale) -> Result<Self> {
        let (n_codes, width) = (options.codes as usize, options.dim as usize);
        let book = Book { counts: vec![1.0; n_codes], sums: vec![0.0; n_codes * width] };
        let mut network = VqVae { pictures, scale, width, book };
        let rows: Vec<usize> = (0..pictures.data.n_rows()).collect();
        let mut stream = Stream::new(options.seed, Purpose::Teach, &[4]);
        let (weights, all) = (start(&network.matrices(), options.seed), 0..n_codes);
        network.restart(&weights, &rows, all, 1.0, &mut stream)?;
        Ok(network)
    }

    /// The same network, to look at other pictures.
    pub(crate) fn of_other<'o>(&self, pictures: &'o Pictures<'o>) -> VqVae<'o> {
        VqVae { pictures, scale: self.scale, width: self.width, book: self.book.clone() }
    }

    /// Numbers of a code.
    pub(crate) fn width(&self) -> usize {
        self.width
    }

    /// How many codes there are.
    pub(crate) fn n_codes(&self) -> usize {
        self.book.counts.len()
    }

    /// Multiplications that learning from a row takes, about.
    pub(crate) fn of_learning(&self) -> f64 {
        3.0 * 2.0 * self.of_encoding()
            + self.pictures.n_patches() as f64 * (self.n_codes() * self.width) as f64
    }

    /// Multiplications that encoding a row takes.
    pub(crate) fn of_encoding(&self) -> f64 {
        let wide = (WIDE * self.width) as f64;
        self.pictures.n_patches() as f64 * wide * (self.pictures.width(self.scale) + self.width) as f64
    }

    /// Lets codes start again from patches of some rows.
    fn restart(
        &mut self,
        weights: &[f32],
        rows: &[usize],
        codes: impl IntoIterator<Item = usize>,
        count: f32,
        stream: &mut Stream,
    ) -> Result<()> {
        let weights = constants(&self.matrices(), weights)?;
        let (n, width) = (self.pictures.n_patches(), self.pictures.width(self.scale));
        for code in codes {
            let (row, patch) = (rows[stream.below(rows.len())], stream.below(n));
            let all = self.pictures.table(self.scale, [row]).values;
            let encoding = self.encode(&weights, &all[patch * width..][..width])?;
            self.book.put(code, &encoding.flatten_all()?.to_vec1::<f32>()?, count);
        }
        Ok(())
    }

    /// The encodings of patches.
    fn encode(&self, weights: &[Tensor], values: &[f32]) -> Result<Tensor> {
        let width = self.pictures.width(self.scale);
        // The last number of each patch is one, so that the first map has a constant part.
        let rows = values.chunks_exact(width).flat_map(|patch| patch.iter().copied().chain([1.0])).collect();
        let table = Tensor::from_vec(rows, (values.len() / width, width + 1), &Device::Cpu)?;
        normalise(&gelu(&table.matmul(&weights[0])?)?.matmul(&weights[1])?)
    }

    fn decode(&self, weights: &[Tensor], codes: &Tensor) -> Result<Tensor> {
        gelu(&codes.matmul(&weights[2])?)?.matmul(&weights[3])
    }

    /// The nearest codes to encodings.
    fn nearest(&self, encodings: &[f32], codes: &[f32]) -> Vec<u32> {
        nearest(Points { width: self.width, values: encodings }, codes, 1).labels
    }

    /// What the encoder makes of each patch of some rows: `[row][patch][width]`.
    ///
    /// # Errors
    /// What the network library reports, in words.
    pub(crate) fn encodings(
        &self,
        weights: &[f32],
        rows: Range<usize>,
    ) -> std::result::Result<Vec<f32>, String> {
        let weights = constants(&self.matrices(), weights).map_err(|error| error.to_string())?;
        let parts: Vec<_> =
            rows.clone().step_by(ROWS).map(|first| first..rows.end.min(first + ROWS)).collect();
        let encodings = each(parts.len(), |part| {
            let values = self.pictures.table(self.scale, parts[part].clone()).values;
            let encoded = self.encode(&weights, &values).and_then(|table| table.flatten_all()?.to_vec1());
            encoded.map_err(|error| error.to_string())
        })?;
        Ok(encodings.concat())
    }

    /// The code of each patch, from the encodings of all rows; a patch without a single value has none.
    pub(crate) fn labels(&self, encodings: &[f32]) -> Vec<u32> {
        let mut labels = self.nearest(encodings, &self.book.codes());
        if self.pictures.data.has_missing() {
            let (n, width) = (self.pictures.n_patches(), self.pictures.width(self.scale));
            for (row, labels) in labels.chunks_exact_mut(n).enumerate() {
                let known = self.pictures.table(self.scale, [row]).known;
                for (label, known) in labels.iter_mut().zip(known.chunks_exact(width)) {
                    if known.iter().all(|known| *known == 0.0) {
                        *label = MISSING;
                    }
                }
            }
        }
        labels
    }
}

impl Student for VqVae<'_> {
    fn matrices(&self) -> Vec<Matrix> {
        let (of_patch, wide) = (self.pictures.width(self.scale), WIDE * self.width);
        vec![
            Matrix::map(of_patch + 1, wide),
            Matrix::map(wide, self.width),
            Matrix::map(self.width, wide),
            Matrix::map(wide, of_patch),
        ]
    }

    fn peak_rate(&self) -> f64 {
        0.001
    }

    fn lesson(&self, weights: &[Tensor], rows: &[usize], _: &mut Stream) -> Result<Lesson> {
        let Table { values, known } = self.pictures.table(self.scale, rows.iter().copied());
        let encodings = self.encode(weights, &values)?;
        let numbers = encodings.flatten_all()?.to_vec1::<f32>()?;
        let codes = self.book.codes();
        let labels = self.nearest(&numbers, &codes);
        let chosen = labels.iter().flat_map(|&code| &codes[code as usize * self.width..][..self.width]);
        let chosen = Tensor::from_vec(chosen.copied().collect(), encodings.shape(), &Device::Cpu)?;
        let apart = (&chosen - &encodings)?;
        let found = self.decode(weights, &(&encodings + apart.detach())?)?;
        let notes = self.notes(&numbers, &labels, &known);
        let loss = (mean_squared_error(&found, values, known)? + (apart.sqr()?.mean_all()? * COMMITMENT)?)?;
        Ok(Lesson { loss, notes })
    }

    fn memory(&self) -> Vec<f32> {
        [self.book.counts.as_slice(), &self.book.sums].concat()
    }

    fn remember(&mut self, memory: &[f32]) {
        let (counts, sums) = memory.split_at(self.n_codes());
        self.book = Book { counts: counts.into(), sums: sums.into() };
    }

    fn end_of_batch(&mut self, batch: Batch) -> Result<()> {
        let Batch { weights, rows, notes, left, mut stream } = batch;
        let old = self.book.counts.iter_mut().chain(&mut self.book.sums);
        old.zip(notes).for_each(|(old, new)| *old = DECAY * *old + (1.0 - DECAY) * new);
        let equal_share = notes[..self.n_codes()].iter().sum::<f32>() / self.n_codes() as f32;
        if left < SETTLING || equal_share == 0.0 {
            return Ok(());
        }
        let is_dead = |code: &usize| self.book.counts[*code] < DEAD * equal_share;
        let dead: Vec<usize> = (0..self.n_codes()).filter(is_dead).collect();
        match dead.is_empty() {
            true => Ok(()),
            false => self.restart(weights, rows, dead, equal_share, &mut stream),
        }
    }
}

impl VqVae<'_> {
    /// How often each code was chosen, and the sums of what chose it. Patches without a value don't count.
    fn notes(&self, encodings: &[f32], labels: &[u32], known: &[f32]) -> Vec<f32> {
        let mut notes = vec![0.0; self.n_codes() * (1 + self.width)];
        let (counts, sums) = notes.split_at_mut(self.n_codes());
        let known = known.chunks_exact(self.pictures.width(self.scale));
        for ((encoding, label), known) in encodings.chunks_exact(self.width).zip(labels).zip(known) {
            if known.iter().any(|known| *known != 0.0) {
                counts[*label as usize] += 1.0;
                let sums = &mut sums[*label as usize * self.width..][..self.width];
                sums.iter_mut().zip(encoding).for_each(|(sum, x)| *sum += x);
            }
        }
        notes
    }
}
