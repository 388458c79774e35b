//! `assert` items.

use super::keep;
use crate::elab::learn::word;
use crate::elab::{Elaborator, Eval, parse_overrides, reached};
use crate::modules::{ItemId, Named, Program};
use crate::value::Value;
use crate::value::formula::Formula;
use crate::value::vtree::Vtree;
use crate::{Settings, World, builtin};
use pcc_diag::{Diagnostic, Sink, Span, suggest};
use pcc_grammar::ast::{self, Arg, BinaryOp, Expr, ExprKind, ItemKind};
use std::rc::Rc;

/// One claim about one circuit.
#[derive(Clone, Debug)]
pub struct Assertion {
    /// The name of the circuit.
    pub circuit: String,
    /// What is claimed.
    pub property: Property,
    /// The claim as written.
    pub text: String,
    /// Where it stands.
    pub span: Span,
}

/// What can be claimed of a circuit. Variables are numbered as in the circuit's graph.
#[derive(Clone, Debug)]
pub enum Property {
    /// Alternatives of a sum cover the same variables.
    Smooth,
    /// Factors of a product share no variable.
    Decomposable,
    /// At most one alternative of a sum is possible.
    Deterministic {
        /// The names of the groups of latents that count as observed.
        given: Vec<String>,
    },
    /// Some vtree refines every product.
    Structured,
    /// This vtree does.
    StructuredBy(Rc<Vtree>),
    /// Products split as in another circuit.
    CompatibleWith(String),
    /// The possible assignments are those of a formula.
    Supports(Rc<Formula>),
    /// A bound on a size.
    Size {
        /// Of what.
        what: Size,
        /// How it is compared with the limit.
        op: Bound,
        /// The limit.
        limit: u64,
    },
}

/// A size that can be bounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Size {
    /// Trainable numbers.
    Params,
    /// Layers.
    Layers,
    /// Units of the widest layer.
    Width,
    /// Units of all layers.
    Units,
    /// Edges of all layers.
    Edges,
}

/// How a size is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Bound {
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `==`
    Equal,
    /// `>=`
    AtLeast,
    /// `>`
    Greater,
}

impl Bound {
    /// Whether a size keeps to the bound.
    pub fn holds(self, size: u64, limit: u64) -> bool {
        match self {
            Bound::Less => size < limit,
            Bound::AtMost => size <= limit,
            Bound::Equal => size == limit,
            Bound::AtLeast => size >= limit,
            Bound::Greater => size > limit,
        }
    }
}

/// The claims of the root module, in order. Learned values are asked of the world where a claim needs them;
/// when they are not at hand, the claim is left out with the note `not-elaborated`.
pub fn assertions(
    program: &Program,
    world: &dyn World,
    settings: &Settings,
    sink: &mut Sink,
) -> Vec<Assertion> {
    let overrides = parse_overrides(program, settings, sink);
    let mut found = Vec::new();
    for (id, item) in program.items().filter(|(id, _)| id.module.0 == 0) {
        let ItemKind::Assertion(assertion) = &item.kind else { continue };
        let mut elaborator = Elaborator::new(program, world, settings, &overrides);
        match subject(program, assertion) {
            Ok((circuit, circuit_id)) => {
                if let Err(fault) = elaborator.declare(Some(&reached(program, circuit_id))) {
                    sink.push(elaborator.finished(fault));
                    continue;
                }
                for property in &assertion.properties {
                    let claim = claim(&mut elaborator, program, circuit, id, property);
                    keep(&elaborator, claim, &mut found, sink);
                }
            }
            Err(error) => sink.push(error),
        }
    }
    found
}

/// The circuit that is spoken of.
fn subject<'p>(program: &'p Program, assertion: &'p ast::Assertion) -> Result<(&'p str, ItemId), Diagnostic> {
    circuit(program, &assertion.subject)
}

/// The circuit of the root module that an expression names.
pub(super) fn circuit<'p>(program: &Program, expr: &'p Expr) -> Result<(&'p str, ItemId), Diagnostic> {
    let name = word(expr);
    let item = name.and_then(|n| program.find(crate::modules::ModuleId(0), n));
    if let (Some(name), Some(Named::Item(id, _))) = (name, item)
        && matches!(program.item(id).map(|i| &i.kind), Some(ItemKind::Circuit(_)))
    {
        return Ok((name, id));
    }
    let text = name.unwrap_or_else(|| program.text(expr.span));
    let error =
        Diagnostic::error("unknown-circuit", format!("there is no circuit named `{text}`")).at(expr.span, "");
    Err(match suggest(text, program.circuits()) {
        Some(near) => error.help(format!("did you mean `{near}`?")),
        None => error.help(format!("the circuits are {}", crate::words::listing(&program.circuits()))),
    })
}

