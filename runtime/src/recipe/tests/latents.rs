//! Recipes with labels: closed forms against counts by hand, parts, labels alone, and what is refused.

use super::*;
use pcc_ir::{GraphBuilder, LayerId, MISSING, Param, ParamId, ParamShape, VarId};

const LABELS: [[u32; 2]; 4] = [[0, 1], [0, 0], [1, 1], [0, 1]];
const ROWS: &str = "11\n10\n01\n10\n";

fn table(builder: &mut GraphBuilder, name: &str, shape: ParamShape) -> ParamId {
    let (name, span) = (name.to_string(), Span::NONE);
    builder.param(Param { name, shape, span, groups: 1, initial: None, is_fixed: false, mask: None })
}

/// A chain over two observed bits: Z[0] with X[0], then Z[1] with X[1]. The `let` names are `low` and `high`; they
/// have one table when they are tied.
fn chain(is_tied: bool) -> Graph {
    let mut builder = GraphBuilder::new();
    builder.variables("X", &[2], Domain::Bool, false);
    builder.variables("Z", &[2], Domain::Cat(2), true);
    let family = pcc_ir::Family::Bernoulli(pcc_ir::family::Bernoulli);
    let bits = ParamShape::Input { family, units: 2 };
    let of_low = table(&mut builder, "low", bits);
    let of_high = if is_tied { of_low } else { table(&mut builder, "high", bits) };
    let by = |builder: &mut GraphBuilder, name: &str, heads: LayerId, var: u32, rows: u32| {
        let indicator = builder.indicator(VarId(var), 0, 1, 2, Span::NONE);
        let product = builder.product(&[heads, indicator], Span::NONE).unwrap();
        let param = table(builder, name, ParamShape::Sum { rows, columns: 2 });
        builder.sum(&[product], param, 1, Span::NONE).unwrap()
    };
    let low = builder.input(VarId(1), of_low, 1, Span::NONE).unwrap();
    builder.label(low, "low");
    let step = by(&mut builder, "step", low, 3, 2);
    let high = builder.input(VarId(0), of_high, 1, Span::NONE).unwrap();
    builder.label(high, "high");
    let heads = builder.product(&[high, step], Span::NONE).unwrap();
    let root = by(&mut builder, "start", heads, 2, 1);
    builder.finish(root).unwrap()
}

/// Two bits by themselves, and a latent that indexes nothing.
fn without_sums() -> Graph {
    let mut builder = GraphBuilder::new();
    builder.variables("X", &[2], Domain::Bool, false);
    builder.variables("Z", &[2], Domain::Cat(2), true);
    let family = pcc_ir::Family::Bernoulli(pcc_ir::family::Bernoulli);
    let table = table(&mut builder, "bit", ParamShape::Input { family, units: 1 });
    let bits = [0, 1].map(|var| builder.input(VarId(var), table, 1, Span::NONE).unwrap());
    let root = builder.product(&bits, Span::NONE).unwrap();
    builder.finish(root).unwrap()
}

fn codes(name: &str, k: u32, clusters: Clusters) -> Codes {
    let options = KmeansOptions { k, clusters, seed: 0, restarts: 1, iterations: 1, batch: None };
    let features = Features::Tiles { data: "train".into(), tiles: vec![2] };
    Codes { name: name.into(), call: LearnCall::Kmeans { features, options } }
}

fn materialize(codes: Codes) -> Step {
    let labels = vec![LabelSource { codes, data: None, span: Span::NONE }];
    Step::Materialize(Materialize { latent: "Z".into(), labels, span: Span::NONE })
}

fn shop(optimizer: Optimizer) -> Workshop {
    let mut shop = Workshop::new();
    shop.graph = chain(false);
    std::fs::write(shop.folder.path().join("train"), ROWS).unwrap();
    std::fs::write(shop.folder.path().join("valid"), "11\n00\n").unwrap();
    let mut stage = stage("start", optimizer);
    stage.until = None;
    stage.fit.given = vec!["Z".into()];
    shop.recipe.steps = vec![materialize(codes("codes", 2, Clusters::Shared)), Step::Stage(Box::new(stage))];
    shop.labels = Labels {
        n_values: 2,
        positions: 2,
        labels: LABELS.concat(),
        centres: Centres { clusters: Clusters::Shared, width: 0, values: Vec::new() },
    };
    shop
}

