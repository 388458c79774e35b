//! Properties of the whole path, from text to answers: random programs against their own evaluation.
//!
//! Each test draws seeds, writes the circuit of a seed as a program ([`circuit`]), takes it through the
//! compiler, and compares what comes out with enumeration over the program's own definition.

mod circuit;

use super::run::graph_of;
use circuit::{Node, VARIABLES, any, assignments, deterministic, program};
use pcc_ir::{Batch, Checked, Graph, Params, Value, VarId};
use pcc_runtime::exec::{CpuExecutor, CpuOptions};
use pcc_runtime::model::Model;
use pcc_runtime::query::{
    Exactness, Posterior, log_likelihood, log_probability, most_probable, posteriors, sample,
};
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use std::time::Duration;

/// One property with its own circuits.
pub type Property = fn() -> Outcome;

/// How many circuits a property is tried on.
const CASES: u32 = 60;

/// How near compiled code, in 32-bit floats, is to the definition, for logarithms of probabilities.
const TOLERANCE: f64 = 4e-5;

/// Nothing, or what is wrong.
pub type Outcome = Result<(), String>;

/// Tries a property on random seeds.
fn for_all(property: impl Fn(u64) -> Outcome) -> Outcome {
    let config = Config { cases: CASES, failure_persistence: None, ..Config::default() };
    let test = |seed| property(seed).map_err(TestCaseError::fail);
    TestRunner::new(config).run(&proptest::num::u64::ANY, test).map_err(|fault| fault.to_string())
}

/// A program compiled, and the probability of every complete assignment by definition.
struct Case {
    text: String,
    graph: Graph,
    executor: CpuExecutor,
    rows: Vec<Vec<u32>>,
    masses: Vec<f64>,
}

impl Case {
    /// Through the front end, all passes and the code generator.
    fn of(root: &Node) -> Result<Case, String> {
        let text = program(root);
        let graph = graph_of(&text).map_err(|fault| format!("{text}\n{fault}"))?;
        let checked = Checked::new(graph.clone()).map_err(|v| format!("{text}\n{v:?}"))?;
        let passes = pcc_opt::Config { is_verifying: true, ..pcc_opt::Config::ALL };
        let optimized = pcc_opt::optimize(checked, &passes, &|| Duration::ZERO).graph.into_graph();
        let params = Params::of(&optimized);
        let executor = CpuExecutor::new(optimized, params, CpuOptions::all_threads());
        let executor = executor.map_err(|e| e.to_string())?;
        let rows = assignments();
        let masses = rows.iter().map(|row| root.values(row)[0]).collect();
        Ok(Case { text, graph, executor, rows, masses })
    }

    /// The total mass of what agrees with a row, in which `None` is open.
    fn mass(&self, known: &[Option<u32>]) -> f64 {
        let agrees =
            |row: &[u32]| row.iter().zip(known).all(|(value, known)| known.is_none_or(|k| k == *value));
        self.rows.iter().zip(&self.masses).filter(|(row, _)| agrees(row)).map(|(_, mass)| mass).sum()
    }

    fn same_log(&self, what: &str, found: f64, mass: f64) -> Outcome {
        let expected = mass.ln();
        let is_same = found == expected || (found - expected).abs() <= TOLERANCE;
        if is_same { Ok(()) } else { Err(format!("{what} is {found}, not {expected}\n{}", self.text)) }
    }
}

/// Every pattern of known and open values: variable v is open at digit `n_values`.
fn patterns() -> Vec<Vec<Option<u32>>> {
    let mut patterns = vec![Vec::new()];
    for variable in VARIABLES {
        let choices: Vec<Option<u32>> = (0..variable.n_values).map(Some).chain([None]).collect();
        patterns = patterns
            .iter()
            .flat_map(|p: &Vec<Option<u32>>| choices.iter().map(move |&c| [p.as_slice(), &[c]].concat()))
            .collect();
    }
    patterns
}

