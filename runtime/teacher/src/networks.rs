//! All teachers behind the one trait by which learning asks them.

use crate::text::Text;
use crate::words::{self, WordVectors};
use pcc_diag::{Diagnostic, Span, grouped};
use pcc_ir::recipe::{Labels, Network, Teacher, TeacherView, WordVectorOptions};
use pcc_runtime::data::Dataset;
use pcc_runtime::learn::{Asked, FeatureRows, TeacherCost, Teachers, Work};
use rustc_hash::FxHashMap;
use std::path::PathBuf;

#[cfg(feature = "networks")]
use crate::{kept::Kept, patches, transformer};

/// How far a teacher is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Progress<'a> {
    /// Its name in the source.
    pub teacher: &'a str,
    /// What it does.
    pub doing: Doing,
    /// Seconds that the rest will take; `None` before any of it was done.
    pub seconds_left: Option<f64>,
}

/// What teachers do.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Doing {
    /// It is trained.
    Learning {
        /// The epoch, from 1.
        epoch: u32,
        /// All epochs.
        epochs: u32,
        /// The mean loss of the last batch.
        loss: f32,
    },
    /// It makes vectors.
    Reading {
        /// Rows that have theirs.
        rows_done: usize,
        /// Rows of the data set.
        rows: usize,
    },
}

/// The teachers that pcc can run. What was learned or read for one question is kept for the next.
pub struct Networks {
    /// Word vectors by the key of their teacher.
    words: FxHashMap<String, WordVectors>,
    /// Bytes that the vectors of a question may take.
    memory: Option<u64>,
    /// Keys of checkpoints by folder: none changes while a program runs.
    #[cfg(feature = "networks")]
    checkpoints: FxHashMap<PathBuf, String>,
    /// Networks that were trained, by the key of their teacher.
    #[cfg(feature = "networks")]
    trained: FxHashMap<String, patches::Trained>,
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
            memory: None,
            checkpoints: FxHashMap::default(),
            trained: FxHashMap::default(),
            kept: Kept { folder },
            watch: Box::new(watch),
        }
    }

    /// Teachers that need no network library: word vectors, which are quick and keep nothing.
    #[cfg(not(feature = "networks"))]
    pub fn new(_: Option<PathBuf>, _: impl FnMut(&Progress) + 'static) -> Self {
        Networks { words: FxHashMap::default(), memory: None }
    }

    /// Refuses questions whose answer would take more bytes than this.
    pub fn limit_memory(&mut self, bytes: u64) {
        self.memory = Some(bytes);
    }

    #[cfg(feature = "networks")]
    fn room(&mut self) -> patches::Room<'_> {
        patches::Room { kept: &self.kept, trained: &mut self.trained, watch: &mut *self.watch }
    }

    /// Refuses a question whose answer would not fit into memory, before anything is computed.
    fn check_memory(&self, asked: Asked, data: &Dataset) -> Result<(), Diagnostic> {
        let Some((positions, width)) = shape_of(&asked.teacher.network, data) else { return Ok(()) };
        let bytes = 4 * (data.n_rows() * positions * width) as u64;
        match self.memory {
            Some(memory) if bytes > memory => Err(too_large(asked, data, (positions, width), bytes, memory)),
            _ => Ok(()),
        }
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
            Network::MaskedAutoencoder(_) | Network::VqVae(_) => Ok(patches::VERSION.into()),
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
            #[cfg(not(feature = "networks"))]
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
        self.check_memory(asked, data)?;
        match &asked.teacher.network {
            Network::WordVectors(options) => self.words_of(asked, options, view, data, own),
            #[cfg(feature = "networks")]
            Network::Transformer { path, .. } => {
                let folder = transformer::find(path, asked.places, asked.span)?;
                let text = Text::of(data, asked.span)?;
                transformer::features(&folder, asked, view, &text, &self.kept, &mut self.watch)
            }
            #[cfg(feature = "networks")]
            Network::MaskedAutoencoder(options) => match view {
                TeacherView::Patches(context) => {
                    let own = own.unwrap_or(data);
                    patches::autoencoder_features(options, asked, context, (data, own), &mut self.room())
                }
                _ => Err(cannot(asked, "vectors of words")),
            },
            #[cfg(feature = "networks")]
            Network::VqVae(options) => {
                patches::vq_features(options, asked, (data, own.unwrap_or(data)), &mut self.room())
            }
            #[cfg(not(feature = "networks"))]
            _ => Err(not_built(asked.teacher, asked.span)),
        }
    }

    fn cost(
        &mut self,
        asked: Asked,
        view: TeacherView,
        data: &Dataset,
        own: Option<&Dataset>,
    ) -> Result<TeacherCost, Diagnostic> {
        self.check_memory(asked, data)?;
        let own = own.unwrap_or(data);
        let (learning, reading) = match &asked.teacher.network {
            Network::WordVectors(_) => Default::default(),
            #[cfg(feature = "networks")]
            Network::Transformer { path, .. } => {
                let folder = transformer::find(path, asked.places, asked.span)?;
                let text = Text::of(data, asked.span)?;
                let (work, width) = transformer::cost(&folder, asked, view, &text, &self.kept)?;
                let bytes = 4 * (data.n_rows() * text.n_positions() * width) as u64;
                return Ok(TeacherCost { learning: Work::default(), reading: work, bytes });
            }
            #[cfg(feature = "networks")]
            Network::MaskedAutoencoder(options) => {
                let TeacherView::Patches(context) = view else {
                    return Err(cannot(asked, "vectors of words"));
                };
                patches::autoencoder_cost(options, asked, context, (data, own), &mut self.room())?
            }
            #[cfg(feature = "networks")]
            Network::VqVae(options) => patches::vq_cost(options, asked, (data, own), &mut self.room())?,
            #[cfg(not(feature = "networks"))]
            _ => {
                let _ = (view, own);
                return Err(not_built(asked.teacher, asked.span));
            }
        };
        let shape = shape_of(&asked.teacher.network, data).unwrap_or_default();
        Ok(TeacherCost { learning, reading, bytes: 4 * (data.n_rows() * shape.0 * shape.1) as u64 })
    }

    fn codes(&mut self, asked: Asked, data: &Dataset, own: Option<&Dataset>) -> Result<Labels, Diagnostic> {
        self.check_memory(asked, data)?;
        match &asked.teacher.network {
            #[cfg(feature = "networks")]
            Network::VqVae(options) => {
                patches::vq_codes(options, asked, (data, own.unwrap_or(data)), &mut self.room())
            }
            #[cfg(not(feature = "networks"))]
            Network::VqVae(_) => Err(not_built(asked.teacher, asked.span)),
            _ => Err(cannot(asked, "codes")),
        }
    }
}

