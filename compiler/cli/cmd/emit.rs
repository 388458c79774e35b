//! `pcc emit`: any stage of compilation as text.

use crate::args::{EmitArgs, PlanMode, Stage};
use crate::failure::Failure;
use crate::opened;
use crate::terminal::{Terminal, print_text};
use crate::world;
use pcc_diag::Sources;
use pcc_ir::lower::{Options, graph_to_plan};
use pcc_ir::plan::{self, Mode};
use pcc_ir::{Graph, Plan, graph};

/// Layers past which a picture of a graph is cut off.
const MOST_LAYERS_DRAWN: usize = 400;

/// Prints one stage.
pub fn run(args: &EmitArgs, terminal: &Terminal) -> Result<(), Failure> {
    if args.stage == Stage::Ast {
        return syntax_tree(args, terminal);
    }
    let wanted = args.circuit.as_deref();
    let circuits = opened::circuits(&args.file, wanted, args.vtree.as_deref(), &args.source, terminal)?;
    for circuit in &circuits {
        let graph = circuit.graph.graph();
        print_text(&match args.stage {
            Stage::Graph => graph::print(graph),
            Stage::Dot => graph::dot(graph, MOST_LAYERS_DRAWN),
            Stage::Plan => lowered(graph, args.mode)?.to_string(),
            Stage::Clif => machine_text(graph, args.mode)?,
            Stage::Ast => String::new(),
        });
    }
    Ok(())
}

fn syntax_tree(args: &EmitArgs, terminal: &Terminal) -> Result<(), Failure> {
    let text = world::read_text(&args.file)?;
    let mut sources = Sources::new();
    let file = sources.add(args.file.display().to_string(), text.clone());
    let parse = pcc_grammar::parse(file, &text);
    print_text(&format!("{:#?}\n", parse.file));
    match parse.errors.is_empty() {
        true => Ok(()),
        false => {
            terminal.show(&parse.errors, &sources);
            Err(Failure::Shown)
        }
    }
}

fn lowered(graph: &Graph, mode: PlanMode) -> Result<Plan, Failure> {
    let mode = match mode {
        PlanMode::Forward => Mode::Forward,
        PlanMode::Flows => Mode::Flows,
    };
    graph_to_plan(graph, &Options::latents_summed_out(graph, mode)).map_err(Failure::Machine)
}

fn machine_text(graph: &Graph, mode: PlanMode) -> Result<String, Failure> {
    let plan = plan::verify(lowered(graph, mode)?)
        .map_err(|faults| Failure::Machine(format!("the plan is not valid: {faults:?}")))?;
    pcc_cpu::emit_text(&plan).map_err(|e| Failure::Machine(e.to_string()))
}
