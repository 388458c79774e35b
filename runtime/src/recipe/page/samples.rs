//! What the circuit makes up: pictures and completions of pictures, or texts.

use super::super::Setting;
use super::super::pictures::{Inpainted, inpainted, observed_groups, pictures};
use super::data_of;
use super::html::{figure, image, paragraph};
use crate::data::{Picture, Vocabulary};
use crate::exec::Executor;
use crate::markup::escape;
use crate::query::sample;
use pcc_diag::Diagnostic;
use pcc_ir::{Batch, Domain, Graph, MISSING, VarGroup};
use std::fmt::Write;
use std::sync::Arc;

const PICTURES: usize = 42;
const TEXTS: usize = 10;
/// Rows that are completed, and how often each.
const COMPLETED: usize = 10;
const TIMES: usize = 3;

/// Rows that are sampled for a page, about.
pub(super) const ROWS: usize = PICTURES + COMPLETED * TIMES;

/// The section; empty when rows are neither pictures nor texts.
pub(super) fn body(setting: &mut Setting, executor: &mut dyn Executor) -> Result<String, Diagnostic> {
    let graph = setting.graph;
    if is_pictures(graph) {
        let completions = match completed(setting, executor) {
            Err(fault) if fault.code == "impossible-evidence" => {
                paragraph("soft", "Nothing is completed: the circuit excludes what is known of some rows.")
            }
            other => other?,
        };
        return Ok(made_up(setting, executor)? + &completions);
    }
    let groups = observed_groups(graph);
    match groups.first().map(|group| (group, words_of(group, setting))) {
        Some((group, Some(words))) => texts(group, &words, setting, executor),
        _ => Ok(String::new()),
    }
}

/// Whether the first observed group is a picture of more than one line.
pub(super) fn is_pictures(graph: &Graph) -> bool {
    let nothing = Batch::missing(graph.variables().len(), 1);
    pictures(graph, &nothing).is_ok_and(|found| found.iter().all(|p| p.height > 1 && p.width > 1))
}

/// The words of a group of tokens, from the first text over it.
pub(super) fn words_of(group: &VarGroup, setting: &mut Setting) -> Option<Arc<Vocabulary>> {
    if !matches!(group.domain, Domain::Token(_)) {
        return None;
    }
    data_of(setting.recipe).iter().find_map(|name| {
        let data = setting.data.get(name).ok()?;
        let is_over = data.columns().iter().next().is_some_and(|column| column.variable == group.first);
        data.vocabulary().filter(|_| is_over).cloned()
    })
}

/// A word by its code; what is not known is told apart from every word.
pub(super) fn word(words: &Vocabulary, code: u32) -> &str {
    match code {
        MISSING => "\u{2026}",
        code => words.tokens().get(code as usize).map_or("\u{fffd}", String::as_str),
    }
}

fn made_up(setting: &Setting, executor: &mut dyn Executor) -> Result<String, Diagnostic> {
    let rows = unconditional(setting, executor, PICTURES)?;
    let images: String = pictures(setting.graph, &rows)?.iter().map(|p| image(p, "", "") + "\n").collect();
    let sheet =
        format!("<div class=\"sheet\" role=\"img\" aria-label=\"{PICTURES} samples\">\n{images}</div>\n");
    Ok(figure(&sheet, &format!("{PICTURES} samples from the circuit.")))
}

fn unconditional(setting: &Setting, executor: &mut dyn Executor, n: usize) -> Result<Batch, Diagnostic> {
    let nothing = Batch::missing(setting.graph.variables().len(), 1);
    sample(executor, &nothing, n, setting.recipe.seed)
}

/// Rows of the last data set that the recipe names, their upper halves, and completions of these.
fn completed(setting: &mut Setting, executor: &mut dyn Executor) -> Result<String, Diagnostic> {
    let Some(name) = data_of(setting.recipe).pop() else { return Ok(String::new()) };
    let data = setting.data.get(&name)?;
    let mut originals = Batch::default();
    data.batch(0..data.n_rows().min(COMPLETED), &mut originals);
    let Inpainted { halves, completed } = inpainted(executor, &originals, TIMES, setting.recipe.seed)?;
    let completed = pictures(setting.graph, &completed)?;
    let n = originals.n_rows();
    let mut lines = vec![
        ("data".to_string(), pictures(setting.graph, &originals)?),
        ("what is known".to_string(), pictures(setting.graph, &halves)?),
    ];
    for time in 0..TIMES {
        let own: Vec<Picture> = completed.iter().skip(time).step_by(TIMES).cloned().collect();
        lines.push((if time == 0 { "completed".into() } else { String::new() }, own));
    }
    let mut grid = format!(
        "<div class=\"filled\" style=\"grid-template-columns: 6rem repeat({n}, minmax(0, 4.8rem))\">\n"
    );
    for (label, own) in &lines {
        // Writing to a String cannot fail.
        let _ = writeln!(grid, "<div class=\"row\">{label}</div>");
        own.iter().for_each(|picture| grid += &(image(picture, "", "") + "\n"));
    }
    grid.push_str("</div>\n");
    let caption = format!(
        "The first {n} rows of {name}, each without its lower half, and the half drawn {TIMES} times given the rest."
    );
    Ok(figure(&grid, &caption))
}

fn texts(
    group: &VarGroup,
    words: &Vocabulary,
    setting: &Setting,
    executor: &mut dyn Executor,
) -> Result<String, Diagnostic> {
    let rows = unconditional(setting, executor, TEXTS)?;
    let mut list = String::from("<ol class=\"texts\">\n");
    for row in 0..rows.n_rows() {
        let codes = &rows.row(row)[group.first.index()..][..group.len()];
        let text: Vec<&str> = codes.iter().map(|&code| word(words, code)).collect();
        let _ = writeln!(list, "<li>{}</li>", escape(&text.join(" ")));
    }
    list.push_str("</ol>\n");
    Ok(figure(&list, &format!("{TEXTS} samples from the circuit.")))
}
