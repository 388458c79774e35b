//! Every flag of every verb. The help texts are the manual.

use clap::{Args, Parser, Subcommand, ValueEnum};
use pcc_bench::Operation;
use std::num::NonZeroUsize;
use std::path::PathBuf;

/// A compiler for probabilistic circuits: from a `.pc` file to a trained, saved, queried model.
#[derive(Debug, Parser)]
#[command(name = "pcc", version, max_term_width = 100, propagate_version = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub verb: Verb,
    /// Whether to colour what is written for people.
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub color: Color,
}

/// When output is coloured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless `NO_COLOR` is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Report what is wrong with source files, and nothing else.
    Check(CheckArgs),
    /// Run a recipe: learn, train, evaluate, report. Finished steps are not run again.
    Run(RunArgs),
    /// Show the size, properties, cost and memory of a circuit.
    Info(InfoArgs),
    /// Print one stage of compilation as text.
    Emit(EmitArgs),
    /// Ask a model a question, such as "p(A = 1 | B = 0)" or "map(| B = 0)".
    Query(QueryArgs),
    /// Compute the log-likelihood of data under a model.
    Eval(EvalArgs),
    /// Draw samples from a model.
    Sample(SampleArgs),
    /// Show finished runs side by side: what they reached, and what they took.
    Compare(CompareArgs),
    /// Measure how fast standard workloads run on this machine.
    Bench(BenchArgs),
    /// Lay out source files in the one style there is.
    Fmt(FmtArgs),
    /// Explain a diagnostic.
    Explain(ExplainArgs),
    /// Print a completion script for a shell.
    Completions(CompletionsArgs),
}

/// How a verb answers on standard output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Human,
    /// One JSON object a line.
    Json,
}

/// Settings that change what a source file means.
#[derive(Debug, Default, Args)]
pub struct SourceArgs {
    /// Give a `const` or a recipe parameter another value; may be repeated.
    #[arg(long = "set", value_name = "NAME=VALUE")]
    pub overrides: Vec<String>,
    /// Where to look for data files that are not beside the source file.
    #[arg(long, env = "PCC_DATA", value_name = "DIR")]
    pub data: Option<PathBuf>,
}

/// Settings of the machine.
#[derive(Debug, Args)]
pub struct MachineArgs {
    /// What computes: `auto` takes the CPU, the only device of this version.
    #[arg(long, default_value = "auto")]
    pub device: Device,
    /// How many threads; all cores by default.
    #[arg(long, value_name = "N")]
    pub threads: Option<usize>,
    /// How much memory a circuit's tables, statistics and working rows may take, such as 8GB; less means fewer
    /// rows at a time, then fewer threads.
    #[arg(long, value_name = "SIZE", value_parser = crate::size::bytes)]
    pub memory: Option<u64>,
    /// How numbers are represented; `log` and `f64` are slow references.
    #[arg(long, default_value = "scaled")]
    pub numerics: Numerics,
}

/// Where a plan runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Device {
    /// The best that is here.
    Auto,
    /// Compiled for the processor.
    Cpu,
    /// Compiled for a graphics card.
    Cuda,
}

/// Number representations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Numerics {
    /// Linear mantissas with exact power-of-two scales; compiled.
    Scaled,
    /// Logarithms in 64-bit floats.
    Log,
    /// The float64 interpreter.
    F64,
}

/// `pcc check`
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// Source files.
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    /// How diagnostics are written: human ones to standard error, JSON ones to standard output.
    #[arg(long, default_value = "human")]
    pub format: Format,
    /// What changes the meaning of the source.
    #[command(flatten)]
    pub source: SourceArgs,
}

/// `pcc run`
#[derive(Debug, Args)]
pub struct RunArgs {
    /// The source file.
    pub file: PathBuf,
    /// Which recipe; may be left out when there is one.
    pub recipe: Option<String>,
    /// Where results and finished steps are kept.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// The seed of everything random, over the recipe's own.
    #[arg(long)]
    pub seed: Option<u64>,
    /// Print the steps with their estimated time and memory, and run nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// Print why each step would run, and run nothing.
    #[arg(long)]
    pub why: bool,
    /// Run this stage again and all steps after it, even if they are done.
    #[arg(long, value_name = "STAGE")]
    pub from: Option<String>,
    /// Go on where an earlier run stopped (this is what `run` does anyway; with it, fail if there is nothing to go on with).
    #[arg(long)]
    pub resume: bool,
    /// Progress for people on standard error, or events on standard output.
    #[arg(long, default_value = "human")]
    pub format: Format,
    /// What changes the meaning of the source.
    #[command(flatten)]
    pub source: SourceArgs,
    /// The machine.
    #[command(flatten)]
    pub machine: MachineArgs,
}