fn batch(patterns: &[Vec<Option<u32>>]) -> Batch {
    let mut batch = Batch::missing(VARIABLES.len(), patterns.len());
    for (row, pattern) in patterns.iter().enumerate() {
        for (v, value) in pattern.iter().enumerate() {
            batch.set(row, VarId::new(v), value.map_or(Value::Missing, Value::Code));
        }
    }
    batch
}

/// Likelihoods of complete and of partial rows.
pub fn likelihoods_and_marginals() -> Outcome {
    for_all(|seed| {
        let mut case = Case::of(&any(seed))?;
        let patterns = patterns();
        let logs = log_likelihood(&mut case.executor, &batch(&patterns)).map_err(|d| d.message)?;
        let mut pairs = patterns.iter().zip(logs);
        pairs.try_for_each(|(known, log)| case.same_log(&format!("ln p({known:?})"), log, case.mass(known)))
    })
}

/// p(targets | given) with the first half of the variables as targets, and refusals where p(given) = 0.
pub fn conditionals() -> Outcome {
    for_all(|seed| {
        let mut case = Case::of(&any(seed))?;
        for pattern in patterns() {
            let part = |is_target: bool| -> Vec<Option<u32>> {
                pattern.iter().enumerate().map(|(v, k)| k.filter(|_| (v < 2) == is_target)).collect()
            };
            let (targets, given) = (part(true), part(false));
            let (joint, condition) = (case.mass(&pattern), case.mass(&given));
            let found = log_probability(&mut case.executor, &batch(&[targets]), &batch(&[given]));
            match (found, condition > 0.0) {
                (Ok(logs), true) => case.same_log(&format!("{pattern:?}"), logs[0], joint / condition)?,
                (Err(refusal), false) if refusal.code == "impossible-evidence" => {}
                (found, _) => return Err(format!("{found:?} where p(given) = {condition}\n{}", case.text)),
            }
        }
        Ok(())
    })
}

/// All single-variable posteriors in one pass.
pub fn single_posteriors() -> Outcome {
    for_all(|seed| {
        let mut case = Case::of(&any(seed))?;
        let variables: Vec<VarId> = (0..VARIABLES.len()).map(VarId::new).collect();
        let given: Vec<_> = patterns().into_iter().filter(|known| case.mass(known) > 0.0).collect();
        let found = posteriors(&mut case.executor, &batch(&given), &variables).map_err(|d| d.message)?;
        for (known, row) in given.iter().zip(found) {
            for (v, posterior) in row.iter().enumerate() {
                let Posterior::Table(table) = posterior else { return Err("a table was expected".into()) };
                for (value, p) in table.iter().enumerate() {
                    let mut joint = known.clone();
                    let is_open = known[v].is_none_or(|k| k as usize == value);
                    joint[v] = Some(value as u32);
                    let expected = if is_open { case.mass(&joint) / case.mass(known) } else { 0.0 };
                    if (p - expected).abs() > TOLERANCE {
                        return Err(format!(
                            "p(V{v} = {value} | {known:?}) is {p}, not {expected}\n{}",
                            case.text
                        ));
                    }
                }
            }
        }
        Ok(())
    })
}

/// Exact completions of circuits that decide one variable after the other.
pub fn likeliest_completions() -> Outcome {
    for_all(|seed| {
        let root = deterministic(seed);
        let mut case = Case::of(&root)?;
        for known in patterns().into_iter().filter(|known| case.mass(known) > 0.0).collect::<Vec<_>>() {
            let found =
                most_probable(&mut case.executor, &batch(std::slice::from_ref(&known)), Exactness::Exact);
            let best = found.map_err(|d| format!("{}\n{}", d.message, case.text))?.remove(0);
            let agrees = |row: &[u32]| row.iter().zip(&known).all(|(value, k)| k.is_none_or(|k| k == *value));
            let masses = case.rows.iter().zip(&case.masses).filter(|(row, _)| agrees(row)).map(|(_, m)| *m);
            let expected = masses.fold(0.0, f64::max);
            case.same_log("the likeliest completion", best.log_value, expected)?;
            case.same_log("its own probability", root.values(&best.row)[0].ln(), expected)?;
            if !best.is_exact || !agrees(&best.row) {
                return Err(format!("{known:?} is completed as {:?}\n{}", best.row, case.text));
            }
        }
        Ok(())
    })
}