fn claim<'p>(
    elaborator: &mut Elaborator<'p>,
    program: &'p Program,
    circuit: &str,
    id: ItemId,
    property: &'p ast::Property,
) -> Eval<Assertion> {
    let given = given(elaborator, id, property)?;
    let span = property.value.span;
    let property = match &property.value.kind {
        ExprKind::Name(name) => match name.as_str() {
            "smooth" => Property::Smooth,
            "decomposable" => Property::Decomposable,
            "deterministic" => Property::Deterministic { given },
            "structured" => Property::Structured,
            _ => return Err(unknown_property(name, span).into()),
        },
        ExprKind::Call(callee, args) => call(elaborator, program, id, callee, args, span)?,
        ExprKind::Binary(op, size, limit) => bound(elaborator, id, *op, size, limit, span)?,
        _ => return Err(unknown_property(program.text(span), span).into()),
    };
    let text = program.text(span).to_string();
    Ok(Assertion { circuit: circuit.into(), property, text, span })
}

fn given<'p>(elaborator: &mut Elaborator<'p>, id: ItemId, property: &'p ast::Property) -> Eval<Vec<String>> {
    let Some(expr) = &property.given else { return Ok(Vec::new()) };
    let env = elaborator.module_env(id.module);
    let value = elaborator.eval(expr, &env)?;
    let vars = elaborator.data_vars(&value, expr.span)?;
    Ok(elaborator.group_names(&vars))
}

fn call<'p>(
    elaborator: &mut Elaborator<'p>,
    program: &'p Program,
    id: ItemId,
    callee: &Expr,
    args: &'p [Arg],
    span: Span,
) -> Eval<Property> {
    let name = word(callee).unwrap_or("");
    let arg = match args {
        [Arg::Positional(e)] => e,
        [Arg::Named(n, e)] if name == "compatible" && n.text == "with" => e,
        _ if builtin::PROPERTY_CALLS.contains(&name) => {
            let message = format!("`{name}` takes one argument");
            return Err(Diagnostic::error("missing-argument", message).at(span, "").into());
        }
        _ => return Err(unknown_property(name, span).into()),
    };
    let env = elaborator.module_env(id.module);
    match name {
        "compatible" => Ok(Property::CompatibleWith(circuit(program, arg)?.0.into())),
        "structured_by" => match elaborator.eval(arg, &env)? {
            Value::Vtree(vtree) => Ok(Property::StructuredBy(vtree)),
            other => Err(elaborator.mismatch("a vtree", &other, arg.span, "`structured_by` takes").into()),
        },
        "supports" => {
            let value = elaborator.eval(arg, &env)?;
            Ok(Property::Supports(elaborator.as_formula(&value, arg.span)?))
        }
        _ => Err(unknown_property(name, span).into()),
    }
}

fn bound<'p>(
    elaborator: &mut Elaborator<'p>,
    id: ItemId,
    op: BinaryOp,
    size: &Expr,
    limit: &'p Expr,
    span: Span,
) -> Eval<Property> {
    let what = match word(size) {
        Some("params") => Size::Params,
        Some("layers") => Size::Layers,
        Some("width") => Size::Width,
        Some("units") => Size::Units,
        Some("edges") => Size::Edges,
        _ => return Err(unknown_property(word(size).unwrap_or(""), span).into()),
    };
    let op = match op {
        BinaryOp::Less => Bound::Less,
        BinaryOp::LessEqual => Bound::AtMost,
        BinaryOp::Equal => Bound::Equal,
        BinaryOp::GreaterEqual => Bound::AtLeast,
        BinaryOp::Greater => Bound::Greater,
        _ => return Err(unknown_property("", span).into()),
    };
    let env = elaborator.module_env(id.module);
    let value = elaborator.eval(limit, &env)?;
    let number = elaborator.as_int(&value, limit.span, "a limit")?;
    let limit = u64::try_from(number).map_err(|_| {
        let message = format!("sizes are counted from 0, so {number} bounds nothing");
        Diagnostic::error("bad-option", message).at(limit.span, "")
    })?;
    Ok(Property::Size { what, op, limit })
}

fn unknown_property(name: &str, span: Span) -> Diagnostic {
    let known = || builtin::PROPERTIES.iter().chain(builtin::PROPERTY_CALLS).chain(builtin::SIZES).copied();
    let message = match name {
        "" => "this is no property of a circuit".into(),
        name => format!("`{name}` is no property of a circuit"),
    };
    let error = Diagnostic::error("unknown-property", message).at(span, "");
    match suggest(name, known()) {
        Some(near) => error.help(format!("did you mean `{near}`?")),
        None => error.help(format!(
            "there are {}, and bounds such as `params < 200M`",
            crate::words::listing(builtin::PROPERTIES)
        )),
    }
}
