//! `pcc compare`: finished runs side by side.

use crate::args::{ChartAxis, CompareArgs, Format};
use crate::failure::Failure;
use crate::terminal::{Terminal, print_line};
use pcc_diag::{grouped as with_commas, human_seconds};
use pcc_runtime::chart::{compact, sheet};
use pcc_runtime::data::write_atomically;
use pcc_runtime::recipe::compare::{Group, KeptRun, Measure, Over, charts, grouped};
use serde_json::json;
use std::path::Path;

/// Shows a line for each name and size, and draws charts when asked.
pub fn run(args: &CompareArgs, _: &Terminal) -> Result<(), Failure> {
    let runs = args.runs.iter().map(|run| read(run)).collect::<Result<Vec<_>, _>>()?;
    let by = measure(args, &runs)?;
    let groups = grouped(runs, &by).map_err(Failure::of)?;
    match args.format {
        Format::Human => table(&groups, &by).iter().for_each(|line| print_line(line)),
        Format::Json => groups.iter().for_each(|group| print_line(&as_json(group, &by))),
    }
    match &args.svg {
        None => Ok(()),
        Some(path) => {
            let text = sheet(&charts(&groups, &by, &axes(args, &groups)), &format!("runs compared by {by}"));
            write_atomically(path, |to| to.write_all(text.as_bytes())).map_err(Failure::of)
        }
    }
}

/// `FOLDER`, or `NAME=FOLDER` where no folder has the whole of it as its name.
fn read(run: &str) -> Result<KeptRun, Failure> {
    let (label, folder) = match run.split_once('=') {
        Some((label, folder)) if !Path::new(run).exists() => (Some(label), folder),
        _ => (None, run),
    };
    KeptRun::read(Path::new(folder), label).map_err(Failure::of)
}

fn measure(args: &CompareArgs, runs: &[KeptRun]) -> Result<Measure, Failure> {
    match &args.by {
        Some(text) => Measure::parse(text).ok_or_else(|| {
            Failure::Usage(format!(
                "`--by {text}` is no metric on data; write `test.bpd`, `test.ll` or `test.perplexity`, with the \
                 name of your data"
            ))
        }),
        None => runs[0].last_measure().ok_or_else(|| {
            let folder = runs[0].folder.display();
            Failure::Usage(format!("the run in `{folder}` has measured nothing: its recipe has no `evaluate` step"))
        }),
    }
}

fn axes(args: &CompareArgs, groups: &[Group]) -> Vec<Over> {
    let axis = |&axis: &ChartAxis| match axis {
        ChartAxis::Parameters => Over::Parameters,
        ChartAxis::Time => Over::Time,
        ChartAxis::Cpu => Over::Processor,
        ChartAxis::Visits => Over::Visits,
    };
    let is_one_size = groups.iter().all(|group| group.parameters == groups[0].parameters);
    match (args.over.as_slice(), is_one_size) {
        ([], true) => vec![Over::Processor, Over::Visits],
        ([], false) => vec![Over::Parameters],
        (axes, _) => axes.iter().map(axis).collect(),
    }
}

/// Lines of equal width, the heading first.
fn table(groups: &[Group], by: &Measure) -> Vec<String> {
    let heading = ["", "parameters", "runs", "edges visited", "CPU time", "time", "", "least", "most"];
    let mut lines = vec![heading.map(String::from).to_vec()];
    lines[0][6] = by.to_string();
    for group in groups {
        let (least, most) = group.range();
        let spread = |value: f64| if group.runs.len() > 1 { number(value) } else { String::new() };
        lines.push(vec![
            group.label.clone(),
            with_commas(group.parameters),
            group.runs.len().to_string(),
            compact(group.visits()),
            group.processor().map_or_else(|| "-".into(), human_seconds),
            human_seconds(group.seconds()),
            number(group.mean()),
            spread(least),
            spread(most),
        ]);
    }
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..lines[0].len()).map(width).collect();
    let laid_out = |line: &Vec<String>| {
        let cell = |(i, text): (usize, &String)| match i {
            0 => format!("{text:<0$}", widths[i]),
            _ => format!("{text:>0$}", widths[i]),
        };
        line.iter().enumerate().map(cell).collect::<Vec<_>>().join("  ").trim_end().to_string()
    };
    lines.iter().map(laid_out).collect()
}

fn number(value: f64) -> String {
    format!("{value:.4}")
}

fn as_json(group: &Group, by: &Measure) -> String {
    let (least, most) = group.range();
    let seeds: Vec<u64> = group.runs.iter().map(KeptRun::seed).collect();
    json!({
        "name": group.label, "parameters": group.parameters, "seeds": seeds, "edge_visits": group.visits(),
        "processor_seconds": group.processor(), "seconds": group.seconds(), "by": by.to_string(),
        "values": group.values, "mean": group.mean(), "least": least, "most": most,
    })
    .to_string()
}
