//! Circuit graphs, their properties, and layered plans.
//!
//! Two representations live here, and only two. A [`Graph`] says what a circuit *is*: layers of units
//! over scopes, with parameters by id. A plan says what a machine *runs*: steps over buffers, for one
//! back end and mode. Neither sees source syntax, files or devices.

pub mod evidence;
pub mod family;
pub mod graph;
mod id;
pub mod lower;
mod params;
pub mod plan;
pub mod props;
pub mod random;
pub mod recipe;
mod scope;
mod soft;
pub mod units;
mod variable;

pub use evidence::{Batch, MISSING, Value};
pub use family::Family;
pub use graph::{Graph, GraphBuilder, GraphError, Layer, LayerKind, Param, ParamShape};
pub use id::{BlockId, BufferId, LayerId, ParamId, ScopeId, VarGroupId, VarId};
pub use lower::graph_to_plan;
pub use params::{Flows, Params, group_table, shape_word};
pub use plan::{Plan, Verified};
pub use props::Checked;
pub use scope::{Scope, Scopes};
pub use soft::{SoftRows, SoftTable, SoftValue, UnfitWeight};
pub use variable::{Domain, VarGroup, Variable};
