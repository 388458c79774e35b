//! Loading programs, and what their items say apart from circuits.

use pcc_diag::{Diagnostic, Sink, Sources};
use pcc_front::*;
use pcc_ir::recipe::*;
use pcc_ir::{Domain, LayerKind, VarGroup};
use std::collections::BTreeMap;

/// Files by path; learners find nothing.
struct Files(BTreeMap<&'static str, &'static str>);

impl World for Files {
    fn read(&self, path: &str) -> Result<String, String> {
        self.0.get(path).map(|text| text.to_string()).ok_or_else(|| "no such file".to_string())
    }

    fn learned(
        &self,
        _: &LearnRequest,
        _: &[DataSource],
        _: &[VarGroup],
    ) -> Result<Option<Learned>, Diagnostic> {
        Ok(None)
    }
}

fn loaded(files: &[(&'static str, &'static str)]) -> (Program, Sources, Sink, Files) {
    let world = Files(files.iter().copied().collect());
    let (mut sources, mut sink) = (Sources::new(), Sink::new());
    let program = load(files[0].0, &world, &mut sources, &mut sink);
    (program, sources, sink, world)
}

fn one(text: &'static str) -> (Program, Settings) {
    let (program, _, sink, _) = loaded(&[("m.pc", text)]);
    assert!(sink.found().is_empty(), "{:#?}", sink.found());
    (program, Settings::plain())
}

fn codes(sink: &Sink) -> Vec<&'static str> {
    sink.found().iter().map(|d| d.code).collect()
}

fn overriding(name: &str, value: &str) -> Settings {
    Settings { overrides: vec![(name.into(), value.into())], ..Settings::plain() }
}

#[test]
fn imports_are_paths_from_the_importing_file() {
    let (program, _, sink, world) = loaded(&[
        ("models/main.pc", "import parts/leaf.{pair}\nvars X[2] : bool\ncircuit M = pair(X[0], X[1])\n"),
        (
            "models/parts/leaf.pc",
            "import ../shared as s\nfn pair(a: var, b: var) -> layer[1] { s.both(a, b) }\n",
        ),
        ("models/shared.pc", "fn both(a: var, b: var) -> layer[1] { prod(input[1](a), input[1](b)) }\n"),
    ]);
    assert!(sink.found().is_empty(), "{:#?}", sink.found());
    let mut sink = Sink::new();
    let elaborated = elaborate(&program, "M", &world, &Settings::plain(), &mut sink);
    assert_eq!(elaborated.map(|e| e.graph.n_layers()), Some(3), "{:#?}", sink.found());
}

#[test]
fn imports_that_lead_nowhere_are_named() {
    let (_, _, sink, _) =
        loaded(&[("main.pc", "import std/tres.{path}\nimport gone\nimport std/trees.{pth}\n")]);
    assert_eq!(codes(&sink), ["unknown-module", "unknown-module", "unknown-import"]);
    let helps: Vec<_> = sink.found().iter().map(|d| d.help.clone().unwrap_or_default()).collect();
    assert_eq!(helps[0], "did you mean `std/trees`?");
    assert!(helps[1].contains("`gone.pc`"), "{helps:?}");
    assert_eq!(helps[2], "did you mean `path`?");
}

#[test]
fn circles_of_imports_are_reported_once() {
    let (_, _, sink, _) =
        loaded(&[("a.pc", "import b\nvars X : bool\n"), ("b.pc", "import c\n"), ("c.pc", "import b\n")]);
    assert_eq!(codes(&sink), ["import-cycle"]);
    assert!(sink.found()[0].message.contains("`b.pc`, `c.pc`"), "{:?}", sink.found());
    assert_eq!(sink.found()[0].labels.len(), 2);
}

#[test]
fn a_root_that_is_not_there_is_an_error() {
    let world = Files(BTreeMap::new());
    let (mut sources, mut sink) = (Sources::new(), Sink::new());
    let program = load("gone.pc", &world, &mut sources, &mut sink);
    assert_eq!(codes(&sink), ["unreadable-file"]);
    assert!(program.root().is_none());
    assert!(elaborate(&program, "M", &world, &Settings::plain(), &mut sink).is_none());
    assert_eq!(codes(&sink), ["unreadable-file", "unknown-circuit"]);
}

