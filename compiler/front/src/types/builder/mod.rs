//! The words that make circuits: `input`, `sum`, `prod`, `outer`, `mix`, `copies`, and the leaves.
//!
//! Each says in a file of its own which widths it takes and gives. They are known by the prelude only: a local
//! or an item of the same name is an ordinary function.

mod copies;
mod input;
pub(super) mod leaf;
mod product;
mod sum;

use super::kind::Kind;
use super::report::{differ, require};
use super::size::Size;
use super::{Check, clause, expr, family};
use pcc_diag::{Diagnostic, Span};
use pcc_grammar::ast::{Arg, Expr, ExprKind};

const BUILDERS: [&str; 6] = ["input", "sum", "prod", "outer", "mix", "copies"];

/// A builder with its brackets, before its arguments.
pub(super) struct Head<'e> {
    /// `sum`, `gaussian`, ...
    pub name: &'e str,
    /// Where the name stands.
    pub span: Span,
    /// What stands in brackets, when they are there.
    pub statics: Option<&'e [Arg]>,
}

/// One argument that is a circuit.
pub(super) struct Child {
    /// Its width, when known.
    pub width: Option<Size>,
    /// Where it stands.
    pub span: Span,
    /// Whether it comes from a `for`, and so stands for any number of circuits.
    pub is_many: bool,
    /// Whether it is a circuit, as far as is known.
    pub is_sound: bool,
}

/// The builder that a callee names, if it is one.
pub(super) fn head<'e>(cx: &Check, callee: &'e Expr) -> Option<Head<'e>> {
    let (named, statics) = match &callee.kind {
        ExprKind::Index(named, statics) => (&**named, Some(statics.as_slice())),
        _ => (callee, None),
    };
    match &named.kind {
        ExprKind::Name(name) if is_word(name) && expr::is_prelude(cx, name) => {
            Some(Head { name, span: named.span, statics })
        }
        _ => None,
    }
}

/// Whether an expression is the bare word of a builder, as in `share sum[K]`.
pub(super) fn is_builder(cx: &Check, expr: &Expr) -> bool {
    matches!(&expr.kind, ExprKind::Name(name) if BUILDERS.contains(&name.as_str()) && expr::is_prelude(cx, name))
}

fn is_word(name: &str) -> bool {
    BUILDERS.contains(&name) || family::NAMES.contains(&name) || name == "literal"
}

/// The kind of a call of a builder.
pub(super) fn kind_of(cx: &mut Check, whole: Span, head: &Head, args: &[Arg]) -> Kind {
    match head.name {
        "input" => input::kind_of(cx, whole, head, args),
        "sum" => sum::kind_of(cx, whole, head, args),
        "prod" => product::prod(cx, whole, head, args),
        "outer" => product::outer(cx, whole, head, args),
        "mix" => product::mix(cx, whole, head, args),
        "copies" => copies::kind_of(cx, whole, head, args),
        "literal" => leaf::literal(cx, whole, head, args),
        _ => leaf::of_family(cx, whole, head, args),
    }
}

/// The number in a builder's brackets, such as the width of `sum[K]`; unknown after a fault.
fn bracket(cx: &mut Check, head: &Head, what: &str) -> Option<Size> {
    let value = match head.statics {
        Some([Arg::Positional(value)]) => value,
        found => {
            call_loosely(cx, found.unwrap_or_default());
            cx.report(one_number(head, what));
            return None;
        }
    };
    let kind = expr::kind_of(cx, value);
    if matches!(kind, Kind::Layer(_) | Kind::Circuit(_) | Kind::Var(_) | Kind::Scope(_) | Kind::Literal) {
        cx.report(circuit_in_brackets(head, &kind, value.span));
        return None;
    }
    require(cx, &kind, &Kind::Int(None), value.span, &format!("the {what} of `{}`", head.name));
    let size = kind.size().cloned();
    if size.as_ref().and_then(Size::value).is_some_and(|value| value < 1) {
        cx.report(not_positive(head, what, value.span));
        return None;
    }
    size
}

/// Checks arguments that can't be matched to anything.
fn call_loosely(cx: &mut Check, args: &[Arg]) {
    super::call::check_loosely(cx, args);
}

