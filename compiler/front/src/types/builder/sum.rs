//! `sum[K](a, b, ..)`: the units of all children, mixed into K.

use super::{Head, bracket, children};
use crate::types::Check;
use crate::types::kind::Kind;
use crate::types::size::Size;
use pcc_diag::{Diagnostic, Span};
use pcc_grammar::ast::Arg;

/// A layer of the width in brackets. How many units it mixes is remembered for `by` and `with`.
pub(super) fn kind_of(cx: &mut Check, whole: Span, head: &Head, args: &[Arg]) -> Kind {
    let width = bracket(cx, head, "width");
    let children = children(cx, whole, head, args);
    let inputs = children.iter().try_fold(Size::constant(0), |total, child| {
        if child.is_many { None } else { total.plus(child.width.as_ref()?) }
    });
    let is_one = |size: &Option<Size>| size.as_ref().and_then(Size::value) == Some(1);
    let are_sound = children.iter().all(|child| child.is_sound);
    if are_sound && is_one(&width) && is_one(&inputs) && !cx.supervised.contains(&whole) {
        cx.report(unit_sum(whole));
    }
    cx.columns.insert(whole, inputs);
    Kind::Layer(width)
}

fn unit_sum(whole: Span) -> Diagnostic {
    Diagnostic::warning("unit-sum", "a sum of one unit into one unit is that unit")
        .at(whole, "")
        .help("leave the `sum` out")
}