/// Vectors of a row and their width, where settings tell.
fn shape_of(network: &Network, data: &Dataset) -> Option<(usize, usize)> {
    let n = data.columns().len();
    let patches = |patch: &[u32]| {
        let of_patch = data.columns().groups().first().map_or(1, |group| {
            let further = group.extents.iter().skip(patch.len());
            patch.iter().chain(further).map(|extent| *extent as usize).product()
        });
        n / usize::max(of_patch, 1)
    };
    match network {
        Network::WordVectors(options) => Some((n, options.dim as usize)),
        Network::MaskedAutoencoder(options) => Some((patches(&options.patch), options.dim as usize)),
        Network::VqVae(options) => Some((patches(&options.patch), options.dim as usize)),
        // The width of a checkpoint is known when it is opened.
        Network::Transformer { .. } => None,
    }
}

fn too_large(
    asked: Asked,
    data: &Dataset,
    (positions, width): (usize, usize),
    bytes: u64,
    memory: u64,
) -> Diagnostic {
    let rows = grouped(data.n_rows() as u64);
    let [bytes, memory] = [bytes, memory].map(|n| grouped(n.div_ceil(1 << 20)));
    let message = format!(
        "the vectors of `{}` take {bytes} MiB of memory, more than the {memory} MiB that there are",
        data.name()
    );
    Diagnostic::error("features-too-large", message)
        .at(asked.span, format!("{rows} rows x {positions} positions x {width} numbers of 4 bytes"))
        .help("let it look at fewer rows, `data some : X from ..(.., rows = 0 .. 20000)`, or take a smaller `dim`")
}

/// A network was asked for what it does not make. Programs are checked for that; a library's user may still ask.
fn cannot(asked: Asked, what: &str) -> Diagnostic {
    let message = format!("the teacher `{}` makes no {what}", asked.teacher.name);
    Diagnostic::error("unknown-field", message).at(asked.span, "asked for here")
}

#[cfg(not(feature = "networks"))]
fn not_built(teacher: &Teacher, span: Span) -> Diagnostic {
    let message = format!("this pcc can't run the teacher `{}`", teacher.name);
    Diagnostic::error("not-built-yet", message).at(span, "asked for here").help(
        "it was built without networks, and runs `word_vectors`; vectors made elsewhere are read by \
         `data teach : embedding(Z, 768) from npy(..)`",
    )
}

#[cfg(all(test, not(feature = "networks")))]
mod tests {
    use super::*;
    use pcc_ir::recipe::VqVaeOptions;

    #[test]
    fn networks_are_refused_by_a_build_without_them() {
        let options = VqVaeOptions { patch: vec![2, 2], codes: 4, dim: 2, epochs: 1, batch: 1, seed: 0 };
        let teacher = Teacher { name: "vq".into(), network: Network::VqVae(options), data: None };
        let fault = Networks::new(None, |_| ()).key(&teacher, &[], Span::NONE).unwrap_err();
        assert_eq!(fault.code, "not-built-yet");
    }
}
