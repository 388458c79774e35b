//! The kinds of layer, and a view of one.

use crate::{LayerId, ParamId, ScopeId, VarId};
use pcc_diag::Span;

/// What a layer computes. Children are kept beside it in the graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LayerKind {
    /// Each unit is a distribution over one variable, of the family and with the table of the parameter.
    Input {
        /// The variable.
        var: VarId,
        /// Its table; the family is the parameter's.
        param: ParamId,
    },
    /// Every unit is the indicator of one value: a literal of a boolean variable, a category.
    Literal {
        /// The variable.
        var: VarId,
        /// The code of the value.
        value: u32,
    },
    /// Unit u (within its group) is the indicator of the value `first + u`.
    Indicator {
        /// The variable, usually a latent.
        var: VarId,
        /// The code that unit 0 stands for.
        first: u32,
    },
    /// Unit by unit product of all children.
    Product,
    /// All pairs of two children: unit i of the first and j of the second is unit i * width(second) + j.
    Outer,
    /// Each unit is a weighted sum over all units of all children (of its group's part of each).
    Sum {
        /// Its weights.
        param: ParamId,
    },
    /// Unit k is a weighted sum of the unit k of each child.
    Mix {
        /// Its weights.
        param: ParamId,
    },
}

impl LayerKind {
    /// The parameter table, if it has one.
    pub fn param(self) -> Option<ParamId> {
        match self {
            LayerKind::Input { param, .. } | LayerKind::Sum { param } | LayerKind::Mix { param } => {
                Some(param)
            }
            _ => None,
        }
    }

    /// The variable of a leaf.
    pub fn var(self) -> Option<VarId> {
        match self {
            LayerKind::Input { var, .. }
            | LayerKind::Literal { var, .. }
            | LayerKind::Indicator { var, .. } => Some(var),
            _ => None,
        }
    }

    /// The word for it in source and in messages.
    pub fn word(self) -> &'static str {
        match self {
            LayerKind::Input { .. } => "input",
            LayerKind::Literal { .. } => "literal",
            LayerKind::Indicator { .. } => "indicator",
            LayerKind::Product => "prod",
            LayerKind::Outer => "outer",
            LayerKind::Sum { .. } => "sum",
            LayerKind::Mix { .. } => "mix",
        }
    }
}

/// A view of one layer.
#[derive(Clone, Copy, Debug)]
pub struct Layer<'g> {
    /// What it computes.
    pub kind: LayerKind,
    /// How many groups it has.
    pub groups: u32,
    /// How many units each group has.
    pub width: u32,
    /// Its scope.
    pub scope: ScopeId,
    /// Where it was written.
    pub span: Span,
    /// Its ordered children.
    pub children: &'g [LayerId],
}

impl Layer<'_> {
    /// Groups times width.
    pub fn n_units(&self) -> usize {
        self.groups as usize * self.width as usize
    }
}
