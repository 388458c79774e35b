//! Answers to a question, one for each row of evidence.

use crate::args::QueryArgs;
use pcc_diag::Diagnostic;
use pcc_front::ResolvedQuery;
use pcc_grammar::ast::QueryKind;
use pcc_ir::{Batch, Domain, Graph, Value, VarId};
use pcc_runtime::exec::Executor;
use pcc_runtime::query::{
    Completion, Exactness, Posterior, log_probability, most_probable_with, posteriors, sample,
};

/// A question over the variables of a circuit.
pub struct Question<'a> {
    /// As it was written.
    pub text: &'a str,
    /// What it asks, with its variables found.
    pub query: &'a ResolvedQuery,
    /// The circuit.
    pub graph: &'a Graph,
    /// The variables asked about: those named, or all that the question does not give.
    pub variables: Vec<VarId>,
    exactness: Exactness,
    seed: u64,
}

/// What is answered for one row.
#[derive(Debug)]
pub enum Answer {
    /// The logarithm of a probability.
    Probability(f64),
    /// A value for each variable of the circuit.
    Assignment {
        /// One word for each variable.
        words: Vec<u32>,
        /// The logarithm of its probability and whether it is the maximum, for a most probable one.
        found: Option<(f64, bool)>,
    },
    /// The distribution of each variable asked about.
    Posteriors(Vec<Posterior>),
    /// The mean or variance of each variable asked about.
    Moments(Vec<f64>),
}

impl<'a> Question<'a> {
    /// A question with the settings of the command line.
    pub fn new(args: &'a QueryArgs, graph: &'a Graph, query: &'a ResolvedQuery) -> Self {
        let exactness = if args.approx { Exactness::Approximate } else { Exactness::Exact };
        let variables = asked(graph, query);
        Question { text: &args.query, query, graph, variables, exactness, seed: args.seed }
    }

    /// The answer for each row of evidence.
    ///
    /// # Errors
    /// `unsupported-query` for what this version or this circuit can't answer, and those of the query.
    pub fn answers(&self, executor: &mut dyn Executor, given: &Batch) -> Result<Vec<Answer>, Diagnostic> {
        match self.query.kind {
            QueryKind::Probability => self.probabilities(executor, given),
            QueryKind::Map => self.likeliest(executor, given),
            QueryKind::Marginals => {
                let found = posteriors(executor, given, &self.variables)?;
                Ok(found.into_iter().map(Answer::Posteriors).collect())
            }
            QueryKind::Mean | QueryKind::Variance => self.moments(executor, given),
            QueryKind::Sample => {
                let drawn = sample(executor, given, 1, self.seed)?;
                let answer = |row| Answer::Assignment { words: drawn.row(row).to_vec(), found: None };
                Ok((0..drawn.n_rows()).map(answer).collect())
            }
            other => Err(later(other)),
        }
    }

    fn probabilities(&self, executor: &mut dyn Executor, given: &Batch) -> Result<Vec<Answer>, Diagnostic> {
        let mut targets = Batch::missing(given.n_variables(), given.n_rows());
        for row in 0..given.n_rows() {
            let set = |&(var, value): &(VarId, Option<Value>)| {
                targets.set(row, var, value.unwrap_or(Value::Missing));
            };
            self.query.targets.iter().for_each(set);
        }
        let logs = log_probability(executor, &targets, given)?;
        Ok(logs.into_iter().map(Answer::Probability).collect())
    }

    fn likeliest(&self, executor: &mut dyn Executor, given: &Batch) -> Result<Vec<Answer>, Diagnostic> {
        self.refuse_marginal_map(given)?;
        let targets = self.query.targets.iter().map(|&(var, _)| var);
        let latents: Vec<VarId> = targets.filter(|&var| self.graph.variable(var).is_latent).collect();
        let found = most_probable_with(executor, given, &latents, self.exactness)?;
        let answer = |Completion { row, log_value, is_exact }| Answer::Assignment {
            words: row,
            found: Some((log_value, is_exact)),
        };
        Ok(found.into_iter().map(answer).collect())
    }

    /// `map` maximises over every variable that is not known; over a part of them is another, harder question.
    fn refuse_marginal_map(&self, given: &Batch) -> Result<(), Diagnostic> {
        let graph = self.graph;
        let is_named = |var: VarId| self.query.targets.iter().any(|&(v, _)| v == var);
        let is_known = |var| (0..given.n_rows()).all(|row| given.get(graph, row, var) != Value::Missing);
        let is_left_out = |&v: &VarId| !graph.variable(v).is_latent && !is_named(v) && !is_known(v);
        let left_out = match self.query.targets.is_empty() {
            true => None,
            false => graph.scope(graph.root()).iter().find(is_left_out),
        };
        let Some(var) = left_out else { return Ok(()) };
        let message = format!("`map` over a part of the variables sums `{}` out", graph.variable_name(var));
        Err(Diagnostic::error("unsupported-query", message)
            .help("leave the targets out: `map(| ..)` is over all variables that are not given"))
    }

    fn moments(&self, executor: &mut dyn Executor, given: &Batch) -> Result<Vec<Answer>, Diagnostic> {
        let moment = |(&var, posterior): (&VarId, &Posterior)| {
            let (mean, variance) = mean_and_variance(self.graph.variable(var).domain, posterior);
            if self.query.kind == QueryKind::Mean { mean } else { variance }
        };
        let of_row = |found: &Vec<Posterior>| self.variables.iter().zip(found).map(moment).collect();
        let found = posteriors(executor, given, &self.variables)?;
        Ok(found.iter().map(|found| Answer::Moments(of_row(found))).collect())
    }
}

/// The variables asked about: those named, or all that the question does not give.
fn asked(graph: &Graph, query: &ResolvedQuery) -> Vec<VarId> {
    let is_given = |var: VarId| query.given.iter().any(|&(v, _)| v == var);
    match query.targets.is_empty() {
        false => query.targets.iter().map(|&(var, _)| var).collect(),
        true => {
            let scope = graph.scope(graph.root());
            scope.iter().filter(|&v| !graph.variable(v).is_latent && !is_given(v)).collect()
        }
    }
}

/// Of the value itself, not of its code.
fn mean_and_variance(domain: Domain, posterior: &Posterior) -> (f64, f64) {
    match posterior {
        Posterior::Moments { mean, sd } => (*mean, sd * sd),
        Posterior::Table(table) => {
            let values = || table.iter().enumerate().map(|(code, p)| (domain.value_of(code as u32), p));
            let mean: f64 = values().map(|(x, p)| x * p).sum();
            (mean, values().map(|(x, p)| (x - mean) * (x - mean) * p).sum())
        }
    }
}

fn later(kind: QueryKind) -> Diagnostic {
    let word = QueryKind::WORDS.iter().find(|(_, k)| *k == kind).map_or("this query", |(word, _)| word);
    Diagnostic::error("unsupported-query", format!("this version of pcc does not answer `{word}(..)`"))
        .help("it answers `p`, `map`, `marginals`, `mean`, `variance` and `sample`")
}
