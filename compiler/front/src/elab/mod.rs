//! Elaboration: running the structures of one circuit, which gives its graph.
//!
//! In go a program, the name of a circuit and whatever the world has learned; out comes a graph, or the
//! first fault with the calls that led to it. Nothing here knows what a probability is worth, except that
//! the rows of a written table sum to one.

mod args;
mod budget;
mod builtin;
mod call;
mod cluster;
mod coerce;
mod eval;
mod fault;
mod fields;
mod frames;
mod globals;
mod index;
pub(crate) mod learn;
mod operators;
mod reach;
mod tables;
mod teacher;
mod tie;

pub(crate) use fault::{Eval, Fault};
pub(crate) use reach::variables as reached;

use crate::modules::{ItemId, Program};
use crate::value::diagram::Diagrams;
use crate::value::{Env, Shared, Value};
use crate::{Settings, World};
use frames::Call;
use pcc_diag::{Diagnostic, Frame, Sink, Span};
use pcc_grammar::ast;
use pcc_ir::recipe::LearnRequest;
use pcc_ir::{Graph, GraphBuilder, LayerId};
use rustc_hash::FxHashMap;
use std::rc::Rc;
use tie::Application;

/// How much stack an elaboration starts with; it grows in pieces when a recursion is deep.
const STACK: usize = 32 << 20;

/// An elaborated circuit.
#[derive(Clone, Debug)]
pub struct Elaborated {
    /// The graph; layers have the spans of the calls that built them, and the names that `let` gave them.
    pub graph: Graph,
    /// For each layer its number in the order of building, in which dropped layers count too.
    built: Vec<u32>,
}

impl Elaborated {
    /// The calls that led to a layer, innermost first; for messages about it.
    ///
    /// Elaboration is pure, so this runs it again up to that layer instead of having kept all calls.
    pub fn frames(
        &self,
        program: &Program,
        circuit: &str,
        world: &dyn World,
        settings: &Settings,
        layer: LayerId,
    ) -> Vec<Frame> {
        let Some(&built) = self.built.get(layer.index()) else { return Vec::new() };
        let mut sink = Sink::new();
        let overrides = parse_overrides(program, settings, &mut sink);
        let Some(item) = find_circuit(program, circuit, &mut sink) else { return Vec::new() };
        stacker::grow(STACK, || {
            let mut elaborator = Elaborator::new(program, world, settings, &overrides);
            elaborator.wanted = Some((LayerId(built), Vec::new()));
            let _ = elaborator.declare(Some(&reached(program, item)));
            let _ = elaborator.circuit_root(item);
            elaborator.wanted.map(|(_, frames)| frames).unwrap_or_default()
        })
    }
}

/// Runs the structures of a circuit of the root module. Faults go to the sink; when a learned value is not at
/// hand, that is the note `not-elaborated`, and there is no graph either.
pub fn elaborate(
    program: &Program,
    circuit: &str,
    world: &dyn World,
    settings: &Settings,
    sink: &mut Sink,
) -> Option<Elaborated> {
    let overrides = parse_overrides(program, settings, sink);
    let item = find_circuit(program, circuit, sink)?;
    stacker::grow(STACK, || {
        let mut elaborator = Elaborator::new(program, world, settings, &overrides);
        match elaborator.whole_circuit(item) {
            Ok(elaborated) => Some(elaborated),
            Err(fault) => {
                sink.push(elaborator.finished(fault));
                None
            }
        }
    })
}

fn find_circuit(program: &Program, name: &str, sink: &mut Sink) -> Option<ItemId> {
    let is_wanted = |item: &ast::Item| matches!(&item.kind, ast::ItemKind::Circuit(c) if c.name.text == name);
    let found = program.items().find(|(id, item)| id.module.0 == 0 && is_wanted(item));
    if found.is_none() {
        let message = format!("there is no circuit named `{name}`");
        let error = Diagnostic::error("unknown-circuit", message);
        sink.push(error.did_you_mean(name, program.circuits(), |error| {
            error.help(format!("the circuits are {}", crate::words::listing(&program.circuits())))
        }));
    }
    found.map(|(id, _)| id)
}

