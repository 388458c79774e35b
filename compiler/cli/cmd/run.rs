//! `pcc run`: a recipe, from data to a trained model.

use crate::args::{Format, Numerics, RunArgs};
use crate::cmd::info::bytes;
use crate::failure::Failure;
use crate::opened;
use crate::progress::Progress;
use crate::terminal::{Terminal, print_line};
use crate::world::{Loaded, World};
use pcc_diag::{Diagnostic, human_seconds};
use pcc_ir::props::{self, DeterminismConfig};
use pcc_ir::recipe::{Codes, Recipe};
use pcc_ir::{Graph, Params};
use pcc_runtime::data::DataSets;
use pcc_runtime::exec::Executor;
use pcc_runtime::learn::Work;
use pcc_runtime::model::{Model, Provenance};
use pcc_runtime::recipe::{Ended, Evaluation, Machine, RecipePlan, Setting};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Carries out a recipe, or with `--dry-run` and `--why` says what it would do.
pub fn run(args: &RunArgs, terminal: &Terminal) -> Result<(), Failure> {
    let started = Instant::now();
    let world = match only_asks(args) {
        true => World::of_lock(&args.file, &args.source)?,
        false => World::of_data(&args.file, &args.source)?,
    };
    if let Some(bytes) = args.machine.memory {
        world.limit_memory(bytes);
    }
    let mut loaded = Loaded::from_file(&args.file, &world, &args.source)?;
    let Some((recipe, graph)) = prepared(args, &mut loaded, &world)? else {
        if loaded.has_errors() {
            return Err(loaded.into_failure());
        }
        terminal.show(loaded.found(), loaded.sources());
        return not_elaborated(args, &mut loaded, &world);
    };
    terminal.show(loaded.found(), loaded.sources());
    let outcome = carry_out(args, terminal, &recipe, &graph, &mut loaded, &world, started);
    // A fault of the data or the machine points into the source of this program.
    outcome.map_err(|failure| match failure {
        Failure::Program(found, _) => Failure::Program(found, loaded.sources().clone()),
        other => other,
    })
}

/// Whether nothing is to be run.
fn only_asks(args: &RunArgs) -> bool {
    args.dry_run || args.why
}

/// The recipe and its circuit; nothing when the program has errors or needs a value that is not learned.
fn prepared(args: &RunArgs, loaded: &mut Loaded, world: &World) -> Result<Option<(Recipe, Graph)>, Failure> {
    loaded.check();
    if loaded.has_errors() {
        return Ok(None);
    }
    let recipes = loaded.recipes();
    if loaded.has_errors() {
        return Ok(None);
    }
    let mut recipe = chosen(args, recipes)?;
    if let Some(seed) = args.seed {
        recipe.seed = seed;
    }
    let Some(elaborated) = loaded.verify(&recipe.circuit.clone(), world) else { return Ok(None) };
    let checked = opened::checked(elaborated.graph, loaded.sources())?;
    let clock = Instant::now();
    let optimized = pcc_opt::optimize(checked, &pcc_opt::Config::ALL, &|| clock.elapsed());
    Ok(Some((recipe, optimized.graph.into_graph())))
}

fn chosen(args: &RunArgs, mut recipes: Vec<Recipe>) -> Result<Recipe, Failure> {
    let names: Vec<String> = recipes.iter().map(|r| r.name.clone()).collect();
    let file = args.file.display();
    let position = match (&args.recipe, names.as_slice()) {
        (_, []) => return Err(Failure::Usage(format!("`{file}` has no recipe; `pcc check` checks it"))),
        (None, [_]) => 0,
        (None, _) => {
            let all = names.join("`, `");
            return Err(Failure::Usage(format!("`{file}` has several recipes; say which: `{all}`")));
        }
        (Some(wanted), _) => names.iter().position(|n| n == wanted).ok_or_else(|| {
            let near = pcc_diag::suggest(wanted, names.iter().map(String::as_str));
            let help =
                near.map_or(format!("it has `{}`", names.join("`, `")), |n| format!("did you mean `{n}`?"));
            Failure::Usage(format!("`{file}` has no recipe `{wanted}`; {help}"))
        })?,
    };
    Ok(recipes.swap_remove(position))
}

