//! What is wrong, in the user's words: one function for each kind of refusal.
//!
//! Labels stand on the layers' own spans, with the variables or the assignment that prove the fault.

use super::names::{assignment_in_words, scope_in_words};
use super::{
    BothPossible, Compatibility, Conflict, Determinism, Misfit, Overlap, Support, Unequal, Violation,
};
use crate::graph::Fault;
use crate::{Graph, LayerId, Scope, Value, VarId};
use pcc_diag::{Diagnostic, Span};

/// The diagnostic of a violation.
pub fn violation_in_words(graph: &Graph, violation: &Violation) -> Diagnostic {
    match violation {
        Violation::Fault(fault) => damaged(graph, fault),
        Violation::Overlap(overlap) => overlapping(graph, overlap),
        Violation::Unequal(unequal) => unequal_scopes(graph, unequal),
    }
}

fn damaged(graph: &Graph, fault: &Fault) -> Diagnostic {
    let message = format!("the circuit contradicts itself: {fault}");
    Diagnostic::error("graph-malformed", message).at(fault.layer.map_or(Span::NONE, |l| span(graph, l)), "")
}

fn overlapping(graph: &Graph, overlap: &Overlap) -> Diagnostic {
    let children = graph.children(overlap.layer);
    let (first, second) = (children[overlap.first], children[overlap.second]);
    let message = "product children share variables, so this circuit is not decomposable";
    let shared = scope_in_words(graph, &overlap.shared);
    Diagnostic::error("overlapping-scopes", message)
        .at(span(graph, overlap.layer), format!("both children contain {shared}"))
        .note(span(graph, first), scope_here(graph, first))
        .note(span(graph, second), scope_here(graph, second))
        .help(format!("multiply functions of different variables: leave {shared} to one of the children"))
}

fn unequal_scopes(graph: &Graph, unequal: &Unequal) -> Diagnostic {
    let children = graph.children(unequal.layer);
    let (first, other) = (children[0], children[unequal.child]);
    let nth = ordinal(unequal.child);
    let words = |scope: &Scope| scope_in_words(graph, scope);
    let difference = match (unequal.missing.is_empty(), unequal.extra.is_empty()) {
        (false, true) => format!("the {nth} lacks {}", words(&unequal.missing)),
        (true, _) => format!("the first lacks {}, which the {nth} has", words(&unequal.extra)),
        _ => format!("the {nth} lacks {} and adds {}", words(&unequal.missing), words(&unequal.extra)),
    };
    Diagnostic::error(
        "unequal-scopes",
        format!("alternatives of a sum must cover the same variables; {difference}"),
    )
    .at(span(graph, unequal.layer), "")
    .note(span(graph, first), scope_here(graph, first))
    .note(span(graph, other), scope_here(graph, other))
    .help("multiply the smaller alternative with inputs over the variables that it lacks")
}

/// The diagnostic of a determinism that was asserted or is needed, and was not proved; `None` if it was.
pub fn determinism_in_words(graph: &Graph, answer: &Determinism) -> Option<Diagnostic> {
    match answer {
        Determinism::Deterministic => None,
        Determinism::NotDeterministic(witness) => Some(both_possible(graph, witness)),
        Determinism::Unknown { layer, why } => {
            let place = layer.map_or(Span::NONE, |l| span(graph, l));
            Some(not_proved("deterministic", why).at(place, "the check gave up here"))
        }
    }
}

fn both_possible(graph: &Graph, witness: &BothPossible) -> Diagnostic {
    let decisive = &witness.assignment[..witness.n_decisive];
    let under = match (decisive.is_empty(), witness.assignment.is_empty()) {
        (false, _) => format!("for `{}`", assignment_in_words(graph, decisive)),
        (true, false) => {
            format!("whatever the values, as for `{}`", assignment_in_words(graph, &witness.assignment))
        }
        (true, true) => "whatever is observed".into(),
    };
    let message = format!("not deterministic: these two alternatives of a sum are both possible {under}");
    let child = |position: usize| graph.children(witness.layer)[position];
    let (first, second) = (child(witness.first_child), child(witness.second_child));
    let diagnostic = Diagnostic::error("not-deterministic", message).at(span(graph, witness.layer), "");
    let diagnostic = if first == second {
        let (i, j) = (witness.first.unit, witness.second.unit);
        diagnostic.note(span(graph, first), format!("its units {i} and {j} are the alternatives"))
    } else {
        diagnostic.note(span(graph, first), "one alternative").note(span(graph, second), "the other")
    };
    diagnostic.help(
        "give each alternative a value of a variable of its own, as `by Z` does; \
         a latent counts only where it is given, as in `deterministic given Z`",
    )
}