/// The overrides that are expressions; the others are reported. What replaces a text may stand without its
/// quotes, which a shell would take away.
pub(crate) fn parse_overrides(
    program: &Program,
    settings: &Settings,
    sink: &mut Sink,
) -> Vec<(String, ast::Expr)> {
    let mut overrides = Vec::new();
    for (name, text) in &settings.overrides {
        if replaces_text(program, name) && !text.starts_with('"') {
            let kind = ast::ExprKind::Text(text.clone());
            overrides.push((name.clone(), ast::Expr { kind, span: Span::NONE }));
            continue;
        }
        match pcc_grammar::parse_expr(Span::NONE.file, text) {
            Ok(value) => overrides.push((name.clone(), value)),
            Err(errors) => {
                let why = errors.first().map_or(String::new(), |e| format!(": {}", e.message));
                let message = format!("`{text}`, set for `{name}`, is not a value{why}");
                sink.push(Diagnostic::error("bad-setting", message));
            }
        }
    }
    overrides
}

/// Whether a `const` of that name in the root file is a text.
fn replaces_text(program: &Program, name: &str) -> bool {
    program.items().filter(|(id, _)| id.module.0 == 0).any(|(_, item)| match &item.kind {
        ast::ItemKind::Constant(c) => c.name.text == name && matches!(c.value.kind, ast::ExprKind::Text(_)),
        _ => false,
    })
}

/// Which copies and shared applications the code being run stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Nest {
    /// How many copies each layer gets that is built now.
    groups: u32,
    /// How many copies each table gets that is declared now; divides `groups`.
    tables: u32,
    /// Which evaluation of `copies` is innermost; 0 outside all.
    copies: u32,
}

/// Whether `learn` items are carried out or only gathered.
enum Learning {
    /// Ask the world for each value.
    Fetch,
    /// Note the requests.
    Gather(Vec<LearnRequest>),
}

/// The state of one elaboration.
pub(crate) struct Elaborator<'p> {
    pub(crate) program: &'p Program,
    world: &'p dyn World,
    settings: &'p Settings,
    overrides: &'p [(String, ast::Expr)],
    builder: GraphBuilder,
    /// The declared variables, by item and position of the declaration in it.
    variables: FxHashMap<(ItemId, usize), Value<'p>>,
    /// The values of items, by item and innermost `copies`.
    globals: FxHashMap<(ItemId, u32), Value<'p>>,
    envs: FxHashMap<usize, Env<'p>>,
    /// Items whose value is being computed, innermost last.
    busy: Vec<ItemId>,
    calls: Vec<Call<'p>>,
    nest: Nest,
    n_copies: u32,
    applications: Vec<Application>,
    diagrams: Vec<Diagrams>,
    steps: u64,
    /// Whether `==` between variables compares their values instead of asking whether they are the same.
    in_constraint: bool,
    learning: Learning,
    /// The `learn` item being evaluated, and how many requests it made so far.
    learner: Option<(&'p str, bool, usize)>,
    inventory: Option<Rc<learn::Inventory>>,
    /// A layer whose calls are wanted, in the order of building.
    wanted: Option<(LayerId, Vec<Frame>)>,
}

impl<'p> Elaborator<'p> {
    pub(crate) fn new(
        program: &'p Program,
        world: &'p dyn World,
        settings: &'p Settings,
        overrides: &'p [(String, ast::Expr)],
    ) -> Self {
        Elaborator {
            program,
            world,
            settings,
            overrides,
            builder: GraphBuilder::new(),
            variables: FxHashMap::default(),
            globals: FxHashMap::default(),
            envs: FxHashMap::default(),
            busy: Vec::new(),
            calls: Vec::new(),
            nest: Nest { groups: 1, tables: 1, copies: 0 },
            n_copies: 0,
            applications: Vec::new(),
            diagrams: Vec::new(),
            steps: 0,
            in_constraint: false,
            learning: Learning::Fetch,
            learner: None,
            inventory: None,
            wanted: None,
        }
    }

    /// What is built so far.
    pub(crate) fn graph(&self) -> &Graph {
        self.builder.graph()
    }

    fn whole_circuit(&mut self, item: ItemId) -> Eval<Elaborated> {
        self.declare(Some(&reached(self.program, item)))?;
        let root = self.circuit_root(item)?;
        let built = reached_layers(self.graph(), root);
        let builder = std::mem::take(&mut self.builder);
        let graph = builder.finish(root).map_err(|e| self.bug(&e.to_string(), Span::NONE))?;
        Ok(Elaborated { graph, built })
    }

