//! A masked autoencoder (He et al., 2022): an encoder sees some patches of a picture, and a smaller decoder says from
//! their states what the others look like.
//!
//! The share of patches that are hidden is drawn for each row between a tenth and nine tenths, so that the encoder
//! knows what to do with few patches and with many (Liu, Zhang and Van den Broeck, 2023). The loss is the mean
//! squared error over the values of hidden patches that are known.

use super::blocks::Sizes;
use super::pictures::{Pictures, Scale};
use super::training::{Lesson, Student};
use super::weights::{Matrix, constants};
use crate::operations::Sequences;
use crate::threads::each;
use candle_core::{Device, Result, Tensor};
use pcc_ir::recipe::AutoencoderOptions;
use pcc_runtime::train::Stream;

/// The least share of patches that is hidden, and the largest.
const HIDDEN: [f64; 2] = [0.1, 0.9];
/// The encoder has so many times as many blocks as the decoder.
const ENCODER_BLOCKS: u32 = 3;
/// The deviation of a hidden patch's token and of places in the decoder at the start.
const OF_TOKENS: f64 = 0.5;
/// Matrices before those of the blocks: patches, states for the decoder, the hidden token, places, the outcome.
const FIRST: usize = 5;
/// Tokens that a thread reads at once; the states of more would leave its cache.
const TOKENS: usize = 1024;

/// The network for some pictures.
pub(crate) struct Autoencoder<'d> {
    pictures: &'d Pictures<'d>,
    scale: Scale,
    encoder: Sizes,
    decoder: Sizes,
}

impl<'d> Autoencoder<'d> {
    /// The network that options describe, for pictures whose values become numbers by a scale.
    pub(crate) fn new(options: &AutoencoderOptions, pictures: &'d Pictures<'d>, scale: Scale) -> Self {
        let encoder = Sizes {
            width: options.dim as usize,
            depth: options.layers as usize,
            heads: options.heads as usize,
            places: pictures.n_patches(),
        };
        let decoder = Sizes { depth: (options.layers / ENCODER_BLOCKS).max(1) as usize, ..encoder };
        Autoencoder { pictures, scale, encoder, decoder }
    }

    /// Numbers of a state.
    pub(crate) fn width(&self) -> usize {
        self.encoder.width
    }

    /// Multiplications that learning from a row takes, about: one pass up and two down.
    pub(crate) fn of_learning(&self) -> f64 {
        let n = self.pictures.n_patches() as f64;
        let pass = |sizes: &Sizes, tokens: f64| tokens * (sizes.per_token() + tokens * sizes.per_pair());
        let ends = self.encoder.width as f64 * (2.0 * self.pictures.width(self.scale) as f64);
        3.0 * (pass(&self.encoder, n / 2.0) + pass(&self.decoder, n) + n * ends)
    }

    /// Multiplications that the features of a row take.
    pub(crate) fn of_reading(&self, contexts: &[Vec<u32>]) -> f64 {
        let tokens = contexts.iter().map(|context| context.len() as f64);
        let of_patch = (self.pictures.width(self.scale) * self.encoder.width) as f64;
        tokens.map(|n| n * (of_patch + self.encoder.per_token() + n * self.encoder.per_pair())).sum()
    }

    /// The states of the visible patches of sequences. `values` has the numbers of each patch, and `chosen` those
    /// that are visible, sequence by sequence.
    fn encode(
        &self,
        weights: &[Tensor],
        values: &[f32],
        chosen: &[u32],
        sequences: &Sequences,
    ) -> Result<Tensor> {
        let (n, width) = (self.pictures.n_patches() as u32, self.pictures.width(self.scale));
        let mut table = Vec::with_capacity(chosen.len() * (width + 1));
        for &patch in chosen {
            table.extend_from_slice(&values[patch as usize * width..][..width]);
            // The last number is one, so that the map has a constant part.
            table.push(1.0);
        }
        let table = Tensor::from_vec(table, (chosen.len(), width + 1), &Device::Cpu)?;
        let places: Vec<u32> = chosen.iter().map(|patch| patch % n).collect();
        let tokens = table.matmul(&weights[0])?;
        let places = Tensor::new(places, &Device::Cpu)?;
        self.encoder.apply(&weights[FIRST..], tokens, &places, sequences)
    }

    /// What the decoder says of the hidden patches, from the states of the visible ones.
    fn decode(&self, weights: &[Tensor], states: &Tensor, hiding: &Hiding) -> Result<Tensor> {
        let n = self.pictures.n_patches();
        let n_rows = hiding.sources.len() / n;
        let tokens = Tensor::cat(&[&states.matmul(&weights[1])?, &weights[2]], 0)?;
        let tokens = tokens.index_select(&Tensor::new(hiding.sources.as_slice(), &Device::Cpu)?, 0)?;
        let places: Vec<u32> = (0..n_rows).flat_map(|_| 0..n as u32).collect();
        let places = Tensor::new(places, &Device::Cpu)?;
        let tokens = (tokens + weights[3].index_select(&places, 0)?)?;
        let sequences = Sequences::new(std::iter::repeat_n(n, n_rows));
        let matrices = &weights[FIRST + self.encoder.n_matrices()..];
        let states = self.decoder.apply(matrices, tokens, &places, &sequences)?;
        let hidden = Tensor::new(hiding.hidden.as_slice(), &Device::Cpu)?;
        states.index_select(&hidden, 0)?.matmul(&weights[4])
    }

