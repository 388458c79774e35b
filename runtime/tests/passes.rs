//! Passes keep the answer to every query and the statistics of every trainable table.
//!
//! Random circuits are disguised first: layers are doubled, passed through identity sums, products nested,
//! silenced alternatives added. The oracle evaluates before and after each pass.

use pcc_diag::Span;
use pcc_ir::random::{Random, Taste, batch, circuit};
use pcc_ir::{Checked, Flows, Graph, GraphBuilder, LayerId, LayerKind, Param, ParamId, ParamShape, Params};
use pcc_opt::pipeline::{PASSES, run};
use pcc_opt::{Config, Pass, carry_params, optimize};
use pcc_runtime::exec::{Executor, Interpreter};
use std::time::Duration;

/// The same function in more layers than it needs.
fn disguise(graph: &Graph, random: &mut Random) -> Graph {
    let mut disguised = Disguise::new(graph);
    for id in graph.layer_ids() {
        disguised.layer(id, random);
    }
    disguised.finish()
}

struct Disguise<'g> {
    from: &'g Graph,
    b: GraphBuilder,
    /// For each old layer the new ones that equal it.
    equals: Vec<Vec<LayerId>>,
}

impl<'g> Disguise<'g> {
    fn new(from: &'g Graph) -> Self {
        let mut b = GraphBuilder::new();
        for g in from.var_groups() {
            b.variables(&g.name, &g.extents, g.domain, g.is_latent);
        }
        for param in from.params() {
            b.param(param.clone());
        }
        Disguise { from, b, equals: Vec::new() }
    }

    fn any(&self, old: LayerId, random: &mut Random) -> LayerId {
        let equals = &self.equals[old.index()];
        equals[random.below(equals.len() as u32) as usize]
    }

    fn layer(&mut self, id: LayerId, random: &mut Random) {
        let mut equals = vec![self.copy(id, random)];
        if random.chance(0.3) {
            equals.push(self.copy(id, random));
        }
        if random.chance(0.3) {
            equals.push(self.identity(equals[0]));
        }
        if random.chance(0.1) {
            equals.push(self.b.product(&equals[..1], Span::NONE).unwrap());
        }
        self.equals.push(equals);
    }

    fn copy(&mut self, id: LayerId, random: &mut Random) -> LayerId {
        let layer = self.from.layer(id);
        let mut children: Vec<LayerId> = layer.children.iter().map(|&c| self.any(c, random)).collect();
        let (groups, width, span) = (layer.groups, layer.width, Span::NONE);
        match layer.kind {
            LayerKind::Input { var, param } => self.b.input(var, param, groups, span),
            LayerKind::Literal { var, value } => Ok(self.b.literal(var, value, groups, width, span)),
            LayerKind::Indicator { var, first } => Ok(self.b.indicator(var, first, groups, width, span)),
            LayerKind::Product => {
                if children.len() > 2 && random.chance(0.7) {
                    let rest = children.split_off(1);
                    children.push(self.b.product(&rest, span).unwrap());
                }
                self.b.product(&children, span)
            }
            LayerKind::Outer => self.b.outer(children[0], children[1], groups, span),
            LayerKind::Sum { param } => {
                let (param, children) = self.silenced(param, children, groups, random);
                self.b.sum(&children, param, groups, span)
            }
            LayerKind::Mix { param } => {
                let (param, children) = self.silenced(param, children, groups, random);
                self.b.mix(&children, param, groups, span)
            }
        }
        .expect("it equals the old layer")
    }

    /// A sum or product of one child that equals it.
    fn identity(&mut self, child: LayerId) -> LayerId {
        let layer = self.b.graph().layer(child);
        let (groups, n) = (layer.groups, layer.width);
        let eye = (0..n * n).map(|i| if i % (n + 1) == 0 { 1.0 } else { 0.0 }).collect();
        let param = self.fixed(ParamShape::Sum { rows: n, columns: n }, eye);
        self.b.sum(&[child], param, groups, Span::NONE).unwrap()
    }

    fn fixed(&mut self, shape: ParamShape, values: Vec<f64>) -> ParamId {
        let name = format!("fixed.{}", self.b.graph().params().len());
        self.b.param(Param {
            shape,
            groups: 1,
            initial: Some(values),
            is_fixed: true,
            mask: None,
            name,
            span: Span::NONE,
        })
    }