fn stage_of(shop: &mut Workshop) -> &mut Stage {
    match &mut shop.recipe.steps[1] {
        Step::Stage(stage) => stage,
        other => panic!("{other:?}"),
    }
}

fn trained(shop: &Workshop) -> Params {
    match shop.run("out", &mut Watch::default()) {
        Ended::Done { params, .. } => params,
        other => panic!("{other:?}"),
    }
}

fn table_named<'p>(graph: &Graph, params: &'p Params, name: &str) -> &'p [f32] {
    let at = graph.params().iter().position(|param| param.name == name).unwrap();
    params.table(ParamId::new(at))
}

fn is_near(found: &[f32], wanted: &[f32]) {
    assert_eq!(found.len(), wanted.len());
    assert!(found.iter().zip(wanted).all(|(f, w)| (f - w).abs() < 1e-6), "{found:?} is not {wanted:?}");
}

#[test]
fn the_closed_form_counts_labels_and_values() {
    let shop = shop(Optimizer::Mle { pseudocount: 0.0, per: Per::Node });
    let params = trained(&shop);
    let of = |name| table_named(&shop.graph, &params, name);
    // Z[0] is 0 in three of four rows; after 0 comes 1 twice and 0 once, after 1 comes 1.
    is_near(of("start"), &[0.75, 0.25]);
    is_near(of("step"), &[1.0 / 3.0, 2.0 / 3.0, 0.0, 1.0]);
    // X[0] is 1, 1, 1 under Z[0] = 0 and 0 under 1; X[1] is 0 under Z[1] = 0 and 1, 1, 0 under 1.
    is_near(of("high"), &[1.0, 0.0]);
    is_near(of("low"), &[0.0, 2.0 / 3.0]);
}

#[test]
fn one_full_batch_of_em_given_labels_is_the_closed_form() {
    let options = EmOptions {
        batch: BatchSize::Full,
        epochs: 1,
        step: Schedule::Constant(1.0),
        pseudocount: 0.5,
        per: Per::Node,
        start: Start::Exponential,
        rule: Rule::Even,
        soften: 0.0,
        entropy: 0.0,
    };
    let by_em = shop(Optimizer::Em(options));
    let closed = shop(Optimizer::Mle { pseudocount: 0.5, per: Per::Node });
    let (a, b) = (trained(&by_em), trained(&closed));
    is_near(a.values(), b.values());
}

#[test]
fn a_part_is_trained_alone_and_labels_train_what_is_over_them() {
    let options = Optimizer::Mle { pseudocount: 0.0, per: Per::Node };
    let mut shop = shop(options);
    stage_of(&mut shop).fit.part = Some("low".into());
    let mut top = stage("top", em(1));
    top.until = None;
    top.fit.data = TrainOn::Codes(Box::new(codes("codes", 2, Clusters::Shared)));
    if let Optimizer::Em(em) = &mut top.fit.optimizer {
        (em.batch, em.step, em.pseudocount) = (BatchSize::Full, Schedule::Constant(1.0), 0.0);
    }
    shop.recipe.steps.push(Step::Stage(Box::new(top)));
    let params = trained(&shop);
    let of = |name| table_named(&shop.graph, &params, name);
    is_near(of("low"), &[0.0, 2.0 / 3.0]);
    is_near(of("start"), &[0.75, 0.25]);
    is_near(of("step"), &[1.0 / 3.0, 2.0 / 3.0, 0.0, 1.0]);
    let high = of("high");
    assert!((high[0] - 1.0).abs() > 1e-3, "labels say nothing of X: {high:?}");
}

#[test]
fn a_missing_label_is_summed_out_by_em_and_refused_by_the_closed_form() {
    let mut closed = shop(Optimizer::Mle { pseudocount: 0.0, per: Per::Node });
    closed.labels.labels[3] = MISSING;
    assert_eq!(fault(&closed).code, "unsupported-learner");
    let mut by_em = shop(em(3));
    by_em.labels.labels[3] = MISSING;
    assert!(trained(&by_em).values().iter().all(|theta| theta.is_finite()));
}

fn fault(shop: &Workshop) -> Diagnostic {
    shop.with("out", |setting| {
        let plan = RecipePlan::new(setting)?;
        run(&plan, setting, &mut Watch::default())
    })
    .unwrap_err()
}

