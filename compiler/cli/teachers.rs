//! Teachers of the command line: where the vectors they make are kept, and how they tell how far they are.

use crate::opened::cache_folder;
use pcc_diag::{grouped, human_seconds};
use pcc_teacher::{Networks, Progress};
use std::io::Write;
use std::time::{Duration, Instant};

/// So long nothing is said after something was.
const PAUSE: Duration = Duration::from_secs(10);

/// The teachers. They speak to standard error, and now and then only.
pub fn networks() -> Networks {
    let mut said = Instant::now();
    Networks::new(cache_folder().map(|folder| folder.join("features")), move |progress| {
        if said.elapsed() > PAUSE {
            said = Instant::now();
            // Nobody is left to tell when standard error is gone.
            let _ = writeln!(std::io::stderr(), "{}", in_words(progress));
        }
    })
}

fn in_words(progress: &Progress) -> String {
    let [done, rows] = [progress.rows_done, progress.rows].map(|n| grouped(n as u64));
    let left = progress.seconds_left.map_or(String::new(), |s| format!(", about {} left", human_seconds(s)));
    format!("teacher {}: {done} of {rows} rows{left}", progress.teacher)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_is_told_in_words() {
        let progress = Progress { teacher: "bert", rows_done: 2048, rows: 20_000, seconds_left: Some(245.2) };
        assert_eq!(in_words(&progress), "teacher bert: 2,048 of 20,000 rows, about 4 min 5 s left");
        let progress = Progress { seconds_left: None, ..progress };
        assert_eq!(in_words(&progress), "teacher bert: 2,048 of 20,000 rows");
    }
}
