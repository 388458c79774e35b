//! Items: what each one's name stands for, and what is checked of each.

use super::function::{self, Head};
use super::kind::Kind;
use super::report::{differ, require};
use super::signature::{Signature, What};
use super::size::Size;
use super::{Check, assertion, block, data, expr, recipe, variables, written};
use crate::ItemId;
use crate::builtin;
use crate::items::Holds;
use crate::resolve::names::not_among;
use pcc_diag::{Diagnostic, Span};
use pcc_grammar::ast::{Circuit, Constant, Item, ItemKind, Native, Structure};

/// What the name of an item stands for, found when first asked for. `declaration` says which of the names
/// of a `vars` item is meant. An item that needs itself is reported.
pub(super) fn kind_of(cx: &mut Check, id: ItemId, declaration: usize) -> Kind {
    cx.used.insert((id, declaration));
    find_kind(cx, id, declaration)
}

fn find_kind(cx: &mut Check, id: ItemId, declaration: usize) -> Kind {
    match cx.items.get(&(id, declaration)) {
        Some(Some(kind)) => return kind.clone(),
        Some(None) => {
            report_circle(cx, id);
            return Kind::Any;
        }
        None => {}
    }
    cx.items.insert((id, declaration), None);
    let kind = at_the_top(cx, id, |cx, item| declared_kind(cx, id, item, declaration));
    cx.items.insert((id, declaration), Some(kind.clone()));
    kind
}

/// Runs a check with the names of an item's own module in view, and no locals.
fn at_the_top(cx: &mut Check, id: ItemId, run: impl FnOnce(&mut Check, &Item) -> Kind) -> Kind {
    let Some(item) = cx.program.item(id) else { return Kind::Any };
    let outer = (cx.module, std::mem::take(&mut cx.scopes), cx.is_learning);
    cx.module = id.module;
    cx.is_learning = may_learn(item);
    let kind = run(cx, item);
    (cx.module, cx.scopes, cx.is_learning) = outer;
    kind
}

/// Only `learn` looks at data, perhaps by way of functions.
fn may_learn(item: &Item) -> bool {
    matches!(item.kind, ItemKind::Learn(_) | ItemKind::Function(_))
}

fn declared_kind(cx: &mut Check, id: ItemId, item: &Item, declaration: usize) -> Kind {
    match &item.kind {
        ItemKind::Native(native) => of_native(cx, id, native),
        ItemKind::Constant(constant) => of_constant(cx, id, constant),
        ItemKind::Vars(vars) => variables::kind_of(cx, vars, declaration),
        ItemKind::Data(data) => match Holds::of(&data.target) {
            Holds::Weights(_) => Kind::Weights,
            Holds::Variables | Holds::Embedding(_) => Kind::Data,
        },
        ItemKind::Learn(learn) => expr::kind_of(cx, &learn.value),
        ItemKind::Teacher(teacher) => Kind::Teacher(data::codes_of(cx, teacher)),
        ItemKind::Constraint(_) => Kind::Formula,
        ItemKind::Structure(structure) => {
            Kind::Function(function::signature(cx, &head_of_structure(structure)).into())
        }
        ItemKind::Function(function) => {
            Kind::Function(function::signature(cx, &block::head_of(function)).into())
        }
        ItemKind::Circuit(_) => Kind::Circuit(id),
        ItemKind::Import(_) | ItemKind::Assertion(_) | ItemKind::Recipe(_) => Kind::Any,
    }
}

/// Checks an item, with the names of its module in view.
pub(super) fn check(cx: &mut Check, id: ItemId, item: &Item) {
    cx.is_learning = may_learn(item);
    match &item.kind {
        ItemKind::Import(_) => {}
        ItemKind::Native(_) | ItemKind::Constant(_) | ItemKind::Learn(_) => {
            find_kind(cx, id, 0);
        }
        ItemKind::Vars(vars) => {
            for declaration in 0..vars.decls.len() {
                find_kind(cx, id, declaration);
            }
        }
        ItemKind::Data(item) => data::check(cx, item),
        ItemKind::Teacher(teacher) => data::check_teacher(cx, teacher),
        ItemKind::Constraint(constraint) => variables::check_constraint(cx, constraint),
        ItemKind::Structure(structure) => check_structure(cx, id, structure),
        ItemKind::Function(function) => check_body(cx, id, &block::head_of(function), &function.body),
        ItemKind::Circuit(circuit) => check_circuit(cx, circuit),
        ItemKind::Assertion(claims) => assertion::check(cx, claims),
        ItemKind::Recipe(steps) => recipe::check(cx, steps),
    }
}

fn check_body(cx: &mut Check, id: ItemId, head: &Head, body: &pcc_grammar::ast::Block) {
    if let Kind::Function(signature) = find_kind(cx, id, 0) {
        function::check_body(cx, head, &signature, body);
    }
}

