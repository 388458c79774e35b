//! Whole recipes on a small picture data set: cached, resumed, refused.

mod again;
mod latents;
mod page;
mod restructure;
mod weights;

use super::*;
use crate::data::DataSets;
use crate::exec::{Executor, Interpreter};
use crate::query::tests::circuits::Make;
use crate::train::{Divided, Event, Measured, Observer, measure};
use pcc_diag::Span;
use pcc_ir::recipe::*;
use pcc_ir::{Domain, Graph, Params};
use std::path::PathBuf;
use tempfile::TempDir;

/// A folder with data, a circuit over 4 x 2 pixels, and a recipe.
struct Workshop {
    folder: TempDir,
    graph: Graph,
    recipe: Recipe,
    weights: Vec<WeightSource>,
    /// What every clustering gives.
    labels: Labels,
    threads: usize,
}

fn rows(n: u32, key: u32) -> String {
    let pixel = |row: u32, i: u32| (row.wrapping_mul(2_654_435_761) >> (i + key)) & 1;
    let line = |row| (0..8).map(|i| pixel(row, i).to_string()).collect::<String>() + "\n";
    (1..=n).map(line).collect()
}

fn em(epochs: u32) -> Optimizer {
    Optimizer::Em(EmOptions {
        batch: BatchSize::Rows(16),
        epochs,
        step: Schedule::Linear(0.8, 0.2),
        pseudocount: 0.1,
        per: Per::Node,
        start: Start::Exponential,
        rule: Rule::Even,
        soften: 0.0,
        entropy: 0.0,
    })
}

fn stage(name: &str, optimizer: Optimizer) -> Stage {
    let fit = Fit {
        part: None,
        data: TrainOn::Data("train".into()),
        weights: None,
        given: Vec::new(),
        holding: Vec::new(),
        optimizer,
        span: Span::NONE,
    };
    let until = Plateau {
        data: "valid".into(),
        weights: None,
        metric: Metric::BitsPerDimension,
        patience: 100,
        min_delta: 0.0,
    };
    Stage { name: name.into(), fit, until: Some(until), then: Vec::new(), span: Span::NONE }
}

impl Workshop {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("train"), rows(60, 3)).unwrap();
        std::fs::write(folder.path().join("valid"), rows(20, 11)).unwrap();
        let mut make = Make { builder: pcc_ir::GraphBuilder::new() };
        make.builder.variables("X", &[4, 2], Domain::Bool, false);
        let leaves: Vec<_> = (0..8).map(|v| make.bernoulli(v, 4, None)).collect();
        let product = make.product(&leaves);
        let root = make.sum(&[product], 1, None);
        let steps = vec![
            Step::Stage(Box::new(stage("first", em(6)))),
            Step::Stage(Box::new(stage("second", em(3)))),
            Step::Evaluate(Evaluate {
                data: "valid".into(),
                metrics: vec![Metric::BitsPerDimension],
                span: Span::NONE,
            }),
            Step::Report(
                vec![
                    Output::Json("report.json".into()),
                    Output::Samples { count: 5, to: "samples.csv".into() },
                    Output::Samples { count: 5, to: "pictures/samples.png".into() },
                    Output::Inpaint { data: "valid".into(), count: 3, to: "inpaint.png".into() },
                ],
                Span::NONE,
            ),
        ];
        let recipe = Recipe { name: "learn".into(), circuit: "M".into(), seed: 1, steps, span: Span::NONE };
        let centres = Centres { clusters: Clusters::Shared, width: 0, values: Vec::new() };
        let labels = Labels { n_values: 1, positions: 1, labels: Vec::new(), centres };
        Workshop { folder, graph: make.finish(root), recipe, weights: Vec::new(), labels, threads: 1 }
    }

    fn out(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Calls `with` on a fresh setting that writes to a folder.
    fn with<T>(&self, out: &str, with: impl FnOnce(&mut Setting) -> T) -> T {
        let source = |name: &str| DataSource {
            name: name.into(),
            variables: vec!["X".into()],
            path: name.into(),
            beside: self.folder.path().to_string_lossy().into_owned(),
            reader: Reader::Bits,
            rows: Default::default(),
            span: Span::NONE,
        };
        let sources = ["train", "valid"].map(source).to_vec();
        let mut data = DataSets::new(sources, self.graph.var_groups().to_vec(), None);
        data.set_weights(self.weights.clone());
        let executors = |graph: &Graph, params: &Params| -> Result<Box<dyn Executor>, Diagnostic> {
            Ok(Box::new(Interpreter::new(graph.clone(), params.clone())))
        };
        with(&mut Setting {
            recipe: &self.recipe,
            graph: &self.graph,
            data: &mut data,
            labels: &|codes, _| Ok((self.labels.clone().into(), format!("{:?}", codes.call))),
            learning: &|| [("codes".to_string(), 1.5)].into(),
            folder: &self.out(out),
            executors: &executors,
            machine: Machine { numerics: "f64".into(), threads: self.threads, version: "test".into() },
            source_hash: "5eed".repeat(16),
        })
    }

    fn plan(&self, out: &str) -> RecipePlan {
        self.with(out, RecipePlan::new).expect("the recipe can be planned")
    }

    fn run(&self, out: &str, watch: &mut Watch) -> Ended {
        self.with(out, |setting| {
            let plan = RecipePlan::new(setting)?;
            run(&plan, setting, watch)
        })
        .expect("the recipe can be run")
    }
}

