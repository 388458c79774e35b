//! All teachers behind the one trait by which learning asks them.

use crate::text::Text;
use crate::words::{self, WordVectors};
use pcc_diag::{Diagnostic, Span};
use pcc_ir::recipe::{Labels, Network, Teacher, TeacherView, WordVectorOptions};
use pcc_runtime::data::Dataset;
use pcc_runtime::learn::{Asked, FeatureRows, Teachers};
use rustc_hash::FxHashMap;
use std::path::PathBuf;

#[cfg(feature = "networks")]
use crate::{kept::Kept, transformer};

/// How far a teacher is with what it was asked for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Progress<'a> {
    /// Its name in the source.
    pub teacher: &'a str,
    /// Rows that have their vectors.
    pub rows_done: usize,
    /// Rows of the data set.
    pub rows: usize,
    /// Seconds that the rest will take; `None` before any row was computed.
    pub seconds_left: Option<f64>,
}

/// The teachers that pcc can run. What was learned or read for one question is kept for the next.
pub struct Networks {
    /// Word vectors by the key of their teacher.
    words: FxHashMap<String, WordVectors>,
    /// Keys of checkpoints by folder: none changes while a program runs.
    #[cfg(feature = "networks")]
    checkpoints: FxHashMap<PathBuf, String>,
    #[cfg(feature = "networks")]
    kept: Kept,
    #[cfg(feature = "networks")]
    watch: Box<dyn FnMut(&Progress)>,
}

impl Networks {
    /// Teachers that keep the vectors they make in a folder, if there is one, and tell `watch` how far they are.
    #[cfg(feature = "networks")]
    pub fn new(folder: Option<PathBuf>, watch: impl FnMut(&Progress) + 'static) -> Self {
        Networks {
            words: FxHashMap::default(),
            checkpoints: FxHashMap::default(),
            kept: Kept { folder },
            watch: Box::new(watch),
        }
    }

    /// Teachers that need no network library: word vectors, which are quick and keep nothing.
    #[cfg(not(feature = "networks"))]
    pub fn new(_: Option<PathBuf>, _: impl FnMut(&Progress) + 'static) -> Self {
        Networks { words: FxHashMap::default() }
    }

    fn words_of(
        &mut self,
        asked: Asked,
        options: &WordVectorOptions,
        view: TeacherView,
        data: &Dataset,
        own: Option<&Dataset>,
    ) -> Result<FeatureRows, Diagnostic> {
        let own = Text::of(own.unwrap_or(data), asked.span)?;
        let text = Text::of(data, asked.span)?;
        text.check_same_words(&own, asked.span)?;
        let learn = || WordVectors::learn(&own, options);
        Ok(self.words.entry(asked.key.into()).or_insert_with(learn).of_rows(&text, view))
    }
}

impl Teachers for Networks {
    fn key(&mut self, teacher: &Teacher, places: &[PathBuf], span: Span) -> Result<String, Diagnostic> {
        match &teacher.network {
            Network::WordVectors(_) => Ok(words::VERSION.into()),
            #[cfg(feature = "networks")]
            Network::Transformer { path, .. } => {
                let folder = transformer::find(path, places, span)?;
                if let Some(known) = self.checkpoints.get(&folder) {
                    return Ok(known.clone());
                }
                let key = transformer::key(&folder, span)?;
                self.checkpoints.insert(folder, key.clone());
                Ok(key)
            }
            _ => {
                let _ = places;
                Err(not_built(teacher, span))
            }
        }
    }

    fn features(
        &mut self,
        asked: Asked,
        view: TeacherView,
        data: &Dataset,
        own: Option<&Dataset>,
    ) -> Result<FeatureRows, Diagnostic> {
        match &asked.teacher.network {
            Network::WordVectors(options) => self.words_of(asked, options, view, data, own),
            #[cfg(feature = "networks")]
            Network::Transformer { path, .. } => {
                let folder = transformer::find(path, asked.places, asked.span)?;
                let text = Text::of(data, asked.span)?;
                transformer::features(&folder, asked, view, &text, &self.kept, &mut self.watch)
            }
            _ => Err(not_built(asked.teacher, asked.span)),
        }
    }

    fn codes(&mut self, asked: Asked, _: &Dataset, _: Option<&Dataset>) -> Result<Labels, Diagnostic> {
        Err(not_built(asked.teacher, asked.span))
    }
}

fn not_built(teacher: &Teacher, span: Span) -> Diagnostic {
    let message = format!("this pcc can't run the teacher `{}`", teacher.name);
    let known = match cfg!(feature = "networks") {
        true => "it runs `transformer` and `word_vectors`",
        false => "it was built without networks, and runs `word_vectors`",
    };
    Diagnostic::error("not-built-yet", message).at(span, "asked for here").help(format!(
        "{known}; vectors made elsewhere are read by `data teach : embedding(Z, 768) from npy(..)`"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use pcc_ir::recipe::VqVaeOptions;

    #[test]
    fn networks_of_later_versions_are_refused() {
        let options = VqVaeOptions { patch: vec![2, 2], codes: 4, dim: 2, epochs: 1, batch: 1, seed: 0 };
        let teacher = Teacher { name: "vq".into(), network: Network::VqVae(options), data: None };
        let fault = Networks::new(None, |_| ()).key(&teacher, &[], Span::NONE).unwrap_err();
        assert_eq!(fault.code, "not-built-yet");
    }
}
