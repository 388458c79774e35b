//! What one measurement found, as it is written for programs: one JSON object a line with stable keys.

use serde::{Deserialize, Serialize};

/// What was timed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Operation {
    /// Likelihoods of all rows.
    Forward,
    /// A step of expectation-maximisation: likelihoods, flows, and new parameters.
    Em,
}

impl Operation {
    /// The word in tables.
    pub fn name(self) -> &'static str {
        match self {
            Operation::Forward => "forward",
            Operation::Em => "em",
        }
    }
}

/// How large the circuit was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shape {
    /// Variables.
    pub variables: usize,
    /// Edges.
    pub edges: u64,
    /// Parameters.
    pub parameters: u64,
}

/// One measurement. Times are medians of repetitions that took turns with the machine's peak.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// The name of the workload.
    pub workload: String,
    /// Units of a layer.
    pub k: u32,
    /// What was timed.
    pub op: Operation,
    /// Threads.
    pub threads: usize,
    /// Rows of one repetition.
    pub batch: usize,
    /// Nanoseconds for each edge and row.
    pub ns_per_edge_sample: f64,
    /// Billions of operations of the model a second.
    pub gflops: f64,
    /// What matrix products reached on as many threads in between.
    pub peak_gflops: f64,
    /// The share of the peak: the median over the repetitions, each with the peak beside it.
    pub fraction: f64,
    /// Most megabytes (10^6 bytes) resident while it ran; nothing where the system does not tell.
    pub peak_mb: Option<f64>,
    /// Milliseconds to compile what this operation runs.
    pub compile_ms: f64,
    /// The middle half of the repetitions, as a share of the median.
    pub spread: f64,
    /// Milliseconds of one repetition.
    pub milliseconds: f64,
    /// The least of them.
    pub least_milliseconds: f64,
    /// Repetitions.
    pub repetitions: usize,
    /// Operations of the model for each edge and row.
    pub flops_per_edge_sample: f64,
    /// The mean log-likelihood of the rows before any step, in nats.
    pub mean_log_likelihood: f64,
    /// Rows that were computed again in 64 bits, of all runs so far.
    pub marked: usize,
    /// How large the circuit was.
    pub params: Shape,
}
