//! What keeps elaboration finite: every step and every layer is counted, and calls may nest only so deep.

use super::frames::Call;
use super::{Elaborator, Eval, Fault};
use crate::value::Value;
use pcc_diag::{Diagnostic, Span};

impl<'p> Elaborator<'p> {
    /// Counts steps of evaluation.
    pub(super) fn spend(&mut self, steps: u64, span: Span) -> Eval<()> {
        self.steps = self.steps.saturating_add(steps);
        if self.steps <= self.settings.budget.steps {
            return Ok(());
        }
        let most = self.settings.budget.steps;
        let message = format!("elaboration was stopped after {most} steps");
        Err(Diagnostic::error("budget-spent", message).at(span, "reached here").help(SMALLER).into())
    }

    /// The budget of layers is spent.
    pub(super) fn layers_spent(&self) -> Fault {
        let most = self.settings.budget.layers;
        let message = format!("elaboration was stopped after {most} layers");
        let span = self.calls.last().map_or(Span::NONE, |c| c.span);
        Diagnostic::error("budget-spent", message).at(span, "reached in this call").help(SMALLER).into()
    }

    /// One more call may be made inside those that have not returned.
    pub(super) fn may_nest(&self, call: &Call<'p>) -> Eval<()> {
        if self.calls.len() < self.settings.budget.depth {
            return Ok(());
        }
        let name = call.callee.map_or("this function".into(), |n| format!("`{n}`"));
        let before = self.calls.iter().rev().find(|c| c.callee == call.callee);
        let why = match before.and_then(|before| self.unshrunk(before, call)) {
            Some(why) => format!("{name} calls itself without end: {why}"),
            None => format!("calls of {name} stand {} deep inside each other", self.calls.len()),
        };
        Err(Diagnostic::error("recursion-does-not-shrink", why)
            .at(call.span, "this call")
            .help("give the call a smaller argument, and stop at the smallest with `if`")
            .into())
    }

    /// How the arguments of a call compare with those of the call around it, when none got smaller.
    fn unshrunk(&self, before: &Call<'p>, call: &Call<'p>) -> Option<String> {
        let pairs = || before.params.iter().zip(&call.params);
        if pairs().all(|((_, a), (_, b))| a == b) {
            return Some("its arguments are always the same".into());
        }
        let mut grown = pairs().filter(|((_, a), (_, b))| size(b) > size(a));
        let ((name, a), (_, b)) = grown.next()?;
        Some(format!("after `{name} = {}` comes `{name} = {}`", self.shown(a), self.shown(b)))
    }
}

const SMALLER: &str = "is a recursion branching too often? a `memo fn` builds each part once";

/// A measure of arguments that usually shrink.
fn size(value: &Value) -> Option<i64> {
    match value {
        Value::Int(i) => Some(*i),
        Value::Box(b) => Some(b.area()),
        Value::Vtree(v) => Some(v.vars().len() as i64),
        _ => value.n_elements().map(|n| n as i64),
    }
}
