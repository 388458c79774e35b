//! Bringing the values of tables from one graph to another that was made of it.

use pcc_ir::{Graph, ParamId, Params};
use rustc_hash::FxHashMap;

/// The values of `to`'s tables: those of the table of the same name and size in `from`, else what the graph
/// itself says. A pass changes the size of fixed tables only, which have their values in the graph.
pub fn carry_params(from: &Graph, values: &Params, to: &Graph) -> Params {
    let by_name: FxHashMap<&str, usize> =
        from.params().iter().enumerate().map(|(i, param)| (param.name.as_str(), i)).collect();
    let mut carried = Params::of(to);
    for (i, param) in to.params().iter().enumerate() {
        let old = by_name.get(param.name.as_str()).filter(|&&old| from.params()[old].len() == param.len());
        if let Some(&old) = old {
            carried.table_mut(ParamId::new(i)).copy_from_slice(values.table(ParamId::new(old)));
        }
    }
    carried
}
