//! Tying: which layers have the same table.
//!
//! A table belongs where it is declared. `copies` gives every table declared inside it one copy each;
//! `share` records the tables that its first application asks for and hands out the same ones, in the same
//! order, at every later application, which must then build the same layers up to renaming variables.

use super::args::Args;
use super::{Elaborator, Eval};
use crate::value::params::Recording;
use crate::value::{Place, Shared, Slot, Value};
use pcc_diag::{Diagnostic, Span};
use pcc_ir::{Graph, LayerId, LayerKind, Param, ParamId, ParamShape, VarId};
use rustc_hash::FxHashMap;
use std::rc::Rc;

/// One running application of a shared structure.
pub(crate) struct Application {
    /// How many applications enclosed the `share` itself.
    depth: usize,
    /// The tables asked for so far.
    asked: Vec<ParamId>,
    /// The first application, when this is a later one.
    first: Option<Rc<Recording>>,
}

impl<'p> Elaborator<'p> {
    pub(super) fn share(&mut self, callee: Value<'p>, span: Span) -> Eval<Value<'p>> {
        match callee {
            Value::Structure(_) | Value::Closure(_) => Ok(self.shared(callee, span)),
            other => Err(self.mismatch("a structure or a function", &other, span, "`share` takes").into()),
        }
    }

    /// Applies a shared structure: see the module.
    pub(super) fn call_shared(&mut self, shared: &Rc<Shared<'p>>, args: Args<'p>) -> Eval<Value<'p>> {
        let first = shared.first.borrow().clone();
        let (span, start) = (args.span, self.graph().n_layers());
        let tables = std::mem::replace(&mut self.nest.tables, shared.place.tables);
        self.applications.push(Application {
            depth: shared.place.depth,
            asked: Vec::new(),
            first: first.clone(),
        });
        let result = self.apply(&shared.callee, args, span);
        self.nest.tables = tables;
        let asked = self.applications.pop().map_or(Vec::new(), |a| a.asked);
        let value = result?;
        let layers = start as u32..self.graph().n_layers() as u32;
        let made = Recording { params: asked, layers, groups: self.nest.groups, span };
        match first {
            None => *shared.first.borrow_mut() = Some(Rc::new(made)),
            Some(first) => {
                if let Err(why) = same_up_to_names(self.graph(), &first, &made) {
                    return Err(self.framed(differs(&why, shared.span, first.span, span).into()));
                }
            }
        }
        self.label_result(&value, shared.label.get());
        Ok(value)
    }

    /// A table for a layer that is built now: the one of the slot, when it has one, else a new one, unless a
    /// later application of a `share` hands out that of the first.
    pub(super) fn table(&mut self, wanted: Param, slot: Option<&Slot>) -> Eval<ParamId> {
        let Some(slot) = slot else { return self.table_at(wanted, self.place()) };
        let Some((known, first)) = slot.used.get() else {
            let wanted = Param { name: slot.name.clone(), ..wanted };
            let span = wanted.span;
            let id = self.table_at(wanted, slot.place)?;
            slot.used.set(Some((id, span)));
            return Ok(id);
        };
        let found = self.graph().param(known).shape;
        if found == wanted.shape {
            return Ok(known);
        }
        let [needed, is] = [wanted.shape, found].map(shape_in_words);
        let message = format!("`{}` is {is}, but {needed} are needed here", slot.name);
        Err(Diagnostic::error("table-differs", message)
            .at(wanted.span, needed)
            .note(first, is)
            .note(slot.span, "declared here")
            .help("one table serves layers of one shape; a second shape needs a `param` of its own")
            .into())
    }

    fn table_at(&mut self, wanted: Param, place: Place) -> Eval<ParamId> {
        let mut passed = Vec::new();
        let mut depth = place.depth;
        while let Some(at) = depth.checked_sub(1) {
            let Some(application) = self.applications.get(at) else { break };
            if let Some(first) = application.first.clone() {
                let id = self.handed_out(&wanted, &first, at)?;
                self.note_asked(&passed, id);
                return Ok(id);
            }
            passed.push(at);
            depth = application.depth;
        }
        check_size(&wanted, place.tables)?;
        let id = self.builder.param(Param { groups: place.tables, ..wanted });
        self.note_asked(&passed, id);
        Ok(id)
    }

