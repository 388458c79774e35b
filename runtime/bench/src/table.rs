//! Records as a table for people.

use crate::record::Record;

/// Names of the columns with their units, one line over [`line`]s.
pub fn heading() -> String {
    format!(
        "{:<17} {:>4} {:<8} {:>7} {:>6} {:>10} {:>8} {:>9} {:>8} {:>8} {:>7} {:>8} {:>10}",
        "workload",
        "K",
        "op",
        "threads",
        "rows",
        "ms",
        "ns/edge",
        "flop/edge",
        "GFLOP/s",
        "of peak",
        "spread",
        "peak MB",
        "compile ms"
    )
}

/// One record as a line under [`heading`].
pub fn line(record: &Record) -> String {
    format!(
        "{:<17} {:>4} {:<8} {:>7} {:>6} {:>10} {:>8} {:>9.2} {:>8.1} {:>8} {:>7} {:>8} {:>10}",
        record.workload,
        record.k,
        record.op.name(),
        record.threads,
        record.batch,
        digits(record.milliseconds),
        digits(record.ns_per_edge_sample),
        record.flops_per_edge_sample,
        record.gflops,
        percent(record.fraction),
        percent(record.spread),
        record.peak_mb.map_or("-".into(), |mb| format!("{mb:.0}")),
        digits(record.compile_ms)
    )
}

/// Three digits that count, without an exponent.
fn digits(x: f64) -> String {
    let whole = x.abs().max(1e-6).log10().floor() as i32;
    format!("{x:.0$}", (2 - whole).max(0) as usize)
}

fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_three_digits() {
        assert_eq!([0.01234, 0.5, 12.34, 1234.5].map(digits), ["0.0123", "0.500", "12.3", "1234"]);
    }
}
