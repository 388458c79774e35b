//! `pcc info`: how big a circuit is, what is proved of it, and what it costs.

use crate::args::{Format, InfoArgs};
use crate::failure::Failure;
use crate::opened::{self, Circuit};
use crate::terminal::{Terminal, print_line, print_text};
use pcc_diag::grouped;
use pcc_ir::lower::{Options, graph_to_plan};
use pcc_ir::plan::{Cost, Memory, Mode, TILE};
use pcc_ir::props::{self, DeterminismConfig, Properties};
use pcc_ir::units::{SAMPLES_OF_A_ROW, UnitOptions, is_irregular, unit_program};
use pcc_ir::{Graph, Params};
use serde_json::{Map, Value, json};
use std::fmt::Write;

/// Shows every circuit of a file, or the one asked for.
pub fn run(args: &InfoArgs, terminal: &Terminal) -> Result<(), Failure> {
    let wanted = args.circuit.as_deref();
    let circuits = opened::circuits(&args.file, wanted, args.vtree.as_deref(), &args.source, terminal)?;
    for circuit in &circuits {
        let facts = Facts::of(circuit, args)?;
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
    forward: Use,
    em: Use,
}

/// One use of a circuit: what it costs, how it is run, and the memory that takes.
struct Use {
    /// Operations for one row.
    flops: u64,
    threads: u32,
    /// Rows that a thread takes at a time.
    rows: usize,
    memory: Memory,
}

impl Use {
    /// As the executor that suits the circuit runs it, by so many threads and within a limit if there is one.
    fn of(graph: &Graph, mode: Mode, args: &InfoArgs) -> Result<Self, Failure> {
        let threads = opened::threads(args.threads)?.get() as u32;
        let own = match is_irregular(graph) {
            true => Use::of_units(graph, mode, threads, args.memory)?,
            false => Use::of_plan(graph, mode, threads, args.memory)?,
        };
        own.map_err(|least| does_not_fit(mode, least, args.memory.unwrap_or(0)))
    }

    fn of_plan(graph: &Graph, mode: Mode, threads: u32, limit: Option<u64>) -> Result<Fitting, Failure> {
        let lowering = Options::latents_summed_out(graph, mode);
        let plan = graph_to_plan(graph, &lowering).map_err(Failure::Machine)?;
        let Cost { flops_up, flops_down, .. } = plan.cost();
        Ok(plan.fit(threads, limit).map(|run| Use {
            flops: flops_up + flops_down,
            threads: run.threads,
            rows: run.tiles as usize * TILE,
            memory: plan.memory(run),
        }))
    }

    fn of_units(graph: &Graph, mode: Mode, threads: u32, limit: Option<u64>) -> Result<Fitting, Failure> {
        let options = if mode == Mode::Flows { UnitOptions::FLOWS } else { UnitOptions::forward(graph) };
        let program = unit_program(graph, options).map_err(|error| Failure::Machine(error.to_string()))?;
        Ok(program.fit(graph, threads, limit).map(|threads| Use {
            flops: program.flops(),
            threads,
            rows: SAMPLES_OF_A_ROW,
            memory: program.memory(graph, threads),
        }))
    }

    /// `1.2 GB for EM, 2 threads with 512 rows each`.
    fn in_words(&self, purpose: &str) -> String {
        let Use { threads, rows, .. } = self;
        let share = match threads {
            1 => format!("1 thread with {rows} rows"),
            _ => format!("{threads} threads with {rows} rows each"),
        };
        format!("{} {purpose}, {share}", bytes(self.memory.total()))
    }
}

/// How a circuit is run within a limit, or what the least run takes.
type Fitting = Result<Use, Memory>;

fn does_not_fit(mode: Mode, least: Memory, limit: u64) -> Failure {
    let word = if mode == Mode::Flows { "training" } else { "evaluating" };
    let (least, limit) = (bytes(least.total()), bytes(limit));
    Failure::Machine(format!("{word} this circuit takes {least} at least, more than the {limit} given"))
}

impl Facts {
    fn of(circuit: &Circuit, args: &InfoArgs) -> Result<Self, Failure> {
        let graph = circuit.graph.graph();
        let units = || graph.layer_ids().map(|id| graph.n_units(id) as u64);
        Ok(Facts {
            units: units().sum(),
            widest: units().max().unwrap_or(0),
            properties: props::check(graph, &DeterminismConfig::given(graph, &[])),
            forward: Use::of(graph, Mode::Forward, args)?,
            em: Use::of(graph, Mode::Flows, args)?,
        })
    }

    /// Operations for one row, forward and for EM.
    fn flops(&self) -> [u64; 2] {
        [self.forward.flops, self.em.flops]
    }

    fn as_json(&self, circuit: &Circuit) -> Value {
        let graph = circuit.graph.graph();
        let properties: Map<String, Value> = self
            .properties
            .answers()
            .into_iter()
            .map(|(name, answer)| (name.to_string(), answer.map_or(json!("unknown"), |a| json!(a))))
            .collect();
        let [forward, em] = self.flops();
        json!({
            "circuit": circuit.name,
            "variables": graph.variables().len(),
            "layers": graph.n_layers(),
            "units": self.units,
            "edges": graph.n_edges(),
            "parameters": graph.n_parameters(),
            "properties": properties,
            "flops": {"forward": forward, "em": em},
            "bytes": {
                "parameters": 4 * Params::of(graph).values().len(),
                "forward": self.forward.memory.total(),
                "em": self.em.memory.total(),
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
        let [forward, em] = self.flops();
        line("operations", format!("{} a row forward, {} for EM", grouped(forward), grouped(em)));
        line("memory", self.forward.in_words("forward"));
        line("", self.em.in_words("for EM"));
        if let Some(provenance) = &circuit.provenance {
            line("trained", provenance.clone());
        }
        text
    }
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