/// Only a dry run gets here without an error: the circuit waits for a learned value.
fn not_elaborated(args: &RunArgs, loaded: &mut Loaded, world: &World) -> Result<(), Failure> {
    if !only_asks(args) {
        return Err(Failure::Shown);
    }
    if args.format == Format::Human {
        print_line("the circuit depends on values that are not learned yet, so its steps can't be estimated");
        print_line("`pcc run` learns them first");
    }
    let (sources, variables) = (loaded.data_sources(), loaded.variables());
    let mut trained = Vec::new();
    for request in loaded.learn_requests() {
        let Some((teacher, cost)) = world.cost(&request, (&sources, &variables)).map_err(Failure::of)? else {
            continue;
        };
        // A teacher is trained for the first that asks it.
        if cost.learning.seconds > 0.0 && !trained.contains(&teacher) {
            print_cost(args, &format!("teacher {teacher}"), cost.learning, None);
            trained.push(teacher);
        }
        print_cost(args, &format!("learn {}", request.name), cost.reading, Some(cost.bytes));
    }
    Ok(())
}

fn print_cost(args: &RunArgs, name: &str, work: Work, of_vectors: Option<u64>) {
    let Work { multiplications, seconds } = work;
    match args.format {
        Format::Human => {
            let size = of_vectors.map_or(String::new(), |size| format!(", {} of vectors", bytes(size)));
            let time = human_seconds(seconds);
            print_line(&format!("{name:<24} about {time}, {multiplications:.1e} multiplications{size}"));
        }
        Format::Json => {
            let line = json!({
                "step": name, "seconds": seconds, "multiplications": multiplications, "bytes": of_vectors,
            });
            print_line(&line.to_string());
        }
    }
}

fn carry_out(
    args: &RunArgs,
    terminal: &Terminal,
    recipe: &Recipe,
    graph: &Graph,
    loaded: &mut Loaded,
    world: &World,
    started: Instant,
) -> Result<(), Failure> {
    let folder = args.out.clone().unwrap_or_else(|| PathBuf::from("out").join(&recipe.name));
    let sources = loaded.data_sources();
    let pcc_data = world.pcc_data().map(Path::to_path_buf);
    let mut data = DataSets::new(sources.clone(), graph.var_groups().to_vec(), pcc_data);
    data.set_weights(loaded.weight_sources());
    let executors = |graph: &Graph, params: &Params| -> Result<Box<dyn Executor>, Diagnostic> {
        opened::executor(graph, params, &args.machine).map_err(|failure| match failure {
            Failure::Machine(why) | Failure::Usage(why) => Diagnostic::error("machine", why),
            _ => Diagnostic::error("machine", "the executor can't be made"),
        })
    };
    let variables = loaded.variables();
    let labels = |codes: &Codes, span| world.labels(codes, span, (&sources, &variables));
    let machine = Machine {
        numerics: numerics_word(args.machine.numerics).into(),
        threads: opened::threads(args.machine.threads)?.get(),
        version: env!("CARGO_PKG_VERSION").into(),
    };
    let mut setting = Setting {
        recipe,
        graph,
        data: &mut data,
        labels: &labels,
        learning: &|| world.learning_seconds(),
        folder: &folder,
        executors: &executors,
        machine,
        source_hash: loaded.source_hash(),
    };
    let mut plan = match RecipePlan::new(&mut setting) {
        Ok(plan) => plan,
        Err(waits) if !waits.is_error() => return not_elaborated(args, loaded, world),
        Err(fault) => return Err(Failure::of(fault)),
    };
    if let Some(stage) = &args.from
        && !plan.run_again_from(stage)
    {
        return Err(Failure::Usage(no_stage(stage, recipe)));
    }
    if only_asks(args) {
        print_plan(args, &plan, &folder);
        return Ok(());
    }
    if args.resume && !plan.steps.iter().any(|s| s.is_done || s.resumes_after.is_some()) {
        let place = folder.display();
        return Err(Failure::Usage(format!(
            "there is nothing in `{place}` to go on with; leave `--resume` out"
        )));
    }
    let mut progress = Progress::new(args.format, terminal);
    match pcc_runtime::recipe::run(&plan, &mut setting, &mut progress).map_err(Failure::of)? {
        Ended::Cancelled { step } => {
            terminal
                .say(&format!("interrupted in `{step}`; the same command goes on from its last whole epoch"));
            Err(Failure::Interrupted)
        }
        Ended::Done { graph, params, evaluations } => {
            let path = folder.join("model.pcm");
            model(args, recipe, *graph, params, &evaluations, loaded, &mut data)?
                .save(&path)
                .map_err(Failure::of)?;
            progress.done(started.elapsed().as_secs_f64(), Some(&path));
            Ok(())
        }
    }
}

fn numerics_word(numerics: Numerics) -> &'static str {
    match numerics {
        Numerics::Scaled => "scaled",
        Numerics::Log => "log",
        Numerics::F64 => "f64",
    }
}

