//! Natives of `std/logic`: cardinality, and the partitions of a formula along a vtree.

use super::Given;
use crate::elab::tables::Table;
use crate::elab::{Elaborator, Eval};
use crate::value::Value;
use crate::value::diagram::{Diagrams, FALSE, NodeId};
use crate::value::formula::Formula;
use crate::value::vtree::{Vtree, VtreeKind};
use pcc_diag::{Diagnostic, Span};
use pcc_ir::VarId;
use rustc_hash::FxHashSet;
use std::rc::Rc;

impl<'p> Elaborator<'p> {
    /// `exactly(k, [..])`, `at_most(k, [..])`, `at_least(k, [..])`
    pub(super) fn cardinality(&mut self, name: &str, given: Given<'p>) -> Eval<Value<'p>> {
        let (k, k_span) = self.arg(&given, 0)?;
        let k = self.as_int(&k, k_span, "a number of formulas")?;
        let Ok(k) = usize::try_from(k) else {
            let message = format!("a number of formulas is 0 or more, not {k}");
            return Err(Diagnostic::error("bad-option", message).at(k_span, "").into());
        };
        let (list, span) = self.arg(&given, 1)?;
        let mut of = Vec::new();
        for value in self.elements(&list, span)? {
            of.push((*self.as_formula(&value, span)?).clone());
        }
        let (low, high) = match name {
            "exactly" => (k, k),
            "at_most" => (0, k),
            "at_least" => (k, of.len()),
            _ => return Err(self.bug("an unknown native of `std/logic`", given.span)),
        };
        Ok(Value::Formula(Rc::new(Formula::Count { low, high, of: of.into() })))
    }

    /// `partition(f, v)`: pairs of a prime over the left variables of v and a sub over the right ones, such
    /// that f is the disjunction of their conjunctions, the primes exclude each other, and no sub is false.
    pub(super) fn partition(&mut self, given: Given<'p>) -> Eval<Value<'p>> {
        let (f, span) = self.arg(&given, 0)?;
        let (v, v_span) = self.arg(&given, 1)?;
        let Value::Vtree(vtree) = &v else {
            return Err(self.mismatch("a vtree", &v, v_span, "`partition` takes").into());
        };
        let VtreeKind::Inner(_, right) = vtree.kind() else {
            let message = "a formula is partitioned at an inner node of a vtree, and this is a leaf";
            return Err(Diagnostic::error("index-outside", message).at(v_span, "").into());
        };
        let (table, node) = self.diagram(&f, vtree, span)?;
        let first = right.vars().first().copied();
        let Some(diagrams) = self.diagrams.get_mut(table) else { return Err(self.bug("a diagram", span)) };
        let boundary = first.and_then(|v| diagrams.level(v)).unwrap_or(u32::MAX);
        let parts = diagrams.partition(node, boundary);
        if node == FALSE || parts.is_empty() {
            return Err(unsatisfiable(span).into());
        }
        let part = |(p, s): (NodeId, NodeId)| {
            Value::Tuple([Value::Diagram(table, p), Value::Diagram(table, s)].into_iter().collect())
        };
        Ok(Value::list(parts.into_iter().map(part).collect()))
    }

    /// `literal(f, v)`: the circuit of a formula over one variable; a Bernoulli leaf when both values hold.
    pub(super) fn literal_in(&mut self, given: Given<'p>) -> Eval<Value<'p>> {
        let (f, span) = self.arg(&given, 0)?;
        let (v, v_span) = self.arg(&given, 1)?;
        let var = self.as_var(&v, v_span, "`literal`")?;
        let Some(leaf) = Vtree::balanced(&[var]) else { return Err(self.bug("a leaf", span)) };
        let (table, node) = self.diagram(&f, &leaf, span)?;
        let values = self.diagrams.get(table).map(|d| d.values_of(node, var));
        let layer = match values {
            Some((true, true)) => {
                let family = self.default_family(var, v_span)?;
                self.input_of(var, family, 1, Table::Fresh, given.span)?
            }
            Some((false, true)) => self.literal(var, 1, given.span)?,
            Some((true, false)) => self.literal(var, 0, given.span)?,
            _ => return Err(unsatisfiable(span).into()),
        };
        Ok(self.layer_value(layer))
    }

    /// A formula as a diagram whose order has the variables of the vtree together, left ones first.
    fn diagram(&mut self, f: &Value<'p>, vtree: &Vtree, span: Span) -> Eval<(usize, NodeId)> {
        if let Value::Diagram(table, node) = f {
            let Some(diagrams) = self.diagrams.get(*table) else { return Err(self.bug("a diagram", span)) };
            self.check_support(diagrams.support(*node), vtree, span)?;
            if is_in_order(diagrams, vtree) {
                return Ok((*table, *node));
            }
            let mut other = Diagrams::new(vtree.vars());
            let moved = diagrams.moved(*node, &mut other);
            return self.keep(other, moved, span);
        }
        let formula = self.as_formula(f, span)?;
        self.check_support(formula.vars().into_iter().collect(), vtree, span)?;
        let known = self.diagrams.iter().position(|d| is_in_order(d, vtree));
        if let Some((table, node)) = known.and_then(|t| Some((t, self.diagrams.get_mut(t)?.of(&formula)?))) {
            return Ok((table, node));
        }
        let mut diagrams = Diagrams::new(vtree.vars());
        let node = diagrams.of(&formula);
        self.keep(diagrams, node, span)
    }

    fn keep(&mut self, diagrams: Diagrams, node: Option<NodeId>, span: Span) -> Eval<(usize, NodeId)> {
        let node = node.ok_or_else(|| self.bug("a variable is not in the order", span))?;
        self.diagrams.push(diagrams);
        Ok((self.diagrams.len() - 1, node))
    }

    fn check_support(&self, support: FxHashSet<VarId>, vtree: &Vtree, span: Span) -> Eval<()> {
        let over: FxHashSet<VarId> = vtree.vars().iter().copied().collect();
        let mut outside: Vec<VarId> = support.difference(&over).copied().collect();
        outside.sort_unstable();
        let Some(var) = outside.first() else { return Ok(()) };
        let name = self.graph().variable_name(*var);
        let message = format!("the formula depends on `{name}`, which is not in the vtree");
        Err(Diagnostic::error("constraint-scope", message)
            .at(span, "")
            .help("give the vtree all variables of the formula")
            .into())
    }
}

/// Whether the variables of the vtree stand in the order from left to right.
fn is_in_order(diagrams: &Diagrams, vtree: &Vtree) -> bool {
    let levels: Option<Vec<u32>> = vtree.vars().iter().map(|v| diagrams.level(*v)).collect();
    levels.is_some_and(|levels| levels.is_sorted())
}

fn unsatisfiable(span: Span) -> Diagnostic {
    Diagnostic::error("unsatisfiable", "no assignment satisfies this formula, so no circuit stands for it")
        .at(span, "")
}
