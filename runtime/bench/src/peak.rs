//! The machine's peak: what its best matrix product reaches just now, on as many threads as the work beside it.

use crate::clock::Clock;
use pcc_kernels::{Kernels, Multiplication};

/// Widths tried; the best differs between machines.
const WIDTHS: [usize; 4] = [32, 64, 128, 256];

/// Seconds that one look at the peak takes about.
const SECONDS: f64 = 4e-3;

/// Matrix products, one for each thread.
pub struct Peak {
    products: Vec<Multiplication>,
    repeats: usize,
    clock: Clock,
}

impl Peak {
    /// Chooses the width that is quickest on this machine.
    pub fn new(kernels: &'static Kernels, threads: usize) -> Self {
        let clock = Clock::for_threads(threads);
        let of_width = |k: usize| {
            let mut peak =
                Peak { products: vec![Multiplication::new(kernels, k); threads], repeats: 1, clock };
            while clock.time(|| peak.multiply()).1 < SECONDS {
                peak.repeats *= 2;
            }
            let best = (0..3).map(|_| peak.gflops()).fold(0.0, f64::max);
            (best, peak)
        };
        let all = WIDTHS.into_iter().map(of_width);
        all.max_by(|a, b| a.0.total_cmp(&b.0)).expect("there are widths").1
    }

    /// Billions of operations a second, of all threads together.
    pub fn gflops(&mut self) -> f64 {
        let (operations, seconds) = self.clock.time(|| self.multiply());
        operations as f64 / seconds * 1e-9
    }

    fn multiply(&mut self) -> u64 {
        let repeats = self.repeats;
        let (first, others) = self.products.split_first_mut().expect("one thread at least");
        std::thread::scope(|scope| {
            let others: Vec<_> =
                others.iter_mut().map(|product| scope.spawn(move || product.run(repeats))).collect();
            let own = first.run(repeats);
            own + others.into_iter().map(|other| other.join().expect("a product never panics")).sum::<u64>()
        })
    }
}
