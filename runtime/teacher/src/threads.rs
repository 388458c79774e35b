//! Sharing out work among threads.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The results of so many jobs, in their order. A thread takes the next job as it finishes one, so no result may
/// depend on who computes it.
///
/// # Errors
/// What any of the jobs reports.
pub(crate) fn each<T: Send>(
    n_jobs: usize,
    job: impl Fn(usize) -> Result<T, String> + Sync,
) -> Result<Vec<T>, String> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::with_capacity(n_jobs));
    let failed = || "a thread has failed".to_string();
    let work = || -> Result<(), String> {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= n_jobs {
                return Ok(());
            }
            let result = job(number)?;
            done.lock().map_err(|_| failed())?.push((number, result));
        }
    };
    let n_threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get).min(n_jobs);
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..n_threads).map(|_| scope.spawn(work)).collect();
        threads.into_iter().try_for_each(|thread| thread.join().unwrap_or_else(|_| Err(failed())))
    })?;
    let mut done = done.into_inner().map_err(|_| failed())?;
    done.sort_by_key(|(number, _)| *number);
    Ok(done.into_iter().map(|(_, result)| result).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_keep_the_order_of_their_jobs() {
        assert_eq!(each(5, |i| Ok(i * i)), Ok(vec![0, 1, 4, 9, 16]));
        assert_eq!(each(0, |_| Ok(())), Ok(Vec::new()));
        let fault = each(3, |i| if i == 1 { Err("no".to_string()) } else { Ok(i) });
        assert_eq!(fault, Err("no".into()));
    }
}
