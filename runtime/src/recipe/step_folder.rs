//! The folder of one step: what it made, and whether that is whole.
//!
//! ```text
//! settings.json        what was asked for
//! key.json             the parts of the key, by name
//! cost.json            the seconds and visits of edges that a stage took, which no key covers
//! state.safetensors    a stage after its last kept epoch; removed when it is done
//! weights.pcm          what a stage ended with: the circuit and its tables
//! changes.json         what a stage did to the circuit's sizes, where it changed it
//! metrics.jsonl        a line for each epoch of a stage
//! result.json          what an evaluation measured
//! done                 written last: only with it does anything else count
//! ```
//!
//! Every file is written under another name and renamed, so a kill leaves whole files only.

use super::key::{Parts, SETTINGS};
use super::restructure::Record;
use crate::change::Changed;
use crate::data::write_atomically;
use crate::model::{Model, Tensor, Tensors, Values, load_tensors, save_tensors};
use crate::train::TrainState;
use pcc_diag::Diagnostic;
use pcc_ir::graph::{InitialValues, print_with};
use pcc_ir::{Graph, Params};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// The metadata of a kept state that holds what is no array.
const STATE: &str = "state";

/// The file of what changes did.
const CHANGES: &str = "changes.json";

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
    pub fn open(&self, parts: &Parts) -> Result<(), Diagnostic> {
        make_folder(&self.path)?;
        let settings = parts.get(SETTINGS).unwrap_or(&Value::Null);
        self.write("settings.json", &format!("{settings:#}\n"))?;
        self.write("key.json", &format!("{:#}\n", Value::Object(parts.clone())))
    }

    /// Removes the folder with all that is in it.
    ///
    /// # Errors
    /// `cannot-write`.
    pub fn discard(&self) -> Result<(), Diagnostic> {
        match std::fs::remove_dir_all(&self.path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                let message = format!("the step `{}` can't be removed: {error}", self.path.display());
                Err(Diagnostic::error("cannot-write", message))
            }
            _ => Ok(()),
        }
    }

    /// The parts of its key, if the step was ever begun.
    pub fn kept_parts(&self) -> Option<Parts> {
        parts_in(&self.path)
    }

    /// The parts of the keys of other steps with this name that were finished, the latest first.
    pub fn others(&self) -> Vec<Parts> {
        let name = |path: &Path| path.file_name().map(|name| name.to_string_lossy().into_owned());
        let Some(own) = name(&self.path) else { return Vec::new() };
        let plain = &own[..own.len() - DIGITS];
        let is_other = |path: &PathBuf| {
            name(path).is_some_and(|name| name != own && name.len() == own.len() && name.starts_with(plain))
        };
        let entries = self.path.parent().and_then(|steps| std::fs::read_dir(steps).ok());
        let paths = entries.into_iter().flatten().flatten().map(|entry| entry.path()).filter(is_other);
        let mut found: Vec<(SystemTime, Parts)> = paths
            .filter_map(|path| {
                let done = std::fs::metadata(path.join("done")).and_then(|file| file.modified()).ok()?;
                Some((done, parts_in(&path)?))
            })
            .collect();
        found.sort_by_key(|(done, _)| std::cmp::Reverse(*done));
        found.into_iter().map(|(_, parts)| parts).collect()
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
        let tensor =
            |values: &[f32]| Tensor { shape: vec![values.len()], values: Values::F32(values.into()) };
        let tensors = arrays.iter().map(|(name, values)| (name.to_string(), tensor(values))).collect();
        let metadata = [(STATE.to_string(), json)].into();
        save_tensors(&self.path.join("state.safetensors"), &Tensors { tensors, metadata })
    }

    /// The kept state of a stage. One that is damaged or of another circuit counts as none: the stage then
    /// begins anew, with the same result.
    pub fn read_state(&self, graph: &Graph) -> Option<TrainState> {
        let file = self.state_file()?;
        let array = |name: &str| match &file.tensors.get(name)?.values {
            Values::F32(values) => Some(values.as_slice()),
            _ => None,
        };
        TrainState::read(graph, array, file.metadata.get(STATE)?)
    }

    /// The last epoch of a kept state.
    pub fn saved_epoch(&self) -> Option<u32> {
        let state = serde_json::from_str::<Value>(self.state_file()?.metadata.get(STATE)?).ok()?;
        u32::try_from(state.get("history")?.as_array()?.len()).ok()
    }

    fn state_file(&self) -> Option<Tensors> {
        load_tensors(&self.path.join("state.safetensors")).ok()
    }

    pub fn write_weights(&self, graph: &Graph, params: &Params) -> Result<(), Diagnostic> {
        Model::new(graph.clone(), params.clone()).save(&self.path.join("weights.pcm"))
    }

    /// Writes what the changes of a stage did.
    pub fn write_changes(&self, records: &[Record]) -> Result<(), Diagnostic> {
        let text = serde_json::to_string(records).expect("it has only names and numbers");
        self.write(CHANGES, &format!("{text}\n"))
    }

    /// What the changes of a finished stage did.
    pub fn changes(&self) -> Vec<Record> {
        self.read(CHANGES).and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default()
    }

    /// The circuit of a finished stage that changed it.
    ///
    /// # Errors
    /// `step-damaged` when it is gone, or has other variables than the circuit that the recipe began with.
    pub fn read_changed(&self, graph: &Graph) -> Result<Changed, Diagnostic> {
        let path = self.path.join("weights.pcm");
        let model = Model::load(&path).map_err(|fault| damaged(&path, &fault.message))?;
        match model.graph.var_groups() == graph.var_groups() {
            true => Ok(Changed { graph: model.graph, params: model.params }),
            false => Err(damaged(&path, "it holds a circuit of other variables")),
        }
    }

    /// The weights of a finished stage.
    ///
    /// # Errors
    /// `step-damaged` when they are gone or don't fit the circuit.
    pub fn read_weights(&self, graph: &Graph) -> Result<Params, Diagnostic> {
        let path = self.path.join("weights.pcm");
        let model = Model::load(&path).map_err(|fault| damaged(&path, &fault.message))?;
        // A model file has the circuit without the values of its source.
        let text = |graph| print_with(graph, InitialValues::LeftOut);
        match text(&model.graph) == text(graph) {
            true => Ok(model.params),
            false => Err(damaged(&path, "it holds another circuit")),
        }
    }
}

fn damaged(path: &Path, why: &str) -> Diagnostic {
    Diagnostic::error("step-damaged", format!("the finished step `{}` can't be used: {why}", path.display()))
        .help("remove the step's folder, and the step is run again")
}

fn parts_in(folder: &Path) -> Option<Parts> {
    serde_json::from_str(&std::fs::read_to_string(folder.join("key.json")).ok()?).ok()
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
