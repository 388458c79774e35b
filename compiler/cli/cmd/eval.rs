//! `pcc eval`: the log-likelihood of data under a model.

use crate::args::{EvalArgs, Format};
use crate::failure::Failure;
use crate::progress::{metrics, words};
use crate::terminal::{Terminal, print_line};
use crate::{opened, rows};
use pcc_runtime::data::{write_atomically, write_numbers};
use pcc_runtime::train::measure_rows;

/// Reads the data, evaluates it, and answers with means, or one value a row in a file.
pub fn run(args: &EvalArgs, terminal: &Terminal) -> Result<(), Failure> {
    let circuit = opened::model(&args.model, terminal)?;
    let graph = circuit.graph.graph();
    let data = rows::open_weighted(&args.data, args.weights.as_deref(), &args.reading, &circuit)?;
    let mut executor = opened::executor(graph, &circuit.params, &args.machine)?;
    let mut logs = Vec::new();
    let measured = measure_rows(executor.as_mut(), &data, &mut |chunk| logs.extend_from_slice(chunk))
        .map_err(|fault| circuit.failure(fault))?;
    if let Some(path) = &args.rows {
        write_atomically(path, |mut to| write_numbers(&mut to, &logs))
            .map_err(|d| Failure::Machine(d.message))?;
    }
    match args.format {
        Format::Json => print_line(&metrics(&measured).to_string()),
        Format::Human => {
            let rows = if measured.rows == 1 { "row" } else { "rows" };
            print_line(&format!(
                "{} {rows}: {}, perplexity {:.4}",
                measured.rows,
                words(&measured),
                measured.perplexity()
            ));
        }
    }
    if let (Some(row), Format::Human) = (measured.first_impossible_row, args.format) {
        terminal.say(&format!(
            "row {row} is impossible under the model, and {} in all",
            measured.impossible_rows
        ));
    }
    Ok(())
}
