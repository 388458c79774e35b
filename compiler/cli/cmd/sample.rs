//! `pcc sample`: draws from a model, with or without evidence.

use crate::args::SampleArgs;
use crate::failure::Failure;
use crate::opened;
use crate::terminal::{Terminal, print_text};
use pcc_diag::Sources;
use pcc_ir::{Batch, Graph, VarGroup};
use pcc_runtime::data::write_csv;
use pcc_runtime::query;
use pcc_runtime::recipe::write_samples;

/// Draws and writes.
pub fn run(args: &SampleArgs, terminal: &Terminal) -> Result<(), Failure> {
    let circuit = opened::model(&args.model, terminal)?;
    let graph = circuit.graph.graph();
    let evidence = evidence(args.given.as_deref(), graph)?;
    let mut executor = opened::executor(graph, &circuit.params, &args.machine)?;
    let samples = query::sample(executor.as_mut(), &evidence, args.count, args.seed)
        .map_err(|fault| circuit.failure(fault))?;
    match &args.out {
        Some(path) => write_samples(path, graph, &samples).map_err(Failure::of),
        None => {
            print_text(&table(graph, &samples));
            Ok(())
        }
    }
}

/// One row with what is given.
fn evidence(given: Option<&str>, graph: &Graph) -> Result<Batch, Failure> {
    let mut batch = Batch::missing(graph.variables().len(), 1);
    let Some(text) = given else { return Ok(batch) };
    let mut sources = Sources::new();
    let asked = format!("sample(| {text})");
    let file = sources.add("--given", asked.clone());
    let parsed = pcc_grammar::parse_query(file, &asked).map_err(|e| Failure::Program(e, sources.clone()))?;
    let known =
        pcc_front::resolve_evidence(&parsed.given, graph).map_err(|d| Failure::Program(vec![d], sources))?;
    known.iter().for_each(|&(var, value)| batch.set(0, var, value));
    Ok(batch)
}

/// Rows as comma-separated values, with a line of names.
pub fn table(graph: &Graph, rows: &Batch) -> String {
    let groups: Vec<VarGroup> = graph.var_groups().iter().filter(|g| !g.is_latent).cloned().collect();
    let mut text = Vec::new();
    write_csv(&mut text, &groups, rows).expect("memory takes all that is written");
    String::from_utf8_lossy(&text).into_owned()
}
