//! `copies[N](c)`: N independent copies of a circuit, their units side by side.

use super::{Head, bracket, children};
use crate::types::Check;
use crate::types::kind::Kind;
use pcc_diag::{Diagnostic, Span};
use pcc_grammar::ast::Arg;

/// N times as wide as the one circuit that it copies.
pub(super) fn kind_of(cx: &mut Check, whole: Span, head: &Head, args: &[Arg]) -> Kind {
    let count = bracket(cx, head, "number of copies");
    let children = children(cx, whole, head, args);
    match children.as_slice() {
        [only] if !only.is_many => {
            let width = count.as_ref().zip(only.width.as_ref()).and_then(|(count, width)| count.times(width));
            Kind::Layer(width)
        }
        [] => Kind::Layer(None),
        [.., last] => {
            let report =
                Diagnostic::error("unknown-argument", "`copies` takes one circuit").at(last.span, "");
            cx.report(
                report.help("join several with `sum` or `prod` inside it, or write one `copies` for each"),
            );
            Kind::Layer(None)
        }
    }
}
