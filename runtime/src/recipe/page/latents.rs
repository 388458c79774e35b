//! What the labels of latents mean: for each value the mean and some members of the patches with that label, or the
//! most frequent of its words.

use super::super::Setting;
use super::super::pictures::{observed_groups, picture};
use super::html::{Cell, figure, image, paragraph, table};
use super::samples::{is_pictures, word, words_of};
use super::words;
use crate::data::{Dataset, Picture};
use crate::markup::escape;
use pcc_diag::{Diagnostic, grouped};
use pcc_ir::recipe::{LabelSource, Labels, Materialize, Step, TrainOn};
use pcc_ir::{Batch, MISSING, VarGroup};
use rustc_hash::FxHashMap;
use std::fmt::Write;

/// Values that are shown of a latent, the most frequent ones.
const SHOWN: usize = 60;
/// Members that are shown of a value.
const MEMBERS: usize = 6;
/// Words that are shown of a value.
const WORDS: usize = 10;
/// Rows that are looked at together.
const CHUNK: usize = 1024;

/// The section; empty when no latent is labelled.
pub(super) fn body(setting: &mut Setting) -> Result<String, Diagnostic> {
    let recipe = setting.recipe;
    let mut text = String::new();
    for step in &recipe.steps {
        let Step::Materialize(step) = step else { continue };
        let (Some(latent), Some(source)) = (setting.graph.find_group(&step.latent), step.labels.first())
        else {
            continue;
        };
        let (labels, _) = (setting.labels)(&source.codes, source.span)?;
        text += &format!("<h3>{}</h3>\n", escape(&latent.name));
        text += &introduction(latent, source, &labels);
        let Some(data) = data_of_labels(step, setting) else { continue };
        let data = setting.data.get(&data)?;
        if data.n_rows() * labels.positions != labels.labels.len() {
            continue;
        }
        text += &of_latent(latent, &Labelled { data: &data, labels: &labels, source }, setting)?;
    }
    Ok(text)
}

/// Data with its labels.
struct Labelled<'l> {
    data: &'l Dataset,
    labels: &'l Labels,
    source: &'l LabelSource,
}

impl Labelled<'_> {
    /// The positions that are looked at: all of them, or the middle one where a value means something else at each.
    fn positions(&self) -> Vec<usize> {
        match self.source.codes.is_per_position() {
            true => vec![self.labels.positions / 2],
            false => (0..self.labels.positions).collect(),
        }
    }

    /// How often each value stands at these positions.
    fn counts(&self) -> Vec<u64> {
        let mut counts = vec![0; self.labels.n_values as usize];
        let positions = self.positions();
        for labels in self.labels.labels.chunks_exact(self.labels.positions) {
            for &position in &positions {
                if let Some(count) = counts.get_mut(labels[position] as usize) {
                    *count += 1;
                }
            }
        }
        counts
    }

    /// Calls `visit` with each row of data and its labels.
    fn each_row(
        &self,
        mut visit: impl FnMut(&[u32], &[u32]) -> Result<(), Diagnostic>,
    ) -> Result<(), Diagnostic> {
        let n = self.data.n_rows();
        let mut batch = Batch::default();
        for first in (0..n).step_by(CHUNK) {
            self.data.batch(first..n.min(first + CHUNK), &mut batch);
            for i in 0..batch.n_rows() {
                let at = (first + i) * self.labels.positions;
                visit(batch.row(i), &self.labels.labels[at..at + self.labels.positions])?;
            }
        }
        Ok(())
    }

    /// Where it was looked, if not everywhere.
    fn place(&self) -> String {
        match self.source.codes.is_per_position() {
            true => format!(
                " Each position has clusters of its own; these are those of position {}.",
                self.labels.positions / 2
            ),
            false => String::new(),
        }
    }
}