/// Counts what happens, and cancels a stage in the given epoch.
#[derive(Default)]
struct Watch {
    steps: usize,
    epochs: usize,
    evaluations: usize,
    divided: Option<Divided>,
    step: String,
    cancel_in: Option<(String, u32)>,
    is_cancelled: bool,
}

impl Observer for Watch {
    fn event(&mut self, event: Event<'_>) {
        match event {
            Event::Step { name, .. } => {
                self.steps += 1;
                self.step = name.into();
            }
            Event::Batch { epoch, .. } => {
                let here = Some((self.step.clone(), epoch));
                self.is_cancelled |= self.cancel_in == here;
            }
            Event::Epoch(_) => self.epochs += 1,
            Event::Evaluated { .. } => self.evaluations += 1,
            Event::Divided(divided) => self.divided = Some(divided),
            Event::Stage { .. } | Event::Restored { .. } => {}
            Event::Settled { .. } | Event::Unsettled(_) | Event::Changed { .. } => {}
        }
    }

    fn is_cancelled(&self) -> bool {
        self.is_cancelled
    }
}

impl Watch {
    /// Steps, epochs and evaluations so far.
    fn counts(&self) -> (usize, usize, usize) {
        (self.steps, self.epochs, self.evaluations)
    }
}

fn keys(plan: &RecipePlan) -> Vec<String> {
    plan.steps.iter().map(|step| step.key.clone()).collect()
}

#[test]
fn a_recipe_trains_measures_and_reports() {
    let shop = Workshop::new();
    let mut watch = Watch::default();
    let Ended::Done { params, evaluations, .. } = shop.run("out", &mut watch) else {
        panic!("nobody cancelled")
    };
    assert_eq!(watch.counts(), (4, 9, 1));
    let mut executor = Interpreter::new(shop.graph.clone(), params);
    let valid = shop.with("out", |setting| setting.data.get("valid")).unwrap();
    let measured: Measured = measure(&mut executor, &*valid).unwrap();
    assert_eq!(evaluations[0].measured, measured);
    let report = std::fs::read_to_string(shop.out("out").join("report.json")).unwrap();
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    assert_eq!(report["steps"][2]["metrics"]["bpd"], measured.bits_per_dimension());
    assert_eq!(report["steps"][0]["epochs"].as_array().unwrap().len(), 6);
    assert_eq!(report["steps"][0]["settings"]["by"]["em"]["epochs"], 6);
    let samples = std::fs::read_to_string(shop.out("out").join("samples.csv")).unwrap();
    assert_eq!(samples.lines().count(), 1 + 5, "a header and five samples");
    for picture in ["pictures/samples.png", "inpaint.png"] {
        let bytes = std::fs::read(shop.out("out").join(picture)).unwrap();
        assert!(bytes.starts_with(b"\x89PNG"), "{picture}");
    }
}

#[test]
fn finished_steps_are_not_run_again() {
    let shop = Workshop::new();
    let first = shop.run("out", &mut Watch::default());
    let plan = shop.plan("out");
    assert!(plan.steps.iter().all(|step| step.is_done && step.seconds == 0.0));
    let mut watch = Watch::default();
    assert_eq!(shop.run("out", &mut watch), first);
    assert_eq!(watch.counts(), (4, 0, 1));
    std::fs::remove_file(shop.out("out").join("inpaint.png")).unwrap();
    let done: Vec<bool> = shop.plan("out").steps.iter().map(|step| step.is_done).collect();
    assert_eq!(done, [true, true, true, false], "a report whose file is gone is made again");
}