#[test]
fn labels_that_do_not_fit_are_refused_before_anything_runs() {
    let refused = |change: &dyn Fn(&mut Workshop), code: &str| {
        let mut shop = shop(em(1));
        change(&mut shop);
        assert_eq!(shop.with("out", RecipePlan::new).unwrap_err().code, code);
    };
    refused(&|shop| shop.labels.n_values = 3, "codes-out-of-range");
    refused(&|shop| shop.labels.positions = 4, "data-shape");
    refused(&|shop| shop.labels.labels.truncate(6), "data-shape");
    refused(&|shop| stage_of(shop).until = stage("start", em(1)).until, "labels-missing");
    refused(&|shop| drop(shop.recipe.steps.remove(0)), "labels-missing");
    refused(&|shop| shop.graph = without_sums(), "latent-not-separating");
    refused(&|shop| shop.recipe.steps.insert(1, Step::Marginalize("Z".into(), Span::NONE)), "labels-missing");
}

#[test]
fn positions_that_share_a_table_need_labels_that_mean_the_same() {
    let apart = || materialize(codes("codes", 2, Clusters::PerPosition));
    let mut own = shop(em(1));
    own.recipe.steps[0] = apart();
    assert!(own.with("out", RecipePlan::new).is_ok(), "every position has tables of its own");
    let mut tied = shop(em(1));
    tied.graph = chain(true);
    tied.recipe.steps[0] = apart();
    assert_eq!(tied.with("out", RecipePlan::new).unwrap_err().code, "labels-not-shared");
    tied.recipe.steps[0] = materialize(codes("codes", 2, Clusters::Shared));
    assert!(tied.with("out", RecipePlan::new).is_ok());
}

/// Four pictures of 4 x 2 pixels, cut into two tiles that are labelled 0 or 1 of three values, and a circuit with a
/// copy for each value and tile.
pub(super) fn pictures() -> Workshop {
    let mut builder = GraphBuilder::new();
    builder.variables("X", &[4, 2], Domain::Bool, false);
    builder.variables("Z", &[2, 1], Domain::Cat(3), true);
    let family = pcc_ir::Family::Bernoulli(pcc_ir::family::Bernoulli);
    let mut tile = |number: u32| {
        let leaf = |builder: &mut GraphBuilder, var: u32| {
            let shape = ParamShape::Input { family, units: 1 };
            let (name, span) = (format!("leaf {var}"), Span::NONE);
            let param = Param { name, shape, span, groups: 3, initial: None, is_fixed: false, mask: None };
            let param = builder.param(param);
            builder.input(VarId(var), param, 3, Span::NONE).unwrap()
        };
        let leaves: Vec<LayerId> = (4 * number..4 * number + 4).map(|var| leaf(&mut builder, var)).collect();
        let copies = builder.product(&leaves, Span::NONE).unwrap();
        let indicator = builder.indicator(VarId(8 + number), 0, 1, 3, Span::NONE);
        let product = builder.product(&[copies, indicator], Span::NONE).unwrap();
        let param = table(&mut builder, &format!("of {number}"), ParamShape::Sum { rows: 1, columns: 3 });
        builder.sum(&[product], param, 1, Span::NONE).unwrap()
    };
    let tiles = [tile(0), tile(1)];
    let root = builder.product(&tiles, Span::NONE).unwrap();
    let mut shop = shop(em(2));
    shop.graph = builder.finish(root).unwrap();
    std::fs::write(shop.folder.path().join("train"), "11110000\n01110001\n00001111\n00000000\n").unwrap();
    std::fs::write(shop.folder.path().join("valid"), "11110000\n").unwrap();
    let options =
        KmeansOptions { k: 3, clusters: Clusters::Shared, seed: 0, restarts: 1, iterations: 1, batch: None };
    let features = Features::Tiles { data: "train".into(), tiles: vec![2, 1] };
    shop.recipe.steps[0] =
        materialize(Codes { name: "codes".into(), call: LearnCall::Kmeans { features, options } });
    shop.labels.n_values = 3;
    shop.labels.labels = vec![1, 0, 1, 0, 0, 1, 0, 0];
    shop
}

#[test]
fn a_stage_that_fell_apart_says_how() {
    let shop = pictures();
    let mut watch = Watch::default();
    shop.run("out", &mut watch);
    // Two tiles with three copies each, of which the third has no row.
    assert_eq!(watch.divided, Some(Divided { problems: 4, empty: 2 }));
}
