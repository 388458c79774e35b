//! A checkpoint on disk: a folder with `config.json`, `model.safetensors` and `tokenizer.json`.
//!
//! It is looked at before anything is computed: what pcc can't run, and files that don't belong together, are
//! refused here.

use candle_core::{DType, Device, Tensor};
use pcc_diag::{Diagnostic, Span};
use pcc_runtime::data::{find_file, read_file};
use serde::Deserialize;
use serde_json::Value;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use tokenizers::Tokenizer;

const CONFIG: &str = "config.json";
const WEIGHTS: &str = "model.safetensors";
const TOKENIZER: &str = "tokenizer.json";

/// What can be run.
const SUPPORTED: &str = "pcc runs encoders with `\"model_type\": \"bert\"`, `gelu` and absolute positions";

/// The sizes of a network, by the names that its file gives them.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Config {
    /// Word pieces.
    pub(crate) vocab_size: usize,
    /// Numbers of a state.
    pub(crate) hidden_size: usize,
    /// Layers.
    pub(crate) num_hidden_layers: usize,
    /// Heads of a layer.
    pub(crate) num_attention_heads: usize,
    /// Numbers of the wide part of a layer.
    pub(crate) intermediate_size: usize,
    /// The longest sequence.
    pub(crate) max_position_embeddings: usize,
    /// Kinds of sentences.
    pub(crate) type_vocab_size: usize,
    /// What is added to a variance.
    pub(crate) layer_norm_eps: f64,
    hidden_act: String,
    position_embedding_type: Option<String>,
    #[serde(default)]
    is_decoder: bool,
}

/// An opened checkpoint.
pub(crate) struct Checkpoint {
    folder: PathBuf,
    /// Where it was asked for.
    pub(crate) span: Span,
    /// A key of the three files.
    pub(crate) key: String,
    /// Sizes.
    pub(crate) config: Config,
    /// What cuts words into pieces.
    pub(crate) tokenizer: Tokenizer,
    tensors: HashMap<String, Tensor>,
}

/// The folder of a checkpoint, looked for in `places`, in order.
///
/// # Errors
/// `missing-file`, with every place that was looked in.
pub(crate) fn find(path: &str, places: &[PathBuf], span: Span) -> Result<PathBuf, Diagnostic> {
    let config = find_file(&format!("{path}/{CONFIG}"), places, span)?;
    Ok(config.parent().map(Path::to_path_buf).unwrap_or_default())
}

/// A key of the contents of a checkpoint's files.
///
/// # Errors
/// `missing-file` and `unreadable-file`.
pub(crate) fn key(folder: &Path, span: Span) -> Result<String, Diagnostic> {
    Files::read(folder, span).map(|files| files.key())
}

/// The contents of the three files.
struct Files {
    config: Vec<u8>,
    weights: Vec<u8>,
    tokenizer: Vec<u8>,
}

impl Files {
    fn read(folder: &Path, span: Span) -> Result<Self, Diagnostic> {
        let read = |name: &str| {
            read_file(&folder.join(name)).map_err(|fault| {
                fault
                    .at(span, "asked for here")
                    .help(format!("a checkpoint has {CONFIG}, {WEIGHTS} and {TOKENIZER}"))
            })
        };
        Ok(Files { config: read(CONFIG)?, weights: read(WEIGHTS)?, tokenizer: read(TOKENIZER)? })
    }

    fn key(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        hasher.update(super::VERSION.as_bytes());
        for file in [&self.config, &self.weights, &self.tokenizer] {
            hasher.update(blake3::hash(file).as_bytes());
        }
        hasher.finalize().to_hex().to_string()
    }
}

impl Checkpoint {
    /// Opens the checkpoint of a folder.
    ///
    /// # Errors
    /// `missing-file`, `unreadable-file`, `unsupported-checkpoint`, `checkpoint-damaged`, `tokenizer-differs`.
    pub(crate) fn open(folder: &Path, span: Span) -> Result<Self, Diagnostic> {
        let files = Files::read(folder, span)?;
        let config = config(&files.config, folder, span)?;
        let damaged =
            |file: &str, why: String| damaged(folder, span, &format!("`{file}` can't be read: {why}"));
        let tensors = candle_core::safetensors::load_buffer(&files.weights, &Device::Cpu)
            .map_err(|error| damaged(WEIGHTS, error.to_string()))?;
        let tokenizer = tokenizer(&files.tokenizer).map_err(|error| damaged(TOKENIZER, error))?;
        let checkpoint =
            Checkpoint { folder: folder.into(), span, key: files.key(), config, tokenizer, tensors };
        checkpoint.check_tokenizer()?;
        Ok(checkpoint)
    }

