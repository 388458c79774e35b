//! One file for each verb.

mod bench;
mod check;
mod compare;
mod completions;
mod emit;
mod eval;
mod explain;
mod fmt;
pub mod info;
mod query;
mod run;
mod sample;

use crate::args::Verb;
use crate::failure::Failure;
use crate::terminal::Terminal;

/// Carries out a verb.
pub fn run(verb: &Verb, terminal: &Terminal) -> Result<(), Failure> {
    match verb {
        Verb::Check(args) => check::run(args, terminal),
        Verb::Run(args) => run::run(args, terminal),
        Verb::Info(args) => info::run(args, terminal),
        Verb::Emit(args) => emit::run(args, terminal),
        Verb::Query(args) => query::run(args, terminal),
        Verb::Eval(args) => eval::run(args, terminal),
        Verb::Sample(args) => sample::run(args, terminal),
        Verb::Compare(args) => compare::run(args, terminal),
        Verb::Bench(args) => bench::run(args, terminal),
        Verb::Fmt(args) => fmt::run(args, terminal),
        Verb::Explain(args) => explain::run(args),
        Verb::Completions(args) => completions::run(args),
    }
}
