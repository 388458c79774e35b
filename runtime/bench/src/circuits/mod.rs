//! The circuits of the workloads. Each file defines one kind; all go through [`Maker`], which names tables as
//! arrays are named: the table `A[3]` is the fourth slice of the array `A`, and `pi` is all of the array `pi`.
//! Tables get no values here.

mod hmm;
mod image;
mod logic;
mod rat;
mod regions;
mod tree;

pub use hmm::hmm;
pub use image::{poon_domingos, quad_graph, quad_tree};
pub use logic::logic;
pub use rat::{RatShape, rat};
pub use regions::{Region, Regions};
pub use tree::{Tree, hclt};

use pcc_diag::Span;
use pcc_ir::{Domain, Family, Graph, GraphBuilder, GraphError, LayerId, Param, ParamId, ParamShape, VarId};

/// A builder of graphs over variables that all have one family of inputs.
pub(crate) struct Maker {
    builder: GraphBuilder,
    variables: Vec<VarId>,
    family: Family,
}

/// A layer, or why it can't be built.
pub(crate) type Built = Result<LayerId, GraphError>;

impl Maker {
    /// A builder over `X[n]`.
    pub(crate) fn new(n: usize, domain: Domain, family: Family) -> Self {
        let mut builder = GraphBuilder::new();
        let group = builder.variables("X", &[n as u32], domain, false);
        let variables = builder.graph().var_group(group).variables().collect();
        Maker { builder, variables, family }
    }

    /// `units` inputs over a variable.
    pub(crate) fn leaf(&mut self, table: String, variable: usize, units: u32) -> Built {
        let shape = ParamShape::Input { family: self.family, units };
        let table = self.table(table, shape);
        self.builder.input(self.variables[variable], table, 1, Span::NONE)
    }

    /// `rows` mixtures of all units of all children.
    pub(crate) fn sum(&mut self, table: String, rows: u32, children: &[LayerId]) -> Built {
        let columns = children.iter().map(|&child| self.units(child)).sum();
        let table = self.table(table, ParamShape::Sum { rows, columns });
        self.builder.sum(children, table, 1, Span::NONE)
    }

    /// Mixtures of equal units of all children.
    pub(crate) fn mix(&mut self, table: String, children: &[LayerId]) -> Built {
        let units = children.first().map_or(0, |&child| self.units(child));
        let table = self.table(table, ParamShape::Mix { units, children: children.len() as u32 });
        self.builder.mix(children, table, 1, Span::NONE)
    }

    /// The product of layers, or the layer itself where there is one.
    pub(crate) fn product(&mut self, children: &[LayerId]) -> Built {
        match children {
            [only] => Ok(*only),
            _ => self.builder.product(children, Span::NONE),
        }
    }

    /// All products of a unit of one layer and a unit of the other.
    pub(crate) fn outer(&mut self, left: LayerId, right: LayerId) -> Built {
        self.builder.outer(left, right, 1, Span::NONE)
    }

    /// The graph under a root.
    pub(crate) fn finish(self, root: LayerId) -> Result<Graph, GraphError> {
        self.builder.finish(root)
    }

    fn units(&self, layer: LayerId) -> u32 {
        self.builder.graph().n_units(layer) as u32
    }

    fn table(&mut self, name: String, shape: ParamShape) -> ParamId {
        self.builder.param(Param {
            shape,
            groups: 1,
            initial: None,
            is_fixed: false,
            mask: None,
            name,
            span: Span::NONE,
        })
    }
}
