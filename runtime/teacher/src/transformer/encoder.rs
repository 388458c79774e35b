//! The encoder itself (Devlin et al., 2019): pieces in, the last hidden state of each out.

use super::checkpoint::Checkpoint;
use candle_core::{D, Device, Result, Tensor};
use candle_nn::ops::{layer_norm, softmax_last_dim};
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
    query: Linear,
    key: Linear,
    value: Linear,
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

    /// The last states of sequences of one length, whose pieces stand one after the other:
    /// `[sequence][piece][width]`.
    pub(crate) fn states(&self, pieces: &[u32], n_sequences: usize) -> Result<Vec<f32>> {
        let length = pieces.len() / n_sequences;
        let shape = (n_sequences, length, self.width);
        let pieces = Tensor::new(pieces, &Device::Cpu)?;
        let places = self.positions.narrow(0, 0, length)?.broadcast_add(&self.sentence)?;
        let embedded = self.pieces.index_select(&pieces, 0)?.reshape(shape)?.broadcast_add(&places)?;
        let mut states = self.norm.apply(&embedded)?;
        for layer in &self.layers {
            states = layer.apply(&states)?;
        }
        states.flatten_all()?.to_vec1()
    }
}

impl Layer {
    fn of(checkpoint: &Checkpoint, name: &str) -> std::result::Result<Self, Diagnostic> {
        let (width, wide) = (checkpoint.config.hidden_size, checkpoint.config.intermediate_size);
        let linear = |part: &str, from, to| Linear::of(checkpoint, &format!("{name}.{part}"), from, to);
        Ok(Layer {
            query: linear("attention.self.query", width, width)?,
            key: linear("attention.self.key", width, width)?,
            value: linear("attention.self.value", width, width)?,
            attended: linear("attention.output.dense", width, width)?,
            attention_norm: Norm::of(checkpoint, &format!("{name}.attention.output.LayerNorm"))?,
            widen: linear("intermediate.dense", width, wide)?,
            narrow: linear("output.dense", wide, width)?,
            norm: Norm::of(checkpoint, &format!("{name}.output.LayerNorm"))?,
            n_heads: checkpoint.config.num_attention_heads,
        })
    }

    fn apply(&self, states: &Tensor) -> Result<Tensor> {
        let attended = self.attended.apply(&self.attention(states)?)?;
        let states = self.attention_norm.apply(&(attended + states)?)?;
        let changed = self.narrow.apply(&self.widen.apply(&states)?.gelu_erf()?)?;
        self.norm.apply(&(changed + states)?)
    }

    /// Each piece's mean of the values of all pieces, weighted by how well their keys answer its query, for each
    /// head apart (Vaswani et al., 2017).
    fn attention(&self, states: &Tensor) -> Result<Tensor> {
        let (n_sequences, length, width) = states.dims3()?;
        let head_width = width / self.n_heads;
        let heads = |linear: &Linear| {
            let all = linear.apply(states)?.reshape((n_sequences, length, self.n_heads, head_width))?;
            all.transpose(1, 2)?.contiguous()
        };
        let query = (heads(&self.query)? * (1.0 / (head_width as f64).sqrt()))?;
        let answers = query.matmul(&heads(&self.key)?.transpose(D::Minus1, D::Minus2)?)?;
        let attended = softmax_last_dim(&answers)?.matmul(&heads(&self.value)?)?;
        attended.transpose(1, 2)?.reshape((n_sequences, length, width))
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

    /// All pieces of all sequences in one product.
    fn apply(&self, states: &Tensor) -> Result<Tensor> {
        let (n_sequences, length, from) = states.dims3()?;
        let flat = states.reshape((n_sequences * length, from))?.matmul(&self.weight)?;
        flat.broadcast_add(&self.bias)?.reshape((n_sequences, length, ()))
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
        layer_norm(&states.contiguous()?, &self.scale, &self.shift, self.epsilon)
    }
}
