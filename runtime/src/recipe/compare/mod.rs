//! Runs side by side: what each reached, how large it is, and what it took.
//!
//! In: the folders of finished runs. Out: runs of one name and size put together, whatever their seeds, and
//! charts of them. Nothing is computed again; a run is what its summary tells.

mod charts;
mod kept;

pub use charts::{Over, charts};
pub use kept::KeptRun;

use super::json::metric_name;
use pcc_diag::Diagnostic;
use pcc_ir::recipe::Metric;

/// What runs are compared by: a metric on the data of an `evaluate` step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Measure {
    /// The data set.
    pub data: String,
    /// The metric.
    pub metric: Metric,
}

impl Measure {
    /// Reads `test.bpd`, `test.ll` or `test.perplexity`.
    pub fn parse(text: &str) -> Option<Self> {
        let (data, metric) = text.rsplit_once('.')?;
        let metric = match metric {
            "bpd" => Metric::BitsPerDimension,
            "ll" => Metric::LogLikelihood,
            "perplexity" => Metric::Perplexity,
            _ => return None,
        };
        Some(Measure { data: data.into(), metric })
    }
}

impl std::fmt::Display for Measure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let metric = match self.metric {
            Metric::BitsPerDimension => "bpd",
            Metric::LogLikelihood => "ll",
            Metric::Perplexity => "perplexity",
        };
        write!(f, "{}.{metric}", self.data)
    }
}

/// Runs of one name and size.
#[derive(Clone, Debug)]
pub struct Group {
    /// Their name.
    pub label: String,
    /// Parameters of the circuit.
    pub parameters: u64,
    /// The runs, in the order in which they were named.
    pub runs: Vec<KeptRun>,
    /// What each reached.
    pub values: Vec<f64>,
}

impl Group {
    /// The mean of what the runs reached.
    pub fn mean(&self) -> f64 {
        mean(&self.values)
    }

    /// The least and the most of what the runs reached.
    pub fn range(&self) -> (f64, f64) {
        self.values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), &v| (a.min(v), b.max(v)))
    }

    /// The mean seconds of all stages of a run, on the wall.
    pub fn seconds(&self) -> f64 {
        self.mean_of(KeptRun::seconds)
    }

    /// The mean CPU seconds of all stages of a run, where all runs know them.
    pub fn processor(&self) -> Option<f64> {
        let all: Option<Vec<f64>> = self.runs.iter().map(KeptRun::processor).collect();
        all.map(|all| mean(&all))
    }

    /// The mean number of edges that a run visited.
    pub fn visits(&self) -> f64 {
        self.mean_of(KeptRun::visits)
    }

    fn mean_of(&self, what: impl Fn(&KeptRun) -> f64) -> f64 {
        mean(&self.runs.iter().map(what).collect::<Vec<_>>())
    }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Puts runs of one name and size together: by their names in the order of their first runs, then by size.
///
/// # Errors
/// `no-such-metric` for a run that did not measure it.
pub fn grouped(runs: Vec<KeptRun>, by: &Measure) -> Result<Vec<Group>, Diagnostic> {
    let mut labels: Vec<String> = Vec::new();
    let mut groups: Vec<Group> = Vec::new();
    for run in runs {
        let value = run.value(by).ok_or_else(|| not_measured(&run, by))?;
        if !labels.contains(&run.label) {
            labels.push(run.label.clone());
        }
        let place = groups.iter().position(|g| g.label == run.label && g.parameters == run.parameters());
        let group = match place {
            Some(place) => &mut groups[place],
            None => {
                let (label, parameters) = (run.label.clone(), run.parameters());
                groups.push(Group { label, parameters, runs: Vec::new(), values: Vec::new() });
                groups.last_mut().expect("one was pushed")
            }
        };
        group.values.push(value);
        group.runs.push(run);
    }
    groups.sort_by_key(|g| (labels.iter().position(|label| *label == g.label), g.parameters));
    Ok(groups)
}