fn no_stage(wanted: &str, recipe: &Recipe) -> String {
    let stages = recipe.steps.iter().filter_map(|step| match step {
        pcc_ir::recipe::Step::Stage(stage) => Some(stage.name.as_str()),
        _ => None,
    });
    let stages: Vec<&str> = stages.collect();
    let help = match (pcc_diag::suggest(wanted, stages.iter().copied()), stages.as_slice()) {
        (Some(near), _) => format!("did you mean `{near}`?"),
        (None, []) => "it has none".into(),
        (None, stages) => format!("it has `{}`", stages.join("`, `")),
    };
    format!("the recipe `{}` has no stage `{wanted}`; {help}", recipe.name)
}

fn print_plan(args: &RunArgs, plan: &RecipePlan, folder: &Path) {
    for step in &plan.steps {
        let reasons = if args.why { step.reasons(folder) } else { Vec::new() };
        let state = match (step.is_done, step.resumes_after) {
            (true, _) => "done".to_string(),
            (false, Some(epoch)) => {
                format!("goes on after epoch {epoch}, about {}", human_seconds(step.seconds))
            }
            (false, None) => format!("about {}", human_seconds(step.seconds)),
        };
        match args.format {
            Format::Human => {
                let share = step.visits.map_or(String::new(), |v| {
                    format!(", visits {:.1} % of the circuit", 100.0 * v.parts as f64 / v.whole as f64)
                });
                // How many edges go is known when they are gone.
                let unknown = step.changed_by.as_ref().map_or(String::new(), |stage| {
                    format!(", as if stage {stage} left the circuit as it is")
                });
                print_line(&format!("{:<24} {state}, {}{share}{unknown}", step.name, bytes(step.bytes)));
                reasons.iter().for_each(|reason| print_line(&format!("  {reason}")));
            }
            Format::Json => {
                let mut line = json!({
                    "step": step.name, "key": step.key, "is_done": step.is_done,
                    "resumes_after": step.resumes_after, "seconds": step.seconds, "bytes": step.bytes,
                    "changed_by": step.changed_by,
                    "visits": step.visits.map(|v| json!({"parts": v.parts, "whole": v.whole})),
                });
                if args.why {
                    line["why"] = json!(reasons);
                }
                print_line(&line.to_string());
            }
        }
    }
}

fn model(
    args: &RunArgs,
    recipe: &Recipe,
    graph: Graph,
    params: Params,
    evaluations: &[Evaluation],
    loaded: &mut Loaded,
    data: &mut DataSets,
) -> Result<Model, Failure> {
    let properties = props::check(&graph, &DeterminismConfig::given(&graph, &[]));
    let mut model = Model::new(graph, params);
    for (name, answer) in properties.answers() {
        model.properties.insert(name.into(), answer.map_or("unknown".into(), |a| a.to_string()));
    }
    let mut provenance = Provenance {
        circuit: recipe.circuit.clone(),
        source_hash: loaded.source_hash(),
        recipe: recipe.name.clone(),
        seed: Some(recipe.seed),
        numerics: numerics_word(args.machine.numerics).into(),
        ..Provenance::default()
    };
    for source in loaded.data_sources() {
        // Data that no step asked for is not read for its key alone.
        let is_used = recipe.steps.iter().any(|step| names_data(step, &source.name));
        if let (true, Ok(set)) = (is_used, data.get(&source.name)) {
            provenance.data.insert(source.name.clone(), set.key());
            if let (Some(words), Some(group)) = (set.vocabulary(), source.variables.first()) {
                model.vocabularies.insert(group.clone(), words.clone());
            }
        }
    }
    for evaluation in evaluations {
        for &metric in &evaluation.metrics {
            let name = format!("{}.{}", evaluation.data, metric_word(metric));
            provenance.metrics.insert(name, json!(evaluation.measured.get(metric)));
        }
    }
    model.provenance = provenance;
    Ok(model)
}

fn names_data(step: &pcc_ir::recipe::Step, name: &str) -> bool {
    use pcc_ir::recipe::Step;
    match step {
        Step::Stage(stage) => {
            stage.fit.data.name() == name || stage.until.as_ref().is_some_and(|until| until.data == name)
        }
        Step::Evaluate(evaluate) => evaluate.data == name,
        _ => false,
    }
}

fn metric_word(metric: pcc_ir::recipe::Metric) -> &'static str {
    use pcc_ir::recipe::Metric;
    match metric {
        Metric::LogLikelihood => "ll",
        Metric::BitsPerDimension => "bpd",
        Metric::Perplexity => "perplexity",
    }
}
