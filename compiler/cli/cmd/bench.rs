//! `pcc bench`: how fast the standard workloads run on this machine.
//!
//! Every workload runs in a process of its own, this program again with `--here`, so that the memory of one
//! says nothing of another's.

use crate::args::{BenchArgs, Format};
use crate::failure::Failure;
use crate::terminal::{Terminal, print_line};
use pcc_bench::{Arrays, Config, Entry, Operation, Record, Size, Workload, chosen, heading, line, plot};
use pcc_diag::{Diagnostic, Sources};
use pcc_runtime::data::write_atomically;
use std::io::{BufRead, BufReader};
use std::num::NonZeroUsize;
use std::path::Path;
use std::process::{Command, Stdio};

/// Measures what was asked for, or says what there is.
pub fn run(args: &BenchArgs, terminal: &Terminal) -> Result<(), Failure> {
    let entries = chosen(&args.workloads).map_err(Failure::of)?;
    if args.list {
        entries.iter().for_each(|entry| print_line(&about(entry)));
        return Ok(());
    }
    match args.here {
        Some(position) => here(args, entries[0], position, terminal),
        None => all(args, &entries, terminal),
    }
}

fn about(entry: &Entry) -> String {
    let widths: Vec<String> = entry.sizes.iter().map(|size| size.k.to_string()).collect();
    format!("{:<18} {} (K = {})", entry.name, entry.about, widths.join(", "))
}

/// Measures each size of each workload in its own process, and shows what they find as they find it.
fn all(args: &BenchArgs, entries: &[&Entry], terminal: &Terminal) -> Result<(), Failure> {
    refuse_loose_files(args, entries)?;
    refuse_empty_plot(args, entries)?;
    if args.format == Format::Human {
        print_line(&heading());
    }
    let mut records = Vec::new();
    for entry in entries {
        for position in positions(args, entry) {
            records.extend(in_own_process(args, entry, position)?);
        }
    }
    if records.is_empty() {
        return Err(Failure::Usage("no workload has that `--k`; `pcc bench --list` shows them".into()));
    }
    if let Some(path) = &args.svg {
        write_plot(path, &records)?;
    }
    let marked: usize = records.iter().map(|record: &Record| record.marked).sum();
    if marked > 0 && args.format == Format::Human {
        terminal.say(&format!("{marked} rows left the range of 32-bit floats and were computed again in 64"));
    }
    Ok(())
}

/// A file of numbers belongs to one workload.
fn refuse_loose_files(args: &BenchArgs, entries: &[&Entry]) -> Result<(), Failure> {
    let has_file = args.arrays.is_some() || args.circuit.is_some();
    match has_file && entries.len() != 1 {
        true => Err(Failure::Usage("name the one workload that the file is for".into())),
        false => Ok(()),
    }
}

/// A plot is of what grows.
fn refuse_empty_plot(args: &BenchArgs, entries: &[&Entry]) -> Result<(), Failure> {
    match args.svg.is_some() && !entries.iter().any(|entry| entry.name.starts_with("growth-")) {
        true => Err(Failure::Usage("`--svg` draws `growth`: `pcc bench growth --svg FILE`".into())),
        false => Ok(()),
    }
}

/// Which sizes of a workload to measure: one when it is small or comes from a file.
fn positions(args: &BenchArgs, entry: &Entry) -> Vec<usize> {
    if args.quick || args.arrays.is_some() || args.circuit.is_some() {
        return vec![0];
    }
    let is_wanted = |size: &Size| args.k.is_empty() || args.k.contains(&size.k);
    (0..entry.sizes.len()).filter(|&position| is_wanted(&entry.sizes[position])).collect()
}

fn in_own_process(args: &BenchArgs, entry: &Entry, position: usize) -> Result<Vec<Record>, Failure> {
    let cannot = |error: std::io::Error| Failure::Machine(format!("can't run this program again: {error}"));
    let mut command = Command::new(std::env::current_exe().map_err(cannot)?);
    command.args(own_arguments(args, entry, position));
    let mut child = command.stdout(Stdio::piped()).spawn().map_err(cannot)?;
    let mut records = Vec::new();
    for text in BufReader::new(child.stdout.take().expect("it is piped")).lines() {
        let text = text.map_err(cannot)?;
        let record = serde_json::from_str(&text).map_err(|e| Failure::Machine(format!("{e} in `{text}`")))?;
        print_line(&if args.format == Format::Json { text } else { line(&record) });
        records.push(record);
    }
    match child.wait().map_err(cannot)?.code() {
        Some(0) => Ok(records),
        // It has said why.
        Some(1) => Err(Failure::Shown),
        Some(code) => Err(Failure::Machine(format!("measuring `{}` ended with code {code}", entry.name))),
        None => Err(Failure::Machine(format!("measuring `{}` was killed", entry.name))),
    }
}

