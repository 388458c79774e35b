//! The folder of one step: what it made, and whether that is whole.
//!
//! ```text
//! settings.json        what was asked for
//! state.safetensors    a stage after its last kept epoch; removed when it is done
//! weights.safetensors  what a stage ended with, one array for each table
//! metrics.jsonl        a line for each epoch of a stage
//! result.json          what an evaluation measured
//! done                 written last: only with it does anything else count
//! ```
//!
//! Every file is written under another name and renamed, so a kill leaves whole files only.

use super::tensors::{self, Tensors};
use crate::data::write_atomically;
use crate::train::TrainState;
use pcc_diag::Diagnostic;
use pcc_ir::{Graph, ParamId, Params};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// How many digits of a key name a folder: enough that two steps of a project never meet.
const DIGITS: usize = 16;

/// A step's folder. It need not exist.
#[derive(Clone, Debug)]
pub(super) struct StepFolder {
    path: PathBuf,
    key: String,
}

impl StepFolder {
    pub fn of(run: &Path, name: &str, key: &str) -> Self {
        let plain: String = name.chars().map(|c| if c.is_alphanumeric() { c } else { '-' }).collect();
        StepFolder { path: run.join("steps").join(format!("{plain}-{}", &key[..DIGITS])), key: key.into() }
    }

    /// Makes the folder and writes what was asked for.
    pub fn open(&self, settings: &Value) -> Result<(), Diagnostic> {
        make_folder(&self.path)?;
        self.write("settings.json", &format!("{settings:#}\n"))
    }

    /// Whether the step is finished: its marker holds the whole key.
    pub fn is_done(&self) -> bool {
        self.read("done").is_some_and(|key| key.trim_end() == self.key)
    }

    /// Marks the step as finished. Nothing may be written afterwards.
    pub fn finish(&self) -> Result<(), Diagnostic> {
        self.write("done", &format!("{}\n", self.key))?;
        // What is left of it does no harm: a finished step never looks for a state.
        let _ = std::fs::remove_file(self.path.join("state.safetensors"));
        Ok(())
    }

    pub fn write(&self, file: &str, text: &str) -> Result<(), Diagnostic> {
        write_atomically(&self.path.join(file), |to| to.write_all(text.as_bytes()))
    }

    pub fn read(&self, file: &str) -> Option<String> {
        std::fs::read_to_string(self.path.join(file)).ok()
    }

    pub fn write_state(&self, state: &TrainState) -> Result<(), Diagnostic> {
        let (arrays, json) = state.write();
        tensors::write(&self.path.join("state.safetensors"), &arrays, &json)
    }

    pub fn read_state(&self, graph: &Graph) -> Option<TrainState> {
        let tensors = Tensors::read(&self.path.join("state.safetensors"))?;
        TrainState::read(graph, |name| tensors.get(name), &tensors.json)
    }

    /// The last epoch of a kept state.
    pub fn saved_epoch(&self) -> Option<u32> {
        let json = Tensors::read(&self.path.join("state.safetensors"))?.json;
        let history = serde_json::from_str::<Value>(&json).ok()?;
        u32::try_from(history.get("history")?.as_array()?.len()).ok()
    }

    pub fn write_weights(&self, graph: &Graph, params: &Params) -> Result<(), Diagnostic> {
        let table = |i: usize| (graph.params()[i].name.as_str(), params.table(ParamId::new(i)));
        let arrays: Vec<(&str, &[f32])> = (0..graph.params().len()).map(table).collect();
        tensors::write(&self.path.join("weights.safetensors"), &arrays, "{}")
    }

    /// The weights of a finished stage.
    ///
    /// # Errors
    /// `step-damaged` when they are gone or don't fit the circuit.
    pub fn read_weights(&self, graph: &Graph) -> Result<Params, Diagnostic> {
        let path = self.path.join("weights.safetensors");
        let damaged = || {
            Diagnostic::error("step-damaged", format!("`{}` is missing or damaged", path.display()))
                .help("remove the step's folder, and the step is run again")
        };
        let tensors = Tensors::read(&path).ok_or_else(damaged)?;
        let mut params = Params::of(graph);
        for (i, param) in graph.params().iter().enumerate() {
            let values = tensors.get(&param.name).filter(|v| v.len() == param.len()).ok_or_else(damaged)?;
            params.table_mut(ParamId::new(i)).copy_from_slice(values);
        }
        Ok(params)
    }
}

/// Makes a folder and those above it.
///
/// # Errors
/// `cannot-write`.
pub(super) fn make_folder(path: &Path) -> Result<(), Diagnostic> {
    std::fs::create_dir_all(path).map_err(|error| {
        Diagnostic::error("cannot-write", format!("the folder `{}` can't be made: {error}", path.display()))
    })
}