#[test]
fn a_cancelled_run_goes_on_where_it_stopped() {
    let shop = Workshop::new();
    let whole = shop.run("whole", &mut Watch::default());
    let cancel_in = Some(("stage second".into(), 3));
    let cut = shop.run("cut", &mut Watch { cancel_in, ..Watch::default() });
    assert_eq!(cut, Ended::Cancelled { step: "stage second".into() });
    let plan = shop.plan("cut");
    let done: Vec<bool> = plan.steps.iter().map(|step| step.is_done).collect();
    assert_eq!(done, [true, false, false, false]);
    assert_eq!(plan.steps[1].resumes_after, Some(2));
    let anew = shop.plan("elsewhere").steps[1].seconds;
    assert!((plan.steps[1].seconds - anew / 3.0).abs() < 1e-9 * anew, "one epoch of three is left");
    let mut watch = Watch::default();
    assert_eq!(shop.run("cut", &mut watch), whole);
    assert_eq!(watch.epochs, 1);
}

#[test]
fn a_key_covers_everything_that_a_result_depends_on() {
    let mut shop = Workshop::new();
    let before = keys(&shop.plan("out"));
    assert_eq!(before, keys(&shop.plan("elsewhere")), "where results lie does not matter");
    let mut differ = |change: &dyn Fn(&mut Workshop)| {
        let old = shop.recipe.clone();
        change(&mut shop);
        let after = keys(&shop.plan("out"));
        (shop.recipe, shop.threads) = (old, 1);
        before.iter().zip(&after).map(|(a, b)| a != b).collect::<Vec<_>>()
    };
    assert_eq!(differ(&|shop| shop.recipe.seed = 2), [true; 4]);
    assert_eq!(differ(&|shop| shop.threads = 2), [true; 4]);
    let second = |shop: &mut Workshop| shop.recipe.steps[1] = Step::Stage(Box::new(stage("second", em(4))));
    assert_eq!(differ(&second), [false, true, true, true]);
    let other = |shop: &mut Workshop| std::fs::write(shop.folder.path().join("valid"), rows(21, 11)).unwrap();
    assert_eq!(differ(&other), [true; 4], "early stopping looks at the validation data");
}

#[test]
fn a_damaged_step_is_named() {
    let shop = Workshop::new();
    shop.run("out", &mut Watch::default());
    let steps = std::fs::read_dir(shop.out("out").join("steps")).unwrap();
    let first =
        steps.map(|e| e.unwrap().path()).find(|p| p.to_string_lossy().contains("stage-first")).unwrap();
    std::fs::write(first.join("weights.pcm"), b"{").unwrap();
    let fault = shop.with("out", |setting| {
        let plan = RecipePlan::new(setting)?;
        run(&plan, setting, &mut Watch::default())
    });
    let fault = fault.unwrap_err();
    assert_eq!(fault.code, "step-damaged");
    assert!(fault.message.contains("stage-first"), "{}", fault.message);
}

#[test]
fn what_a_later_version_carries_out_is_refused_before_anything_runs() {
    let mut shop = Workshop::new();
    shop.recipe.steps.push(Step::Stage(Box::new(stage("third", Optimizer::Later("sgd".into())))));
    let fault = shop.with("out", RecipePlan::new).unwrap_err();
    assert_eq!(fault.code, "not-built-yet");
    assert!(!shop.out("out").exists());
}

#[test]
fn a_closed_form_stage_of_a_mixture_is_refused() {
    let mut shop = Workshop::new();
    shop.recipe.steps[0] =
        Step::Stage(Box::new(stage("first", Optimizer::Mle { pseudocount: 0.0, per: Per::Node })));
    let fault = shop.with("out", |setting| {
        let plan = RecipePlan::new(setting)?;
        run(&plan, setting, &mut Watch::default())
    });
    assert_eq!(fault.unwrap_err().code, "unsupported-learner");
}