    /// The next table of the first application.
    fn handed_out(&mut self, wanted: &Param, first: &Recording, at: usize) -> Eval<ParamId> {
        let n_asked = self.applications.get(at).map_or(0, |a| a.asked.len());
        let known = first.params.get(n_asked).map(|id| (*id, self.graph().param(*id)));
        let same = known.filter(|(_, p)| {
            p.shape == wanted.shape && p.initial == wanted.initial && p.is_fixed == wanted.is_fixed
        });
        match (same.map(|(id, _)| id), known) {
            (Some(id), _) => {
                self.note_asked(&[at], id);
                Ok(id)
            }
            (None, Some((_, param))) => {
                let why = match param.shape == wanted.shape {
                    true => "the numbers in the source differ".into(),
                    false => {
                        let [was, is] = [param.shape, wanted.shape].map(shape_in_words);
                        format!("where the first has {was}, this one has {is}")
                    }
                };
                Err(differs(&why, wanted.span, first.span, param.span).into())
            }
            (None, None) => {
                Err(differs("this one has more layers", wanted.span, first.span, wanted.span).into())
            }
        }
    }

    fn note_asked(&mut self, applications: &[usize], id: ParamId) {
        for at in applications {
            if let Some(application) = self.applications.get_mut(*at) {
                application.asked.push(id);
            }
        }
    }
}

/// The most numbers of one table.
const MOST_NUMBERS: u128 = 1 << 36;

fn check_size(table: &Param, copies: u32) -> Eval<()> {
    let one = match table.shape {
        ParamShape::Sum { rows, columns } => u128::from(rows) * u128::from(columns),
        ParamShape::Mix { units, children } => u128::from(units) * u128::from(children),
        ParamShape::Input { family, units } => family.n_params() as u128 * u128::from(units),
    };
    let all = one * u128::from(copies);
    if all <= MOST_NUMBERS {
        return Ok(());
    }
    let message = format!("this table would have {all} numbers; {MOST_NUMBERS} are the most");
    Err(Diagnostic::error("budget-spent", message).at(table.span, "").into())
}

fn differs(why: &str, place: Span, first: Span, here: Span) -> Diagnostic {
    let message = format!("a shared structure must build the same layers at every use, but {why}");
    let error = Diagnostic::error("shared-shape-differs", message).at(here, "differs here");
    let error = if place == here { error } else { error.note(place, "") };
    error
        .note(first, "the first use")
        .help("write the structure without `share`, or share one for each shape")
}

fn shape_in_words(shape: ParamShape) -> String {
    match shape {
        ParamShape::Sum { rows, columns } => format!("{rows} x {columns} weights"),
        ParamShape::Mix { units, children } => format!("{units} x {children} mixing weights"),
        ParamShape::Input { family, units } => {
            let n = family.n_params();
            format!("{units} x {n} numbers of `{}`", family.name())
        }
    }
}

/// Whether two applications built the same layers, when the variables of the one are renamed to those of
/// the other.
fn same_up_to_names(graph: &Graph, first: &Recording, second: &Recording) -> Result<(), String> {
    if first.layers.len() != second.layers.len() || first.params.len() != second.params.len() {
        let [a, b] = [first, second].map(|r| r.layers.len());
        return Err(format!("the first use builds {a} layers and this one {b}"));
    }
    let mut names: FxHashMap<VarId, VarId> = FxHashMap::default();
    let mut taken: FxHashMap<VarId, VarId> = FxHashMap::default();
    for (a, b) in first.layers.clone().zip(second.layers.clone()) {
        let (left, right) = (graph.layer(LayerId(a)), graph.layer(LayerId(b)));
        let child = |c: &LayerId, r: &Recording| r.layers.contains(&c.0).then(|| c.0 - r.layers.start);
        let is_same = without_var(left.kind) == without_var(right.kind)
            && left.width == right.width
            && u64::from(left.groups) * u64::from(second.groups)
                == u64::from(right.groups) * u64::from(first.groups)
            && left
                .children
                .iter()
                .map(|c| child(c, first))
                .eq(right.children.iter().map(|c| child(c, second)));
        if !is_same {
            return Err("the layers are not connected in the same way".into());
        }
        if let (Some(x), Some(y)) = (left.kind.var(), right.kind.var()) {
            let is_same = *names.entry(x).or_insert(y) == y && *taken.entry(y).or_insert(x) == x;
            if !is_same {
                return Err("the variables do not stand in the same places".into());
            }
        }
    }
    Ok(())
}

fn without_var(kind: LayerKind) -> LayerKind {
    let var = VarId(0);
    match kind {
        LayerKind::Input { param, .. } => LayerKind::Input { var, param },
        LayerKind::Literal { value, .. } => LayerKind::Literal { var, value },
        LayerKind::Indicator { first, .. } => LayerKind::Indicator { var, first },
        other => other,
    }
}
