//! `prod`, unit by unit; `outer`, all pairs; `mix`, a weight for each child and unit.

use super::{Head, children, equal_widths, refuse_brackets};
use crate::types::Check;
use crate::types::kind::Kind;
use crate::types::size::Size;
use pcc_diag::{Diagnostic, Span};
use pcc_grammar::ast::Arg;

/// Products of all pairs with more units than this are most likely a mistake.
const HUGE: i64 = 1 << 16;

/// `prod(a, b, ..)`: children of one width, which is that of the product.
pub(super) fn prod(cx: &mut Check, whole: Span, head: &Head, args: &[Arg]) -> Kind {
    refuse_brackets(cx, head);
    let children = children(cx, whole, head, args);
    warn_of_one_child(cx, whole, head, &children);
    let help = "use `outer` for all pairs, or give both `{K}` units";
    Kind::Layer(equal_widths(cx, head, &children, "multiplies unit by unit", help))
}

/// `mix(a, b, ..)`: children of one width, which is that of the result.
pub(super) fn mix(cx: &mut Check, whole: Span, head: &Head, args: &[Arg]) -> Kind {
    refuse_brackets(cx, head);
    let children = children(cx, whole, head, args);
    let count = i64::try_from(children.len()).ok().filter(|_| children.iter().all(|child| !child.is_many));
    cx.columns.insert(whole, count.map(Size::constant));
    let help = "use `sum[{K}](..)` to mix all units of all children, or give both `{K}` units";
    Kind::Layer(equal_widths(cx, head, &children, "mixes the same unit of each child", help))
}

/// `outer(a, b, ..)`: the product of the widths.
pub(super) fn outer(cx: &mut Check, whole: Span, head: &Head, args: &[Arg]) -> Kind {
    refuse_brackets(cx, head);
    let children = children(cx, whole, head, args);
    warn_of_one_child(cx, whole, head, &children);
    let width = children.iter().try_fold(Size::constant(1), |product, child| {
        if child.is_many { None } else { product.times(child.width.as_ref()?) }
    });
    if let Some(units) = width.as_ref().and_then(Size::value).filter(|units| *units > HUGE) {
        cx.report(huge(whole, &children, units));
    }
    Kind::Layer(width)
}

fn warn_of_one_child(cx: &mut Check, whole: Span, head: &Head, children: &[super::Child]) {
    if let [only] = children
        && !only.is_many
        && only.is_sound
    {
        let message = format!("`{}` of one child is that child", head.name);
        cx.report(
            Diagnostic::warning("one-child-product", message)
                .at(whole, "")
                .help(format!("write the child alone: `{}`", cx.program.text(only.span))),
        );
    }
}

fn huge(whole: Span, children: &[super::Child], units: i64) -> Diagnostic {
    let mut report =
        Diagnostic::warning("huge-outer", format!("this `outer` has {units} units, one for each pair"))
            .at(whole, "");
    for child in children {
        let width = child.width.as_ref().map_or(String::new(), |width| format!("width {width}"));
        report = report.note(child.span, width);
    }
    report.help("mix each side down with `sum[K](..)` first, or use `prod` to multiply unit by unit")
}