/// The data that the labels of a step are for: as it says, else as the labels say, else what is trained on.
fn data_of_labels(step: &Materialize, setting: &Setting) -> Option<String> {
    let source = step.labels.first()?;
    let trained_on = || {
        setting.recipe.steps.iter().find_map(|other| match other {
            Step::Stage(stage) if stage.fit.given.contains(&step.latent) => match &stage.fit.data {
                TrainOn::Data(name) => Some(name.clone()),
                TrainOn::Codes(_) => None,
            },
            _ => None,
        })
    };
    source.data.clone().or(source.codes.data().map(String::from)).or_else(trained_on)
}

fn introduction(latent: &VarGroup, source: &LabelSource, labels: &Labels) -> String {
    let name = &source.codes.name;
    let (n, values) = (grouped(latent.len() as u64), grouped(labels.n_values.into()));
    let variables = if latent.len() == 1 { "variable" } else { "variables" };
    paragraph(
        "soft",
        &format!(
            "{n} {variables} with {values} values, labelled by {name}: {}.",
            words::codes(&source.codes)
        ),
    )
}

fn of_latent(latent: &VarGroup, labelled: &Labelled, setting: &mut Setting) -> Result<String, Diagnostic> {
    let counts = labelled.counts();
    let mut order: Vec<usize> = (0..counts.len()).filter(|&value| counts[value] > 0).collect();
    order.sort_by_key(|&value| (std::cmp::Reverse(counts[value]), value));
    let text = paragraph("soft", &usage(&counts, order.len()));
    order.truncate(SHOWN);
    let groups = observed_groups(setting.graph);
    let Some(group) = groups.first() else { return Ok(text) };
    if let Some(tiles) = tiles(group, latent).filter(|_| is_pictures(setting.graph)) {
        return Ok(text + &patches(labelled, tiles, &counts, &order, setting)?);
    }
    match words_of(group, setting) {
        Some(vocabulary) if group.len() == latent.len() => {
            let found = frequent_words(labelled, group, &order)?;
            let rows: Vec<Vec<Cell>> = found
                .iter()
                .zip(&order)
                .map(|(codes, &value)| {
                    let words: Vec<&str> = codes.iter().map(|&code| word(&vocabulary, code)).collect();
                    vec![
                        Cell::words(value.to_string()),
                        Cell::number(share(counts[value], &counts)),
                        Cell::words(words.join("  ")),
                    ]
                })
                .collect();
            let caption = format!("The most frequent words of each value.{}", labelled.place());
            Ok(text + &figure(&table(&["value", "share", "words"], &rows), &caption))
        }
        _ => Ok(text),
    }
}

/// How evenly values are used.
fn usage(counts: &[u64], used: usize) -> String {
    let all = counts.iter().sum::<u64>().max(1) as f64;
    let shares = counts.iter().filter(|&&count| count > 0).map(|&count| count as f64 / all);
    let entropy: f64 = shares.map(|share| -share * share.ln()).sum();
    let unused = match counts.len() - used {
        0 => String::new(),
        n => format!(" {} of them label nothing.", grouped(n as u64)),
    };
    format!("They are used as evenly as {:.1} equally frequent values would be.{unused}", entropy.exp())
}

fn share(count: u64, counts: &[u64]) -> String {
    let all = counts.iter().sum::<u64>().max(1) as f64;
    format!("{:.1} %", 100.0 * count as f64 / all)
}

/// The extents of a tile, and how many stand side by side, when the latent's grid divides a picture's.
#[derive(Clone, Copy)]
struct Tiles {
    height: usize,
    width: usize,
    per_line: usize,
}

fn tiles(group: &VarGroup, latent: &VarGroup) -> Option<Tiles> {
    let (&[height, width], &[lines, per_line]) = (group.extents.get(..2)?, latent.extents.get(..2)?) else {
        return None;
    };
    let divides = lines > 0 && per_line > 0 && height % lines == 0 && width % per_line == 0;
    let is_grid = latent.extents.len() == 2;
    (divides && is_grid).then(|| Tiles {
        height: (height / lines) as usize,
        width: (width / per_line) as usize,
        per_line: per_line as usize,
    })
}

