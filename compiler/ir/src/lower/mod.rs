//! Graph to plan.
//!
//! ```text
//! sum[4](prod(a, sum[4](b)))   ->   b0 = multiply b; b1 = sum b0; b2 = multiply b1 a; b3 = sum b2
//! ```
//!
//! Layers are taken depth first, so that a child's rows are still in the cache when its parent reads them
//! ([`order`]). Each becomes one step ([`up`]), but for leaves that the product which needs them looks
//! up, or computes together; for flows, each step gets its counterpart on the way down
//! ([`down`]). Where groups of a child do not match those of its parent, or a sum has several children, a
//! `concat` brings the parts under one exponent first. Products learn when their entries must be watched
//! ([`guards`]), and buffers get their rows by when they live ([`arena`]).
//!
//! In: a graph. Out: a plan that the verifier accepts. Parameters are not looked at.

mod again;
mod arena;
mod constant;
mod down;
mod guards;
mod order;
mod up;

use crate::plan::{Block, Buffer, Mode, Plan, Source, Step, Table};
use crate::{BlockId, BufferId, Graph, LayerId, LayerKind, Param, ParamId, ParamShape, Scope, VarId};

/// What a plan is made for.
#[derive(Clone, Debug)]
pub struct Options {
    /// What the plan is to compute.
    pub mode: Mode,
    /// Variables that no batch will observe, latents as a rule: their leaves are the constant one.
    pub unobserved: Scope,
    /// Whether many normal leaves of a product become one step, as is best for a back end that makes a matrix
    /// product of it. Not in a plan for values.
    pub are_normals_joined: bool,
    /// Whether the weights of each table add up to one for every unit, but for a millionth at most; no table's
    /// do where it is empty. Over what is not observed such a sum or mix is the constant one. Plans for flows and values need those layers and keep them.
    pub normalised: Vec<bool>,
    /// Variables that every row knows softly, in the order of their weights. Indicators alone may be over them.
    pub given: Vec<VarId>,
    /// Layers whose blocks are there when the upward steps are done, whatever the mode.
    pub kept: Vec<LayerId>,
}

impl Options {
    /// A plan in which latents are never observed.
    pub fn latents_summed_out(graph: &Graph, mode: Mode) -> Options {
        let mut unobserved = Scope::empty(graph.variables().len());
        for group in graph.var_groups().iter().filter(|g| g.is_latent) {
            group.variables().for_each(|v| unobserved.insert(v));
        }
        Options { unobserved, ..Options::all_observed(graph, mode) }
    }

    /// A plan in which any variable may be observed.
    pub fn all_observed(graph: &Graph, mode: Mode) -> Options {
        let unobserved = Scope::empty(graph.variables().len());
        Options {
            mode,
            unobserved,
            are_normals_joined: false,
            normalised: Vec::new(),
            given: Vec::new(),
            kept: Vec::new(),
        }
    }
}

/// Lowers a graph.
///
/// # Errors
/// When the circuit needs more than 2^32 rows for one tile, and when other leaves than indicators are over a
/// variable that is known softly.
pub fn graph_to_plan(graph: &Graph, options: &Options) -> Result<Plan, String> {
    check_size(graph)?;
    check_given(graph, options)?;
    let order = order::depth_first(graph);
    let mut lowering = Lowering::new(graph, options, &order);
    for id in order {
        lowering.lower_layer(id);
    }
    lowering.finish_up();
    if options.mode == Mode::Flows {
        lowering.lower_down();
    }
    let kept: Vec<BlockId> = options.kept.iter().filter_map(|id| lowering.plan.layers[id.index()]).collect();
    arena::assign(&mut lowering.plan, &kept)?;
    Ok(lowering.plan)
}

/// Refuses leaves that would need more of soft evidence than one weight for each unit.
fn check_given(graph: &Graph, options: &Options) -> Result<(), String> {
    let is_given = |id: &LayerId| graph.layer(*id).kind.var().is_some_and(|var| options.given.contains(&var));
    let has_weights = |id: LayerId| match graph.layer(id).kind {
        LayerKind::Indicator { var, first } => {
            let end = u64::from(first) + u64::from(graph.layer(id).width);
            graph.variable(var).domain.n_values().is_some_and(|n| end <= u64::from(n))
        }
        _ => false,
    };
    match graph.layer_ids().filter(is_given).find(|&id| !has_weights(id)) {
        None => Ok(()),
        Some(id) => Err(format!("layer {id} can't be compiled for soft evidence")),
    }
}

/// Keeps the sizes of all blocks, and of concatenations of a layer's children, within 32 bits.
fn check_size(graph: &Graph) -> Result<(), String> {
    let rows = |id: LayerId| 2 * graph.n_units(id) as u64;
    let reads = |id: LayerId| graph.children(id).iter().map(|&c| rows(c)).sum::<u64>();
    let largest = graph.layer_ids().map(|id| rows(id).max(reads(id))).max().unwrap_or(0);
    match largest < u64::from(u32::MAX) / 4 {
        true => Ok(()),
        false => Err(format!("a layer needs {largest} rows for one tile, too many for 32 bits")),
    }
}

