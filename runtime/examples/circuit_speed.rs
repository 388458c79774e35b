//! Speed of compiled circuits on this machine, for people: nanoseconds for each edge and sample, compile
//! time and memory of hidden Chow-Liu trees over an image's pixels.
//!
//! `cargo run --release -p pcc-runtime --example circuit_speed -- [threads] [pixels] [k] [rows]`

use pcc_diag::Span;
use pcc_ir::family::Categorical;
use pcc_ir::lower::{Options, graph_to_plan};
use pcc_ir::plan::Mode;
use pcc_ir::random::{Random, batch};
use pcc_ir::{Domain, Family, Graph, GraphBuilder, LayerId, Param, ParamId, ParamShape, Params};
use pcc_runtime::exec::{CpuExecutor, CpuOptions, Executor};
use std::num::NonZeroUsize;
use std::time::{SystemTime, UNIX_EPOCH};

#[global_allocator]
static MEMORY: pcc_runtime::LargePages = pcc_runtime::LargePages;

const VALUES: u32 = 256;

fn table(b: &mut GraphBuilder, random: &mut Random, shape: ParamShape) -> ParamId {
    let initial = match shape {
        ParamShape::Sum { rows, columns } => {
            (0..rows).flat_map(|_| random.simplex(columns as usize, 0.0)).collect()
        }
        ParamShape::Input { units, .. } => {
            let columns: Vec<Vec<f64>> = (0..units).map(|_| random.simplex(VALUES as usize, 0.0)).collect();
            (0..VALUES as usize).flat_map(|v| columns.iter().map(move |c| c[v])).collect()
        }
        ParamShape::Mix { .. } => unreachable!("these trees have no mixtures"),
    };
    let (name, span) = (String::new(), Span::default());
    b.param(Param { shape, groups: 1, initial: Some(initial), is_fixed: false, name, span })
}

/// A tree of hidden variables with `k` states over `n` pixels: pixel i hangs under a random earlier one.
fn tree(n: u32, k: u32) -> Graph {
    let mut random = Random::new(1);
    let mut b = GraphBuilder::new();
    let group = b.variables("X", &[n], Domain::Cat(VALUES), false);
    let vars: Vec<_> = b.graph().var_group(group).variables().collect();
    let mut below: Vec<Vec<LayerId>> = vec![Vec::new(); n as usize];
    for i in (0..n).rev() {
        let family = Family::Categorical(Categorical { n: VALUES });
        let emission = table(&mut b, &mut random, ParamShape::Input { family, units: k });
        let leaf = b.input(vars[i as usize], emission, 1, Span::default()).unwrap();
        let mut factors = std::mem::take(&mut below[i as usize]);
        factors.push(leaf);
        let product = b.product(&factors, Span::default()).unwrap();
        let rows = if i == 0 { 1 } else { k };
        let weights = table(&mut b, &mut random, ParamShape::Sum { rows, columns: k });
        let sum = b.sum(&[product], weights, 1, Span::default()).unwrap();
        if i == 0 {
            return b.finish(sum).unwrap();
        }
        let parent = i.saturating_sub(1 + random.below(4).min(i - 1));
        below[parent as usize].push(sum);
    }
    unreachable!("the first pixel is the root")
}

fn main() {
    let argument = |i: usize, default: usize| {
        std::env::args().nth(i).map_or(default, |text| text.parse().expect("a number"))
    };
    let (threads, pixels) = (argument(1, 1), argument(2, 784));
    println!("k      edges/sample  compile ms  forward ns/edge  em ns/edge  GFLOP/s  arena MB  marked");
    let all = [8, 16, 32, 64, 128, 256];
    let chosen = argument(3, 0) as u32;
    for k in all.into_iter().filter(|&k| chosen == 0 || k == chosen) {
        measure(k, threads, pixels as u32, argument(4, 0));
    }
}

/// Seconds: those of this thread on the processor where the kernel tells and it does all the work, since
/// other processes may hold the cores; else those on the wall.
fn clock(threads: NonZeroUsize) -> f64 {
    let on_processor = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanoseconds: Option<f64> = on_processor.and_then(|text| text.split(' ').next()?.parse().ok());
    let wall = || SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock past 1970").as_secs_f64();
    nanoseconds.filter(|_| threads.get() == 1).map_or_else(wall, |ns| ns * 1e-9)
}

fn measure(k: u32, threads: usize, pixels: u32, n_rows: usize) {
    let graph = tree(pixels, k);
    let plan = graph_to_plan(&graph, &Options::latents_summed_out(&graph, Mode::Flows)).unwrap();
    let cost = plan.cost();
    let edges: f64 = graph
        .params()
        .iter()
        .filter(|p| matches!(p.shape, ParamShape::Sum { .. }))
        .map(|p| p.len() as f64)
        .sum();
    let threads = NonZeroUsize::new(threads).expect("one thread at least");
    let start = clock(threads);
    let params = Params::of(&graph);
    let mut executor = CpuExecutor::new(graph.clone(), params, CpuOptions::threads(threads)).unwrap();
    executor.prepare(Mode::Flows, false).unwrap();
    let compile = (clock(threads) - start) * 1e3;
    let many = (2e9 / edges / 64.0).clamp(4.0, 64.0) as usize * 64;
    let n = if n_rows == 0 { many } else { n_rows };
    // The clock of a thread may tick as rarely as every four milliseconds.
    let n_runs = (4 * many).div_ceil(n);
    let rows = batch(&graph, 2, n, 0.0, false);
    let best = |run: &mut dyn FnMut()| {
        let seconds = (0..3).map(|_| {
            let start = clock(threads);
            (0..n_runs).for_each(|_| run());
            clock(threads) - start
        });
        seconds.fold(f64::INFINITY, f64::min) / (n * n_runs) as f64
    };
    let forward = best(&mut || drop(executor.log_likelihoods(&rows)));
    let em = best(&mut || drop(executor.gather(&rows, None)));
    println!(
        "{k:<6} {edges:<13} {compile:<11.0} {:<16.4} {:<11.4} {:<8.1} {:<9.1} {}",
        forward * 1e9 / edges,
        em * 1e9 / edges,
        (cost.flops_up + cost.flops_down) as f64 / em * 1e-9,
        cost.arena_bytes as f64 / 1e6,
        executor.n_marked(),
    );
}
