//! Arguments against parameters: by position, by name, and spliced by `for`.

use super::kind::Kind;
use super::report::mismatch;
use super::signature::{Need, Parameter};
use super::{Check, clause, expr, recipe};
use crate::words::{count, listing};
use pcc_diag::{Diagnostic, Span};
use pcc_grammar::ast::{Arg, Expr, ExprKind, Name};

/// A list of arguments in the source.
pub(super) struct Site<'s> {
    /// What is called.
    pub name: &'s str,
    /// Where it was declared, for labels.
    pub declared: Span,
    /// The callee and its arguments, where a missing one is reported.
    pub span: Span,
    /// Whether these arguments stand in brackets.
    pub is_static: bool,
    /// The parameters of the other pair of brackets.
    pub others: &'s [Parameter],
}

/// The kinds of the arguments, one for each parameter; `None` for one that is not given.
/// Reports what is missing, unknown, given twice or of the wrong kind.
pub(super) fn check(cx: &mut Check, site: &Site, params: &[Parameter], args: &[Arg]) -> Vec<Option<Kind>> {
    let mut matching = Matching {
        params,
        n_positional: 0,
        kinds: vec![None; params.len()],
        given: vec![None; params.len()],
    };
    let mut is_spliced = false;
    for arg in args {
        match arg {
            Arg::Positional(value) => matching.positional(cx, site, value),
            Arg::Named(name, value) => matching.named(cx, site, name, value),
            Arg::For(each) => {
                is_spliced = true;
                let kind = clause::kind_of(cx, each);
                matching.spliced(cx, site, kind, each.value.span);
            }
        }
    }
    if !is_spliced {
        matching.report_missing(cx, site);
    }
    matching.kinds
}

/// The arguments that have found their parameter so far.
struct Matching<'p> {
    params: &'p [Parameter],
    n_positional: usize,
    kinds: Vec<Option<Kind>>,
    given: Vec<Option<Span>>,
}

impl Matching<'_> {
    /// The parameter that the next argument by position is for. Names take no positions away.
    fn next_positional(&mut self) -> Option<usize> {
        let last_is_rest = self.params.last().is_some_and(|p| matches!(p.need, Need::Rest));
        let position =
            if last_is_rest { self.n_positional.min(self.params.len() - 1) } else { self.n_positional };
        self.n_positional += 1;
        (position < self.params.len()).then_some(position)
    }

    fn positional(&mut self, cx: &mut Check, site: &Site, value: &Expr) {
        match self.next_positional() {
            Some(position) => self.give(cx, site, position, value),
            None => {
                expr::kind_of(cx, value);
                cx.report(too_many(site, self.params, value.span));
            }
        }
    }

    fn named(&mut self, cx: &mut Check, site: &Site, name: &Name, value: &Expr) {
        let Some(position) = self.params.iter().position(|p| p.name == name.text) else {
            if !matches!(value.kind, ExprKind::Name(_)) {
                expr::kind_of(cx, value);
            }
            cx.report(unknown(site, self.params, name));
            return;
        };
        if let Some(earlier) = self.given[position] {
            expr::kind_of(cx, value);
            cx.report(given_twice(&name.text, name.span, earlier));
            return;
        }
        self.give(cx, site, position, value);
    }

    fn spliced(&mut self, cx: &mut Check, site: &Site, kind: Kind, span: Span) {
        if let Some(position) = self.next_positional() {
            let parameter = &self.params[position];
            if matches!(parameter.need, Need::Rest) && !kind.fits(&parameter.kind) {
                cx.report(mismatch(&kind, &parameter.kind, span, &role(site, parameter)));
            }
        }
    }

    fn give(&mut self, cx: &mut Check, site: &Site, position: usize, value: &Expr) {
        let parameter = &self.params[position];
        self.given[position] = Some(value.span);
        self.kinds[position] = Some(match parameter.kind {
            Kind::Word(words) => word(cx, site, parameter, words, value),
            Kind::Schedule => recipe::schedule(cx, value, &role(site, parameter)),
            _ => valued(cx, site, parameter, value),
        });
    }

    fn report_missing(&self, cx: &mut Check, site: &Site) {
        let is_missing =
            |(p, given): &(&Parameter, &Option<Span>)| matches!(p.need, Need::Required) && given.is_none();
        let missing: Vec<&Parameter> =
            self.params.iter().zip(&self.given).filter(is_missing).map(|(p, _)| p).collect();
        if !missing.is_empty() {
            cx.report(missing_arguments(site, &missing));
        }
    }
}