/// What is gathered of a value's patches.
#[derive(Clone, Default)]
struct Patches {
    sums: Vec<f64>,
    count: u64,
    members: Vec<Picture>,
}

impl Patches {
    /// Adds a patch; one row gives one member at most.
    fn add(&mut self, patch: Picture, may_show: bool) {
        self.sums.resize(patch.bytes.len(), 0.0);
        self.sums.iter_mut().zip(&patch.bytes).for_each(|(sum, &byte)| *sum += f64::from(byte));
        self.count += 1;
        if may_show && self.members.len() < MEMBERS {
            self.members.push(patch);
        }
    }

    fn mean(&self) -> Option<Picture> {
        let bytes = self.sums.iter().map(|sum| (sum / self.count as f64).round() as u8).collect();
        Some(Picture { bytes, ..self.members.first()?.clone() })
    }
}

fn patches(
    labelled: &Labelled,
    tiles: Tiles,
    counts: &[u64],
    order: &[usize],
    setting: &Setting,
) -> Result<String, Diagnostic> {
    let mut found = vec![Patches::default(); counts.len()];
    let positions = labelled.positions();
    labelled.each_row(|row, labels| {
        let whole = picture(setting.graph, row)?;
        let mut seen = Vec::new();
        for &position in positions.iter().filter(|&&position| labels[position] != MISSING) {
            let value = labels[position] as usize;
            let (top, left) =
                (position / tiles.per_line * tiles.height, position % tiles.per_line * tiles.width);
            let patch = whole.part(top, left, tiles.height, tiles.width);
            found[value].add(patch, !seen.contains(&value));
            seen.push(value);
        }
        Ok(())
    })?;
    let mut list = String::from("<ul class=\"cases\">\n");
    for &value in order {
        if let Some(mean) = found[value].mean() {
            let members: String = found[value].members.iter().map(|member| image(member, "", "")).collect();
            // Writing to a String cannot fail.
            let _ = writeln!(
                list,
                "<li>{}<div class=\"members\">{members}</div><div class=\"tag\"><b>{value}</b> &nbsp;{}</div></li>",
                image(&mean, "mean", &format!("mean patch of value {value}")),
                share(counts[value], counts)
            );
        }
    }
    list.push_str("</ul>\n");
    let which = if order.len() < counts.iter().filter(|&&count| count > 0).count() {
        format!("the {} most frequent values", order.len())
    } else {
        "each value".into()
    };
    let caption = format!(
        "The mean of the patches that {which} labels, at the left, some of them, and the share of the value.{}",
        labelled.place()
    );
    Ok(figure(&list, &caption))
}

/// The codes of the most frequent words of each value.
fn frequent_words(
    labelled: &Labelled,
    group: &VarGroup,
    order: &[usize],
) -> Result<Vec<Vec<u32>>, Diagnostic> {
    let mut counts: Vec<FxHashMap<u32, u64>> = vec![FxHashMap::default(); labelled.labels.n_values as usize];
    let positions = labelled.positions();
    labelled.each_row(|row, labels| {
        for &position in &positions {
            let code = row[group.first.index() + position];
            if labels[position] != MISSING && code != MISSING {
                *counts[labels[position] as usize].entry(code).or_insert(0) += 1;
            }
        }
        Ok(())
    })?;
    let most_frequent = |value: &usize| {
        let mut words: Vec<(u32, u64)> = counts[*value].iter().map(|(&code, &count)| (code, count)).collect();
        words.sort_by_key(|&(code, count)| (std::cmp::Reverse(count), code));
        words.iter().take(WORDS).map(|&(code, _)| code).collect()
    };
    Ok(order.iter().map(most_frequent).collect())
}