/// A structure is a circuit with holes, so it gives a layer.
fn check_structure(cx: &mut Check, id: ItemId, structure: &Structure) {
    check_body(cx, id, &head_of_structure(structure), &structure.body);
    if let Some(Some(Kind::Function(signature))) = cx.items.get(&(id, 0)).cloned() {
        let role = format!("what `{}` gives", structure.name.text);
        require(cx, &signature.result, &Kind::Layer(None), structure.ty.span, &role);
    }
}

fn head_of_structure(structure: &Structure) -> Head<'_> {
    Head {
        name: &structure.name,
        what: What::Structure,
        is_memo: false,
        statics: &structure.statics,
        params: &structure.params,
        ty: &structure.ty,
    }
}

/// A native declares what a reader needs; what it takes, options and words included, is in the table of
/// natives. `codes` have as many values as its parameter `k` says.
fn of_native(cx: &mut Check, id: ItemId, native: &Native) -> Kind {
    let head = Head {
        name: &native.name,
        what: What::Function,
        is_memo: false,
        statics: &[],
        params: &native.params,
        ty: &native.ty,
    };
    let written = function::signature(cx, &head);
    let module = cx.program.module(id.module).map_or("", |module| module.name.as_str());
    let Some(known) = builtin::native_signature(module, &native.name.text) else {
        cx.report(unknown_native(module, native));
        return Kind::Function(written.into());
    };
    let params = Signature::of_builtin(known).params;
    let looks_at_data = params.iter().any(|parameter| matches!(parameter.kind, Kind::Data));
    let what = if looks_at_data { What::Learner } else { What::Function };
    let mut signature = Signature { what, params, ..written };
    let k = signature.params.iter_mut().find(|parameter| parameter.name == "k");
    if let (Kind::Codes(None), Some(k)) = (&signature.result, k) {
        let symbol = cx.fresh_symbol("k");
        k.symbol = Some(symbol.clone());
        signature.result = Kind::Codes(Some(Size::symbol(symbol)));
    }
    Kind::Function(signature.into())
}

fn unknown_native(module: &str, native: &Native) -> Diagnostic {
    let known: Vec<&str> = builtin::SIGNATURES
        .iter()
        .filter(|signature| matches!(signature.home, builtin::Home::Std(home) if home == module))
        .map(|signature| signature.name)
        .collect();
    let name = &native.name.text;
    if known.is_empty() {
        let message = format!("`{name}` has no implementation: only modules of `std` declare natives");
        return Diagnostic::error("unknown-native", message)
            .at(native.name.span, "")
            .help("write it as a `fn` with a body");
    }
    not_among("unknown-native", "a native of this module", name, native.name.span, &known)
}

/// A constant is what `--set` says, else what its value is.
fn of_constant(cx: &mut Check, id: ItemId, constant: &Constant) -> Kind {
    let kind = expr::kind_of(cx, &constant.value);
    if let Some(ty) = &constant.ty {
        let wanted = written::kind_of(cx, ty);
        if !require(cx, &kind, &wanted, constant.value.span, &format!("`{}`", constant.name.text)) {
            return wanted;
        }
    }
    let is_root = id.module.0 == 0;
    let set = cx.settings.overrides.iter().rev().find(|(name, _)| is_root && *name == constant.name.text);
    match (set, &kind) {
        (Some((_, text)), Kind::Int(_)) => Kind::Int(text.trim().parse().ok().map(Size::constant)),
        _ => kind,
    }
}

fn check_circuit(cx: &mut Check, circuit: &Circuit) {
    let kind = expr::kind_of(cx, &circuit.value);
    let name = &circuit.name.text;
    if !require(cx, &kind, &Kind::Layer(None), circuit.value.span, &format!("`{name}`")) {
        return;
    }
    let one = Some(Size::constant(1));
    if let Some(found) = expr::width(&kind).filter(|found| differ(found, &one)).flatten() {
        cx.report(circuit_width(name, circuit.name.span, circuit.value.span, &found));
    }
}

fn circuit_width(name: &str, declared: Span, span: Span, found: &Size) -> Diagnostic {
    Diagnostic::error("circuit-width", format!("a circuit is one function, but `{name}` has width {found}"))
        .at(span, format!("width {found}"))
        .note(declared, "declared here")
        .help("mix its units: `sum[1](..)`")
}

/// An item whose kind is asked for while it is being found out.
fn report_circle(cx: &mut Check, id: ItemId) {
    let Some(item) = cx.program.item(id) else { return };
    if let Some(name) = crate::modules::declared(item).first() {
        let message = format!("`{}` is defined by itself", name.text);
        let report = Diagnostic::error("endless-definition", message).at(name.span, "");
        cx.report(report.help("give it a value that does not mention it"));
    }
}