/// What is drawn has the distribution of the circuit: Pearson's statistic over all assignments, with fixed seeds.
pub fn samples() -> Outcome {
    const DRAWN: usize = 4000;
    for seed in 0..12 {
        let mut case = Case::of(&any(seed))?;
        let rows = sample(&mut case.executor, &Batch::missing(VARIABLES.len(), 1), DRAWN, seed);
        let rows = rows.map_err(|d| d.message)?;
        let total: f64 = case.masses.iter().sum();
        let mut counts = vec![0_usize; case.rows.len()];
        for row in 0..DRAWN {
            let position = case.rows.iter().position(|known| known.as_slice() == rows.row(row));
            counts[position.ok_or("a sample lies outside of the domains")?] += 1;
        }
        let expected: Vec<f64> = case.masses.iter().map(|m| m / total * DRAWN as f64).collect();
        if counts.iter().zip(&expected).any(|(&count, &e)| e == 0.0 && count > 0) {
            return Err(format!("an impossible row is drawn\n{}", case.text));
        }
        chi_square(&counts, &expected).map_err(|fault| format!("seed {seed}: {fault}\n{}", case.text))?;
    }
    Ok(())
}

/// Cells of fewer than five expected draws are joined. A statistic five standard deviations above its mean is
/// a fault: its mean is the degrees of freedom n, its variance 2 n.
fn chi_square(counts: &[usize], expected: &[f64]) -> Outcome {
    let (mut statistic, mut cells, mut rest) = (0.0, 0.0, (0.0_f64, 0.0_f64));
    for (&count, &e) in counts.iter().zip(expected) {
        match e >= 5.0 {
            true => (statistic, cells) = (statistic + (count as f64 - e).powi(2) / e, cells + 1.0),
            false => rest = (rest.0 + count as f64, rest.1 + e),
        }
    }
    if rest.1 >= 5.0 {
        (statistic, cells) = (statistic + (rest.0 - rest.1).powi(2) / rest.1, cells + 1.0);
    }
    let freedom: f64 = f64::max(cells - 1.0, 1.0);
    let limit = freedom + 5.0 * (2.0 * freedom).sqrt();
    if statistic <= limit { Ok(()) } else { Err(format!("chi-square is {statistic:.1}, above {limit:.1}")) }
}

/// A saved model gives the same bits as the circuit that was saved, and its text form is the same graph.
pub fn files_keep_every_bit() -> Outcome {
    let folder = tempfile::tempdir().map_err(|e| e.to_string())?;
    let path = folder.path().join("model.pcm");
    for_all(|seed| {
        let case = Case::of(&any(seed))?;
        let model = Model::new(case.graph.clone(), Params::of(&case.graph));
        model.save(&path).map_err(|d| d.message)?;
        let loaded = Model::load(&path).map_err(|d| d.message)?;
        let read = pcc_ir::graph::read(&pcc_ir::graph::print(&case.graph)).map_err(|e| format!("{e:?}"))?;
        if !read.same_as(&case.graph) {
            return Err(format!("the text form is another graph\n{}", case.text));
        }
        let answer = |graph: Graph, params: Params| -> Result<Vec<u64>, String> {
            let executor = CpuExecutor::new(graph, params, CpuOptions::all_threads());
            let mut executor = executor.map_err(|e| e.to_string())?;
            let logs = log_likelihood(&mut executor, &batch(&patterns())).map_err(|d| d.message)?;
            Ok(logs.into_iter().map(f64::to_bits).collect())
        };
        let before = answer(model.graph.clone(), model.params.clone())?;
        match before == answer(loaded.graph, loaded.params)? {
            true => Ok(()),
            false => Err(format!("a loaded model answers otherwise\n{}", case.text)),
        }
    })
}
