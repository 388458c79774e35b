//! Claims about circuits, judged: every circuit is smooth and decomposable, and has the properties that its
//! `assert` items claim.
//!
//! In go an elaborated circuit and the program's assertions, out come diagnostics with the witness that the
//! properties give, and the calls that built the layer at fault. `unknown` is the error `not-proved`.

use crate::items::{Assertion, Property, Size};
use crate::modules::Program;
use crate::value::formula::Formula;
use crate::value::vtree::{Vtree, VtreeKind};
use crate::{Elaborated, Settings, World, elaborate};
use pcc_diag::{Diagnostic, Sink, Span};
use pcc_ir::props::{self, DeterminismConfig, Structure, VtreeNode};
use pcc_ir::{Graph, LayerId, Scope, VarGroupId, VarId};

/// Judges one circuit: its layers, then those of the assertions that speak of it.
pub fn verify(
    program: &Program,
    circuit: &str,
    elaborated: &Elaborated,
    assertions: &[Assertion],
    world: &dyn World,
    settings: &Settings,
    sink: &mut Sink,
) {
    let graph = &elaborated.graph;
    let violations = props::violations(graph);
    for violation in &violations {
        let found = props::violation_in_words(graph, violation);
        let frames = layer_at(graph, &found)
            .map(|layer| elaborated.frames(program, circuit, world, settings, layer))
            .unwrap_or_default();
        sink.push(found.with_frames(frames));
    }
    if !violations.is_empty() {
        return;
    }
    for assertion in assertions.iter().filter(|a| a.circuit == circuit) {
        let judged = match &assertion.property {
            Property::CompatibleWith(other) => {
                elaborate(program, other, world, settings, sink).and_then(|other| {
                    let answer = props::compatible(graph, &other.graph);
                    props::compatibility_in_words(graph, &other.graph, &answer)
                })
            }
            property => judge(graph, property, assertion),
        };
        if let Some(found) = judged {
            sink.push(found.note(assertion.span, "asserted here"));
        }
    }
}

/// The layer at whose place a diagnostic points.
fn layer_at(graph: &Graph, found: &Diagnostic) -> Option<LayerId> {
    let place = found.labels.iter().find(|l| l.is_primary)?.span;
    graph.layer_ids().find(|&id| graph.layer(id).span == place)
}

fn judge(graph: &Graph, property: &Property, assertion: &Assertion) -> Option<Diagnostic> {
    match property {
        // Violations were looked for before.
        Property::Smooth | Property::Decomposable | Property::CompatibleWith(_) => None,
        Property::Deterministic { given } => {
            let answer = props::deterministic(graph, &observed(graph, given));
            props::determinism_in_words(graph, &answer)
        }
        Property::Structured => match props::structured(graph) {
            Structure::Structured(_) => None,
            Structure::NotStructured(conflict) => Some(props::conflict_in_words(graph, &conflict)),
            Structure::Unknown(why) => Some(props::not_proved("structured", &why)),
        },
        Property::StructuredBy(vtree) => match lowered(vtree) {
            Some(vtree) => {
                let misfit = props::structured_by(graph, &vtree).err()?;
                Some(props::misfit_in_words(graph, &misfit))
            }
            None => Some(props::not_proved("structured by this vtree", "the vtree names a variable twice")),
        },
        Property::Supports(formula) => supports(graph, formula, &assertion.text),
        Property::Size { what, op, limit } => {
            let size = size_of(graph, *what);
            (!op.holds(size, *limit)).then(|| too_large(*what, size, &assertion.text, assertion.span))
        }
    }
}

fn observed(graph: &Graph, given: &[String]) -> DeterminismConfig {
    let is_given = |name: &str| given.iter().any(|g| g == name);
    let groups = graph.var_groups().iter().enumerate().filter(|(_, g)| is_given(&g.name));
    let groups: Vec<VarGroupId> = groups.map(|(i, _)| VarGroupId::new(i)).collect();
    DeterminismConfig::given(graph, &groups)
}

/// The vtree in the form in which properties take it: nodes children first.
fn lowered(vtree: &Vtree) -> Option<props::Vtree> {
    fn push(vtree: &Vtree, nodes: &mut Vec<VtreeNode>) -> u32 {
        let node = match vtree.kind() {
            VtreeKind::Leaf(var) => VtreeNode::Leaf(*var),
            VtreeKind::Inner(left, right) => {
                let grow = |part: &Vtree, nodes: &mut Vec<VtreeNode>| {
                    stacker::maybe_grow(64 << 10, 1 << 20, || push(part, nodes))
                };
                let left = grow(left, nodes);
                VtreeNode::Inner(left, grow(right, nodes))
            }
        };
        nodes.push(node);
        nodes.len() as u32 - 1
    }
    let mut nodes = Vec::new();
    push(vtree, &mut nodes);
    props::Vtree::new(nodes)
}

fn supports(graph: &Graph, formula: &Formula, text: &str) -> Option<Diagnostic> {
    let mut names = Scope::empty(graph.variables().len());
    formula.vars().into_iter().for_each(|var| names.insert(var));
    let observed = DeterminismConfig::given(graph, &[]).observed;
    let holds = |words: &[u64]| {
        let in_assignment = |bit: u32| {
            let value = |var: VarId| words.get(var.index()).is_some_and(|word| word >> bit & 1 == 1);
            u64::from(formula.holds(&value)) << bit
        };
        (0..64).map(in_assignment).sum()
    };
    let name = text.strip_prefix("supports(").and_then(|t| t.strip_suffix(')')).unwrap_or(text);
    props::support_in_words(graph, name, &props::supports(graph, &observed, &names, &holds))
}

fn size_of(graph: &Graph, what: Size) -> u64 {
    let units = || graph.layer_ids().map(|id| graph.n_units(id) as u64);
    match what {
        Size::Params => graph.n_parameters(),
        Size::Layers => graph.n_layers() as u64,
        Size::Width => units().max().unwrap_or(0),
        Size::Units => units().sum(),
        Size::Edges => graph.n_edges(),
    }
}

fn too_large(what: Size, size: u64, text: &str, span: Span) -> Diagnostic {
    let word = match what {
        Size::Params => "parameters",
        Size::Layers => "layers",
        Size::Width => "units in its widest layer",
        Size::Units => "units",
        Size::Edges => "edges",
    };
    Diagnostic::error("size-differs", format!("asserted is `{text}`, but the circuit has {size} {word}"))
        .at(span, "")
        .help("make the circuit smaller, or the limit larger")
}
