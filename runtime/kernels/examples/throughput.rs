//! Prints what the kernels of each tier reach on one core, for people: GFLOP/s for dense kernels, billions
//! of values a second for the others, by CPU time of this thread.
//!
//! `cargo run --release -p pcc-kernels --example throughput [tier]`

use pcc_kernels::{
    Factor, GUARD_ENTRY, GUARD_MAXIMUM, Kernels, LEAF, MAX_TILES, NormalLeaf, TILE, Tier, Tiles,
    denormals_off, tier,
};
use std::time::Duration;

/// CPU time that each measurement takes at least.
const LEAST: Duration = Duration::from_millis(20);

fn main() {
    let wanted = std::env::args().nth(1);
    let _guard = denormals_off();
    for kernels in Tier::ALL.into_iter().filter_map(tier) {
        if wanted.as_deref().is_none_or(|name| name == kernels.tier.name()) {
            println!("{}", kernels.tier.name());
            nodes(kernels);
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

/// One node of a tree of latent variables, over a bundle of tiles: a leaf of 256 values times the child's
/// block, and the sum over them.
struct Node {
    k: usize,
    /// Evidence, the child's block, the product's, the sum's, the flow, the flow of the terms.
    rows: Rows,
    /// The leaf's table and counts, the weights and their statistics.
    tables: [Rows; 4],
    scratch: Rows,
    row_exponents: Vec<f32>,
    factors: [Factor; 2],
    tiles: Tiles,
    marks: [u64; MAX_TILES],
}

impl Node {
    fn new(k: usize, code: impl Fn(usize) -> u32) -> Box<Node> {
        let n_rows = 1 + 3 * (k + 1) + 2 * k;
        let mut rows = Rows::new(MAX_TILES * n_rows);
        for tile in 0..MAX_TILES {
            let at = |row: usize| (tile * n_rows + row) * TILE;
            for s in 0..TILE {
                // SAFETY: within the rows of the tile; the exponents of the child are its last row.
                unsafe {
                    *rows.at().add(at(0) + s) = f32::from_bits(code(tile * TILE + s));
                    *rows.at().add(at(1 + k) + s) = 0.0;
                }
            }
        }
        let stride = n_rows * TILE;
        let leaf = Factor { rows: 0, exponent: LEAF, table: 0, row_exponents: 0 };
        let child = Factor { rows: 1, exponent: 1 + k as u32, table: 0, row_exponents: 0 };
        let tables = [256 * k, 256 * k, k * k, k * k].map(|n| Rows::new(n.div_ceil(TILE)));
        let scratch = Rows::new(MAX_TILES * (k + 2 * k.next_multiple_of(16)));
        let tiles = Tiles {
            n: MAX_TILES,
            stride,
            lanes: TILE,
            marks: std::ptr::null_mut(),
            ahead: std::ptr::null_mut(),
        };
        let (row_exponents, factors, marks) = (vec![-1.0; 256], [leaf, child], [0; MAX_TILES]);
        let mut node = Box::new(Node { k, rows, tables, scratch, row_exponents, factors, tiles, marks });
        node.tiles.marks = node.marks.as_mut_ptr();
        node
    }

    /// The first tile's row.
    fn row(&mut self, row: usize) -> *mut f32 {
        // SAFETY: callers ask for rows that `new` made.
        unsafe { self.rows.at().add(row * TILE) }
    }

    fn product(&mut self, kernels: &Kernels) {
        let (k, base, guard) = (self.k, self.row(0), GUARD_MAXIMUM);
        let (out, exponent) = (self.row(k + 2), self.row(2 * k + 2));
        let (tables, exponents) = (self.tables[0].at(), self.row_exponents.as_ptr());
        let factors = self.factors.as_ptr();
        // SAFETY: `new` made these rows and tables.
        unsafe {
            (kernels.product)(&self.tiles, 2, k, base, tables, exponents, factors, out, exponent, guard)
        }
    }

    fn sum(&mut self, kernels: &Kernels) {
        let k = self.k;
        let [terms, term_exponent, out, exponent] =
            [k + 2, 2 * k + 2, 2 * k + 3, 3 * k + 3].map(|row| self.row(row));
        let w = self.tables[2].at();
        // SAFETY: `new` made these rows and tables.
        unsafe { (kernels.sum)(&self.tiles, k, k, w, w, 0, terms, term_exponent, out, exponent) }
    }

    fn sum_down(&mut self, kernels: &Kernels) {
        let k = self.k;
        let [terms, term_exponent, out, exponent] =
            [k + 2, 2 * k + 2, 2 * k + 3, 3 * k + 3].map(|row| self.row(row));
        let (flow, child_flow) = (self.row(3 * k + 4), self.row(4 * k + 4));
        let (w, dw, scratch) = (self.tables[2].at(), self.tables[3].at(), self.scratch.at());
        // SAFETY: `new` made these rows and tables.
        unsafe {
            (kernels.sum_down)(
                &self.tiles,
                k,
                k,
                w,
                flow,
                out,
                exponent,
                terms,
                term_exponent,
                dw,
                child_flow,
                0,
                scratch,
            )
        }
    }

    fn scatter(&mut self, kernels: &Kernels) {
        let (k, codes, flow) = (self.k, self.row(0).cast(), self.row(4 * self.k + 4));
        let counts = self.tables[1].at();
        // SAFETY: `new` made these rows and tables.
        unsafe { (kernels.scatter)(&self.tiles, k, codes, flow, counts) }
    }
}

/// Whole nodes, up and down, beside a matrix product of the same size: GFLOP/s that count the matrix
/// products alone, and the nanoseconds that each kernel takes for a tile.
fn nodes(kernels: &Kernels) {
    println!(
        "  {:>6} {:>8} {:>8} {:>8} {:>8}   ns a tile: {:>8} {:>8} {:>8} {:>8}",
        "K", "matmul", "up", "down", "both", "product", "sum", "sum_down", "scatter"
    );
    for k in [4, 8, 16, 32, 64, 128, 256, 512] {
        let spread = |i: usize| (i * 37 % 256) as u32;
        let mut node = Node::new(k, spread);
        let mut weights = Rows::new((k * k).div_ceil(TILE));
        let (mut terms, mut out) = (Rows::new(k), Rows::new(k));
        let (w, terms, out) = (weights.at(), terms.at(), out.at());
        let flops = 2 * k * k * TILE;
        let bundle = MAX_TILES * flops;
        // SAFETY: the buffers have `k` rows, and the weights `k * k` values.
        let matmul = rate(flops, || unsafe { (kernels.matmul)(k, k, w, k, 1, terms, out, 0) });
        let up = rate(bundle, || {
            node.product(kernels);
            node.sum(kernels);
        });
        let down = rate(2 * bundle, || {
            node.product(kernels);
            node.sum_down(kernels);
            node.scatter(kernels);
        });
        let both = 3.0 / (1.0 / up + 2.0 / down);
        let product = 1.0 / rate(MAX_TILES, || node.product(kernels));
        let sum = 1.0 / rate(MAX_TILES, || node.sum(kernels));
        let sum_down = 1.0 / rate(MAX_TILES, || node.sum_down(kernels));
        let scatter = 1.0 / rate(MAX_TILES, || node.scatter(kernels));
        println!(
            "  {k:>6} {matmul:>8.1} {up:>8.1} {down:>8.1} {both:>8.1}              {product:>8.1} {sum:>8.1} \
             {sum_down:>8.1} {scatter:>8.1}"
        );
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
        report("add", rate(work, || (kernels.add)(n, a, b, out)));
        report("rescale", rate(work, || (kernels.rescale)(n, out, exponents, 0, &mut marks)));
        report("rescale, guarded", rate(work, || (kernels.rescale)(n, out, exponents, guard, &mut marks)));
        report("align", rate(work, || (kernels.align)(n, a, exponents, exponents, out, guard, &mut marks)));
        report("ratio", rate(work, || (kernels.ratio)(n, a, b, exponents, exponents, out)));
        let three = 3 * TILE;
        report("sum_units of 3", rate(three, || (kernels.sum_units)(3, a, a, children, out, b, &mut marks)));
        report(
            "product_units of 3",
            rate(three, || (kernels.product_units)(3, a, children, out, b, &mut marks)),
        );
    }
}

/// Products of 49 normal leaves of 8 to 64 units over four tiles, as rates of their multiplications.
fn leaves(kernels: &Kernels) {
    let n = 49;
    for units in [8, 16, 32, 64] {
        let mut buffers = [n + units + 1, n + units].map(|rows| Rows::new(MAX_TILES * (rows + 5)));
        let mut tables: [Rows; 2] = std::array::from_fn(|_| Rows::new(3 * n * units / TILE + 1));
        let mut scratch = Rows::new(MAX_TILES * units.next_multiple_of(16));
        let [up, down] = buffers.each_mut().map(Rows::at);
        let ([table, stats], scratch) = (tables.each_mut().map(Rows::at), scratch.at());
        let start = |leaf: usize| (3 * units * leaf) as u64;
        let leaf = |i: usize| NormalLeaf { row: i as u32, table: start(i), stats: start(i) };
        let leaves: Vec<NormalLeaf> = (0..n).map(leaf).collect();
        let mut marks = [0; MAX_TILES];
        let tiles = |rows: usize, marks: &mut [u64; MAX_TILES]| Tiles {
            n: MAX_TILES,
            stride: (rows + 5) * TILE,
            lanes: TILE,
            marks: marks.as_mut_ptr(),
            ahead: std::ptr::null_mut(),
        };
        let [tiles_up, tiles_down] = [n + units + 1, n + units].map(|rows| tiles(rows, &mut marks));
        let flops = 4 * n * units * MAX_TILES * TILE;
        // SAFETY: each tile has rows for the values and the units, and tables have three rows for each leaf.
        unsafe {
            let (out, exponent, flow) = (up.add(n * TILE), up.add((n + units) * TILE), down.add(n * TILE));
            let list = leaves.as_ptr();
            let density =
                rate(flops, || (kernels.normal)(&tiles_up, n, units, up, table, list, out, exponent));
            let sums = rate(flops, || {
                (kernels.normal_down)(&tiles_down, n, units, down, table, list, flow, stats, scratch)
            });
            println!("  {units:>3} normal units: {density:.1}, their statistics {sums:.1} GFLOP/s");
        }
    }
}
