//! Which labels belong to which rows, at each point of a recipe.
//!
//! `materialize` attaches labels and `marginalize` takes them off; a stage that is `given` a latent finds here
//! the labels of its rows. All of it is settled, and refused, while a recipe is planned.

use super::Setting;
use super::key::Input;
use crate::train::Attached;
use pcc_diag::{Diagnostic, Span};
use pcc_ir::recipe::{Codes, LabelSource, Labels, Materialize};
use pcc_ir::{Graph, LayerId, LayerKind, VarGroup};
use std::sync::Arc;

/// Labels and their key.
pub type Keyed = (Arc<Labels>, String);

/// What is attached now.
#[derive(Default)]
pub(super) struct Attachments {
    all: Vec<Attachment>,
    /// The keys of these and of those that were taken off.
    ever: Vec<Input>,
}

struct Attachment {
    latent: String,
    source: LabelSource,
    labels: Keyed,
}

/// Labels of a stage's rows, and the keys of their contents.
#[derive(Clone, Debug, Default)]
pub(super) struct StageLabels {
    pub attached: Vec<Attached>,
    pub keys: Vec<String>,
}

impl Attachments {
    /// Attaches labels, in place of those that the latent had.
    ///
    /// # Errors
    /// `codes-out-of-range`, `data-shape` when there are more or fewer labels in a row than the latent has
    /// variables, `labels-not-shared` when positions were clustered apart whose tables are shared, and what
    /// learning the labels reports.
    pub fn materialize(&mut self, step: &Materialize, setting: &Setting) -> Result<(), Diagnostic> {
        self.marginalize(&step.latent);
        let latent = latent(setting.graph, &step.latent, step.span)?;
        for source in &step.labels {
            let labels = (setting.labels)(&source.codes, source.span)?;
            check(latent, source, &labels.0)?;
            if source.codes.is_per_position()
                && let Some(span) = shared_table(setting.graph, latent)
            {
                return Err(not_shared(source, span));
            }
            self.ever.push((format!("labels {} of {}", source.codes.name, step.latent), labels.1.clone()));
            self.all.push(Attachment { latent: step.latent.clone(), source: source.clone(), labels });
        }
        Ok(())
    }

    /// Takes the labels of a latent off.
    pub fn marginalize(&mut self, latent: &str) {
        self.all.retain(|attachment| attachment.latent != latent);
    }

    /// The keys of all labels that were attached until now, by name.
    pub fn keys(&self) -> impl Iterator<Item = Input> {
        self.ever.iter().cloned()
    }

    /// The labels of the rows of a data set, for each latent that a stage is given.
    ///
    /// # Errors
    /// `labels-missing` when no labels are for this data.
    pub fn of_data(
        &self,
        graph: &Graph,
        given: &[String],
        (data, n_rows): (&str, usize),
        span: Span,
    ) -> Result<StageLabels, Diagnostic> {
        let mut found = StageLabels::default();
        for name in given {
            let latent = latent(graph, name, span)?;
            let own = || self.all.iter().filter(|attachment| attachment.latent == *name);
            let named = own().find(|a| a.source.data.as_deref().or(a.source.codes.data()) == Some(data));
            let chosen =
                named.or_else(|| own().find(|a| a.source.data.is_none() && a.source.codes.data().is_none()));
            let Some(chosen) = chosen else { return Err(no_labels(name, data, span)) };
            let (labels, key) = chosen.labels.clone();
            let attached = Attached::new(latent, labels);
            if attached.n_rows() != n_rows {
                return Err(other_rows(chosen, attached.n_rows(), data, n_rows));
            }
            found.attached.push(attached);
            found.keys.push(key);
        }
        Ok(found)
    }

