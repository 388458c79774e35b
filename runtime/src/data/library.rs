//! All data sets of a program, read when they are first asked for and kept.
//!
//! This is where texts over the same variables come to share a vocabulary, and where the two places in
//! which a file is looked for are known: beside the source file, then under `PCC_DATA`.

use super::vocabulary::Vocabulary;
use super::{Dataset, Weights, read};
use pcc_diag::{Diagnostic, Span};
use pcc_ir::VarGroup;
use pcc_ir::recipe::{DataSource, Reader, WeightSource};
use rustc_hash::FxHashMap;
use std::path::PathBuf;
use std::sync::Arc;

/// The data sets of a program.
#[derive(Debug)]
pub struct DataSets {
    sources: Vec<DataSource>,
    groups: Vec<VarGroup>,
    weight_sources: Vec<WeightSource>,
    pcc_data: Option<PathBuf>,
    read: FxHashMap<String, Arc<Dataset>>,
    weights: FxHashMap<String, Arc<Weights>>,
    vocabularies: FxHashMap<String, Arc<Vocabulary>>,
}

impl DataSets {
    /// Data sets that may be asked for. `groups` are all variables of the circuit; `pcc_data` is the folder
    /// named by `PCC_DATA`, if it is set.
    pub fn new(sources: Vec<DataSource>, groups: Vec<VarGroup>, pcc_data: Option<PathBuf>) -> Self {
        DataSets {
            sources,
            groups,
            weight_sources: Vec::new(),
            pcc_data,
            read: FxHashMap::default(),
            weights: FxHashMap::default(),
            vocabularies: FxHashMap::default(),
        }
    }

    /// Says what weights of rows may be asked for.
    pub fn set_weights(&mut self, sources: Vec<WeightSource>) {
        self.weight_sources = sources;
    }

    /// The weights with that name, one for each row of the data set that they weigh.
    ///
    /// # Errors
    /// `unknown-data` when there are none, `bad-weight`, `data-shape`, and whatever [`read`] reports.
    pub fn weights(&mut self, name: &str) -> Result<Arc<Weights>, Diagnostic> {
        if let Some(known) = self.weights.get(name) {
            return Ok(known.clone());
        }
        let source = self.weight_sources.iter().find(|s| s.name == name).cloned();
        let source = source
            .ok_or_else(|| Diagnostic::error("unknown-data", format!("no weights are named `{name}`")))?;
        let n_rows = self.get(&source.of)?.n_rows();
        let weights = Arc::new(Weights::read(&source, n_rows, &self.places(&source.beside))?);
        self.weights.insert(name.into(), weights.clone());
        Ok(weights)
    }

    /// Gives texts over a group of variables the vocabulary that a model was trained with.
    pub fn set_vocabulary(&mut self, group: &str, vocabulary: Arc<Vocabulary>) {
        self.vocabularies.insert(group.into(), vocabulary);
    }

    /// The data set with that name.
    ///
    /// # Errors
    /// `unknown-data` when there is none, and whatever [`read`] reports.
    pub fn get(&mut self, name: &str) -> Result<Arc<Dataset>, Diagnostic> {
        if let Some(known) = self.read.get(name) {
            return Ok(known.clone());
        }
        let source = self.source(name)?.clone();
        let vocabulary = self.vocabulary_for(&source)?;
        let places = self.places(&source.beside);
        let dataset = Arc::new(read(&source, &self.groups, &places, vocabulary)?);
        self.read.insert(name.into(), dataset.clone());
        Ok(dataset)
    }

    /// Where a file is looked for that is named in the folder `beside`.
    pub(crate) fn places(&self, beside: &str) -> Vec<PathBuf> {
        std::iter::once(PathBuf::from(beside)).chain(self.pcc_data.clone()).collect()
    }

    /// The file of a data set, as written.
    ///
    /// # Errors
    /// `unknown-data`.
    pub(crate) fn path_of(&self, name: &str) -> Result<&str, Diagnostic> {
        self.source(name).map(|source| source.path.as_str())
    }

    fn source(&self, name: &str) -> Result<&DataSource, Diagnostic> {
        self.sources.iter().find(|s| s.name == name).ok_or_else(|| {
            let fault = Diagnostic::error("unknown-data", format!("no data set is named `{name}`"));
            match pcc_diag::suggest(name, self.sources.iter().map(|s| s.name.as_str())) {
                Some(near) => fault.help(format!("did you mean `{near}`?")),
                None => fault,
            }
        })
    }

    /// The vocabulary of a text: the model's, or that of the first text over the same variables.
    fn vocabulary_for(&mut self, source: &DataSource) -> Result<Option<Arc<Vocabulary>>, Diagnostic> {
        let Reader::Text(options) = &source.reader else { return Ok(None) };
        if let Some(known) = source.variables.first().and_then(|group| self.vocabularies.get(group)) {
            return Ok(Some(known.clone()));
        }
        if options.vocabulary.is_some() || options.vocabulary_of == source.name {
            return Ok(None);
        }
        self.check_vocabulary_source(&options.vocabulary_of, source.span)?;
        Ok(self.get(&options.vocabulary_of)?.vocabulary().cloned())
    }

    /// A vocabulary comes from a text that has one of its own, so the search for it ends there.
    fn check_vocabulary_source(&self, name: &str, span: Span) -> Result<(), Diagnostic> {
        let owner = self.source(name)?;
        match &owner.reader {
            Reader::Text(o) if o.vocabulary.is_some() || o.vocabulary_of == owner.name => Ok(()),
            _ => Err(Diagnostic::error("data-format", format!("`{name}` has no vocabulary of its own"))
                .at(span, "its words are wanted here")),
        }
    }
}
