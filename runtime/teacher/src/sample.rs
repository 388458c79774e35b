//! Small data sets for the tests of this crate.

use pcc_diag::Span;
use pcc_ir::recipe::{DataSource, Reader, Rows, TextOptions};
use pcc_ir::{Domain, VarGroup, VarId};
use pcc_runtime::data::{DataSets, Dataset};
use std::sync::Arc;

/// Windows of `window` words of a text; the next begins where one ends.
pub(crate) fn text(content: &str, window: usize, n_words: u32) -> Arc<Dataset> {
    let options = TextOptions {
        window,
        stride: window,
        by_character: false,
        vocabulary: None,
        vocabulary_of: "train".into(),
    };
    dataset(content, &[window as u32], Domain::Token(n_words), Reader::Text(options))
}

/// Rows of values with commas between them; an empty field is missing.
pub(crate) fn table(content: &str, columns: usize, domain: Domain) -> Arc<Dataset> {
    pictures(content, &[columns as u32], domain)
}

/// The same over a grid of variables.
pub(crate) fn pictures(content: &str, extents: &[u32], domain: Domain) -> Arc<Dataset> {
    dataset(content, extents, domain, Reader::Csv { has_header: false, separator: ',' })
}

fn dataset(content: &str, extents: &[u32], domain: Domain, reader: Reader) -> Arc<Dataset> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("train"), content).unwrap();
    let source = DataSource {
        name: "train".into(),
        variables: vec!["W".into()],
        path: "train".into(),
        beside: folder.path().display().to_string(),
        reader,
        rows: Rows::default(),
        span: Span::NONE,
    };
    let (name, extents, first) = ("W".into(), extents.to_vec(), VarId(0));
    let words = VarGroup { name, extents, domain, is_latent: false, first };
    DataSets::new(vec![source], vec![words], None).get("train").unwrap()
}