/// A plan in the making.
struct Lowering<'g> {
    graph: &'g Graph,
    options: &'g Options,
    plan: Plan,
    /// What layers became.
    values: Vec<Value>,
    /// Whether a product is the one reader of a layer.
    is_lone_factor: Vec<bool>,
}

/// What a layer is to those that read it.
#[derive(Clone, Copy)]
enum Value {
    /// One, whatever the evidence, and over so many sums.
    Constant { n_sums: u32 },
    /// A block.
    Block(BlockId),
    /// A leaf that no step has computed: the product that reads it does.
    Leaf(Leaf),
}

/// A leaf with a table.
#[derive(Clone, Copy)]
struct Leaf {
    var: VarId,
    table: ParamId,
    groups: u32,
    is_normal: bool,
}

impl<'g> Lowering<'g> {
    fn new(graph: &'g Graph, options: &'g Options, order: &[LayerId]) -> Self {
        let plan = Plan {
            mode: options.mode,
            n_variables: graph.variables().len() as u32,
            tables: tables(graph),
            guards: Vec::new(),
            blocks: Vec::new(),
            buffers: Vec::new(),
            arena_rows: 0,
            steps: Vec::new(),
            n_up: 0,
            root: BlockId(0),
            layers: Vec::new(),
        };
        let values = vec![Value::Constant { n_sums: 0 }; graph.n_layers()];
        Lowering { graph, options, plan, values, is_lone_factor: lone_factors(graph, order) }
    }

    fn finish_up(&mut self) {
        let root = self.graph.root();
        self.plan.root = self.block_of(root);
        let block = |value: &Value| if let Value::Block(block) = *value { Some(block) } else { None };
        self.plan.layers = self.values.iter().map(block).collect();
        self.plan.n_up = self.plan.steps.len() as u32;
        guards::set(&mut self.plan);
    }

    fn buffer(&mut self, rows: u32) -> BufferId {
        self.plan.buffers.push(Buffer { rows, first: 0 });
        BufferId::new(self.plan.buffers.len() - 1)
    }

    fn block(&mut self, groups: u32, width: u32) -> BlockId {
        let buffer = self.buffer(groups * width + groups);
        self.plan.blocks.push(Block { groups, width, buffer });
        BlockId::new(self.plan.blocks.len() - 1)
    }

    /// The block of a lowered layer. A constant layer gets a block of ones for each reader that needs one.
    fn block_of(&mut self, id: LayerId) -> BlockId {
        let layer = self.graph.layer(id);
        match self.values[id.index()] {
            Value::Block(block) => block,
            Value::Leaf(leaf) => self.leaf_block(leaf),
            Value::Constant { .. } => {
                let out = self.block(layer.groups, layer.width);
                self.push(Step::Ones { out })
            }
        }
    }
}

/// Whether each layer is read once in all, and by a product.
fn lone_factors(graph: &Graph, order: &[LayerId]) -> Vec<bool> {
    let mut n_reads = vec![0_u32; graph.n_layers()];
    let mut is_factor = vec![false; graph.n_layers()];
    for &id in order {
        for child in graph.children(id) {
            n_reads[child.index()] += 1;
            is_factor[child.index()] = graph.layer(id).kind == LayerKind::Product;
        }
    }
    n_reads.iter().zip(is_factor).map(|(&n, is_factor)| n == 1 && is_factor).collect()
}

/// One table for each parameter, in the order of their ids.
fn tables(graph: &Graph) -> Vec<Table> {
    let mut starts = [0, 0, 0];
    let mut table = |param: &Param| {
        let (source, rows, columns) = table_shape(param);
        // Parameters that are not read directly still take their place among the parameters.
        let start = starts[source as usize];
        let table = Table { source, start, rows, columns, groups: param.groups, stats: starts[2] };
        starts[Source::Params as usize] += param.len() as u64;
        if source == Source::Prepared {
            starts[Source::Prepared as usize] += table.len();
        }
        debug_assert_eq!(table.len(), param.stats_len() as u64, "statistics are shaped like the table");
        starts[2] += table.len();
        table
    };
    graph.params().iter().map(&mut table).collect()
}

fn table_shape(param: &Param) -> (Source, u32, u32) {
    match param.shape {
        ParamShape::Sum { rows, columns } => (Source::Params, rows, columns),
        ParamShape::Mix { units, children } => (Source::Params, units, children),
        ParamShape::Input { family, units } => {
            let is_own_table = matches!(family, crate::Family::Categorical(_));
            let source = if is_own_table { Source::Params } else { Source::Prepared };
            (source, family.get().n_prepared() as u32, units)
        }
    }
}