    /// The labels that a stage is trained on alone, with the latent they are attached to.
    ///
    /// # Errors
    /// `latent-not-materialized` when they are attached to none.
    pub fn of_codes(&self, graph: &Graph, codes: &Codes, span: Span) -> Result<StageLabels, Diagnostic> {
        let Some(chosen) = self.all.iter().find(|a| a.source.codes.call == codes.call) else {
            let message = format!("`{}` labels no latent at this step", codes.name);
            return Err(Diagnostic::error("latent-not-materialized", message)
                .at(span, "trained on here")
                .help(format!("write `materialize Z from {}` before it", codes.name)));
        };
        let latent = latent(graph, &chosen.latent, span)?;
        let (labels, key) = chosen.labels.clone();
        Ok(StageLabels { attached: vec![Attached::new(latent, labels)], keys: vec![key] })
    }
}

fn latent<'g>(graph: &'g Graph, name: &str, span: Span) -> Result<&'g VarGroup, Diagnostic> {
    graph.find_group(name).ok_or_else(|| {
        let message = format!("the circuit has no latent `{name}`");
        Diagnostic::error("not-latent", message).at(span, "")
    })
}

fn check(latent: &VarGroup, source: &LabelSource, labels: &Labels) -> Result<(), Diagnostic> {
    let name = &source.codes.name;
    if labels.positions != latent.len() {
        let message = format!(
            "`{name}` has {} labels for each row, but `{}` has {} variables",
            labels.positions,
            latent.name,
            latent.len()
        );
        return Err(Diagnostic::error("data-shape", message)
            .at(source.span, "attached here")
            .help("every variable of the latent is one position: as many tiles, or as long a window"));
    }
    match latent.domain.n_values() {
        Some(n) if labels.n_values > n => {
            let message = format!(
                "there are {} codes in `{name}`, and `{}` has {n} values",
                labels.n_values, latent.name
            );
            Err(Diagnostic::error("codes-out-of-range", message)
                .at(source.span, "attached here")
                .help("learn as many codes as the latent has values"))
        }
        _ => Ok(()),
    }
}

/// Where a table is used whose rows or columns are the values of two variables of a latent.
///
/// The tables of a position are those of the sums that are indexed by it, and of all layers below it that are
/// not below another position.
fn shared_table(graph: &Graph, latent: &VarGroup) -> Option<Span> {
    let indicated = |id: LayerId| {
        graph.children(id).iter().find_map(|&child| match graph.layer(child).kind {
            LayerKind::Indicator { var, .. } if latent.variables().any(|v| v == var) => Some(var),
            _ => None,
        })
    };
    let mut position_of = vec![None; graph.n_layers()];
    let mut used_at = vec![None; graph.params().len()];
    for id in graph.layer_ids().rev() {
        let layer = graph.layer(id);
        let own = indicated(id).or(position_of[id.index()]);
        if let Some(table) = layer.kind.param() {
            // The positions whose values number its rows and its columns.
            let use_of_it = (own, layer.children.iter().find_map(|&child| indicated(child)));
            match used_at[table.index()].replace(use_of_it) {
                Some(other) if other != use_of_it => return Some(layer.span),
                _ => {}
            }
        }
        layer.children.iter().for_each(|child| position_of[child.index()] = own);
    }
    None
}

fn not_shared(source: &LabelSource, table: Span) -> Diagnostic {
    let message = format!(
        "`{}` is clustered position by position, so value 7 of one position is not value 7 of another, but \
         their tables are shared",
        source.codes.name
    );
    Diagnostic::error("labels-not-shared", message)
        .at(source.span, "attached here")
        .note(table, "this table serves several positions")
        .help("cluster all positions together: `kmeans(.., per = all)`")
}

fn no_labels(latent: &str, data: &str, span: Span) -> Diagnostic {
    Diagnostic::error("labels-missing", format!("`{latent}` has no labels for the rows of `{data}`"))
        .at(span, format!("given `{latent}` here"))
        .help(format!(
            "label them by the same clusters: `learn more = codes.assign(..)`, then \
             `materialize {latent} from codes, more on {data}`"
        ))
}

fn other_rows(attachment: &Attachment, n_labels: usize, data: &str, n_rows: usize) -> Diagnostic {
    let name = &attachment.source.codes.name;
    Diagnostic::error("data-shape", format!("`{name}` labels {n_labels} rows, but `{data}` has {n_rows}"))
        .at(attachment.source.span, "attached here")
        .help("labels are for the rows that were clustered; label others by `codes.assign(..)`")
}