    /// The layer of a circuit item; it has one unit.
    fn circuit_root(&mut self, item: ItemId) -> Eval<LayerId> {
        let Some(ast::ItemKind::Circuit(circuit)) = self.program.item(item).map(|i| &i.kind) else {
            return Err(self.bug("the item is no circuit", Span::NONE));
        };
        let value = self.global_item(item, 0, circuit.name.span)?;
        let layer = self.as_layer(&value, circuit.value.span)?;
        match self.width(layer) {
            1 => Ok(layer),
            n => {
                let message = format!("a circuit has one unit, but `{}` has {n}", circuit.name.text);
                Err(Diagnostic::error("circuit-width", message)
                    .at(circuit.value.span, format!("{n} units"))
                    .help("mix them into one: `sum[1](..)`")
                    .into())
            }
        }
    }

    /// A layer that was just built: counts it against the budget.
    fn made(&mut self, layer: LayerId) -> Eval<LayerId> {
        if self.wanted.as_ref().is_some_and(|(wanted, _)| *wanted == layer) {
            let frames = self.frames();
            self.wanted = Some((layer, frames));
        }
        match self.graph().n_layers() > self.settings.budget.layers {
            true => Err(self.layers_spent()),
            false => Ok(layer),
        }
    }

    /// How many units a layer has for the code being run: those of one copy.
    fn width(&self, layer: LayerId) -> usize {
        self.graph().n_units(layer) / self.nest.groups as usize
    }

    /// A fault of pcc itself.
    fn bug(&self, what: &str, span: Span) -> Fault {
        let message = format!("pcc is at fault here: {what}");
        Diagnostic::error("internal-fault", message)
            .at(span, "")
            .help("please report it with this file")
            .into()
    }

    pub(crate) fn shown(&self, value: &Value<'p>) -> String {
        crate::value::display::show(self.graph(), value)
    }

    /// What is set from outside for a name of the root module.
    pub(crate) fn overriding(&self, name: &str) -> Option<&'p ast::Expr> {
        self.overrides.iter().rev().find(|(n, _)| n == name).map(|(_, value)| value)
    }

    /// The names of the groups that variables belong to, each once, in order.
    pub(crate) fn group_names(&self, vars: &[pcc_ir::VarId]) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for var in vars {
            let name = &self.graph().var_group(self.graph().variable(*var).group).name;
            if names.last() != Some(name) {
                names.push(name.clone());
            }
        }
        names
    }

    fn place(&self) -> crate::value::Place {
        crate::value::Place { tables: self.nest.tables, depth: self.applications.len() }
    }

    fn shared(&self, callee: Value<'p>, span: Span) -> Value<'p> {
        let shared = Shared { callee, span, place: self.place(), label: None.into(), first: None.into() };
        Value::Shared(Rc::new(shared))
    }
}

/// The layers that the root reaches, in order: what [`GraphBuilder::finish`] keeps.
fn reached_layers(graph: &Graph, root: LayerId) -> Vec<u32> {
    let mut is_live = vec![false; graph.n_layers()];
    let mut open = vec![root];
    while let Some(layer) = open.pop() {
        match is_live.get_mut(layer.index()) {
            Some(live) if !*live => *live = true,
            _ => continue,
        }
        open.extend(graph.children(layer));
    }
    (0..).zip(is_live).filter(|(_, live)| *live).map(|(i, _)| i).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A program of no modules.
    struct Nothing;

    impl World for Nothing {
        fn read(&self, path: &str) -> Result<String, String> {
            Err(path.into())
        }

        fn learned(
            &self,
            _: &LearnRequest,
            _: &[pcc_ir::recipe::DataSource],
            _: &[pcc_ir::VarGroup],
        ) -> Result<Option<pcc_ir::recipe::Learned>, Diagnostic> {
            Ok(None)
        }
    }

    #[test]
    fn what_pcc_gets_wrong_is_said_to_be_its_own_fault() {
        let (program, settings) = (Program::default(), Settings::plain());
        let mut elaborator = Elaborator::new(&program, &Nothing, &settings, &[]);
        let missing = ItemId { module: crate::modules::ModuleId(0), index: 0 };
        let fault = elaborator.circuit_root(missing).expect_err("there is no such item");
        assert_eq!(fault.diagnostic.code, "internal-fault");
    }
}