fn one_number(head: &Head, what: &str) -> Diagnostic {
    let name = head.name;
    Diagnostic::error("missing-argument", format!("`{name}` has its {what} in brackets, one number"))
        .at(head.span, "")
        .help(format!("brackets hold numbers, parentheses hold circuits: `{name}[K](..)`"))
}

fn circuit_in_brackets(head: &Head, kind: &Kind, span: Span) -> Diagnostic {
    Diagnostic::error("wrong-brackets", format!("brackets hold numbers, and this is {kind}"))
        .at(span, kind.to_string())
        .help(format!("circuits and variables go in parentheses: `{}[K](..)`", head.name))
}

fn not_positive(head: &Head, what: &str, span: Span) -> Diagnostic {
    Diagnostic::error("width-not-positive", format!("the {what} of `{}` must be at least 1", head.name))
        .at(span, "")
}

/// Reports brackets where a builder has none.
fn refuse_brackets(cx: &mut Check, head: &Head) {
    if let Some(statics) = head.statics {
        call_loosely(cx, statics);
        let message = format!("`{}` takes nothing in brackets", head.name);
        cx.report(
            Diagnostic::error("wrong-brackets", message)
                .at(head.span, "")
                .help(format!("write `{}(..)`", head.name)),
        );
    }
}

/// The circuits among the arguments of a builder that takes nothing else. Reports one that is none.
fn children(cx: &mut Check, whole: Span, head: &Head, args: &[Arg]) -> Vec<Child> {
    if args.is_empty() {
        let message = format!("`{}` needs at least one circuit", head.name);
        cx.report(Diagnostic::error("missing-argument", message).at(whole, ""));
    }
    let children = args.iter().map(|arg| match arg {
        Arg::Positional(value) => {
            let kind = expr::kind_of(cx, value);
            child(cx, head, kind, value.span, false)
        }
        Arg::Named(name, value) => {
            let message = format!("`{}` takes circuits, and they have no names", head.name);
            cx.report(Diagnostic::error("unknown-argument", message).at(name.span, ""));
            expr::kind_of(cx, value);
            Child { width: None, span: value.span, is_many: false, is_sound: false }
        }
        Arg::For(each) => {
            let kind = clause::kind_of(cx, each);
            child(cx, head, kind, each.value.span, true)
        }
    });
    children.collect()
}

fn child(cx: &mut Check, head: &Head, kind: Kind, span: Span, is_many: bool) -> Child {
    let is_number = matches!(kind, Kind::Int(_) | Kind::Float);
    if is_number {
        let message = format!("parentheses hold circuits, and this is {kind}");
        let help = format!("numbers go in brackets: `{}[K](..)`", head.name);
        cx.report(Diagnostic::error("wrong-brackets", message).at(span, kind.to_string()).help(help));
    } else if let Kind::List(element) = &kind {
        cx.report(list_for_circuits(head, element, span));
    } else {
        require(cx, &kind, &Kind::Layer(None), span, &format!("a child of `{}`", head.name));
    }
    Child { width: expr::width(&kind).flatten(), span, is_many, is_sound: kind.fits(&Kind::Layer(None)) }
}

fn list_for_circuits(head: &Head, element: &Kind, span: Span) -> Diagnostic {
    let message = format!("`{}` takes circuits one by one, and this is a list", head.name);
    let report = Diagnostic::error("kind-mismatch", message).at(span, "a list");
    match element.fits(&Kind::Layer(None)) {
        true => report.help(format!("splice it: `{}(for c in list: c)`", head.name)),
        false => report,
    }
}

/// Reports the first two children whose widths are known to differ; `reason` is why they may not.
/// Gives the width that all have, when one of them is known.
fn equal_widths(cx: &mut Check, head: &Head, children: &[Child], reason: &str, help: &str) -> Option<Size> {
    let first = children.iter().find(|child| child.width.is_some())?;
    if let Some(other) = children.iter().find(|child| differ(&child.width, &first.width)) {
        let shown = |child: &Child| child.width.as_ref().map_or(String::new(), Size::to_string);
        let (a, b) = (shown(first), shown(other));
        let message = format!("`{}` {reason}, but its children have widths {a} and {b}", head.name);
        cx.report(
            Diagnostic::error("width-mismatch", message)
                .at(other.span, format!("width {b}"))
                .note(first.span, format!("width {a}"))
                .help(help.replace("{K}", &a)),
        );
        return None;
    }
    first.width.clone()
}