fn own_arguments(args: &BenchArgs, entry: &Entry, position: usize) -> Vec<String> {
    let mut own: Vec<String> = ["bench", entry.name, "--format", "json"].map(String::from).into();
    let mut add = |flag: &str, value: String| own.extend([flag.to_string(), value]);
    add("--here", position.to_string());
    add("--seconds", args.seconds.to_string());
    args.threads.iter().for_each(|threads| add("--threads", threads.to_string()));
    args.op.iter().for_each(|&op| add("--op", Operation::from(op).name().to_string()));
    args.batch.iter().for_each(|batch| add("--batch", batch.to_string()));
    for (flag, path) in [("--arrays", &args.arrays), ("--circuit", &args.circuit), ("--vtree", &args.vtree)] {
        path.iter().for_each(|path| add(flag, path.display().to_string()));
    }
    own.extend(args.quick.then(|| "--quick".to_string()));
    own
}

fn write_plot(path: &Path, records: &[Record]) -> Result<(), Failure> {
    let picture = plot(records);
    write_atomically(path, |mut to| std::io::Write::write_all(&mut to, picture.as_bytes()))
        .map_err(|fault| Failure::Machine(fault.message))
}

/// Measures one size in this process, and writes a line for each record.
fn here(args: &BenchArgs, entry: &Entry, position: usize, terminal: &Terminal) -> Result<(), Failure> {
    let mut size = if args.quick { entry.quick } else { entry.sizes[position.min(entry.sizes.len() - 1)] };
    size.batch = args.batch.map_or(size.batch, |rows| rows as usize);
    if let (Some(path), None) = (&args.arrays, &args.circuit) {
        size = Size::of_arrays(&Arrays::read(path).map_err(Failure::of)?).map_err(Failure::of)?;
    }
    let build = || build(args, entry, size, terminal);
    let records = pcc_bench::measure(&config(args, entry, size), &build).map_err(Failure::of)?;
    for record in records {
        print_line(&serde_json::to_string(&record).expect("a record is plain data"));
    }
    Ok(())
}

fn build(args: &BenchArgs, entry: &Entry, size: Size, terminal: &Terminal) -> Result<Workload, Diagnostic> {
    if let Some(path) = &args.circuit {
        return given_circuit(path, args, size.batch, terminal);
    }
    match &args.arrays {
        Some(path) => Workload::given(entry, size, Arrays::read(path)?),
        None => Workload::drawn(entry, size),
    }
}

/// A circuit from a file on rows drawn, or with weights from another file.
fn given_circuit(
    path: &Path,
    args: &BenchArgs,
    rows: usize,
    terminal: &Terminal,
) -> Result<Workload, Diagnostic> {
    let imported = pcc_runtime::formats::read_circuit(path, args.vtree.as_deref())?;
    terminal.show(&imported.warnings, &Sources::new());
    match &args.arrays {
        Some(weights) => Workload::weighted(imported.graph, imported.params, &Arrays::read(weights)?),
        None => Workload::of_circuit(imported.graph, imported.params, rows, 0),
    }
}

fn config(args: &BenchArgs, entry: &Entry, size: Size) -> Config {
    let is_wanted =
        |op: &Operation| args.op.is_empty() || args.op.iter().any(|&wanted| Operation::from(wanted) == *op);
    let operations = entry.operations.iter().copied().filter(is_wanted).collect();
    Config {
        name: entry.name.into(),
        k: size.k,
        threads: threads(args),
        operations,
        seconds: args.seconds,
        least_repetitions: if args.quick { 1 } else { 3 },
    }
}

/// One thread and two, where there are two.
fn threads(args: &BenchArgs) -> Vec<NonZeroUsize> {
    if !args.threads.is_empty() {
        return args.threads.clone();
    }
    let most = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    [NonZeroUsize::MIN, NonZeroUsize::MIN.saturating_add(1)].into_iter().filter(|n| *n <= most).collect()
}
