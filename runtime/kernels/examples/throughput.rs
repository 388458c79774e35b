//! Prints what the kernels of each tier reach on one core, for people: GFLOP/s for dense kernels, billions
//! of values a second for the others, by CPU time of this thread.
//!
//! `cargo run --release -p pcc-kernels --example throughput [tier]`

use pcc_kernels::{GUARD_ENTRY, GUARD_MAXIMUM, Kernels, TILE, Tier, denormals_off, tier};
use std::time::Duration;

/// CPU time that each measurement takes at least.
const LEAST: Duration = Duration::from_millis(20);

fn main() {
    let wanted = std::env::args().nth(1);
    let _guard = denormals_off();
    for kernels in Tier::ALL.into_iter().filter_map(tier) {
        if wanted.as_deref().is_none_or(|name| name == kernels.tier.name()) {
            println!("{}", kernels.tier.name());
            dense(kernels);
            rows(kernels);
            leaves(kernels);
        }
    }
}

/// Seconds of CPU time that this thread has used.
#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
fn cpu_seconds() -> f64 {
    const CLOCK_THREAD_CPUTIME_ID: i32 = 3;
    unsafe extern "C" {
        fn clock_gettime(clock: i32, time: *mut [i64; 2]) -> i32;
    }
    let mut time = [0; 2];
    // SAFETY: on 64-bit Linux the function writes seconds and nanoseconds, eight bytes each.
    let failed = unsafe { clock_gettime(CLOCK_THREAD_CPUTIME_ID, &mut time) } != 0;
    assert!(!failed, "no clock of this thread's CPU time");
    time[0] as f64 + time[1] as f64 * 1e-9
}

/// Seconds since the first call, where there is no cheap clock of CPU time.
#[cfg(not(all(target_os = "linux", target_pointer_width = "64")))]
fn cpu_seconds() -> f64 {
    static START: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
    START.get_or_init(std::time::Instant::now).elapsed().as_secs_f64()
}

/// `work` a second, in billions: the best of five measurements of at least [`LEAST`].
fn rate(work: usize, mut call: impl FnMut()) -> f64 {
    let mut best = 0.0_f64;
    let mut repeats = 1_usize;
    for _ in 0..5 {
        loop {
            let start = cpu_seconds();
            (0..repeats).for_each(|_| call());
            let seconds = cpu_seconds() - start;
            if seconds >= LEAST.as_secs_f64() {
                best = best.max((work * repeats) as f64 / seconds * 1e-9);
                break;
            }
            repeats *= 2;
        }
    }
    best
}

/// Rows of values between 1/2 and 1, 64-byte aligned.
struct Rows(Vec<[f32; TILE]>, usize);

impl Rows {
    fn new(n: usize) -> Rows {
        let mut state = 1_u32;
        let mut value = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            0.5 + (state >> 9) as f32 / 16_777_216.0
        };
        let rows = Rows((0..n + 1).map(|_| std::array::from_fn(|_| value())).collect(), 0);
        let offset = rows.0.as_ptr().cast::<f32>().align_offset(64);
        Rows(rows.0, offset)
    }

    fn at(&mut self) -> *mut f32 {
        // SAFETY: there is one row more than asked for, and the offset is under a row.
        unsafe { self.0.as_mut_ptr().cast::<f32>().add(self.1) }
    }
}

