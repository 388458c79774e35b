//! `pcc info`: how big a circuit is, what is proved of it, and what it costs.

use crate::args::{Format, InfoArgs};
use crate::failure::Failure;
use crate::opened::{self, Circuit};
use crate::terminal::{Terminal, print_line, print_text};
use pcc_diag::grouped;
use pcc_ir::lower::{Options, graph_to_plan};
use pcc_ir::plan::{Cost, Mode};
use pcc_ir::props::{self, DeterminismConfig, Properties};
use pcc_ir::{Graph, Params};
use serde_json::{Map, Value, json};
use std::fmt::Write;

/// Shows every circuit of a file, or the one asked for.
pub fn run(args: &InfoArgs, terminal: &Terminal) -> Result<(), Failure> {
    let wanted = args.circuit.as_deref();
    let circuits = opened::circuits(&args.file, wanted, args.vtree.as_deref(), &args.source, terminal)?;
    for circuit in &circuits {
        let facts = Facts::of(circuit)?;
        match args.format {
            Format::Human => print_text(&facts.in_words(circuit)),
            Format::Json => print_line(&facts.as_json(circuit).to_string()),
        }
    }
    Ok(())
}

/// What is shown of a circuit.
struct Facts {
    units: u64,
    widest: u64,
    properties: Properties,
    forward: Cost,
    flows: Cost,
}

impl Facts {
    fn of(circuit: &Circuit) -> Result<Self, Failure> {
        let graph = circuit.graph.graph();
        let units = || graph.layer_ids().map(|id| graph.n_units(id) as u64);
        Ok(Facts {
            units: units().sum(),
            widest: units().max().unwrap_or(0),
            properties: props::check(graph, &DeterminismConfig::given(graph, &[])),
            forward: cost(graph, Mode::Forward)?,
            flows: cost(graph, Mode::Flows)?,
        })
    }

    fn em_bytes(&self) -> u64 {
        self.flows.arena_bytes + self.flows.flow_bytes
    }

    fn as_json(&self, circuit: &Circuit) -> Value {
        let graph = circuit.graph.graph();
        let properties: Map<String, Value> = self
            .properties
            .answers()
            .into_iter()
            .map(|(name, answer)| (name.to_string(), answer.map_or(json!("unknown"), |a| json!(a))))
            .collect();
        json!({
            "circuit": circuit.name,
            "variables": graph.variables().len(),
            "layers": graph.n_layers(),
            "units": self.units,
            "edges": graph.n_edges(),
            "parameters": graph.n_parameters(),
            "properties": properties,
            "flops": {"forward": self.forward.flops_up, "em": self.flows.flops_up + self.flows.flops_down},
            "bytes": {
                "parameters": 4 * Params::of(graph).values().len(),
                "forward": self.forward.arena_bytes,
                "em": self.em_bytes(),
            },
        })
    }

    fn in_words(&self, circuit: &Circuit) -> String {
        let graph = circuit.graph.graph();
        let mut text = format!("{}\n", circuit.name);
        let mut line = |name: &str, value: String| {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "  {name:<13} {value}");
        };
        for group in graph.var_groups() {
            let extents: Vec<String> = group.extents.iter().map(u32::to_string).collect();
            let brackets =
                if extents.is_empty() { String::new() } else { format!("[{}]", extents.join(", ")) };
            let word = if group.is_latent { "latent" } else { "variables" };
            line(word, format!("{}{brackets} : {}", group.name, group.domain));
        }
        line(
            "layers",
            format!("{}, the widest with {} units", grouped(graph.n_layers() as u64), grouped(self.widest)),
        );
        line("units", grouped(self.units));
        line("edges", grouped(graph.n_edges()));
        line(
            "parameters",
            format!("{} ({})", grouped(graph.n_parameters()), bytes(4 * graph.n_parameters())),
        );
        for (name, answer) in self.properties.answers() {
            line(name, answer.map_or("unknown", |a| if a { "yes" } else { "no" }).into());
        }
        let em = self.flows.flops_up + self.flows.flops_down;
        line(
            "operations",
            format!("{} a row forward, {} for EM", grouped(self.forward.flops_up), grouped(em)),
        );
        line(
            "memory",
            format!(
                "{} a thread forward, {} for EM",
                bytes(self.forward.arena_bytes),
                bytes(self.em_bytes())
            ),
        );
        if let Some(provenance) = &circuit.provenance {
            line("trained", provenance.clone());
        }
        text
    }
}

fn cost(graph: &Graph, mode: Mode) -> Result<Cost, Failure> {
    let plan = graph_to_plan(graph, &Options::latents_summed_out(graph, mode)).map_err(Failure::Machine)?;
    Ok(plan.cost())
}

/// `12.3 MB`, in powers of ten.
pub fn bytes(n: u64) -> String {
    match n as f64 {
        b if b < 1e3 => format!("{n} B"),
        b if b < 1e6 => format!("{:.1} kB", b / 1e3),
        b if b < 1e9 => format!("{:.1} MB", b / 1e6),
        b => format!("{:.1} GB", b / 1e9),
    }
}