#[test]
fn what_a_report_cannot_write_is_refused_before_anything_runs() {
    let refused = |extents: &[u32], output: Output| {
        let mut shop = Workshop::new();
        let mut make = Make { builder: pcc_ir::GraphBuilder::new() };
        make.builder.variables("X", extents, Domain::Bool, false);
        let leaves: Vec<_> = (0..8).map(|v| make.bernoulli(v, 1, None)).collect();
        let root = make.product(&leaves);
        shop.graph = make.finish(root);
        shop.recipe.steps[3] = Step::Report(vec![output], Span::NONE);
        shop.with("out", RecipePlan::new).map(|_| ()).map_err(|fault| fault.code)
    };
    let samples = |to: &str| Output::Samples { count: 1, to: to.into() };
    assert_eq!(refused(&[4, 2], samples("samples.gif")), Err("unknown-format"));
    assert_eq!(refused(&[2, 2, 2], samples("samples.png")), Err("not-a-picture"));
    let inpaint = Output::Inpaint { data: "valid".into(), count: 1, to: "inpaint.png".into() };
    assert_eq!(refused(&[2, 2, 2], inpaint), Err("not-a-picture"));
    assert_eq!(refused(&[2, 2, 2], samples("samples.npy")), Ok(()));
}

#[test]
fn plans_say_what_steps_depend_on_and_what_they_cost() {
    let shop = Workshop::new();
    let plan = shop.plan("out");
    let depends: Vec<Vec<usize>> = plan.steps.iter().map(|step| step.depends.clone()).collect();
    assert_eq!(depends, [vec![], vec![0], vec![1], vec![0, 1, 2]]);
    assert!(plan.steps.iter().all(|step| step.seconds > 0.0 && step.bytes > 0));
    assert!(plan.steps[0].seconds > plan.steps[1].seconds, "six epochs cost more than three");
    assert!(!shop.out("out").exists(), "planning writes nothing");
}

#[test]
fn a_damaged_state_counts_as_none_and_changes_no_result() {
    let shop = Workshop::new();
    let whole = shop.run("whole", &mut Watch::default());
    let cancel_in = Some(("stage first".into(), 3));
    shop.run("cut", &mut Watch { cancel_in, ..Watch::default() });
    let plan = shop.plan("cut");
    assert_eq!(plan.steps[0].resumes_after, Some(2));
    let folder = std::fs::read_dir(shop.out("cut").join("steps")).unwrap().next().unwrap().unwrap().path();
    let state = folder.join("state.safetensors");
    let bytes = std::fs::read(&state).unwrap();
    std::fs::write(&state, &bytes[..bytes.len() / 2]).unwrap();
    assert_eq!(shop.plan("cut").steps[0].resumes_after, None);
    assert_eq!(shop.run("cut", &mut Watch::default()), whole);
}

/// Values written in the source are no part of a model file, and a step is still found to fit.
#[test]
fn circuits_with_written_values_go_on_from_finished_steps() {
    let mut shop = Workshop::new();
    let mut make = Make { builder: pcc_ir::GraphBuilder::new() };
    make.builder.variables("X", &[4, 2], Domain::Bool, false);
    let leaves: Vec<_> = (0..8).map(|v| make.bernoulli(v, 1, Some(vec![0.25]))).collect();
    let root = make.product(&leaves);
    shop.graph = make.finish(root);
    let first = shop.run("out", &mut Watch::default());
    let mut watch = Watch::default();
    assert_eq!(shop.run("out", &mut watch), first);
    assert_eq!(watch.epochs, 0);
}

#[test]
fn a_regularised_stage_and_one_with_momentum_go_on_with_the_same_bits() {
    let change: [fn(&mut EmOptions); 2] =
        [|em| (em.soften, em.entropy) = (0.1, 0.02), |em| em.rule = Rule::Anemone { momentum: 0.8 }];
    for (i, change) in change.iter().enumerate() {
        let mut shop = Workshop::new();
        let Step::Stage(first) = &mut shop.recipe.steps[0] else { panic!("a stage") };
        let Optimizer::Em(em) = &mut first.fit.optimizer else { panic!("EM") };
        change(em);
        let plain = Workshop::new().run("plain", &mut Watch::default());
        let whole = shop.run("whole", &mut Watch::default());
        assert_ne!(whole, plain, "{i}");
        let mut watch = Watch { cancel_in: Some(("stage first".into(), 4)), ..Watch::default() };
        assert!(matches!(shop.run("cut", &mut watch), Ended::Cancelled { .. }));
        assert_eq!(shop.run("cut", &mut Watch::default()), whole, "{i}");
    }
}