#[test]
fn variables_have_domains_and_extents() {
    let (program, settings) =
        one("const N = 4\nvars A, X[N, 2 * N] : cat(N * N)\nvars D : int(0 - 3 .. 3)\nlatent Z[N] : bool\n");
    let groups = variables(&program, &settings, &mut Sink::new());
    let shown: Vec<_> =
        groups.iter().map(|g| (g.name.as_str(), g.extents.clone(), g.domain, g.is_latent)).collect();
    assert_eq!(
        shown,
        [
            ("A", vec![], Domain::Cat(16), false),
            ("X", vec![4, 8], Domain::Cat(16), false),
            ("D", vec![], Domain::Int(-3, 3), false),
            ("Z", vec![4], Domain::Bool, true),
        ]
    );
    let groups = variables(&program, &overriding("N", "2 + 1"), &mut Sink::new());
    assert_eq!((groups[1].extents.clone(), groups[1].domain), (vec![3, 6], Domain::Cat(9)));
}

#[test]
fn settings_that_set_nothing_are_reported() {
    let (program, _) = one("const K = 4\nvars X : bool\n");
    let mut sink = Sink::new();
    check_settings(&program, &overriding("k", "3"), &mut sink);
    assert_eq!(codes(&sink), ["unknown-setting"]);
    assert_eq!(sink.found()[0].help.as_deref(), Some("did you mean `K`?"));
    let mut sink = Sink::new();
    variables(&program, &overriding("K", "3 +"), &mut sink);
    assert_eq!(codes(&sink), ["bad-setting"]);
}