/// The diagnostic of a circuit without a vtree.
pub fn conflict_in_words(graph: &Graph, conflict: &Conflict) -> Diagnostic {
    let message = "these products split their variables in ways that no one vtree admits";
    let mut diagnostic = Diagnostic::error("not-structured", message);
    for (i, &product) in conflict.products.iter().take(3).enumerate() {
        let (place, text) = (span(graph, product), split_in_words(graph, product));
        diagnostic = if i == 0 { diagnostic.at(place, text) } else { diagnostic.note(place, text) };
    }
    diagnostic.help("split the same variables in the same way everywhere")
}

fn split_in_words(graph: &Graph, product: LayerId) -> String {
    let scopes = graph.children(product).iter().map(|&c| scope_in_words(graph, graph.scope(c)));
    format!("splits {}", shortened(scopes.collect(), " | "))
}

/// The diagnostic of a product that does not follow a given vtree.
pub fn misfit_in_words(graph: &Graph, misfit: &Misfit) -> Diagnostic {
    let children = graph.children(misfit.layer);
    let (first, second) = (children[misfit.first], children[misfit.second]);
    if misfit.first == misfit.second {
        let message = format!("the vtree lacks a variable of {}", scope_in_words(graph, graph.scope(first)));
        return Diagnostic::error("not-structured", message).at(span(graph, misfit.layer), "");
    }
    Diagnostic::error(
        "not-structured",
        "this product does not follow the vtree: no node of it separates two factors",
    )
    .at(span(graph, misfit.layer), "")
    .note(span(graph, first), scope_here(graph, first))
    .note(span(graph, second), scope_here(graph, second))
}

/// The diagnostic of two circuits that are not compatible; `None` when they are.
pub fn compatibility_in_words(first: &Graph, second: &Graph, answer: &Compatibility) -> Option<Diagnostic> {
    match answer {
        Compatibility::Compatible => None,
        Compatibility::Unknown(why) => Some(not_proved("compatible", why)),
        Compatibility::OtherVariables { only_first, only_second } => {
            let side = |names: &[String], which: &str| match names.is_empty() {
                true => String::new(),
                false => format!("; only the {which} has {}", shortened(names.to_vec(), ", ")),
            };
            let (a, b) = (side(only_first, "first"), side(only_second, "second"));
            let message = format!("compatible circuits are over the same variables{a}{b}");
            Some(Diagnostic::error("not-compatible", message).at(span(first, first.root()), ""))
        }
        Compatibility::Incompatible { first: a, second: b } => {
            let message = "these products of the two circuits cannot be split alike";
            Some(
                Diagnostic::error("not-compatible", message)
                    .at(span(first, *a), split_in_words(first, *a))
                    .note(span(second, *b), split_in_words(second, *b)),
            )
        }
    }
}

/// The diagnostic of a circuit that was said to support a formula of that name; `None` if it does.
pub fn support_in_words(graph: &Graph, formula: &str, answer: &Support) -> Option<Diagnostic> {
    let (assignment, is_model) = match answer {
        Support::Equal => return None,
        Support::Unknown(why) => {
            return Some(not_proved(&format!("possible exactly where `{formula}` holds"), why));
        }
        Support::Differs { assignment, is_model } => (assignment, is_model),
    };
    let values: Vec<(VarId, Value)> =
        assignment.iter().map(|&(var, value)| (var, Value::Code(u32::from(value)))).collect();
    let under = assignment_in_words(graph, &values);
    let message = match is_model {
        true => format!("`{formula}` holds for `{under}`, but the circuit is impossible there"),
        false => format!("the circuit is possible for `{under}`, but `{formula}` does not hold there"),
    };
    Some(Diagnostic::error("support-differs", message).at(span(graph, graph.root()), ""))
}

/// The diagnostic of a property that was asserted and came out unknown.
pub fn not_proved(property: &str, why: &str) -> Diagnostic {
    Diagnostic::error(
        "not-proved",
        format!("asserted, but whether the circuit is {property} is not known: {why}"),
    )
    .help("leave the assertion out, or make the circuit smaller")
}

fn span(graph: &Graph, id: LayerId) -> Span {
    graph.layer(id).span
}

fn scope_here(graph: &Graph, id: LayerId) -> String {
    format!("scope here: {}", scope_in_words(graph, graph.scope(id)))
}

fn shortened(mut words: Vec<String>, between: &str) -> String {
    let n_left = words.len().saturating_sub(8);
    words.truncate(8);
    if n_left > 0 {
        words.push(format!("{n_left} more"));
    }
    words.join(between)
}

fn ordinal(position: usize) -> String {
    const WORDS: [&str; 8] = ["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth"];
    WORDS.get(position).map_or_else(|| format!("alternative {}", position + 1), |&word| word.to_owned())
}
