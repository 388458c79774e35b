//! What `pcc bench` writes for programs: the keys, and numbers that can be; and the plan of the comparison with
//! other systems.

use super::cli::pcc;
use serde_json::Value;
use std::path::Path;
use std::process::Command;

/// Keys of a line, those that programs rely on first.
const KEYS: [&str; 19] = [
    "workload",
    "k",
    "op",
    "threads",
    "batch",
    "ns_per_edge_sample",
    "gflops",
    "peak_gflops",
    "fraction",
    "peak_mb",
    "compile_ms",
    "spread",
    "milliseconds",
    "least_milliseconds",
    "repetitions",
    "flops_per_edge_sample",
    "mean_log_likelihood",
    "marked",
    "params",
];

/// Every workload in its quick size writes a line for each of its operations and numbers of threads.
pub fn lines_have_their_keys() -> Result<(), String> {
    let seen = pcc(Path::new("."), "bench --quick --format json --threads 1,2")?;
    let (out, err) = (String::from_utf8_lossy(&seen.stdout), String::from_utf8_lossy(&seen.stderr));
    if !seen.status.success() {
        return Err(format!("{out}{err}"));
    }
    let lines: Vec<Value> =
        out.lines().map(serde_json::from_str).collect::<Result<_, _>>().map_err(|e| e.to_string())?;
    lines.iter().try_for_each(check)?;
    // Single rows and halves of pictures are for likelihoods alone.
    for (op, threads, n_workloads) in [("forward", 1, 15), ("em", 1, 12), ("forward", 2, 15), ("em", 2, 12)] {
        let n = lines.iter().filter(|line| line["op"] == op && line["threads"] == threads).count();
        if n != n_workloads {
            return Err(format!("{n} lines instead of {n_workloads} for {op} on {threads} threads"));
        }
    }
    Ok(())
}

fn check(line: &Value) -> Result<(), String> {
    let fields = line.as_object().ok_or("a line is no object")?;
    let found: Vec<&str> = fields.keys().map(String::as_str).collect();
    let mut expected = KEYS;
    expected.sort_unstable();
    if found != expected {
        return Err(format!("the keys are {found:?}"));
    }
    let number = |key: &str| line[key].as_f64().ok_or(format!("{key} is no number in {line}"));
    for key in ["ns_per_edge_sample", "gflops", "peak_gflops", "fraction", "compile_ms", "milliseconds"] {
        if number(key)? <= 0.0 {
            return Err(format!("{key} is not positive in {line}"));
        }
    }
    let share = number("gflops")? / number("peak_gflops")? / number("fraction")?;
    let is_sane =
        number("mean_log_likelihood")? < 0.0 && (0.2..5.0).contains(&share) && number("spread")? >= 0.0;
    if is_sane { Ok(()) } else { Err(format!("these numbers can't be: {line}")) }
}

/// The comparison names its workloads and systems without any of them; skipped where there is no Python.
pub fn the_comparison_has_a_plan(root: &Path) -> Result<(), String> {
    let script = root.join("tests/bench/compare.py");
    let Ok(seen) = Command::new("python3").arg(script).args(["--dry-run", "--only", "w2,w4"]).output() else {
        println!("skipped: there is no python3");
        return Ok(());
    };
    let (out, err) = (String::from_utf8_lossy(&seen.stdout), String::from_utf8_lossy(&seen.stderr));
    let is_planned = |line: &str| out.lines().any(|l| l == line);
    let expected = "w2 K=64 rows=256: forward, em by pcc, numpy-scaled, torch-scaled, torch-lse";
    match seen.status.success() && is_planned(expected) && !out.contains("w1") {
        true => Ok(()),
        false => Err(format!("{out}{err}")),
    }
}