    /// Sometimes another alternative, of weight zero in a fixed table of one group.
    fn silenced(
        &mut self,
        param: ParamId,
        mut children: Vec<LayerId>,
        groups: u32,
        random: &mut Random,
    ) -> (ParamId, Vec<LayerId>) {
        let table = self.b.graph().param(param).clone();
        if table.groups != 1 || !random.chance(0.3) {
            return (param, children);
        }
        let last = children[children.len() - 1];
        let (n_rows, n_columns, n_more, shape) = match table.shape {
            ParamShape::Sum { rows, columns } => {
                let n = (self.b.graph().n_units(last) / groups as usize) as u32;
                (rows, columns, n, ParamShape::Sum { rows, columns: columns + n })
            }
            ParamShape::Mix { units, children } => {
                (units, children, 1, ParamShape::Mix { units, children: children + 1 })
            }
            other => panic!("{other:?} is no table of weights"),
        };
        let old = table.initial.expect("random circuits have values");
        let mut values = Vec::new();
        for row in old.chunks(n_columns as usize) {
            values.extend(row);
            values.extend(std::iter::repeat_n(0.0, n_more as usize));
        }
        assert_eq!(values.len(), (n_rows * (n_columns + n_more)) as usize);
        children.push(last);
        (self.fixed(shape, values), children)
    }

    fn finish(mut self) -> Graph {
        for (layer, name) in self.from.labels() {
            self.b.label(self.equals[layer.index()][0], name);
        }
        let root = self.equals[self.from.root().index()][0];
        self.b.finish(root).unwrap()
    }
}

fn taste(seed: u64) -> Taste {
    Taste {
        n_variables: 2 + (seed % 6) as u32,
        depth: 3,
        zero_weights: if seed.is_multiple_of(3) { 0.3 } else { 0.0 },
        is_single: seed % 4 == 1,
    }
}

fn disguised(seed: u64) -> Graph {
    let graph = disguise(&circuit(seed, taste(seed)), &mut Random::new(seed ^ 0xd15));
    Checked::new(graph).unwrap_or_else(|v| panic!("{v:?}")).into_graph()
}

#[track_caller]
fn assert_near(a: f64, b: f64, relative: f64, what: &str) {
    let is_near = a == b || (a - b).abs() <= relative * (1.0 + a.abs());
    assert!(is_near, "{what}: {a} and {b}");
}

/// Likelihoods under any pattern of missing values, and flows table by table, by name.
#[track_caller]
fn check(before: &Graph, after: &Graph, seed: u64) {
    Checked::new(after.clone()).unwrap_or_else(|v| panic!("{v:?}"));
    let params = Params::of(before);
    let mut old = Interpreter::new(before.clone(), params.clone());
    let mut new = Interpreter::new(after.clone(), carry_params(before, &params, after));
    let (mut old_flows, mut new_flows) = (Flows::zero(before), Flows::zero(after));
    for missing in [0.0, 0.4, 1.0] {
        let rows = batch(before, seed, 16, missing, true);
        let old_rows = old.flows(&rows, None, &mut old_flows);
        let new_rows = new.flows(&rows, None, &mut new_flows);
        for (a, b) in old_rows.iter().zip(&new_rows) {
            assert_near(*a, *b, 1e-12, "log-likelihood");
        }
    }
    for (i, param) in after.params().iter().enumerate().filter(|(_, p)| !p.is_fixed) {
        let j = before.params().iter().position(|p| p.name == param.name).expect("names are kept");
        let (a, b) = (old_flows.table(ParamId::new(j)), new_flows.table(ParamId::new(i)));
        assert_eq!(a.len(), b.len());
        a.iter().zip(b).for_each(|(&a, &b)| assert_near(f64::from(a), f64::from(b), 1e-5, &param.name));
    }
}

#[test]
fn every_pass_keeps_every_answer() {
    let mut n_dropped = [0; PASSES.len()];
    for seed in 0..60 {
        let graph = disguised(seed);
        for (i, pass) in PASSES.into_iter().enumerate() {
            let after = run(pass, &graph);
            check(&graph, &after, seed);
            n_dropped[i] += graph.n_layers() - after.n_layers();
        }
    }
    assert!(n_dropped.iter().all(|&n| n > 20), "each pass has found something to do: {n_dropped:?}");
}

#[test]
fn the_pipeline_undoes_most_of_the_disguise() {
    let config = Config { is_verifying: true, ..Config::ALL };
    let (mut n_added, mut n_dropped) = (0, 0);
    for seed in 0..60 {
        let graph = disguised(seed);
        let checked = Checked::new(graph.clone()).unwrap();
        let optimized = optimize(checked, &config, &|| Duration::ZERO);
        check(&graph, &optimized.graph, seed);
        n_added += graph.n_layers() - circuit(seed, taste(seed)).n_layers();
        n_dropped += graph.n_layers() - optimized.graph.n_layers();
        let passes: Vec<Pass> = optimized.timings.iter().map(|t| t.pass).collect();
        assert_eq!(passes, PASSES);
        // One pass may make room for another, but a second run changes no answer either.
        let again = optimize(optimized.graph.clone(), &config, &|| Duration::ZERO);
        check(&graph, &again.graph, seed);
    }
    assert!(4 * n_dropped > 3 * n_added, "{n_dropped} of {n_added}");
}

#[test]
fn without_passes_the_graph_stays_as_it_is() {
    let graph = disguised(7);
    let optimized = optimize(Checked::new(graph.clone()).unwrap(), &Config::NONE, &|| Duration::ZERO);
    assert!(optimized.graph.same_as(&graph) && optimized.timings.is_empty());
}
