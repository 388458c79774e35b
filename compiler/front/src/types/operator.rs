//! Operators: arithmetic on static numbers, comparisons, and the connectives of truth values and formulas.

use super::kind::Kind;
use super::report::{mismatch, require};
use super::size::Size;
use super::{Check, expr};
use pcc_diag::{Diagnostic, Span};
use pcc_grammar::ast::{BinaryOp, Expr, UnaryOp};

/// The kind of `not a` or `-a`.
pub(super) fn unary(cx: &mut Check, op: UnaryOp, operand: &Expr) -> Kind {
    let kind = expr::kind_of(cx, operand);
    match op {
        UnaryOp::Negate => negated(cx, kind, operand.span),
        UnaryOp::Not => match kind {
            Kind::Any | Kind::Bool | Kind::Formula => kind,
            Kind::Var(_) | Kind::Scope(_) | Kind::Literal if kind.fits(&Kind::Literal) => Kind::Literal,
            other => {
                require(cx, &other, &Kind::Formula, operand.span, "what `not` stands before");
                Kind::Any
            }
        },
    }
}

fn negated(cx: &mut Check, kind: Kind, span: Span) -> Kind {
    match kind {
        Kind::Int(size) => Kind::Int(size.and_then(|size| Size::constant(0).minus(&size))),
        Kind::Float | Kind::Number | Kind::Any => kind,
        other => {
            require(cx, &other, &Kind::Number, span, "what `-` stands before");
            Kind::Any
        }
    }
}

/// The kind of `a op b`.
pub(super) fn binary(cx: &mut Check, op: BinaryOp, left: &Expr, right: &Expr) -> Kind {
    let sides = [(expr::kind_of(cx, left), left.span), (expr::kind_of(cx, right), right.span)];
    match op {
        BinaryOp::Implies | BinaryOp::Or | BinaryOp::And => connective(cx, op, &sides),
        BinaryOp::Equal | BinaryOp::NotEqual => equality(cx, &sides),
        BinaryOp::Less | BinaryOp::LessEqual | BinaryOp::Greater | BinaryOp::GreaterEqual => {
            require_numbers(cx, op, &sides);
            Kind::Bool
        }
        BinaryOp::Range => {
            for (kind, span) in &sides {
                require(cx, kind, &Kind::Int(None), *span, "an end of a range");
            }
            Kind::list(Kind::Int(None))
        }
        BinaryOp::Arrow => {
            require_numbers(cx, op, &sides);
            Kind::Schedule
        }
        BinaryOp::Add | BinaryOp::Subtract | BinaryOp::Multiply | BinaryOp::Divide | BinaryOp::Remainder => {
            arithmetic(cx, op, &sides)
        }
    }
}

fn connective(cx: &mut Check, op: BinaryOp, sides: &[(Kind, Span); 2]) -> Kind {
    let role = format!("a side of `{}`", op.word());
    for (kind, span) in sides {
        require(cx, kind, &Kind::Formula, *span, &role);
    }
    match sides {
        [(Kind::Bool, _), (Kind::Bool, _)] => Kind::Bool,
        // A condition and something unknown: most likely a condition, and `if` takes no formula.
        [(Kind::Bool | Kind::Any, _), (Kind::Bool | Kind::Any, _)] => Kind::Any,
        _ => Kind::Formula,
    }
}

/// Values of one kind are compared; of formulas and variables, `==` makes a formula.
fn equality(cx: &mut Check, sides: &[(Kind, Span); 2]) -> Kind {
    let [(left, left_span), (right, right_span)] = sides;
    if !left.fits(right) && !right.fits(left) {
        let message = format!("{left} is never equal to {right}");
        cx.report(
            Diagnostic::error("kind-mismatch", message)
                .at(*right_span, right.to_string())
                .note(*left_span, left.to_string()),
        );
    }
    match (left, right) {
        (Kind::Formula | Kind::Literal, _) | (_, Kind::Formula | Kind::Literal) => Kind::Any,
        (Kind::Var(_) | Kind::Any, Kind::Var(_) | Kind::Any) => Kind::Any,
        _ => Kind::Bool,
    }
}

fn require_numbers(cx: &mut Check, op: BinaryOp, sides: &[(Kind, Span); 2]) -> bool {
    let role = format!("a side of `{}`", op.word());
    let is_circuit =
        |kind: &Kind| matches!(kind, Kind::Var(_) | Kind::Scope(_) | Kind::Layer(_) | Kind::Literal);
    if let Some((kind, span)) = sides.iter().find(|(kind, _)| is_circuit(kind)) {
        let report = mismatch(kind, &Kind::Number, *span, &role);
        cx.report(
            report
                .help("circuits are mixed by `sum[1](a, b) with [0.3, 0.7]` and multiplied by `prod(a, b)`"),
        );
        return false;
    }
    let are_numbers = sides
        .iter()
        .fold(true, |so_far, (kind, span)| require(cx, kind, &Kind::Number, *span, &role) && so_far);
    if let [(Kind::Int(_), left), (Kind::Float, right)] | [(Kind::Float, right), (Kind::Int(_), left)] = sides
    {
        let report = Diagnostic::error(
            "kind-mismatch",
            format!("`{}` does not mix the two kinds of number", op.word()),
        );
        let report = report.at(*left, "an integer").note(*right, "a number with a fraction");
        cx.report(report.help("write a whole number as `2.0`, or `float(n)`"));
        return false;
    }
    are_numbers
}

fn arithmetic(cx: &mut Check, op: BinaryOp, sides: &[(Kind, Span); 2]) -> Kind {
    if !require_numbers(cx, op, sides) {
        return Kind::Any;
    }
    match sides {
        [(Kind::Int(left), _), (Kind::Int(right), _)] => {
            Kind::Int(left.as_ref().zip(right.as_ref()).and_then(|(left, right)| combine(op, left, right)))
        }
        [(Kind::Any, _), _] | [_, (Kind::Any, _)] => Kind::Any,
        _ => Kind::Float,
    }
}

fn combine(op: BinaryOp, left: &Size, right: &Size) -> Option<Size> {
    match op {
        BinaryOp::Add => left.plus(right),
        BinaryOp::Subtract => left.minus(right),
        BinaryOp::Multiply => left.times(right),
        BinaryOp::Divide => {
            left.remainder(right)?.value().filter(|rest| *rest == 0).and(left.divided_by(right))
        }
        BinaryOp::Remainder => left.remainder(right),
        _ => None,
    }
}
