//! All properties of a circuit at once, as `pcc info` shows them.

use super::{
    Determinism, DeterminismConfig, Structure, Violation, deterministic, overlapping_scopes, structured,
    unequal_scopes,
};
use crate::Graph;

/// What is known of a circuit.
#[derive(Clone, Debug, PartialEq)]
pub struct Properties {
    /// The first sum whose alternatives cover different variables, if there is one.
    pub smooth: Result<(), Violation>,
    /// The first product whose factors share variables, if there is one.
    pub decomposable: Result<(), Violation>,
    /// A vtree, or why there is none.
    pub structured: Structure,
    /// Determinism relative to the observed variables of the config.
    pub deterministic: Determinism,
}

/// Checks everything.
pub fn check(graph: &Graph, config: &DeterminismConfig) -> Properties {
    let first = |violation: Option<Violation>| violation.map_or(Ok(()), Err);
    Properties {
        smooth: first(unequal_scopes(graph).next().map(Violation::Unequal)),
        decomposable: first(overlapping_scopes(graph).next().map(Violation::Overlap)),
        structured: structured(graph),
        deterministic: deterministic(graph, config),
    }
}

impl Properties {
    /// Names and answers in the order in which they are shown; `None` is unknown. A circuit that is not
    /// decomposable is not structured either.
    pub fn answers(&self) -> [(&'static str, Option<bool>); 4] {
        let structured = match self.structured {
            Structure::Structured(_) => Some(self.decomposable.is_ok()),
            Structure::NotStructured(_) => Some(false),
            Structure::Unknown(_) => None,
        };
        let deterministic = match self.deterministic {
            Determinism::Deterministic => Some(true),
            Determinism::NotDeterministic(_) => Some(false),
            Determinism::Unknown { .. } => None,
        };
        [
            ("smooth", Some(self.smooth.is_ok())),
            ("decomposable", Some(self.decomposable.is_ok())),
            ("structured", structured),
            ("deterministic", deterministic),
        ]
    }
}