fn valued(cx: &mut Check, site: &Site, parameter: &Parameter, value: &Expr) -> Kind {
    let kind = expr::kind_of(cx, value);
    if kind.fits(&parameter.kind) {
        return kind;
    }
    let is_circuit =
        matches!(kind, Kind::Layer(_) | Kind::Circuit(_) | Kind::Var(_) | Kind::Scope(_) | Kind::Literal);
    cx.report(match site.is_static && is_circuit {
        true => circuit_in_brackets(site, &kind, value.span),
        false => mismatch(&kind, &parameter.kind, value.span, &role(site, parameter))
            .note(parameter.span, format!("`{}` is declared here", parameter.name)),
    });
    Kind::Any
}

fn word(cx: &mut Check, site: &Site, parameter: &Parameter, words: &[&str], value: &Expr) -> Kind {
    let written = match &value.kind {
        ExprKind::Name(name) if words.contains(&name.as_str()) => return parameter.kind.clone(),
        ExprKind::Name(name) => Some(name),
        _ => None,
    };
    let message =
        format!("`{}` of `{}` takes one of the words {}", parameter.name, site.name, listing(words));
    let report = Diagnostic::error("unknown-word", message).at(value.span, "");
    cx.report(match written {
        Some(name) => report.did_you_mean(name, words.iter().copied(), |report| report),
        None => report,
    });
    Kind::Any
}

fn role(site: &Site, parameter: &Parameter) -> String {
    format!("`{}` of `{}`", parameter.name, site.name)
}

fn circuit_in_brackets(site: &Site, kind: &Kind, span: Span) -> Diagnostic {
    Diagnostic::error("wrong-brackets", format!("brackets hold numbers, and this is {kind}"))
        .at(span, kind.to_string())
        .help(format!("circuits and variables go in parentheses: `{}[..](..)`", site.name))
}

fn too_many(site: &Site, params: &[Parameter], span: Span) -> Diagnostic {
    let takes = count(params.len(), "argument");
    let place = if site.is_static { " in brackets" } else { "" };
    Diagnostic::error(
        "unknown-argument",
        format!("`{}` takes {takes}{place}, and this is one more", site.name),
    )
    .at(span, "")
    .note(site.declared, "declared here")
}

fn unknown(site: &Site, params: &[Parameter], name: &Name) -> Diagnostic {
    if site.others.iter().any(|other| other.name == name.text) {
        return in_other_brackets(site, name);
    }
    let message = format!("`{}` has no parameter `{}`", site.name, name.text);
    let report =
        Diagnostic::error("unknown-argument", message).at(name.span, "").note(site.declared, "declared here");
    let known: Vec<&str> = params.iter().chain(site.others).map(|p| p.name.as_str()).collect();
    report.did_you_mean(&name.text, known.iter().copied(), |report| match known.is_empty() {
        true => report.help("it has no parameters"),
        false => report.help(format!("it has {}", listing(&known))),
    })
}

fn given_twice(name: &str, span: Span, earlier: Span) -> Diagnostic {
    Diagnostic::error("duplicate-argument", format!("`{name}` is given twice"))
        .at(span, "again here")
        .note(earlier, "first here")
}

fn in_other_brackets(site: &Site, name: &Name) -> Diagnostic {
    let (message, form) = match site.is_static {
        true => ("goes in parentheses", format!("`{}[..]({} = ..)`", site.name, name.text)),
        false => ("goes in brackets", format!("`{}[{} = ..](..)`", site.name, name.text)),
    };
    Diagnostic::error("wrong-brackets", format!("`{}` of `{}` {message}", name.text, site.name))
        .at(name.span, "")
        .note(site.declared, "declared here")
        .help(format!("brackets hold numbers, parentheses hold circuits: write {form}"))
}

/// The report of arguments that are not there.
pub(super) fn missing_arguments(site: &Site, missing: &[&Parameter]) -> Diagnostic {
    let names: Vec<&str> = missing.iter().map(|p| p.name.as_str()).collect();
    let place = if site.is_static { " in brackets" } else { "" };
    let message = format!("`{}` needs {}{place}", site.name, listing(&names));
    let mut report = Diagnostic::error("missing-argument", message).at(site.span, "");
    for parameter in missing {
        report = report.note(parameter.span, format!("`{}` has no default", parameter.name));
    }
    let written: Vec<String> = names.iter().map(|name| format!("{name} = ..")).collect();
    match site.is_static {
        true => report.help(format!("write `{}[{}]`", site.name, written.join(", "))),
        false => report.help(format!("write `{}({})`", site.name, written.join(", "))),
    }
}