    /// The tensor with a name and shape, in single precision. Names may have the prefix `bert.`, and old ones for
    /// the scale and shift of a normalisation.
    ///
    /// # Errors
    /// `checkpoint-damaged`.
    pub(crate) fn tensor(&self, name: &str, shape: &[usize]) -> Result<Tensor, Diagnostic> {
        let old =
            name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta");
        let names = [name.to_string(), format!("bert.{name}"), format!("bert.{old}"), old];
        let Some(tensor) = names.iter().find_map(|name| self.tensors.get(name)) else {
            return Err(self.damaged(&format!("`{WEIGHTS}` has no `{name}`")));
        };
        if tensor.dims() != shape {
            let found = tensor.dims();
            let message = format!("`{name}` has the shape {found:?}, and `{CONFIG}` says {shape:?}");
            return Err(self.damaged(&message));
        }
        tensor.to_dtype(DType::F32).map_err(|error| self.damaged(&error.to_string()))
    }

    /// A fault of the files.
    pub(crate) fn damaged(&self, why: &str) -> Diagnostic {
        damaged(&self.folder, self.span, why)
    }

    /// A fault of the tokenizer.
    pub(crate) fn tokenizer_differs(&self, why: &str) -> Diagnostic {
        let message =
            format!("the tokenizer of `{}` is not that of its network: {why}", self.folder.display());
        Diagnostic::error("tokenizer-differs", message)
            .at(self.span, "asked for here")
            .help("take all files of a checkpoint from the same place")
    }

    fn check_tokenizer(&self) -> Result<(), Diagnostic> {
        let (pieces, embedded) = (self.tokenizer.get_vocab_size(true), self.config.vocab_size);
        match pieces == embedded {
            true => Ok(()),
            false => {
                Err(self.tokenizer_differs(&format!("it has {pieces} pieces, and the network {embedded}")))
            }
        }
    }
}

/// Reads the sizes of a network that can be run.
fn config(json: &[u8], folder: &Path, span: Span) -> Result<Config, Diagnostic> {
    let unreadable =
        |error: serde_json::Error| damaged(folder, span, &format!("`{CONFIG}` can't be read: {error}"));
    let value: Value = serde_json::from_slice(json).map_err(unreadable)?;
    let kind = value.get("model_type").and_then(Value::as_str).unwrap_or_default().to_string();
    if kind != "bert" {
        return Err(unsupported(folder, span, &format!("its model type is `{kind}`")));
    }
    let config: Config = serde_json::from_value(value).map_err(unreadable)?;
    let positions = config.position_embedding_type.as_deref().unwrap_or("absolute");
    let sizes = [config.hidden_size, config.num_attention_heads, config.type_vocab_size];
    match () {
        () if config.hidden_act != "gelu" => {
            Err(unsupported(folder, span, &format!("its activation is `{}`", config.hidden_act)))
        }
        () if positions != "absolute" => {
            Err(unsupported(folder, span, &format!("its positions are `{positions}`")))
        }
        () if config.is_decoder => Err(unsupported(folder, span, "it is a decoder")),
        () if sizes.contains(&0) || !config.hidden_size.is_multiple_of(config.num_attention_heads) => {
            Err(damaged(folder, span, "the heads don't divide the states"))
        }
        () => Ok(config),
    }
}

/// A tokenizer that neither cuts sequences short nor fills them up.
fn tokenizer(json: &[u8]) -> Result<Tokenizer, String> {
    let mut tokenizer = Tokenizer::from_bytes(json).map_err(|error| error.to_string())?;
    tokenizer.with_truncation(None).map_err(|error| error.to_string())?;
    tokenizer.with_padding(None);
    Ok(tokenizer)
}

fn unsupported(folder: &Path, span: Span, why: &str) -> Diagnostic {
    let message = format!("`{}` is no checkpoint that pcc can run: {why}", folder.display());
    Diagnostic::error("unsupported-checkpoint", message).at(span, "asked for here").help(format!(
        "{SUPPORTED}; vectors made elsewhere are read by `data teach : embedding(Z, 768) from npy(..)`"
    ))
}

fn damaged(folder: &Path, span: Span, why: &str) -> Diagnostic {
    let message = format!("the checkpoint `{}` can't be used: {why}", folder.display());
    Diagnostic::error("checkpoint-damaged", message).at(span, "asked for here")
}