fn not_measured(run: &KeptRun, by: &Measure) -> Diagnostic {
    let message = format!(
        "the run in `{}` has not measured {} on `{}`",
        run.folder.display(),
        metric_name(by.metric),
        by.data
    );
    let fault = Diagnostic::error("no-such-metric", message);
    match run.measured_data().as_slice() {
        [] => fault.help(format!("its recipe has no `evaluate` step; write `evaluate on {}: ..`", by.data)),
        data => fault.help(format!("it has measured `{}`", data.join("`, `"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::path::Path;

    /// The folder of a run with one stage under labels, one on rows, and what it found.
    fn kept(folder: &Path, seed: u64, parameters: u64, bpd: f64) -> KeptRun {
        let epoch = |epoch: u64, visits: u64, value: f64| json!({"epoch": epoch, "edge_visits": visits, "metrics": {"train_bpd": 9.0, "valid_bpd": value}});
        let summary = json!({
            "recipe": "distill", "seed": seed, "parameters": parameters,
            "steps": [
                {"step": "stage given", "kind": "stage", "is_of_rows": false, "seconds": 2.0, "processor_seconds": 1.0,
                 "edge_visits": 100, "epochs": [epoch(1, 100, 1.0)], "epoch_seconds": [2.0],
                 "epoch_processor_seconds": [1.0]},
                {"step": "stage tune", "kind": "stage", "is_of_rows": true, "seconds": 8.0, "processor_seconds": 4.0,
                 "edge_visits": 600, "epochs": [epoch(1, 300, 5.0), epoch(2, 600, bpd)],
                 "epoch_seconds": [4.0, 8.0], "epoch_processor_seconds": [2.0, 4.0]},
                {"step": "evaluate test", "kind": "evaluate", "metrics": {"bpd": bpd},
                 "settings": {"evaluate": "test", "metrics": ["BitsPerDimension"]}},
            ],
        });
        std::fs::create_dir_all(folder).unwrap();
        std::fs::write(folder.join("summary.json"), summary.to_string()).unwrap();
        KeptRun::read(folder, None).unwrap()
    }

    #[test]
    fn seeds_of_one_size_are_put_together() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let runs = vec![kept(&at("a"), 1, 20, 4.0), kept(&at("b"), 1, 10, 3.0), kept(&at("c"), 2, 20, 5.0)];
        let by = runs[0].last_measure().unwrap();
        assert_eq!(by, Measure { data: "test".into(), metric: Metric::BitsPerDimension });
        let groups = grouped(runs, &by).unwrap();
        let sizes: Vec<(u64, usize)> = groups.iter().map(|g| (g.parameters, g.runs.len())).collect();
        assert_eq!(sizes, [(10, 1), (20, 2)]);
        assert_eq!((groups[1].mean(), groups[1].range()), (4.5, (4.0, 5.0)));
        assert_eq!(
            (groups[1].seconds(), groups[1].processor(), groups[1].visits()),
            (10.0, Some(5.0), 700.0)
        );
    }

    #[test]
    fn a_course_counts_what_was_spent_under_labels_and_does_not_show_it() {
        let folder = tempfile::tempdir().unwrap();
        let run = kept(folder.path(), 1, 10, 3.0);
        let course: Vec<(f64, f64, f64, f64)> = run
            .moments(Metric::BitsPerDimension)
            .iter()
            .map(|m| (m.cost.seconds, m.cost.processor.unwrap(), m.cost.visits, m.value))
            .collect();
        assert_eq!(course, [(6.0, 3.0, 400.0, 5.0), (10.0, 5.0, 700.0, 3.0)]);
    }

    #[test]
    fn what_was_not_measured_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let run = kept(folder.path(), 1, 10, 3.0);
        let by = Measure::parse("held.ll").unwrap();
        assert_eq!(grouped(vec![run], &by).unwrap_err().code, "no-such-metric");
        assert_eq!(Measure::parse("bpd"), None);
    }
}
