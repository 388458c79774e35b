//! Functions of the prelude whose result depends on their arguments, as no table of kinds can say.

use super::kind::{Kind, Order, Scope};
use super::size::Size;

/// What `name` gives for these arguments; `None` when its table entry says all there is.
pub(super) fn result(name: &str, kinds: &[Option<Kind>]) -> Option<Kind> {
    let first = kinds.first()?.as_ref()?;
    match name {
        "len" => Some(Kind::Int(length(first))),
        "head" | "tail" | "reverse" | "shuffle" => Some(part_of(first)),
        "random_halves" if !first.is_any() => Some(Kind::pair(half_of(first), half_of(first))),
        "concat" => Some(kinds.iter().flatten().cloned().reduce(Kind::join).unwrap_or(Kind::Any)),
        "range" => Some(Kind::list(Kind::Int(None))),
        "min" | "max" if matches!(first, Kind::Int(_)) => Some(Kind::Int(None)),
        "minus" => Some(part_of(first)),
        _ => None,
    }
}

fn length(of: &Kind) -> Option<Size> {
    match of {
        Kind::Scope(scope) => scope.len(),
        Kind::Tuple(parts) => i64::try_from(parts.len()).ok().map(Size::constant),
        _ => None,
    }
}

/// Some of the elements of a scope or list, in an order of their own when there was one.
fn part_of(whole: &Kind) -> Kind {
    match whole {
        Kind::Scope(scope) => Kind::Scope(Scope {
            order: scope.order.min(Order::Seq),
            domain: scope.domain.clone(),
            extents: None,
        }),
        Kind::List(_) => whole.clone(),
        _ => Kind::Any,
    }
}

/// A random half, which is a set.
fn half_of(whole: &Kind) -> Kind {
    Kind::Scope(Scope { domain: whole.domain().cloned(), ..Scope::of_order(Order::Unordered) })
}