    /// The state of each patch of some rows when only its context is visible: `[row][patch][width]`. The context of a
    /// patch begins with itself.
    ///
    /// # Errors
    /// What the network library reports, in words.
    pub(crate) fn states(
        &self,
        weights: &[f32],
        rows: std::ops::Range<usize>,
        contexts: &[Vec<u32>],
    ) -> std::result::Result<Vec<f32>, String> {
        let weights = constants(&self.matrices(), weights).map_err(|error| error.to_string())?;
        let tokens_of_row: usize = contexts.iter().map(Vec::len).sum();
        let n_rows = (TOKENS / tokens_of_row).max(1);
        let parts: Vec<_> =
            rows.clone().step_by(n_rows).map(|first| first..rows.end.min(first + n_rows)).collect();
        let states = each(parts.len(), |part| {
            self.states_of(&weights, parts[part].clone(), contexts).map_err(|error| error.to_string())
        })?;
        Ok(states.concat())
    }

    fn states_of(
        &self,
        weights: &[Tensor],
        rows: std::ops::Range<usize>,
        contexts: &[Vec<u32>],
    ) -> Result<Vec<f32>> {
        let n = self.pictures.n_patches();
        let values = self.pictures.table(self.scale, rows.clone()).values;
        let (mut chosen, mut owns) = (Vec::new(), Vec::with_capacity(rows.len() * n));
        for row in 0..rows.len() {
            for context in contexts {
                owns.push(chosen.len() as u32);
                chosen.extend(context.iter().map(|patch| (row * n) as u32 + patch));
            }
        }
        let lengths = rows.flat_map(|_| contexts.iter().map(Vec::len));
        let states = self.encode(weights, &values, &chosen, &Sequences::new(lengths))?;
        states.index_select(&Tensor::new(owns, &Device::Cpu)?, 0)?.flatten_all()?.to_vec1()
    }
}

/// Which patches of some rows are hidden.
struct Hiding {
    /// The visible patches, row by row, by their number among all patches of the rows.
    visible: Vec<u32>,
    /// How many each row has.
    lengths: Vec<usize>,
    /// The hidden patches, by the same numbers.
    hidden: Vec<u32>,
    /// For each patch its place among the visible ones, or their number for a hidden one.
    sources: Vec<u32>,
}

impl Hiding {
    fn draw(n_rows: usize, n_patches: usize, stream: &mut Stream) -> Self {
        let mut hiding =
            Hiding { visible: Vec::new(), lengths: Vec::new(), hidden: Vec::new(), sources: Vec::new() };
        for row in 0..n_rows {
            let share = HIDDEN[0] + (HIDDEN[1] - HIDDEN[0]) * stream.uniform();
            let n_hidden = ((share * n_patches as f64).round() as usize).clamp(1, n_patches - 1);
            let mut patches: Vec<u32> = (0..n_patches).map(|i| (row * n_patches + i) as u32).collect();
            stream.shuffle(&mut patches);
            let (hidden, visible) = patches.split_at(n_hidden);
            hiding.hidden.extend_from_slice(hidden);
            hiding.visible.extend_from_slice(visible);
            hiding.lengths.push(visible.len());
        }
        hiding.sources = vec![hiding.visible.len() as u32; n_rows * n_patches];
        for (place, patch) in hiding.visible.iter().enumerate() {
            hiding.sources[*patch as usize] = place as u32;
        }
        hiding
    }
}

impl Student for Autoencoder<'_> {
    fn matrices(&self) -> Vec<Matrix> {
        let (width, of_patch) = (self.encoder.width, self.pictures.width(self.scale));
        let free = |rows| Matrix { rows, columns: width, deviation: OF_TOKENS };
        let mut matrices = vec![
            Matrix::map(of_patch + 1, width),
            Matrix::map(width, width),
            free(1),
            free(self.pictures.n_patches()),
            Matrix::map(width, of_patch),
        ];
        matrices.extend(self.encoder.matrices());
        matrices.extend(self.decoder.matrices());
        matrices
    }

    /// Wide networks need smaller steps: 0.001 at a width of 64, 0.0005 at one of 256.
    fn peak_rate(&self) -> f64 {
        0.008 / (self.encoder.width as f64).sqrt()
    }

    fn lesson(&self, weights: &[Tensor], rows: &[usize], stream: &mut Stream) -> Result<Lesson> {
        let (n, width) = (self.pictures.n_patches(), self.pictures.width(self.scale));
        let all = self.pictures.table(self.scale, rows.iter().copied());
        let hiding = Hiding::draw(rows.len(), n, stream);
        let of = |values: &[f32], patches: &[u32]| -> Vec<f32> {
            patches.iter().flat_map(|&i| &values[i as usize * width..][..width]).copied().collect()
        };
        let sequences = Sequences::new(hiding.lengths.iter().copied());
        let states = self.encode(weights, &all.values, &hiding.visible, &sequences)?;
        let found = self.decode(weights, &states, &hiding)?;
        let loss =
            mean_squared_error(&found, of(&all.values, &hiding.hidden), of(&all.known, &hiding.hidden))?;
        Ok(Lesson { loss, notes: Vec::new() })
    }
}

/// The mean squared error over values that are known.
///
/// # Errors
/// What the network library reports.
pub(super) fn mean_squared_error(found: &Tensor, values: Vec<f32>, known: Vec<f32>) -> Result<Tensor> {
    let n_known = f64::from(known.iter().sum::<f32>()).max(1.0);
    let tensor = |numbers: Vec<f32>| Tensor::from_vec(numbers, found.shape(), &Device::Cpu);
    let error = ((found - tensor(values)?)? * tensor(known)?)?;
    error.sqr()?.sum_all()? * (1.0 / n_known)
}