/// `pcc info`
#[derive(Debug, Args)]
pub struct InfoArgs {
    /// A source file, a `.pcm` model, a `.psdd` or a `.sdd`.
    pub file: PathBuf,
    /// Which circuit of the source file; all of them by default.
    #[arg(long)]
    pub circuit: Option<String>,
    /// The vtree of a `.psdd` or a `.sdd`.
    #[arg(long, value_name = "FILE")]
    pub vtree: Option<PathBuf>,
    /// For how many threads memory is predicted; all cores by default.
    #[arg(long, value_name = "N")]
    pub threads: Option<usize>,
    /// The memory that a run may take, such as 8GB: what is predicted then is how it fits.
    #[arg(long, value_name = "SIZE", value_parser = crate::size::bytes)]
    pub memory: Option<u64>,
    /// How the answer is written.
    #[arg(long, default_value = "human")]
    pub format: Format,
    /// What changes the meaning of the source.
    #[command(flatten)]
    pub source: SourceArgs,
}

/// `pcc emit`
#[derive(Debug, Args)]
pub struct EmitArgs {
    /// A source file or a model.
    pub file: PathBuf,
    /// Which stage.
    #[arg(long)]
    pub stage: Stage,
    /// Which circuit of the source file.
    #[arg(long)]
    pub circuit: Option<String>,
    /// The vtree of a `.psdd` or a `.sdd`.
    #[arg(long, value_name = "FILE")]
    pub vtree: Option<PathBuf>,
    /// The mode of the plan.
    #[arg(long, default_value = "forward")]
    pub mode: PlanMode,
    /// What changes the meaning of the source.
    #[command(flatten)]
    pub source: SourceArgs,
}

/// Stages of compilation that can be printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Stage {
    /// The syntax tree.
    Ast,
    /// The circuit graph, in the text form that is read back.
    Graph,
    /// The layered plan for the CPU.
    Plan,
    /// Cranelift's intermediate representation.
    Clif,
    /// The graph for Graphviz.
    Dot,
}

/// What a plan is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PlanMode {
    /// Likelihoods.
    Forward,
    /// Likelihoods and flows.
    Flows,
}

/// A model and how to open it.
#[derive(Debug, Args)]
pub struct ModelArgs {
    /// A `.pcm` model, a `.psdd`, a `.sdd`, or a `.pc` circuit whose tables are all written.
    pub model: PathBuf,
    /// Which circuit of a `.pc` file.
    #[arg(long)]
    pub circuit: Option<String>,
    /// The vtree of a `.psdd` or a `.sdd`.
    #[arg(long, value_name = "FILE")]
    pub vtree: Option<PathBuf>,
}

/// How a data file on the command line is read: idx, npy, csv, or lines of 0 and 1, by its content.
#[derive(Debug, Args)]
pub struct ReadingArgs {
    /// Read the data as text with the model's own vocabulary, in windows as long as the model.
    #[arg(long, requires = "data")]
    pub text: bool,
    /// A `.npy` array of the data's shape, of 0 and 1: where it is 1, the value counts as missing.
    #[arg(long, value_name = "FILE", requires = "data")]
    pub missing: Option<PathBuf>,
    /// Which rows, half open, such as `0..1000`.
    #[arg(long, value_name = "A..B", requires = "data")]
    pub range: Option<String>,
}

/// `pcc query`
#[derive(Debug, Args)]
pub struct QueryArgs {
    /// What is asked.
    #[command(flatten)]
    pub model: ModelArgs,
    /// `p(A = 1 | B = 0)`, `map(| B = 0)`, `marginals(| B = 0)`, `sample(| B = 0)`.
    pub query: String,
    /// Take an approximation where the exact answer needs a property that the circuit lacks.
    #[arg(long)]
    pub approx: bool,
    /// The seed of `sample`.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Ask about every row of a file, with what it knows as evidence; one answer a row.
    #[arg(long, value_name = "FILE")]
    pub data: Option<PathBuf>,
    /// How the rows are read.
    #[command(flatten)]
    pub reading: ReadingArgs,
    /// Write the answers to `.npy` or `.csv`: numbers, or for `map` and `sample` the completed rows.
    #[arg(short, long, value_name = "FILE", requires = "data")]
    pub out: Option<PathBuf>,
    /// How the answer is written.
    #[arg(long, default_value = "human")]
    pub format: Format,
    /// The machine.
    #[command(flatten)]
    pub machine: MachineArgs,
}

/// `pcc eval`
#[derive(Debug, Args)]
pub struct EvalArgs {
    /// The model.
    #[command(flatten)]
    pub model: ModelArgs,
    /// The data: idx, npy, npz, csv, or lines of 0 and 1; each may be gzipped. Text needs `--text`.
    pub data: PathBuf,
    /// How the data is read.
    #[command(flatten)]
    pub reading: ReadingArgs,
    /// How much each row counts: a file with one number a row, as `.npy` or csv.
    #[arg(long, value_name = "FILE")]
    pub weights: Option<PathBuf>,
    /// Write the log-likelihood of each row to a `.npy` file.
    #[arg(long, value_name = "FILE")]
    pub rows: Option<PathBuf>,
    /// How the answer is written.
    #[arg(long, default_value = "human")]
    pub format: Format,
    /// The machine.
    #[command(flatten)]
    pub machine: MachineArgs,
}

