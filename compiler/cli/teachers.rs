//! Teachers that the command line can run: none yet.

use pcc_diag::{Diagnostic, Span};
use pcc_ir::recipe::{Labels, Teacher, TeacherView};
use pcc_runtime::data::Dataset;
use pcc_runtime::learn::{Asked, FeatureRows, Teachers};
use std::path::PathBuf;

/// Refuses every teacher.
pub struct NoTeachers;

impl Teachers for NoTeachers {
    fn key(&mut self, teacher: &Teacher, _: &[PathBuf], span: Span) -> Result<String, Diagnostic> {
        Err(refuse(teacher, span))
    }

    fn features(
        &mut self,
        asked: Asked,
        _: TeacherView,
        _: &Dataset,
        _: Option<&Dataset>,
    ) -> Result<FeatureRows, Diagnostic> {
        Err(refuse(asked.teacher, asked.span))
    }

    fn codes(&mut self, asked: Asked, _: &Dataset, _: Option<&Dataset>) -> Result<Labels, Diagnostic> {
        Err(refuse(asked.teacher, asked.span))
    }
}

fn refuse(teacher: &Teacher, span: Span) -> Diagnostic {
    let message = format!("this version of pcc can't run the teacher `{}` yet", teacher.name);
    Diagnostic::error("not-built-yet", message)
        .at(span, "asked for here")
        .help("write its vectors to a file, and read them: `data teach : embedding(Z, 768) from npy(..)`")
}