/// Matrix products and flows, square.
fn dense(kernels: &Kernels) {
    println!(
        "  {:>6} {:>8} {:>8} {:>8} {:>8} {:>8}",
        "K", "matmul", "downward", "product", "+rescale", "flow"
    );
    for k in [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024] {
        let mut buffers: [Rows; 5] = std::array::from_fn(|_| Rows::new(k));
        let mut weights = Rows::new((k * k).div_ceil(TILE));
        let mut exponent = Rows::new(1);
        let (w, exponent) = (weights.at(), exponent.at());
        let [a, b, out, scratch, _] = buffers.each_mut().map(Rows::at);
        let mut padded = Rows::new(k.next_multiple_of(16));
        let (padded, mut marks, guard) = (padded.at(), 0, GUARD_MAXIMUM | GUARD_ENTRY);
        let flops = 2 * k * k * TILE;
        // SAFETY: every buffer has `k` rows, the last a multiple of 16, and the weights `k * k` values.
        unsafe {
            let up = rate(flops, || (kernels.matmul)(k, k, w, k, 1, a, out, 0));
            let down = rate(flops, || (kernels.matmul)(k, k, w, 1, k, a, out, 0));
            let product = rate(flops, || {
                (kernels.product_matmul)(k, k, w, k, 1, a, b, out, 0, scratch, GUARD_MAXIMUM, &mut marks)
            });
            let whole = rate(flops, || {
                (kernels.product_matmul)(k, k, w, k, 1, a, b, out, 0, scratch, guard, &mut marks);
                (kernels.rescale)(k, out, exponent, guard, &mut marks);
            });
            let flow = rate(flops, || (kernels.flow)(k, k, a, b, w, k, padded));
            println!("  {k:>6} {up:>8.1} {down:>8.1} {product:>8.1} {whole:>8.1} {flow:>8.1}");
        }
    }
}

/// Row kernels on 32 rows.
fn rows(kernels: &Kernels) {
    let n = 32;
    // Apart by other than multiples of 4096 bytes, so that no load seems to follow another row's store.
    let apart = n + 5;
    let mut buffer = Rows::new(4 * apart);
    // SAFETY: the four groups lie one after the other in the buffer.
    let [a, b, out, exponents] = [0, 1, 2, 3].map(|i| unsafe { buffer.at().add(i * apart * TILE) });
    let (mut marks, work) = (0, n * TILE);
    let guard = GUARD_MAXIMUM | GUARD_ENTRY;
    let offsets: Vec<u32> = (0..6).collect();
    // SAFETY: every buffer has 32 rows, and the offsets stay within them.
    unsafe {
        let children = offsets.as_ptr();
        let report = |name: &str, rate: f64| println!("  {name:>20} {rate:>8.2} G values/s");
        report("multiply", rate(work, || (kernels.multiply)(n, a, b, out)));
        report("rescale", rate(work, || (kernels.rescale)(n, out, exponents, 0, &mut marks)));
        report("rescale, guarded", rate(work, || (kernels.rescale)(n, out, exponents, guard, &mut marks)));
        report("guard_product", rate(work, || (kernels.guard_product)(n, a, b, guard, &mut marks)));
        report("align", rate(work, || (kernels.align)(n, a, exponents, exponents, out, &mut marks)));
        report("ratio", rate(work, || (kernels.ratio)(n, a, b, exponents, exponents, out)));
        let three = 3 * TILE;
        report("sum_units of 3", rate(three, || (kernels.sum_units)(3, a, a, children, out, b, &mut marks)));
        report(
            "product_units of 3",
            rate(three, || (kernels.product_units)(3, a, children, out, b, &mut marks)),
        );
    }
}

/// Leaf kernels on groups of 1 to 64 units.
fn leaves(kernels: &Kernels) {
    for units in [1, 4, 16, 64] {
        let mut buffers: [Rows; 3] = std::array::from_fn(|_| Rows::new(units));
        let [flow, out, params] = buffers.each_mut().map(Rows::at);
        let (mut table, mut exponents, mut observed) = (Rows::new(256 * units), Rows::new(1), Rows::new(1));
        let (table, exponent, xs) = (table.at(), exponents.at(), observed.at());
        let codes: Vec<u32> = (0..64).map(|s| s * 37 % 256).collect();
        let (codes, work) = (codes.as_ptr(), units * TILE);
        // SAFETY: buffers of `units` rows, 256 values in the table, parameters for up to 21 times the units.
        unsafe {
            let gather = rate(work, || (kernels.leaf_gather)(units, table, codes, out, exponent));
            let scatter = rate(work, || (kernels.leaf_scatter)(units, codes, flow, table));
            println!("  {units:>3} units: gather {gather:.2}, scatter {scatter:.2} G values/s");
        }
    }
}