/// `pcc sample`
#[derive(Debug, Args)]
pub struct SampleArgs {
    /// The model.
    #[command(flatten)]
    pub model: ModelArgs,
    /// How many.
    #[arg(short = 'n', long, default_value_t = 64)]
    pub count: usize,
    /// Evidence that every sample shares, such as "A = 1, B = 0".
    #[arg(long, value_name = "EVIDENCE")]
    pub given: Option<String>,
    /// The seed.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Where to: `.npy`, `.csv`, or `.png` for a grid of images; standard output as CSV by default.
    #[arg(short, long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// The machine.
    #[command(flatten)]
    pub machine: MachineArgs,
}

/// `pcc compare`
#[derive(Debug, Args)]
pub struct CompareArgs {
    /// Folders of finished runs (the `--out` of `pcc run`). A run is named by its recipe, or as here:
    /// `NAME=FOLDER`. Runs of one name and size are put together, whatever their seeds.
    #[arg(value_name = "RUN", required = true)]
    pub runs: Vec<String>,
    /// What to compare by: data and metric of an `evaluate` step, such as `test.bpd`; by default what the first
    /// run measures last.
    #[arg(long, value_name = "DATA.METRIC")]
    pub by: Option<String>,
    /// Draw charts as SVG.
    #[arg(long, value_name = "FILE")]
    pub svg: Option<PathBuf>,
    /// What the charts are drawn over, one each; by default `parameters`, or `cpu,visits` for circuits of one
    /// size.
    #[arg(long, value_name = "AXIS", value_delimiter = ',', requires = "svg")]
    pub over: Vec<ChartAxis>,
    /// How results are written.
    #[arg(long, default_value = "human")]
    pub format: Format,
}

/// What a chart of runs is drawn over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ChartAxis {
    /// Parameters of the circuit.
    Parameters,
    /// Seconds on the wall.
    Time,
    /// CPU seconds of all threads.
    Cpu,
    /// Edges visited.
    Visits,
}

/// `pcc bench`
#[derive(Debug, Args)]
pub struct BenchArgs {
    /// Workloads, or the first part of the names of several, such as `w3`; all but `growth` by default.
    #[arg(value_name = "WORKLOAD")]
    pub workloads: Vec<String>,
    /// Say what workloads there are, and measure nothing.
    #[arg(long)]
    pub list: bool,
    /// Only sizes with so many units in a layer, such as `16,32`.
    #[arg(long, value_name = "K", value_delimiter = ',', conflicts_with_all = ["quick", "arrays", "circuit"])]
    pub k: Vec<u32>,
    /// Numbers of threads, such as `1,2`; one and two by default.
    #[arg(long, value_name = "N", value_delimiter = ',')]
    pub threads: Vec<NonZeroUsize>,
    /// What to time: `forward`, `em`; both by default.
    #[arg(long, value_name = "OP", value_delimiter = ',')]
    pub op: Vec<TimedOperation>,
    /// Rows, instead of the workload's own number.
    #[arg(long, value_name = "ROWS", value_parser = clap::value_parser!(u32).range(1..), conflicts_with = "arrays")]
    pub batch: Option<u32>,
    /// About how long each operation is repeated.
    #[arg(long, value_name = "SECONDS", default_value = "1", default_value_if("quick", "true", "0"))]
    pub seconds: f64,
    /// Tiny sizes, once: to see that it works.
    #[arg(long)]
    pub quick: bool,
    /// Take the workload's numbers from a safetensors file (see `pcc explain arrays-differ`).
    #[arg(long, value_name = "FILE", conflicts_with = "quick")]
    pub arrays: Option<PathBuf>,
    /// Take the workload's circuit from a file.
    #[arg(long, value_name = "FILE", conflicts_with = "quick")]
    pub circuit: Option<PathBuf>,
    /// The vtree of the circuit.
    #[arg(long, value_name = "FILE", requires = "circuit")]
    pub vtree: Option<PathBuf>,
    /// Draw what the `growth` workloads found as SVG.
    #[arg(long, value_name = "FILE")]
    pub svg: Option<PathBuf>,
    /// How results are written.
    #[arg(long, default_value = "human")]
    pub format: Format,
    /// Measure one size of one workload in this process.
    #[arg(long, value_name = "POSITION", hide = true)]
    pub here: Option<usize>,
}

/// What `pcc bench` times.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum TimedOperation {
    /// Likelihoods.
    Forward,
    /// A step of expectation-maximisation.
    Em,
}

impl From<TimedOperation> for Operation {
    fn from(timed: TimedOperation) -> Self {
        match timed {
            TimedOperation::Forward => Operation::Forward,
            TimedOperation::Em => Operation::Em,
        }
    }
}

/// `pcc fmt`
#[derive(Debug, Args)]
pub struct FmtArgs {
    /// Source files; `-` reads standard input and writes standard output.
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    /// Change nothing; fail if a file would change.
    #[arg(long)]
    pub check: bool,
}

/// `pcc explain`
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// The code, with or without `pcc::`; a list of all codes without it.
    pub code: Option<String>,
}

/// `pcc completions`
#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// The shell.
    pub shell: clap_complete::Shell,
}
