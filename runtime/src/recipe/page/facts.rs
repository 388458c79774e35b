//! What the circuit is, and where the numbers come from.

use super::super::Setting;
use super::super::plan::PlannedStep;
use super::data_of;
use super::html::{Cell, table};
use pcc_diag::{Diagnostic, grouped, human_seconds};
use pcc_ir::Graph;
use pcc_ir::props::{DeterminismConfig, check};
use pcc_ir::recipe::Step;

/// Sizes and properties.
pub(super) fn circuit(graph: &Graph) -> String {
    let mut rows: Vec<Vec<Cell>> = Vec::new();
    let mut row = |name: &str, value: String| rows.push(vec![Cell::words(name), Cell::words(value)]);
    for group in graph.var_groups() {
        let extents: Vec<String> = group.extents.iter().map(u32::to_string).collect();
        let brackets = if extents.is_empty() { String::new() } else { format!("[{}]", extents.join(", ")) };
        let name = if group.is_latent { "latent" } else { "variables" };
        row(name, format!("{}{brackets} : {}", group.name, group.domain));
    }
    let units = || graph.layer_ids().map(|id| graph.n_units(id) as u64);
    let widest = units().max().unwrap_or(0);
    row("layers", format!("{}, the widest with {} units", grouped(graph.n_layers() as u64), grouped(widest)));
    row("units", grouped(units().sum()));
    row("edges", grouped(graph.n_edges()));
    row("parameters", grouped(graph.n_parameters()));
    for (name, answer) in check(graph, &DeterminismConfig::given(graph, &[])).answers() {
        row(name, answer.map_or("unknown", |yes| if yes { "yes" } else { "no" }).into());
    }
    table(&[], &rows)
}

/// The recipe, what its results depend on, data, labels, and the keys of steps.
pub(super) fn origin(steps: &[PlannedStep], setting: &mut Setting) -> Result<String, Diagnostic> {
    let machine = &setting.machine;
    let fact = |name: &str, value: String| vec![Cell::words(name), Cell::words(value)];
    let code = |name: &str, value: String| vec![Cell::words(name), Cell::Code(value)];
    let mut facts = vec![
        fact("recipe", format!("{} for {}", setting.recipe.name, setting.recipe.circuit)),
        fact("seed", setting.recipe.seed.to_string()),
        fact("pcc", machine.version.clone()),
        fact("numbers", format!("{}, {}", machine.numerics, threads(machine.threads))),
        fact("machine", this_machine()),
        code("source", setting.source_hash.clone()),
    ];
    let learning = (setting.learning)();
    if !learning.is_empty() {
        let all = learning.iter().map(|(name, seconds)| format!("{name} {}", human_seconds(*seconds)));
        facts.push(fact("learned before", all.collect::<Vec<_>>().join(", ")));
    }
    Ok(table(&[], &facts) + &data(setting)? + &keys(steps))
}

fn data(setting: &mut Setting) -> Result<String, Diagnostic> {
    let mut rows = Vec::new();
    for name in data_of(setting.recipe) {
        let path = setting.data.path_of(&name)?.to_string();
        let data = setting.data.get(&name)?;
        let n_rows = Cell::number(grouped(data.n_rows() as u64));
        rows.push(vec![Cell::words(&name), n_rows, Cell::words(path), Cell::Code(data.key())]);
    }
    for step in &setting.recipe.steps {
        let Step::Materialize(step) = step else { continue };
        for source in &step.labels {
            let (labels, key) = (setting.labels)(&source.codes, source.span)?;
            let n_rows = labels.labels.len().checked_div(labels.positions).unwrap_or(0);
            let of = format!("labels of {}", step.latent);
            let n_rows = Cell::number(grouped(n_rows as u64));
            rows.push(vec![Cell::words(&source.codes.name), n_rows, Cell::words(of), Cell::Code(key)]);
        }
    }
    Ok(match rows.is_empty() {
        true => String::new(),
        false => format!("<h3>Data</h3>\n{}", table(&["name", "rows", "from", "key of its content"], &rows)),
    })
}

fn keys(steps: &[PlannedStep]) -> String {
    let row = |step: &PlannedStep| vec![Cell::words(&step.name), Cell::Code(step.key.clone())];
    let rows: Vec<Vec<Cell>> = steps.iter().map(row).collect();
    format!("<details>\n<summary>Keys of the steps</summary>\n{}</details>\n", table(&["step", "key"], &rows))
}

/// The processor, how many threads it has, the system, and the kernels that are used.
fn this_machine() -> String {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let kernels = pcc_kernels::kernels().map_or("no", |kernels| kernels.tier.name());
    let name = processor().map_or(String::new(), |name| format!("{name}, "));
    let (system, kind) = (std::env::consts::OS, std::env::consts::ARCH);
    format!("{name}{}, {system} {kind}, {kernels} kernels", threads(cores))
}

fn threads(n: usize) -> String {
    if n == 1 { "1 thread".into() } else { format!("{n} threads") }
}

/// The name of the processor, where the system tells it in a file.
fn processor() -> Option<String> {
    let text = std::fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = text.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().into())
}
