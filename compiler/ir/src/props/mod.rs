//! Properties of circuits: proved, or refuted with a witness.
//!
//! In comes a graph; out comes for each property a proof's yes, a no with a witness (the layers and
//! variables at fault, an assignment), or, where a budget ran out, an honest *unknown*. Nothing here changes
//! a graph, and nothing looks at parameter values: supports come from structure only.

mod boxes;
mod checked;
mod columns;
mod compatible;
mod conjunction;
mod cut;
mod decomposable;
mod deterministic;
mod grouping;
mod message;
mod names;
mod overlap;
mod properties;
mod separate;
mod sizes;
mod smooth;
mod structured;
mod supports;
mod values;
mod vtree;

pub use checked::{Checked, Violation, violations};
pub use columns::Unit;
pub use compatible::{Compatibility, compatible};
pub use cut::{Cut, NoCut, cut_at};
pub use decomposable::{Overlap, overlapping_scopes};
pub use deterministic::{BothPossible, Determinism, DeterminismConfig, deterministic, deterministic_sums};
pub use message::{
    compatibility_in_words, conflict_in_words, determinism_in_words, misfit_in_words, not_proved,
    support_in_words, violation_in_words,
};
pub use names::{assignment_in_words, scope_in_words};
pub use properties::{Properties, check};
pub use smooth::{Unequal, unequal_scopes};
pub use structured::{Conflict, Structure, structured};
pub use supports::{Support, supports};
pub use vtree::{Misfit, Vtree, VtreeNode, structured_by};
