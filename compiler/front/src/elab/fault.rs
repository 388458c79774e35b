//! The first fault of an elaboration, on its way out.

use pcc_diag::Diagnostic;

/// A diagnostic that ends an elaboration. Boxed, as every evaluation may return it.
#[derive(Debug)]
pub(crate) struct Fault {
    /// What is wrong.
    pub(crate) diagnostic: Box<Diagnostic>,
    /// Whether the calls that led to it were attached.
    pub(crate) has_frames: bool,
}

/// What an evaluation gives.
pub(crate) type Eval<T> = Result<T, Fault>;

impl From<Diagnostic> for Fault {
    fn from(diagnostic: Diagnostic) -> Self {
        Fault { diagnostic: Box::new(diagnostic), has_frames: false }
    }
}
