//! Teachers of the command line: where the vectors they make are kept, and how they tell how far they are.

use crate::opened::cache_folder;
use pcc_diag::{grouped, human_seconds};
use pcc_teacher::{Doing, Networks, Progress};
use std::io::Write;
use std::time::{Duration, Instant};

/// So long nothing is said after something was.
const PAUSE: Duration = Duration::from_secs(10);

/// The teachers. They speak to standard error, and now and then only.
pub fn networks() -> Networks {
    let mut said = Instant::now();
    let mut networks = Networks::new(cache_folder().map(|folder| folder.join("features")), move |progress| {
        if said.elapsed() > PAUSE {
            said = Instant::now();
            // Nobody is left to tell when standard error is gone.
            let _ = writeln!(std::io::stderr(), "{}", in_words(progress));
        }
    });
    if let Some(bytes) = free_memory() {
        networks.limit_memory(bytes);
    }
    networks
}

/// Bytes that are free on this machine, where the system says so.
fn free_memory() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(1024 * kibibytes)
}

fn in_words(progress: &Progress) -> String {
    let left = progress.seconds_left.map_or(String::new(), |s| format!(", about {} left", human_seconds(s)));
    let done = match progress.doing {
        Doing::Learning { epoch, epochs, loss } => format!("epoch {epoch} of {epochs}, loss {loss:.4}"),
        Doing::Reading { rows_done, rows } => {
            format!("{} of {} rows", grouped(rows_done as u64), grouped(rows as u64))
        }
    };
    format!("teacher {}: {done}{left}", progress.teacher)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_is_told_in_words() {
        let doing = Doing::Reading { rows_done: 2048, rows: 20_000 };
        let progress = Progress { teacher: "bert", doing, seconds_left: Some(245.2) };
        assert_eq!(in_words(&progress), "teacher bert: 2,048 of 20,000 rows, about 4 min 5 s left");
        let progress = Progress { seconds_left: None, ..progress };
        assert_eq!(in_words(&progress), "teacher bert: 2,048 of 20,000 rows");
        let doing = Doing::Learning { epoch: 3, epochs: 20, loss: 0.04213 };
        let progress = Progress { teacher: "mae", doing, seconds_left: Some(12.0) };
        assert_eq!(in_words(&progress), "teacher mae: epoch 3 of 20, loss 0.0421, about 12.0 s left");
    }
}
