//! Rows with weights, against rows that stand in the file as often as their weights say.

use super::*;

/// Weights 2, 0, 1, 2, 0, 1, .. of `n` rows.
fn weight_of(row: usize) -> usize {
    [2, 0, 1][row % 3]
}

fn weights(shop: &Workshop, of: &str) -> WeightSource {
    WeightSource {
        name: format!("{of}_weights"),
        of: of.into(),
        path: format!("{of}_weights"),
        beside: shop.folder.path().to_string_lossy().into_owned(),
        reader: Reader::Csv { has_header: false, separator: ',' },
        rows: Default::default(),
        span: Span::NONE,
    }
}

/// One training stage with validation, whole batches, and weights on both data sets.
fn weighted() -> Workshop {
    let mut shop = Workshop::new();
    let Optimizer::Em(options) = em(4) else { unreachable!() };
    let mut stage = stage("first", Optimizer::Em(EmOptions { batch: BatchSize::Full, ..options }));
    stage.fit.weights = Some("train_weights".into());
    if let Some(until) = &mut stage.until {
        until.weights = Some("valid_weights".into());
    }
    shop.recipe.steps = vec![Step::Stage(Box::new(stage))];
    for (name, n) in [("train", 60), ("valid", 20)] {
        let lines: String = (0..n).map(|row| format!("{}\n", weight_of(row))).collect();
        std::fs::write(shop.out(&format!("{name}_weights")), lines).unwrap();
    }
    shop.weights = ["train", "valid"].map(|of| weights(&shop, of)).to_vec();
    shop
}

/// The same recipe without weights, on files in which every row stands as often as it counts.
fn repeated() -> Workshop {
    let mut shop = weighted();
    for name in ["train", "valid"] {
        let text = std::fs::read_to_string(shop.out(name)).unwrap();
        let again = |(row, line): (usize, &str)| format!("{line}\n").repeat(weight_of(row));
        let lines: String = text.lines().enumerate().map(again).collect();
        std::fs::write(shop.out(name), lines).unwrap();
    }
    if let Step::Stage(stage) = &mut shop.recipe.steps[0] {
        stage.fit.weights = None;
        stage.until.as_mut().unwrap().weights = None;
    }
    shop
}

fn trained(shop: &Workshop) -> Params {
    match shop.run("out", &mut Watch::default()) {
        Ended::Done { params, .. } => params,
        Ended::Cancelled { .. } => panic!("nobody cancels"),
    }
}

fn metrics(shop: &Workshop) -> Vec<f64> {
    let plan = shop.plan("out");
    let lines = plan.steps[0].folder.read("metrics.jsonl").unwrap();
    let line = |line: &str| -> serde_json::Value { serde_json::from_str(line).unwrap() };
    let numbers = |v: serde_json::Value| {
        ["train", "valid"].map(|of| v["metrics"][format!("{of}_log_likelihood")].as_f64().unwrap())
    };
    lines.lines().map(line).flat_map(numbers).collect()
}

#[test]
fn a_weight_counts_as_the_row_that_often() {
    let [weighted, repeated] = [weighted(), repeated()];
    let [found, expected] = [trained(&weighted), trained(&repeated)];
    for id in (0..weighted.graph.params().len()).map(pcc_ir::ParamId::new) {
        for (a, b) in found.table(id).iter().zip(expected.table(id)) {
            assert!((a - b).abs() < 1e-5, "{a} is not {b}");
        }
    }
    let [found, expected] = [metrics(&weighted), metrics(&repeated)];
    assert_eq!(found.len(), 8);
    assert!(found.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-5), "{found:?} {expected:?}");
}

#[test]
fn weights_are_part_of_the_key() {
    let shop = weighted();
    let key = |shop: &Workshop| shop.plan("out").steps[0].key.clone();
    let before = key(&shop);
    assert_eq!(key(&shop), before);
    let text = std::fs::read_to_string(shop.out("train_weights")).unwrap();
    std::fs::write(shop.out("train_weights"), text.replacen('2', "3", 1)).unwrap();
    let with_others = key(&shop);
    assert_ne!(with_others, before);
    std::fs::write(shop.out("valid_weights"), "1\n".repeat(20)).unwrap();
    assert_ne!(key(&shop), with_others);
}

#[test]
fn what_is_no_weight_is_refused_before_anything_runs() {
    let ones = |n: usize| "1\n".repeat(n);
    let cases = [
        (ones(59), "data-shape", "`train_weights` has 59 weights, but `train` has 60 rows"),
        (ones(61), "data-shape", "61 weights"),
        (ones(59) + "-0.5\n", "bad-weight", "row 60 of `train_weights` has the weight -0.5"),
        (ones(59) + "nan\n", "bad-weight", "row 60 of `train_weights` has no weight"),
        (ones(59) + "inf\n", "bad-weight", "line 60"),
        (ones(59) + "much\n", "bad-weight", "line 60"),
        ("0\n".repeat(60), "bad-weight", "all zero"),
        ("1,1\n".repeat(60), "data-shape", "2 fields"),
    ];
    for (text, code, message) in cases {
        let shop = weighted();
        std::fs::write(shop.out("train_weights"), &text).unwrap();
        let fault = shop.with("out", RecipePlan::new).unwrap_err();
        assert_eq!(fault.code, code, "{}", fault.message);
        assert!(fault.message.contains(message), "{}", fault.message);
        assert!(!shop.out("out").exists());
    }
}

#[test]
fn rows_of_weights_are_counted_in_their_file() {
    let mut shop = weighted();
    let text = std::fs::read_to_string(shop.out("train_weights")).unwrap();
    std::fs::write(shop.out("train_weights"), format!("7\n7\n{text}")).unwrap();
    let whole = shop.with("out", RecipePlan::new).unwrap_err();
    assert_eq!(whole.code, "data-shape");
    shop.weights[0].rows = Rows { start: 2, end: Some(62) };
    let found = shop.with("out", |setting| setting.data.weights("train_weights")).unwrap();
    assert_eq!(&found.values()[..4], [2.0, 0.0, 1.0, 2.0]);
    std::fs::write(shop.out("train_weights"), format!("7\n7\n-1\n{}", &text[2..])).unwrap();
    let fault = shop.with("out", RecipePlan::new).unwrap_err();
    assert!(fault.message.contains("row 3 of"), "{}", fault.message);
}