#[test]
fn data_sources_have_readers_with_their_options() {
    let (program, settings) =
        one("vars X[2, 3] : cat(9)\nvars Y : real\nvars W[8] : token(50)\nlatent Z : cat(3)\n\
         data a : X from idx(\"a.idx.gz\", rows = 10 .. 20)\n\
         data b : [X, Y] from csv(\"b.csv\", header = true, separator = \";\")\n\
         data c : W from text(\"c.txt\", stride = 4, by = character)\n\
         data d : W from text(\"d.txt\", window = 8)\n\
         data e : embedding(Z, 768) from npy(\"e.npy\")\n\
         data f : X from npz(\"f.npz\", array = \"images\")\n");
    let mut sink = Sink::new();
    let found = data_sources(&program, &settings, &mut sink);
    assert!(sink.found().is_empty(), "{:#?}", sink.found());
    let names: Vec<_> = found.iter().map(|s| s.name.as_str()).collect();
    assert_eq!(names, ["a", "b", "c", "d", "f"], "embeddings hold no values of variables");
    assert_eq!((&found[0].reader, found[0].rows), (&Reader::Idx, Rows { start: 10, end: Some(20) }));
    assert_eq!(found[1].variables, ["X", "Y"]);
    assert_eq!(found[1].reader, Reader::Csv { has_header: true, separator: ';' });
    let text = |i: usize| match &found[i].reader {
        Reader::Text(options) => options.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!((text(2).window, text(2).stride, text(2).by_character), (8, 4, true));
    assert_eq!(
        (text(3).stride, text(3).vocabulary_of.as_str()),
        (8, "c"),
        "the first text makes the vocabulary"
    );
    assert_eq!(found[4].reader, Reader::Npz { array: "images".into() });
}

#[test]
fn weights_belong_to_the_rows_they_weigh() {
    let (program, settings) = one("vars X[4] : bool\ndata train : X from npy(\"x.npy\")\n\
         data valid : X from npy(\"v.npy\")\n\
         data w : weights(train) from csv(\"w.csv\", header = true, rows = 5 .. 9)\n\
         circuit M = prod(for v in X: input[1](v))\n\
         recipe go() for M {\n  fit M on train by em(epochs = 2, weights = w)\n  fit M on train by mle()\n}\n\
         recipe wrong() for M {\n  fit M on valid by mle(weights = w)\n}\n");
    let mut sink = Sink::new();
    let found = weight_sources(&program, &settings, &mut sink);
    assert!(sink.found().is_empty(), "{:#?}", sink.found());
    assert_eq!(
        (found[0].name.as_str(), found[0].of.as_str(), found[0].path.as_str()),
        ("w", "train", "w.csv")
    );
    assert_eq!(found[0].reader, Reader::Csv { has_header: true, separator: ',' });
    assert_eq!(found[0].rows, Rows { start: 5, end: Some(9) });
    assert_eq!(data_sources(&program, &settings, &mut sink).len(), 2, "weights are no rows of values");
    let steps = recipes(&program, &settings, &mut sink).remove(0).steps;
    let weights = |step: &Step| match step {
        Step::Stage(stage) => stage.fit.weights.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(steps.iter().map(weights).collect::<Vec<_>>(), [Some("w".into()), None]);
    assert_eq!(codes(&sink), ["bad-weight"]);
    assert_eq!(sink.found()[0].message, "`w` weighs the rows of `train`, not those of `valid`");
}

#[test]
fn only_recipes_that_can_run_are_held_to_their_options() {
    let (program, settings) =
        one("vars A : bool\ndata d : A from bits(\"d\")\ncircuit M = bernoulli(A, 0.5)\n\
         recipe ready(n: int = 3) for M {\n  fit M on d by em(epochs = n, step = 2.0)\n}\n\
         recipe waiting(m: int) for M {\n  fit M on d by em(epochs = m, step = 3.0)\n}\n");
    let messages = |settings: &Settings| {
        let mut sink = Sink::new();
        check_recipes(&program, settings, &mut sink);
        sink.found().iter().map(|fault| fault.message.clone()).collect::<Vec<_>>()
    };
    let [two, three] = ["2", "3"].map(|x| format!("a step size is between 0 and 1, not {x}"));
    assert_eq!(messages(&settings), std::slice::from_ref(&two));
    assert_eq!(messages(&overriding("m", "5")), [two, three]);
}

#[test]
fn faulty_data_is_reported_and_left_out() {
    let (program, settings) = one("vars X[4] : bool\n\
         data a : X from cvs(\"a\")\n\
         data b : X from npz(\"b\")\n\
         data c : X[0 .. 2] from npy(\"c\")\n\
         data d : X from text(\"d\", window = 5)\n\
         data e : X from csv(\"e\", sep = \";\")\n\
         data f : X from bits(\"f\", rows = 5 .. 5)\n\
         data g : X from bits(\"g\")\n");
    let mut sink = Sink::new();
    let found = data_sources(&program, &settings, &mut sink);
    assert_eq!(found.len(), 1);
    let expected =
        ["unknown-reader", "missing-argument", "data-shape", "data-shape", "unknown-argument", "bad-option"];
    assert_eq!(codes(&sink), expected);
}

#[test]
fn learners_are_requests_with_their_arguments() {
    let (program, settings) = one("import std/trees.{chow_liu}\nimport std/cluster.{kmeans}\n\
         vars X[4, 4] : bool\nlatent Z[2, 2] : cat(3)\n\
         data train : X from npy(\"train.npy\")\n\
         data teach : embedding(Z, 16) from npy(\"teach.npy\")\n\
         learn whole = chow_liu(train, max_rows = 100, bits = 2, pseudocount = 0.5, root = first)\n\
         learn many = chow_liu(train, trees = 4, every = 2)\n\
         learn tiles = chow_liu(train.tiles(Z))\n\
         learn each = [for z in Z: chow_liu(train.tile(z))]\n\
         learn codes = kmeans(teach, k = 3, seed = 2, per = all)\n\
         learn top = chow_liu(codes)\n");
    let mut sink = Sink::new();
    let found = learn_requests(&program, &settings, &mut sink);
    assert!(sink.found().is_empty(), "{:#?}", sink.found());
    let names: Vec<_> = found.iter().map(|r| r.name.as_str()).collect();
    assert_eq!(names, ["whole", "many", "tiles", "each[0]", "each[1]", "each[2]", "each[3]", "codes", "top"]);
    let options = ChowLiuOptions {
        max_rows: Some(100),
        bits: Some(2),
        pseudocount: 0.5,
        trees: 1,
        every: 1,
        root: RootChoice::First,
    };
    assert_eq!(found[0].call, LearnCall::ChowLiu { data: DataView::Whole("train".into()), options });
    let view = |i: usize| match &found[i].call {
        LearnCall::ChowLiu { data, .. } => data.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(view(2), DataView::Tiles { data: "train".into(), tiles: vec![2, 2] });
    assert_eq!(view(5), DataView::Tile { data: "train".into(), tiles: vec![2, 2], index: 2 });
    let LearnCall::Kmeans { features: Features::Array(source), options } = &found[7].call else { panic!() };
    assert_eq!((source.name.as_str(), source.latent.as_str()), ("teach", "Z"));
    assert_eq!((source.positions, source.width), (4, 16));
    assert_eq!((options.k, options.seed, options.clusters), (3, 2, Clusters::Shared));
    let of_codes =
        matches!(&found[8].call, LearnCall::ChowLiuOfCodes { codes, .. } if codes.call == found[7].call);
    assert!(of_codes);
}

#[test]
fn what_is_not_learned_is_a_note_and_no_graph() {
    let (program, settings) = one("import std/trees.{chow_liu}\nimport std/hclt.{Hclt}\nvars X[4] : bool\n\
         data train : X from npy(\"train.npy\")\nlearn tree = chow_liu(train)\n\
         circuit M = Hclt[K = 2](X, tree)\n");
    let mut sink = Sink::new();
    assert!(elaborate(&program, "M", &Files(BTreeMap::new()), &settings, &mut sink).is_none());
    assert_eq!(codes(&sink), ["not-elaborated"]);
    assert!(!sink.has_errors());
}

#[test]
fn recipes_are_steps_with_numbers() {
    let (program, _) = one(
        "vars X[4] : bool\ndata train : X from npy(\"train.npy\")\ndata valid : X from npy(\"valid.npy\")\n\
         circuit M = prod(for v in X: input[1](v))\n\
         recipe go(seed: int = 3, n: int = 20) for M {\n  let rows = 2 * n\n  stage one {\n\
         fit M on train by em(batch = rows, epochs = n, step = linear(0.9 -> 0.1), pseudocount = 0.5, per = cell)\n\
         until plateau(valid.bpd, patience = 3, min_delta = 0.01)\n    then prune(below = 1e-3)\n  }\n\
         fit M on train by mle(pseudocount = 1)\n\
         fit M on train by em(batch = 8 -> 64, start = uniform(0.1), step = 0.5)\n\
         fit M on train by anemone(epochs = 3, momentum = 0.5)\n\
         fit M on train by em(soften = 0.002, entropy = 0.001)\n\
         evaluate on valid: bpd, ll, perplexity\n\
         report \"r.json\", samples(64, to = \"s.png\"), inpaint(valid, count = 4, to = \"i.png\")\n}\n",
    );
    let mut sink = Sink::new();
    let found = recipes(&program, &overriding("n", "10"), &mut sink);
    assert!(sink.found().is_empty(), "{:#?}", sink.found());
    let recipe = &found[0];
    assert_eq!((recipe.name.as_str(), recipe.circuit.as_str(), recipe.seed), ("go", "M", 3));
    let stage = |i: usize| match &recipe.steps[i] {
        Step::Stage(stage) => stage.clone(),
        other => panic!("{other:?}"),
    };
    let em = EmOptions {
        batch: BatchSize::Rows(20),
        epochs: 10,
        step: Schedule::Linear(0.9, 0.1),
        pseudocount: 0.5,
        per: Per::Cell,
        start: Start::Exponential,
        rule: Rule::Even,
        soften: 0.0,
        entropy: 0.0,
    };
    assert_eq!(stage(0).fit.optimizer, Optimizer::Em(em));
    let until = stage(0).until.expect("an until");
    assert_eq!((until.metric, until.patience, until.min_delta), (Metric::BitsPerDimension, 3, 0.01));
    assert_eq!(stage(0).then[0].0, Change::PruneBelow(1e-3));
    assert_eq!(stage(1).name, "fit");
    assert_eq!(stage(1).fit.optimizer, Optimizer::Mle { pseudocount: 1.0, per: Per::Node });
    assert_eq!(stage(2).name, "fit_2");
    let Optimizer::Em(em) = stage(2).fit.optimizer else { panic!("em") };
    assert_eq!(
        (em.batch, em.start, em.step),
        (BatchSize::Growing(8, 64), Start::Uniform(0.1), Schedule::Constant(0.5))
    );
    let Optimizer::Em(em) = stage(3).fit.optimizer else { panic!("em") };
    assert_eq!((em.batch, em.epochs, em.step), (BatchSize::Rows(512), 3, Schedule::Constant(0.4)));
    assert_eq!((em.pseudocount, em.rule), (1e-6, Rule::Anemone { momentum: 0.5 }));
    let Optimizer::Em(em) = stage(4).fit.optimizer else { panic!("em") };
    assert_eq!((em.soften, em.entropy), (0.002, 0.001));
    let Step::Evaluate(evaluate) = &recipe.steps[5] else { panic!("evaluate") };
    assert_eq!(evaluate.metrics, [Metric::BitsPerDimension, Metric::LogLikelihood, Metric::Perplexity]);
    let Step::Report(outputs, _) = &recipe.steps[6] else { panic!("report") };
    let inpaint = Output::Inpaint { data: "valid".into(), count: 4, to: "i.png".into() };
    assert_eq!(outputs[0], Output::Json("r.json".into()));
    assert_eq!(outputs[2], inpaint);
}

#[test]
fn faulty_recipes_are_reported() {
    let head = "vars X[4] : bool\ndata train : X from npy(\"train.npy\")\ncircuit M = prod(for v in X: input[1](v))\n";
    let cases = [
        ("unknown-circuit", "recipe go() for N { fit M on train by em() }"),
        ("unknown-word", "recipe go() for M { fit M on train by ems() }"),
        ("unknown-argument", "recipe go() for M { fit M on train by em(epoch = 3) }"),
        ("bad-option", "recipe go() for M { fit M on train by em(step = 1.5) }"),
        ("bad-option", "recipe go() for M { fit M on train by em(step = linear(0.5)) }"),
        ("bad-option", "recipe go() for M { fit M on train by anemone(momentum = 1) }"),
        ("unknown-argument", "recipe go() for M { fit M on train by em(momentum = 0.5) }"),
        ("unknown-argument", "recipe go() for M { fit M on train by anemone(entropy = 0.5) }"),
        ("bad-option", "recipe go() for M { fit M on train by em(soften = 1) }"),
        ("bad-option", "recipe go() for M { stage s { fit M on train by em() then prune() } }"),
        (
            "bad-option",
            "recipe go() for M { stage s { fit M on train by em() then prune(below = 0.1, keep = 0.5) } }",
        ),
        ("bad-option", "recipe go() for M { stage s { fit M on train by em() then prune(keep = 0) } }"),
        ("bad-option", "recipe go() for M { stage s { fit M on train by em() then prune(keep = 1.5) } }"),
        ("unknown-argument", "recipe go() for M { stage s { fit M on train by em() then grow(by = 2) } }"),
        ("unknown-word", "recipe go() for M { stage s { fit M on train by em() then shrink() } }"),
        ("unknown-metric", "recipe go() for M { evaluate on train: bits }"),
        ("stage-form", "recipe go() for M { stage one { then grow() } }"),
        ("missing-argument", "recipe go() for M { report samples(64) }"),
        ("missing-argument", "recipe go(n: int) for M { fit M on train by em(epochs = n) }"),
        ("kind-mismatch", "recipe go() for M { fit M on X by em() }"),
    ];
    for (code, recipe) in cases {
        let world = Files(BTreeMap::new());
        let (mut sources, mut sink) = (Sources::new(), Sink::new());
        let text = format!("{head}{recipe}\n");
        let program = load("m.pc", &Text(&text, world), &mut sources, &mut sink);
        let found = recipes(&program, &Settings::plain(), &mut sink);
        assert_eq!(codes(&sink), [code], "{recipe}: {:#?}", sink.found());
        assert!(found.is_empty(), "{recipe}");
    }
}

/// A world of one text.
struct Text<'t>(&'t str, Files);

impl World for Text<'_> {
    fn read(&self, _: &str) -> Result<String, String> {
        Ok(self.0.to_string())
    }

    fn learned(
        &self,
        request: &LearnRequest,
        sources: &[DataSource],
        variables: &[VarGroup],
    ) -> Result<Option<Learned>, Diagnostic> {
        self.1.learned(request, sources, variables)
    }
}

#[test]
fn labels_are_for_the_grid_of_their_latent() {
    let head = "import std/cluster.{kmeans}\nvars X[4, 6, 3] : cat(16)\nlatent Z[2, 3] : cat(4)\n\
                latent Y[3, 2] : cat(4)\nlatent L[6] : cat(4)\ndata train : X from npy(\"train.npy\")\n\
                teacher vq = vq_vae(patch = (2, 2), codes = 4) on train\n\
                teacher mae = masked_autoencoder(patch = (2, 2)) on train\n\
                learn book = vq.codes(train)\n\
                learn codes = kmeans(mae.features(train, context = ancestors), k = 4)\n\
                learn tiles = kmeans(train.tiles(Y), k = 4)\n\
                circuit M = prod(for v in X: input[1](v))\n";
    let cases = [
        ("Z", "book", None),
        ("Z", "codes", None),
        ("L", "codes", None),
        ("Y", "book", Some("data-shape")),
        ("Y", "codes", Some("data-shape")),
        ("Z", "tiles", Some("tiles-do-not-divide")),
    ];
    for (latent, labels, fault) in cases {
        let world = Files(BTreeMap::new());
        let (mut sources, mut sink) = (Sources::new(), Sink::new());
        let text = format!("{head}recipe go() for M {{ materialize {latent} from {labels} }}\n");
        let program = load("m.pc", &Text(&text, world), &mut sources, &mut sink);
        recipes(&program, &Settings::plain(), &mut sink);
        assert_eq!(codes(&sink), Vec::from_iter(fault), "{latent} {labels}: {:#?}", sink.found());
    }
}

#[test]
fn claims_have_properties_and_places() {
    let (program, settings) = one("vars A, B : bool\nlatent Z : cat(2)\nconstraint F(A, B) = A => B\n\
         circuit M = sum[1](prod(A, B), prod(not A, B))\ncircuit N = prod(A, B)\n\
         circuit L = sum[1](prod(input[2](A), input[2](B))) by Z\n\
         assert M: smooth, supports(F), structured_by(balanced([A, B])), compatible(with = N), params <= 2 * 2\n\
         assert L: deterministic given Z\n");
    let mut sink = Sink::new();
    let found = assertions(&program, &Files(BTreeMap::new()), &settings, &mut sink);
    assert!(sink.found().is_empty(), "{:#?}", sink.found());
    assert_eq!(found.len(), 6);
    let Property::Supports(formula) = &found[1].property else { panic!("supports") };
    let models = (0..4_u32).filter(|bits| formula.holds(&|v| bits >> v.0 & 1 == 1)).count();
    assert_eq!(models, 3, "an implication fails in one case of four");
    assert!(matches!(&found[2].property, Property::StructuredBy(vtree) if vtree.vars().len() == 2));
    assert!(matches!(&found[3].property, Property::CompatibleWith(n) if n == "N"));
    let Property::Size { what, op, limit } = found[4].property else { panic!("size") };
    assert_eq!((what, op, limit), (Size::Params, Bound::AtMost, 4));
    assert!(matches!(&found[5].property, Property::Deterministic { given } if given == &["Z"]));
    assert_eq!(program.text(found[4].span), "params <= 2 * 2");
}

/// A table has as many copies as the place of its declaration, and a layer of G groups reads table
/// `g * copies / G`: outer copies keep tables of their own, inner ones share.
#[test]
fn tables_have_the_copies_of_their_declaration() {
    let (program, settings) = one("vars X : cat(3)\n\
         structure Middle(X: var) -> layer[10] {\n  param emit\n\
         copies[5](sum[2](input[4](X) with emit))\n}\n\
         circuit M = sum[1](copies[2](sum[1](Middle(X))))\n");
    let mut sink = Sink::new();
    let graph =
        elaborate(&program, "M", &Files(BTreeMap::new()), &settings, &mut sink).expect("a circuit").graph;
    let copies: Vec<(u32, u32, u32)> = graph
        .layer_ids()
        .map(|id| graph.layer(id))
        .filter_map(|l| l.kind.param().map(|p| (l.groups, l.width, graph.param(p).groups)))
        .collect();
    // The input's table is declared inside the outer copies and outside the inner ones.
    assert_eq!(copies, [(10, 4, 2), (10, 2, 10), (2, 1, 2), (1, 1, 1)]);
    assert_eq!(graph.params()[0].name, "emit");
    // Widths inside are those of one copy: 5 copies of 2 units are 10, mixed into 1; 2 copies of that into 1.
    let shapes: Vec<usize> = graph.params().iter().map(|p| p.group_len()).collect();
    assert_eq!(shapes, [12, 8, 10, 2]);
}

#[test]
fn written_numbers_lie_as_tables_do() {
    let (program, settings) = one("vars X : cat(3)\nvars R : real\n\
         circuit M = sum[1](prod(\n\
         input[2](X) with [[0.5, 0.25, 0.25], [0.1, 0.2, 0.7]],\n\
         input[2](R) with fixed([[0, 1], [2.5, 0.5]]),\n)) with [0.75, 0.25]\n");
    let mut sink = Sink::new();
    let graph =
        elaborate(&program, "M", &Files(BTreeMap::new()), &settings, &mut sink).expect("a circuit").graph;
    // One row for each value, units side by side.
    assert_eq!(graph.params()[0].initial, Some(vec![0.5, 0.1, 0.25, 0.2, 0.25, 0.7]));
    // All means, then all deviations.
    assert_eq!(graph.params()[1].initial, Some(vec![0.0, 2.5, 1.0, 0.5]));
    let held: Vec<bool> = graph.params().iter().map(|p| p.is_fixed).collect();
    assert_eq!(held, [false, true, false]);
}

#[test]
fn frames_lead_from_a_layer_to_the_circuit() {
    let (program, settings) = one("vars X[4] : bool\n\
         structure Pair[K: int](S: seq) -> layer[1] {\n\
         fn half(T: seq) -> layer[K] { prod(for v in T: input[K](v)) }\n\
         let unused = sum[1](half(S))\n\
         sum[1](prod(half(S[0 .. 2]), half(S[2 .. 4])))\n}\n\
         circuit M = Pair[K = 8](X)\n");
    let (world, mut sink) = (Files(BTreeMap::new()), Sink::new());
    let elaborated = elaborate(&program, "M", &world, &settings, &mut sink).expect("a circuit");
    let input = elaborated
        .graph
        .layer_ids()
        .find(|id| matches!(elaborated.graph.layer(*id).kind, LayerKind::Input { var, .. } if var.0 == 2))
        .expect("an input of X[2]");
    let frames = elaborated.frames(&program, "M", &world, &settings, input);
    let shown: Vec<_> = frames.iter().map(|f| format!("{} with {}", f.callee, f.arguments)).collect();
    assert_eq!(shown, ["half with T = X[2], X[3]", "Pair[K = 8] with S = X[0 .. 4]"]);
    assert_eq!(program.text(frames[1].span), "Pair[K = 8](X)");
}

#[test]
fn a_fault_carries_the_calls_that_led_to_it() {
    let (program, settings) = one("vars X[4] : bool\n\
         structure Walk(S: seq) -> layer[1] {\n\
         fn step(t: int) -> layer[1] { if t == 2 { S[t + 9] } else { sum[1](step(t + 1)) } }\n\
         step(0)\n}\n\
         circuit M = Walk(X)\n");
    let mut sink = Sink::new();
    assert!(elaborate(&program, "M", &Files(BTreeMap::new()), &settings, &mut sink).is_none());
    assert_eq!(codes(&sink), ["index-outside"]);
    let callees: Vec<_> = sink.found()[0].frames.iter().map(|f| f.callee.as_str()).collect();
    assert_eq!(callees, ["step", "step", "step", "Walk"]);
}

#[test]
fn a_bound_below_zero_is_refused() {
    let (program, settings) = one("vars A : bool\ncircuit M = A\nassert M: params > -1, layers <= 1\n");
    let mut sink = Sink::new();
    assert_eq!(assertions(&program, &Files(BTreeMap::new()), &settings, &mut sink).len(), 1);
    assert_eq!(codes(&sink), ["bad-option"]);
}

#[test]
fn budgets_end_what_would_not_end() {
    let (program, mut settings) = one("vars X[4] : bool\n\
         fn all(n: int) -> layer[1] { if n == 0 { X[0] } else { sum[1](all(n - 1), all(n - 1)) } }\n\
         circuit M = all(40)\n");
    settings.budget.layers = 10_000;
    let mut sink = Sink::new();
    assert!(elaborate(&program, "M", &Files(BTreeMap::new()), &settings, &mut sink).is_none());
    assert_eq!(codes(&sink), ["budget-spent"]);
    settings.budget = Budget { layers: 1_000_000, depth: 1_000, steps: 5_000 };
    let mut sink = Sink::new();
    assert!(elaborate(&program, "M", &Files(BTreeMap::new()), &settings, &mut sink).is_none());
    assert_eq!(codes(&sink), ["budget-spent"]);
    // With `memo` each of the 40 sums is built once.
    let (program, settings) = one("vars X[4] : bool\n\
         memo fn all(n: int) -> layer[1] { if n == 0 { X[0] } else { sum[1](all(n - 1), all(n - 1)) } }\n\
         circuit M = all(40)\n");
    let mut sink = Sink::new();
    let elaborated =
        elaborate(&program, "M", &Files(BTreeMap::new()), &settings, &mut sink).expect("a circuit");
    assert_eq!(elaborated.graph.n_layers(), 41);
}

#[test]
fn sizes_beyond_measure_are_refused() {
    for circuit in [
        "sum[1](input[2_000_000_000](X[0]))",
        "sum[1](copies[100_000](sum[1](input[100_000](X[0]))))",
        "sum[1](copies[2_000_000_000](literal(X[0], 1)))",
        "sum[1](outer(input[100_000](X[0]), input[100_000](X[1])))",
        "sum[1](sum[1_000_000](input[1_000_000](X[0])))",
        "sum[1](for i in 0 .. 1_000_000_000_000: X[0])",
        "sum[1](input[2](X[0])) with [0 .. 1_000_000_000_000]",
        "sum[1](for i in [0 .. 9] if i == [-4_000_000_000_000_000 .. 4_000_000_000_000_000]: X[i])",
    ] {
        let (mut sources, mut sink) = (Sources::new(), Sink::new());
        let text = format!("vars X[4] : cat(100)\ncircuit M = {circuit}\n");
        let world = Text(&text, Files(BTreeMap::new()));
        let program = load("m.pc", &world, &mut sources, &mut sink);
        let found = elaborate(&program, "M", &world, &Settings::plain(), &mut sink);
        assert!(found.is_none(), "{circuit}");
        let expected = if circuit.contains(" if ") { "empty-scope" } else { "budget-spent" };
        assert_eq!(codes(&sink), [expected], "{circuit}: {:#?}", sink.found());
    }
}

#[test]
fn natives_are_those_that_pcc_has() {
    let (program, settings) =
        one("native fn invert(f: formula) -> formula\nvars A : bool\ncircuit M = invert(A)\n");
    let mut sink = Sink::new();
    assert!(elaborate(&program, "M", &Files(BTreeMap::new()), &settings, &mut sink).is_none());
    assert_eq!(codes(&sink), ["unknown-native"]);
}

/// A lock of another program: its tree has too few variables.
#[test]
fn a_learned_tree_that_does_not_fit_is_refused() {
    struct Stale;
    impl World for Stale {
        fn read(&self, path: &str) -> Result<String, String> {
            Err(path.to_string())
        }
        fn learned(
            &self,
            _: &LearnRequest,
            _: &[DataSource],
            _: &[VarGroup],
        ) -> Result<Option<Learned>, Diagnostic> {
            Ok(Some(Learned::Tree(VarTree { parents: vec![None, Some(0)] })))
        }
    }
    let (program, settings) =
        one("import std/trees.{chow_liu}\nvars X[4] : bool\ndata train : X from npy(\"train.npy\")\n\
         learn tree = chow_liu(train)\ncircuit M = sum[1](tree.root)\n");
    let mut sink = Sink::new();
    assert!(elaborate(&program, "M", &Stale, &settings, &mut sink).is_none());
    assert_eq!(codes(&sink), ["stale-lock"]);
}

/// A formula, its vtree and the circuit of it have the same models, whatever the order of the vtree.
#[test]
fn a_psdd_has_the_models_of_its_formula() {
    let (program, settings) = one("import std/psdd.{Psdd}\nimport std/logic.{at_least}\nvars X[5] : bool\n\
         constraint F(X) = at_least(2, [for v in X: v]) and (X[0] => not X[3]) and (X[1] == X[4] or X[2])\n\
         circuit Balanced = Psdd(F, vt = balanced(X))\n\
         circuit Linear = Psdd(F, vt = right_linear(reverse(X)))\n\
         circuit Shuffled = Psdd(F, vt = left_linear(shuffle(X, key(3))))\n");
    let (world, mut sink) = (Files(BTreeMap::new()), Sink::new());
    let bit = |bits: u32, i: u32| bits >> i & 1 == 1;
    let holds = |bits: u32| {
        bits.count_ones() >= 2
            && (!bit(bits, 0) || !bit(bits, 3))
            && (bit(bits, 1) == bit(bits, 4) || bit(bits, 2))
    };
    for circuit in ["Balanced", "Linear", "Shuffled"] {
        let graph = elaborate(&program, circuit, &world, &settings, &mut sink).expect("a circuit").graph;
        for bits in 0..32 {
            assert_eq!(is_possible(&graph, &|v| bit(bits, v)), holds(bits), "{circuit} {bits:05b}");
        }
    }
}

/// Whether an assignment is possible by structure: a circuit of one-unit layers read as and/or.
fn is_possible(graph: &pcc_ir::Graph, value: &dyn Fn(u32) -> bool) -> bool {
    let mut possible = vec![false; graph.n_layers()];
    for id in graph.layer_ids() {
        let layer = graph.layer(id);
        let of = |c: &pcc_ir::LayerId| possible[c.index()];
        possible[id.index()] = match layer.kind {
            LayerKind::Literal { var, value: code } => value(var.0) == (code == 1),
            LayerKind::Input { .. } => true,
            LayerKind::Product => layer.children.iter().all(of),
            LayerKind::Sum { .. } => layer.children.iter().any(of),
            other => panic!("no {} in a PSDD", other.word()),
        };
    }
    possible[graph.root().index()]
}
