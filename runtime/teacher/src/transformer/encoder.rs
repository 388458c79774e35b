//! The encoder itself (Devlin et al., 2019): pieces in, the last hidden state of each out.

use super::checkpoint::Checkpoint;
use crate::operations::{Sequences, attention, gelu, normalise};
use candle_core::{Device, Result, Tensor};
use pcc_diag::Diagnostic;

/// An encoder with its weights.
pub(crate) struct Encoder {
    pieces: Tensor,
    positions: Tensor,
    /// The embedding of the first sentence; there is no second.
    sentence: Tensor,
    norm: Norm,
    layers: Vec<Layer>,
    width: usize,
}

/// Attention, then two dense maps; each is added to what went in, and the sum normalised.
struct Layer {
    /// Queries, keys and values side by side.
    table: Linear,
    attended: Linear,
    attention_norm: Norm,
    widen: Linear,
    narrow: Linear,
    norm: Norm,
    n_heads: usize,
}

struct Linear {
    /// `[in][out]`
    weight: Tensor,
    bias: Tensor,
}

struct Norm {
    scale: Tensor,
    shift: Tensor,
    epsilon: f32,
}

impl Encoder {
    /// Takes the weights of a checkpoint.
    ///
    /// # Errors
    /// `checkpoint-damaged` when some are missing or have another shape than the configuration says.
    pub(crate) fn of(checkpoint: &Checkpoint) -> std::result::Result<Self, Diagnostic> {
        let config = &checkpoint.config;
        let width = config.hidden_size;
        let embeddings = |of: &str, rows: usize| {
            checkpoint.tensor(&format!("embeddings.{of}_embeddings.weight"), &[rows, width])
        };
        let sentences = embeddings("token_type", config.type_vocab_size)?;
        Ok(Encoder {
            pieces: embeddings("word", config.vocab_size)?,
            positions: embeddings("position", config.max_position_embeddings)?,
            sentence: sentences.narrow(0, 0, 1).map_err(|error| checkpoint.damaged(&error.to_string()))?,
            norm: Norm::of(checkpoint, "embeddings.LayerNorm")?,
            layers: (0..config.num_hidden_layers)
                .map(|layer| Layer::of(checkpoint, &format!("encoder.layer.{layer}")))
                .collect::<std::result::Result<_, _>>()?,
            width,
        })
    }

    /// Numbers of a state.
    pub(crate) fn width(&self) -> usize {
        self.width
    }

    /// Multiplications that a sequence of so many pieces takes.
    pub(crate) fn multiplications(&self, length: usize) -> f64 {
        let of_layer = |layer: &Layer| {
            let dense = [&layer.table, &layer.attended, &layer.widen, &layer.narrow];
            dense.iter().map(|dense| dense.weight.elem_count()).sum::<usize>() + 2 * length * self.width
        };
        (length * self.layers.iter().map(of_layer).sum::<usize>()) as f64
    }

    /// The last states of sequences of one length, whose pieces stand one after the other:
    /// `[sequence][piece][width]`.
    pub(crate) fn states(&self, pieces: &[u32], n_sequences: usize) -> Result<Vec<f32>> {
        let length = pieces.len() / n_sequences;
        let sequences = Sequences::new(std::iter::repeat_n(length, n_sequences));
        let pieces = Tensor::new(pieces, &Device::Cpu)?;
        let places = self.positions.narrow(0, 0, length)?.broadcast_add(&self.sentence)?;
        let embedded = self.pieces.index_select(&pieces, 0)?.reshape((n_sequences, length, self.width))?;
        let embedded = embedded.broadcast_add(&places)?.reshape(((), self.width))?;
        let mut states = self.norm.apply(&embedded)?;
        for layer in &self.layers {
            states = layer.apply(&states, &sequences)?;
        }
        states.flatten_all()?.to_vec1()
    }
}

impl Layer {
    fn of(checkpoint: &Checkpoint, name: &str) -> std::result::Result<Self, Diagnostic> {
        let (width, wide) = (checkpoint.config.hidden_size, checkpoint.config.intermediate_size);
        let linear = |part: &str, from, to| Linear::of(checkpoint, &format!("{name}.{part}"), from, to);
        Ok(Layer {
            table: Linear::side_by_side(
                checkpoint,
                &["query", "key", "value"].map(|part| format!("{name}.attention.self.{part}")),
                width,
            )?,
            attended: linear("attention.output.dense", width, width)?,
            attention_norm: Norm::of(checkpoint, &format!("{name}.attention.output.LayerNorm"))?,
            widen: linear("intermediate.dense", width, wide)?,
            narrow: linear("output.dense", wide, width)?,
            norm: Norm::of(checkpoint, &format!("{name}.output.LayerNorm"))?,
            n_heads: checkpoint.config.num_attention_heads,
        })
    }

    fn apply(&self, states: &Tensor, sequences: &Sequences) -> Result<Tensor> {
        let attended = attention(&self.table.apply(states)?, sequences, self.n_heads)?;
        let states = self.attention_norm.apply(&(self.attended.apply(&attended)? + states)?)?;
        let changed = self.narrow.apply(&gelu(&self.widen.apply(&states)?)?)?;
        self.norm.apply(&(changed + states)?)
    }
}

impl Linear {
    fn of(
        checkpoint: &Checkpoint,
        name: &str,
        from: usize,
        to: usize,
    ) -> std::result::Result<Self, Diagnostic> {
        let weight = checkpoint.tensor(&format!("{name}.weight"), &[to, from])?;
        let weight = weight.t().map_err(|error| checkpoint.damaged(&error.to_string()))?;
        Ok(Linear { weight, bias: checkpoint.tensor(&format!("{name}.bias"), &[to])? })
    }

    /// Several maps of the same states, whose outcomes stand side by side.
    fn side_by_side(
        checkpoint: &Checkpoint,
        names: &[String],
        width: usize,
    ) -> std::result::Result<Self, Diagnostic> {
        let all: Vec<Linear> = names
            .iter()
            .map(|name| Linear::of(checkpoint, name, width, width))
            .collect::<std::result::Result<_, _>>()?;
        let joined = |of: fn(&Linear) -> &Tensor, along| {
            let tensors: Vec<&Tensor> = all.iter().map(of).collect();
            Tensor::cat(&tensors, along).map_err(|error| checkpoint.damaged(&error.to_string()))
        };
        Ok(Linear { weight: joined(|map| &map.weight, 1)?, bias: joined(|map| &map.bias, 0)? })
    }

    /// All pieces of all sequences in one product.
    fn apply(&self, states: &Tensor) -> Result<Tensor> {
        states.matmul(&self.weight)?.broadcast_add(&self.bias)
    }
}

impl Norm {
    fn of(checkpoint: &Checkpoint, name: &str) -> std::result::Result<Self, Diagnostic> {
        let width = [checkpoint.config.hidden_size];
        Ok(Norm {
            scale: checkpoint.tensor(&format!("{name}.weight"), &width)?,
            shift: checkpoint.tensor(&format!("{name}.bias"), &width)?,
            epsilon: checkpoint.config.layer_norm_eps as f32,
        })
    }

    fn apply(&self, states: &Tensor) -> Result<Tensor> {
        normalise(states, self.epsilon)?.broadcast_mul(&self.scale)?.broadcast_add(&self.shift)
    }
}
