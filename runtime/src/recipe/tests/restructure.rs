//! Stages that prune and grow: what later steps see, what is kept, how an interrupted run goes on.

use super::*;
use pcc_ir::recipe::Change;

fn changing(changes: &[Change]) -> Workshop {
    let mut shop = Workshop::new();
    let Step::Stage(first) = &mut shop.recipe.steps[0] else { panic!("a stage") };
    first.then = changes.iter().map(|&change| (change, Span::NONE)).collect();
    shop
}

const BOTH: [Change; 2] = [Change::PruneKeep(0.5), Change::Grow(0.3)];

fn finish(shop: &Workshop, out: &str) -> (Graph, Params) {
    match shop.run(out, &mut Watch::default()) {
        Ended::Done { graph, params, .. } => (*graph, params),
        Ended::Cancelled { step } => panic!("nobody cancelled `{step}`"),
    }
}

fn root_width(graph: &Graph) -> usize {
    graph.n_units(graph.children(graph.root())[0])
}

#[test]
fn later_steps_go_on_with_the_circuit_that_a_stage_leaves() {
    for (changes, width) in [
        (&[Change::PruneKeep(0.5)][..], 2),
        (&[Change::Grow(0.3)], 8),
        (&BOTH, 4),
        (&[Change::Grow(0.0), Change::PruneKeep(0.25)], 2),
        (&[Change::PruneBelow(1.0)], 1),
    ] {
        let shop = changing(changes);
        let (graph, params) = finish(&shop, "out");
        // Of the four components, or of eight, so many are left; then they double.
        assert_eq!(root_width(&graph), width, "{changes:?}");
        assert_eq!(params.values().len() as u64, graph.n_parameters());
        let report: serde_json::Value =
            serde_json::from_str(&std::fs::read_to_string(shop.out("out/report.json")).unwrap()).unwrap();
        let told = &report["steps"][0]["changes"];
        assert_eq!(told.as_array().map(Vec::len), Some(changes.len()), "{told}");
        assert_eq!(told[0]["parameters"][0], shop.graph.n_parameters());
        assert_eq!(told[changes.len() - 1]["parameters"][1], graph.n_parameters());
        assert_eq!(report["parameters"], graph.n_parameters());
    }
}

#[test]
fn a_finished_change_is_read_and_not_made_again() {
    let shop = changing(&BOTH);
    let (graph, params) = finish(&shop, "out");
    let mut watch = Watch::default();
    let Ended::Done { graph: again, params: same, .. } = shop.run("out", &mut watch) else {
        panic!("nobody cancelled")
    };
    assert_eq!((watch.epochs, &same), (0, &params));
    assert!(again.n_parameters() == graph.n_parameters() && root_width(&again) == root_width(&graph));
}

#[test]
fn a_run_that_was_cut_off_after_a_change_ends_with_the_same_bits() {
    let shop = changing(&BOTH);
    let (_, expected) = finish(&shop, "whole");
    for (step, epoch) in [("stage first", 3), ("stage second", 1), ("stage second", 2)] {
        let out = format!("cut {step} {epoch}");
        let mut watch = Watch { cancel_in: Some((step.into(), epoch)), ..Watch::default() };
        assert!(matches!(shop.run(&out, &mut watch), Ended::Cancelled { .. }), "{out}");
        let plan = shop.plan(&out);
        assert_eq!(plan.steps[0].is_done, step == "stage second", "{out}");
        assert_eq!(finish(&shop, &out).1, expected, "{out}");
    }
}

#[test]
fn keys_and_plans_know_of_changes() {
    let [plain, pruned, grown] = [&[][..], &[Change::PruneKeep(0.5)], &[Change::Grow(0.3)]].map(changing);
    let [a, b, c] = [&plain, &pruned, &grown].map(|shop| keys(&shop.plan("out")));
    assert!((0..4).all(|step| a[step] != b[step] && a[step] != c[step] && b[step] != c[step]));
    let before = pruned.plan("out");
    let changed_by: Vec<Option<&str>> = before.steps.iter().map(|step| step.changed_by.as_deref()).collect();
    assert_eq!(changed_by, [None, Some("first"), Some("first"), Some("first")]);
    finish(&pruned, "out");
    let mut after = pruned.plan("out");
    assert!(after.steps.iter().all(|step| step.changed_by.is_none() && step.is_done));
    after.run_again_from("second");
    assert!(after.steps[1].cost.seconds < before.steps[1].cost.seconds, "it is half the circuit");
}

#[test]
fn a_changed_step_that_is_damaged_is_a_fault() {
    let shop = changing(&BOTH);
    finish(&shop, "out");
    let plan = shop.plan("out");
    let steps = shop.out("out/steps");
    let folder = steps.join(format!("stage-first-{}", &plan.steps[0].key[..16]));
    std::fs::write(folder.join("weights.pcm"), "nothing").unwrap();
    let fault = shop.with("out", |setting| {
        let plan = RecipePlan::new(setting)?;
        run(&plan, setting, &mut Watch::default())
    });
    assert_eq!(fault.unwrap_err().code, "step-damaged");
}
