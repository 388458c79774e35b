//! Why steps run, running them again, and what their folders keep of the time.

use super::super::spent::Spent;
use super::*;

/// Why each step runs.
fn reasons(shop: &Workshop, out: &str) -> Vec<Vec<String>> {
    shop.plan(out).steps.iter().map(|step| step.reasons(&shop.out(out))).collect()
}

#[test]
fn reasons_name_what_changed() {
    let mut shop = Workshop::new();
    assert!(reasons(&shop, "out").iter().all(|of_step| of_step == &["nothing of it is kept"]));
    shop.run("out", &mut Watch::default());
    assert!(reasons(&shop, "out").iter().all(Vec::is_empty), "everything is done");
    let before = shop.recipe.clone();
    shop.recipe.steps[1] = Step::Stage(Box::new(stage("second", em(4))));
    let found = reasons(&shop, "out");
    assert!(found[0].is_empty());
    assert_eq!(found[1], ["`by.em.epochs` is 4, and was 3"]);
    assert_eq!(found[2], ["the parameters that it begins with changed"]);
    assert!(found[3].contains(&"the step 2, stage second changed".into()), "{:?}", found[3]);
    shop.recipe = before;
    shop.recipe.seed = 7;
    assert_eq!(reasons(&shop, "out")[0], ["`seed` is 7, and was 1"]);
    shop.recipe.seed = 1;
    std::fs::write(shop.folder.path().join("train"), rows(61, 3)).unwrap();
    assert_eq!(reasons(&shop, "out")[0], ["the data train changed"]);
}

#[test]
fn reasons_are_those_of_the_nearest_run() {
    let mut shop = Workshop::new();
    shop.run("out", &mut Watch::default());
    shop.recipe.steps[0] = Step::Stage(Box::new(stage("first", em(9))));
    shop.threads = 2;
    shop.run("out", &mut Watch::default());
    shop.threads = 1;
    assert_eq!(reasons(&shop, "out")[0].len(), 1, "either the epochs or the threads, and not both");
}

#[test]
fn an_interrupted_stage_and_a_lost_file_are_reasons() {
    let shop = Workshop::new();
    let cancel_in = Some(("stage first".into(), 3));
    shop.run("cut", &mut Watch { cancel_in, ..Watch::default() });
    assert_eq!(reasons(&shop, "cut")[0], ["it was interrupted after epoch 2"]);
    shop.run("whole", &mut Watch::default());
    std::fs::remove_file(shop.out("whole").join("samples.csv")).unwrap();
    assert_eq!(reasons(&shop, "whole")[3], ["`samples.csv` is gone"]);
}

#[test]
fn a_stage_is_run_again_when_it_is_asked_for() {
    let shop = Workshop::new();
    let first = shop.run("out", &mut Watch::default());
    let mut watch = Watch::default();
    let second = shop.with("out", |setting| {
        let mut plan = RecipePlan::new(setting).unwrap();
        assert!(!plan.run_again_from("third"), "there is no such stage");
        assert!(plan.run_again_from("second"));
        let done: Vec<bool> = plan.steps.iter().map(|step| step.is_done).collect();
        assert_eq!(done, [true, false, false, false]);
        assert!(plan.steps[1].seconds > 0.0);
        assert_eq!(plan.steps[1].reasons(&shop.out("out")), ["it was asked for again"]);
        run(&plan, setting, &mut watch).unwrap()
    });
    assert_eq!(watch.epochs, 3);
    assert_eq!(second, first);
    assert!(shop.plan("out").steps.iter().all(|step| step.is_done));
}

#[test]
fn a_stage_keeps_what_it_took() {
    let shop = Workshop::new();
    let cancel_in = Some(("stage first".into(), 5));
    shop.run("out", &mut Watch { cancel_in, ..Watch::default() });
    let of_first = || Spent::read(&shop.plan("out").steps[0].folder).unwrap();
    let before = of_first();
    assert_eq!(before.epochs.len(), 4);
    shop.run("out", &mut Watch::default());
    let after = of_first();
    assert_eq!(after.epochs[..4], before.epochs[..], "time goes on from where it was kept");
    assert!(after.epochs.is_sorted() && after.seconds >= after.epochs[5] && after.epochs[4] > before.seconds);
    // Six epochs of 60 rows over 36 edges.
    assert_eq!(after.edge_visits, 6 * 60 * 36);
    let lines = shop.plan("out").steps[0].folder.read("metrics.jsonl").unwrap();
    let line: serde_json::Value = serde_json::from_str(lines.lines().nth(1).unwrap()).unwrap();
    assert_eq!(line["edge_visits"], 2 * 60 * 36);
}
