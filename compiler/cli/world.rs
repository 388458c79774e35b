//! The only implementor of the front end's `World`: files, the lock of learned values, and learners.

use crate::args::SourceArgs;
use crate::failure::Failure;
use crate::teachers::networks;
use pcc_diag::{Diagnostic, Sink, Sources, Span};
use pcc_front::{Assertion, Elaborated, Program, Settings};
use pcc_ir::recipe::{Codes, DataSource, LearnRequest, Learned, Recipe, WeightSource};
use pcc_ir::{Graph, VarGroup};
use pcc_runtime::data::DataSets;
use pcc_runtime::learn::{Library, Lock, TeacherCost, call_key};
use pcc_runtime::recipe::Keyed;
use pcc_teacher::Networks;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};

/// What a program may look at, seen from the command line.
pub struct World {
    pcc_data: Option<PathBuf>,
    lock: RefCell<Lock>,
    /// The name of the source file: programs in one folder share a lock.
    program: String,
    may_learn: bool,
    data: RefCell<Option<DataSets>>,
    teachers: RefCell<Networks>,
}

impl World {
    /// Learned values come from the lock alone, as `check`, `info` and `emit` need them.
    pub fn of_lock(file: &Path, source: &SourceArgs) -> Result<Self, Failure> {
        Self::open(file, source, false)
    }

    /// Learned values are learned when the lock has none for this data.
    pub fn of_data(file: &Path, source: &SourceArgs) -> Result<Self, Failure> {
        Self::open(file, source, true)
    }

    fn open(file: &Path, source: &SourceArgs, may_learn: bool) -> Result<Self, Failure> {
        let folder = file.parent().filter(|f| !f.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let lock = RefCell::new(Lock::open(folder).map_err(Failure::of)?);
        let program = file.file_stem().map_or_else(String::new, |s| s.to_string_lossy().into_owned());
        let (data, teachers) = (RefCell::new(None), RefCell::new(networks()));
        Ok(World { program, pcc_data: source.data.clone(), lock, may_learn, data, teachers })
    }

    /// Refuses learning that would take more bytes than this.
    pub fn limit_memory(&self, bytes: u64) {
        self.teachers.borrow_mut().limit_memory(bytes);
    }

    /// The folder named by `--data` or `PCC_DATA`.
    pub fn pcc_data(&self) -> Option<&Path> {
        self.pcc_data.as_deref()
    }

    fn locked_name(&self, request: &LearnRequest) -> String {
        format!("{}.{}", self.program, request.name)
    }

    /// What may be learned, with the data sets and variables of the whole program.
    fn library<T>(&self, inventory: Inventory, ask: impl FnOnce(&mut Library) -> T) -> T {
        let mut data = self.data.borrow_mut();
        let (sources, variables) = inventory;
        let data = data.get_or_insert_with(|| {
            DataSets::new(sources.to_vec(), variables.to_vec(), self.pcc_data.clone())
        });
        let (lock, teachers) = (&mut *self.lock.borrow_mut(), &mut *self.teachers.borrow_mut());
        let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        ask(&mut Library { lock, program: &self.program, data, teachers, threads })
    }

    /// The name of the teacher that a request asks, and what that will cost. Learns nothing.
    ///
    /// # Errors
    /// Whatever is wrong with the data or the teacher.
    pub fn cost(
        &self,
        request: &LearnRequest,
        inventory: Inventory,
    ) -> Result<Option<(String, TeacherCost)>, Diagnostic> {
        let found = self.library(inventory, |library| library.cost(request))?;
        Ok(found.map(|(teacher, cost)| (teacher.name.clone(), cost)))
    }

    /// What learning took, by the name of what was learned or found in the lock.
    pub fn learning_seconds(&self) -> BTreeMap<String, f64> {
        self.lock.borrow().seconds().clone()
    }

    /// Labels and their key, learned when they are not in the lock.
    ///
    /// # Errors
    /// `not-elaborated`, which is no error of the program, where nothing may be learned and the lock has none.
    pub fn labels(&self, codes: &Codes, span: Span, inventory: Inventory) -> Result<Keyed, Diagnostic> {
        let may_learn = self.may_learn;
        let found = self.library(inventory, |library| match may_learn {
            true => library.labels(codes, span).map(Some),
            false => library.kept_labels(codes, span),
        })?;
        let (labels, key) = found.ok_or_else(|| {
            let message = format!("`{}` is not learned yet", codes.name);
            Diagnostic::advice("not-elaborated", message).at(span, "learned by `pcc run`")
        })?;
        Ok((labels.into(), key))
    }
}

/// All data sets and variables of a program.
pub type Inventory<'a> = (&'a [DataSource], &'a [VarGroup]);

impl pcc_front::World for World {
    fn read(&self, path: &str) -> Result<String, String> {
        read_text(Path::new(path)).map_err(|failure| match failure {
            Failure::Usage(why) => why,
            _ => "it is not text".into(),
        })
    }

