//! Why a step runs, in words.
//!
//! In: the parts of a step's key, and what the folders of earlier runs keep of theirs. Out: what differs from the
//! run that is nearest, which is the one with the fewest differences, and of several the latest.

use super::json;
use super::key::{PARAMETERS, Parts, SETTINGS};
use super::plan::{PlannedStep, StepKind};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;

impl PlannedStep {
    /// Why this step will run; nothing when it is done. `folder` is that of the run.
    pub fn reasons(&self, folder: &Path) -> Vec<String> {
        if self.is_done {
            return Vec::new();
        }
        if self.is_again {
            return vec!["it was asked for again".into()];
        }
        if let Some(epoch) = self.resumes_after {
            return vec![format!("it was interrupted after epoch {epoch}")];
        }
        if self.folder.is_done() {
            return self.lost_files(folder);
        }
        if self.folder.kept_parts().is_some() {
            return vec!["it was begun and not finished".into()];
        }
        let differences = |parts: &Parts| differences(&self.parts, parts);
        match self.folder.others().iter().map(differences).min_by_key(Vec::len) {
            Some(nearest) => nearest,
            None => vec!["nothing of it is kept".into()],
        }
    }

    /// The files of a report that are gone.
    fn lost_files(&self, folder: &Path) -> Vec<String> {
        let StepKind::Report(outputs) = &self.kind else { return Vec::new() };
        let files = outputs.iter().map(json::file_of).filter(|file| !folder.join(file).exists());
        files.map(|file| format!("`{file}` is gone")).collect()
    }
}

/// What is different in the parts of a key, a sentence for each.
fn differences(now: &Parts, before: &Parts) -> Vec<String> {
    let names: BTreeSet<&String> = now.keys().chain(before.keys()).collect();
    let of_part = |name: &String| match (now.get(name), before.get(name)) {
        (new, old) if new == old => Vec::new(),
        (Some(new), Some(old)) if name == SETTINGS => settings("", new, old),
        (Some(new), Some(old)) if matches!(name.as_str(), "seed" | "numerics" | "threads" | "version") => {
            vec![format!("`{name}` is {}, and was {}", plain(new), plain(old))]
        }
        (Some(_), Some(_)) if name == PARAMETERS => vec!["the parameters that it begins with changed".into()],
        (Some(_), Some(_)) => vec![format!("the {name} changed")],
        (Some(_), None) if name == PARAMETERS => vec!["another step comes before it".into()],
        (None, Some(_)) if name == PARAMETERS => vec!["no step comes before it now".into()],
        (Some(_), None) => vec![format!("the {name} did not go into it")],
        (None, _) => vec![format!("the {name} went into it")],
    };
    names.into_iter().flat_map(of_part).collect()
}

/// What is different in settings, by the path to each.
fn settings(path: &str, now: &Value, before: &Value) -> Vec<String> {
    match (now, before) {
        _ if now == before => Vec::new(),
        (Value::Object(new), Value::Object(old)) => {
            let names: BTreeSet<&String> = new.keys().chain(old.keys()).collect();
            let of_name = |name: &String| {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                let value = |of: &Parts| of.get(name).cloned().unwrap_or(Value::Null);
                settings(&path, &value(new), &value(old))
            };
            names.into_iter().flat_map(of_name).collect()
        }
        _ => vec![format!("`{path}` is {}, and was {}", plain(now), plain(before))],
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::Null => "left out".into(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn parts(value: Value) -> Parts {
        value.as_object().cloned().expect("parts are an object")
    }

    #[test]
    fn each_part_has_its_sentence() {
        let before = json!({
            "seed": 1, "data train": "a", "data old": "b", "parameters": "c", "circuit": "d",
            "settings": {"by": {"em": {"epochs": 40, "batch": "Full"}}, "until": null},
        });
        let now = json!({
            "seed": 2, "data train": "A", "data new": "b", "parameters": "C", "circuit": "D",
            "settings": {"by": {"em": {"epochs": 80, "batch": "Full"}}, "until": {"patience": 3}},
        });
        let wanted = [
            "the circuit changed",
            "the data new did not go into it",
            "the data old went into it",
            "the data train changed",
            "the parameters that it begins with changed",
            "`seed` is 2, and was 1",
            "`by.em.epochs` is 80, and was 40",
            "`until` is {\"patience\":3}, and was left out",
        ];
        assert_eq!(differences(&parts(now.clone()), &parts(before)), wanted);
        assert!(differences(&parts(now.clone()), &parts(now)).is_empty());
    }
}
