//! The calls that are being elaborated: for messages, and for the budget.

use super::{Elaborator, Fault};
use crate::value::Value;
use pcc_diag::{Diagnostic, Frame, Span};

/// One call that has not returned.
pub(crate) struct Call<'p> {
    /// Where it is written.
    pub(crate) span: Span,
    /// The name of the callee; a lambda has none.
    pub(crate) callee: Option<&'p str>,
    /// Static arguments, by name.
    pub(crate) statics: Vec<(&'p str, Value<'p>)>,
    /// The other arguments, by name.
    pub(crate) params: Vec<(&'p str, Value<'p>)>,
}

impl<'p> Elaborator<'p> {
    /// The calls being elaborated, innermost first.
    pub(super) fn frames(&self) -> Vec<Frame> {
        self.calls.iter().rev().map(|call| self.frame(call)).collect()
    }

    fn frame(&self, call: &Call<'p>) -> Frame {
        let name = call.callee.unwrap_or("fn");
        let statics = self.bindings(&call.statics);
        let callee = if statics.is_empty() { name.into() } else { format!("{name}[{statics}]") };
        Frame { span: call.span, callee, arguments: self.bindings(&call.params) }
    }

    fn bindings(&self, values: &[(&str, Value<'p>)]) -> String {
        let shown: Vec<String> = values.iter().map(|(n, v)| format!("{n} = {}", self.shown(v))).collect();
        shown.join(", ")
    }

    /// Attaches the calls to a fault that has just left the innermost of them.
    pub(super) fn framed(&self, mut fault: Fault) -> Fault {
        if !fault.has_frames {
            fault.diagnostic.frames = self.frames();
            fault.has_frames = true;
        }
        fault
    }

    /// The diagnostic of a fault that has left all calls.
    pub(crate) fn finished(&self, fault: Fault) -> Diagnostic {
        *fault.diagnostic
    }
}