    fn learned(
        &self,
        request: &LearnRequest,
        sources: &[DataSource],
        variables: &[VarGroup],
    ) -> Result<Option<Learned>, Diagnostic> {
        match self.may_learn {
            true => self.library((sources, variables), |library| library.learned(request)).map(Some),
            false => self.lock.borrow().value_of_call(&self.locked_name(request), &call_key(&request.call)),
        }
    }
}

/// A program read from a file, and what was found in it so far.
pub struct Loaded {
    program: Program,
    settings: Settings,
    sources: Sources,
    sink: Sink,
    /// Whether the check of the whole program found errors.
    is_faulty: bool,
    /// What is claimed of the circuits, evaluated when the first is judged.
    assertions: Option<Vec<Assertion>>,
}

impl Loaded {
    /// Reads a file and what it imports. Faults of syntax are among what was found.
    pub fn from_file(path: &Path, world: &World, source: &SourceArgs) -> Result<Self, Failure> {
        // A missing file on the command line is a wrong command, not a fault of a program.
        read_text(path)?;
        let mut settings = Settings::plain();
        for text in &source.overrides {
            let (name, value) = text.split_once('=').ok_or_else(|| {
                Failure::Usage(format!("`--set {text}` has no value; write `--set {text}=..`"))
            })?;
            settings.overrides.push((name.trim().into(), value.trim().into()));
        }
        let (mut sources, mut sink) = (Sources::new(), Sink::new());
        let program = pcc_front::load(&path.display().to_string(), world, &mut sources, &mut sink);
        let is_faulty = sink.has_errors();
        Ok(Loaded { program, settings, sources, sink, is_faulty, assertions: None })
    }

    /// Checks everything that needs no data.
    pub fn check(&mut self) {
        pcc_front::check_program(&self.program, &self.settings, &mut self.sink);
        pcc_front::check_settings(&self.program, &self.settings, &mut self.sink);
        self.is_faulty = self.has_errors();
    }

    /// Checks the numbers and options of data and recipes, unless the program is faulty already.
    pub fn check_options(&mut self) {
        if !self.is_faulty {
            self.data_sources();
            self.weight_sources();
            pcc_front::check_recipes(&self.program, &self.settings, &mut self.sink);
        }
    }

    /// The names of the circuits.
    pub fn circuits(&self) -> Vec<String> {
        self.program.circuits().into_iter().map(String::from).collect()
    }

    /// Elaborates a circuit, unless the program was found faulty before any was elaborated: a fault of one
    /// circuit says nothing of the others.
    pub fn elaborate(&mut self, circuit: &str, world: &World) -> Option<Elaborated> {
        if self.is_faulty {
            return None;
        }
        pcc_front::elaborate(&self.program, circuit, world, &self.settings, &mut self.sink)
    }

    /// Elaborates a circuit and judges what is claimed of it; nothing as soon as any error was found.
    pub fn verify(&mut self, circuit: &str, world: &World) -> Option<Elaborated> {
        let elaborated = self.elaborate(circuit, world)?;
        let (program, settings, sink) = (&self.program, &self.settings, &mut self.sink);
        let assertions =
            self.assertions.get_or_insert_with(|| pcc_front::assertions(program, world, settings, sink));
        pcc_front::verify(program, circuit, &elaborated, assertions, world, settings, &mut self.sink);
        (!self.has_errors()).then_some(elaborated)
    }

    /// The recipes, with `--set` applied.
    pub fn recipes(&mut self) -> Vec<Recipe> {
        pcc_front::recipes(&self.program, &self.settings, &mut self.sink)
    }

    /// Refuses learners that need a property the circuit lacks.
    pub fn check_learners(&mut self, circuit: &str, graph: &Graph) {
        // What is wrong with a recipe itself was found by `check`, and is not reported twice.
        let mut found = Sink::new();
        let recipes = pcc_front::recipes(&self.program, &self.settings, &mut found);
        for recipe in recipes.iter().filter(|recipe| recipe.circuit == circuit) {
            self.sink.extend(pcc_runtime::recipe::refusals(recipe, graph));
        }
    }

    /// What the program learns.
    pub fn learn_requests(&mut self) -> Vec<LearnRequest> {
        pcc_front::learn_requests(&self.program, &self.settings, &mut self.sink)
    }

    /// All data sets that are declared.
    pub fn data_sources(&mut self) -> Vec<DataSource> {
        pcc_front::data_sources(&self.program, &self.settings, &mut self.sink)
    }

    /// All variables of the program, numbered through.
    pub fn variables(&mut self) -> Vec<VarGroup> {
        pcc_front::variables(&self.program, &self.settings, &mut self.sink)
    }

    /// All weights of rows that are declared.
    pub fn weight_sources(&mut self) -> Vec<WeightSource> {
        pcc_front::weight_sources(&self.program, &self.settings, &mut self.sink)
    }

    /// The hash of all files of the program.
    pub fn source_hash(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        for (_, module) in self.program.modules() {
            hasher.update(module.text.as_bytes());
        }
        hasher.finalize().to_hex().to_string()
    }

    /// Whether an error was found.
    pub fn has_errors(&self) -> bool {
        self.sink.has_errors()
    }

    /// What was found.
    pub fn found(&self) -> &[Diagnostic] {
        self.sink.found()
    }

    /// The texts of the files.
    pub fn sources(&self) -> &Sources {
        &self.sources
    }

    /// Ends the verb with what was found.
    pub fn into_failure(self) -> Failure {
        Failure::Program(self.sink.into_vec(), self.sources)
    }
}

/// The text of a file named on the command line.
pub fn read_text(path: &Path) -> Result<String, Failure> {
    let bytes = std::fs::read(path)
        .map_err(|e| Failure::Usage(format!("`{}` can't be read: {e}", path.display())))?;
    String::from_utf8(bytes).map_err(|_| {
        Failure::of(Diagnostic::error("not-text", format!("`{}` is not UTF-8 text", path.display())))
    })
}

/// All of standard input.
pub fn read_stdin() -> Result<String, Failure> {
    let mut text = String::new();
    std::io::stdin()
        .read_to_string(&mut text)
        .map_err(|e| Failure::Usage(format!("standard input can't be read: {e}")))?;
    Ok(text)
}

/// Replaces a file by other text, whole or not at all.
pub fn write_text(path: &Path, text: &str) -> Result<(), Failure> {
    pcc_runtime::data::write_atomically(path, |to| to.write_all(text.as_bytes()))
        .map_err(|d| Failure::Machine(d.message))
}
