//! Files that hold circuits, opened: a `.pc` program, a `.pcm` model, a `.psdd`, a `.sdd`. The content decides which.

use crate::args::{MachineArgs, ModelArgs, Numerics, SourceArgs};
use crate::failure::Failure;
use crate::terminal::Terminal;
use crate::world::{Loaded, World};
use pcc_diag::{Diagnostic, Sources};
use pcc_ir::{Checked, Graph, Params, props};
use pcc_runtime::data::{Vocabulary, read_file};
use pcc_runtime::exec::{CpuOptions, Executor, Interpreter, LogExecutor, compiled};
use pcc_runtime::formats::{Content, read_circuit};
use pcc_runtime::model::{Model, Provenance};
use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A circuit with whatever its file says of it.
pub struct Circuit {
    /// The name in the source, or that of the file.
    pub name: String,
    /// The circuit.
    pub graph: Checked,
    /// Its parameters; those that nothing sets are unset.
    pub params: Params,
    /// The words of its text variables, by group.
    pub vocabularies: BTreeMap<String, Arc<Vocabulary>>,
    /// Where a model comes from, in words.
    pub provenance: Option<String>,
    /// The texts in which the layers have their places; none for a circuit that was not written.
    pub sources: Sources,
}

impl Circuit {
    /// A fault of the circuit or of what is asked of it.
    pub fn failure(&self, fault: Diagnostic) -> Failure {
        Failure::Program(vec![fault], self.sources.clone())
    }
}

/// The circuits of a file: all of a program, or the one that is wanted.
pub fn circuits(
    file: &Path,
    wanted: Option<&str>,
    vtree: Option<&Path>,
    source: &SourceArgs,
    terminal: &Terminal,
) -> Result<Vec<Circuit>, Failure> {
    let content = Content::of(&read_file(file).map_err(|d| Failure::Usage(d.message))?);
    match content {
        Content::Safetensors => Ok(vec![of_model(Model::load(file).map_err(Failure::of)?, file)?]),
        Content::Text | Content::Empty => of_program(file, wanted, source, terminal),
        _ => {
            let imported = read_circuit(file, vtree).map_err(Failure::of)?;
            terminal.show(&imported.warnings, &Sources::new());
            Ok(vec![of_parts(name_of(file), imported.graph, imported.params)?])
        }
    }
}

/// The one circuit of a model to ask questions of.
///
/// Tables without values are refused where a number is asked for, not here.
pub fn model(args: &ModelArgs, terminal: &Terminal) -> Result<Circuit, Failure> {
    let source = SourceArgs::default();
    let wanted = args.circuit.as_deref();
    let mut found = circuits(&args.model, wanted, args.vtree.as_deref(), &source, terminal)?;
    match found.len() {
        1 => Ok(found.remove(0)),
        0 => Err(Failure::Usage(format!("`{}` has no circuit that can be elaborated", args.model.display()))),
        _ => {
            let names: Vec<&str> = found.iter().map(|c| c.name.as_str()).collect();
            Err(Failure::Usage(format!("say which circuit: `--circuit {}`", names.join("`, `--circuit "))))
        }
    }
}

fn of_program(
    file: &Path,
    wanted: Option<&str>,
    source: &SourceArgs,
    terminal: &Terminal,
) -> Result<Vec<Circuit>, Failure> {
    let world = World::of_lock(file, source)?;
    let mut loaded = Loaded::from_file(file, &world, source)?;
    loaded.check();
    let names = wanted.map_or_else(|| loaded.circuits(), |name| vec![name.to_string()]);
    let mut circuits = Vec::new();
    for name in names {
        if let Some(elaborated) = loaded.verify(&name, &world) {
            let params = Params::of(&elaborated.graph);
            let circuit = of_parts(name, elaborated.graph, params)?;
            circuits.push(Circuit { sources: loaded.sources().clone(), ..circuit });
        }
    }
    if loaded.has_errors() {
        return Err(loaded.into_failure());
    }
    terminal.show(loaded.found(), loaded.sources());
    Ok(circuits)
}

fn of_model(model: Model, file: &Path) -> Result<Circuit, Failure> {
    let name = match model.provenance.circuit.as_str() {
        "" => name_of(file),
        name => name.to_string(),
    };
    let provenance = in_words(&model.provenance);
    let circuit = of_parts(name, model.graph, model.params)?;
    Ok(Circuit { vocabularies: model.vocabularies, provenance, ..circuit })
}

/// The graph as one that has likelihoods, or the diagnostics of what forbids that.
pub fn checked(graph: Graph, sources: &Sources) -> Result<Checked, Failure> {
    Checked::new(graph.clone()).map_err(|violations| {
        let found = violations.iter().map(|v| props::violation_in_words(&graph, v)).collect();
        Failure::Program(found, sources.clone())
    })
}

fn of_parts(name: String, graph: Graph, params: Params) -> Result<Circuit, Failure> {
    let graph = checked(graph, &Sources::new())?;
    let (vocabularies, sources) = (BTreeMap::new(), Sources::new());
    Ok(Circuit { name, graph, params, vocabularies, provenance: None, sources })
}

fn in_words(provenance: &Provenance) -> Option<String> {
    let metrics: Vec<String> = provenance.metrics.iter().map(|(name, v)| format!("{name} {v}")).collect();
    (!provenance.recipe.is_empty()).then(|| {
        let seed = provenance.seed.map_or(String::new(), |s| format!(", seed {s}"));
        format!("by recipe {}{seed}: {}", provenance.recipe, metrics.join(", "))
    })
}

fn name_of(file: &Path) -> String {
    file.file_stem().map_or_else(String::new, |s| s.to_string_lossy().into_owned())
}

/// How many threads compute: as many as wanted, else all.
pub fn threads(wanted: Option<usize>) -> Result<NonZeroUsize, Failure> {
    match wanted {
        None => Ok(CpuOptions::all_threads().threads),
        Some(n) => NonZeroUsize::new(n).ok_or_else(|| Failure::Usage("`--threads` is at least 1".into())),
    }
}

/// Where machine code and vectors are kept: in `PCC_CACHE_DIR`, nowhere if that is `off`, else in the user's
/// cache folder.
pub fn cache_folder() -> Option<PathBuf> {
    let of = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    match of("PCC_CACHE_DIR") {
        Some(folder) if folder == "off" => None,
        Some(folder) => Some(folder.into()),
        None => {
            let home = || of("HOME").map(|home| Path::new(&home).join(".cache"));
            of("XDG_CACHE_HOME").map(PathBuf::from).or_else(home).map(|caches| caches.join("pcc"))
        }
    }
}

/// An executor for a circuit in the chosen number representation.
pub fn executor(graph: &Graph, params: &Params, machine: &MachineArgs) -> Result<Box<dyn Executor>, Failure> {
    if machine.device == crate::args::Device::Cuda {
        return Err(Failure::Machine(
            "this version of pcc computes on the CPU alone; leave `--device` out".into(),
        ));
    }
    let (graph, params) = (graph.clone(), params.clone());
    Ok(match machine.numerics {
        Numerics::Scaled => {
            let code_folder = cache_folder();
            let memory = machine.memory;
            let options =
                CpuOptions { memory, code_folder, ..CpuOptions::threads(threads(machine.threads)?) };
            compiled(graph, params, options).map_err(|e| Failure::Machine(e.to_string()))?
        }
        Numerics::Log => Box::new(LogExecutor::new(graph, params)),
        Numerics::F64 => Box::new(Interpreter::new(graph, params)),
    })
}
