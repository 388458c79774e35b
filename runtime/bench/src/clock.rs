//! Clocks. On a shared machine time on the wall measures the scheduler, so one thread is timed by the CPU
//! time of this process; several threads, whose CPU time says nothing of waiting for each other, by the wall.

use pcc_runtime::processor_seconds;
use std::time::Instant;

/// What the time of a piece of work is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    /// CPU time of the whole process.
    Processor,
    /// Time on the wall.
    Wall,
}

impl Clock {
    /// The clock for work on so many threads.
    pub fn for_threads(threads: usize) -> Self {
        if threads == 1 { Clock::Processor } else { Clock::Wall }
    }

    /// The result of some work, and the seconds that it took.
    pub fn time<T>(self, work: impl FnOnce() -> T) -> (T, f64) {
        let (wall, processor) = (Instant::now(), processor_seconds());
        let result = work();
        let seconds = match (self, processor, processor_seconds()) {
            (Clock::Processor, Some(start), Some(end)) => end - start,
            _ => wall.elapsed().as_secs_f64(),
        };
        (result, seconds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    /// Nothing more can be said of the processor's time: other tests of the process spend it too.
    #[test]
    fn the_wall_counts_a_nap_and_no_clock_runs_backwards() {
        let nap = || std::thread::sleep(Duration::from_millis(30));
        assert!(Clock::Wall.time(nap).1 >= 0.03);
        assert!(Clock::Processor.time(nap).1 >= 0.0);
    }
}
