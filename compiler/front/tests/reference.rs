//! The page of the book that lists names agrees with the tables that the compiler reads: every callable, field,
//! type and word stands on it with exactly the parameters that it has.

use pcc_front::builtin::{
    DOMAINS, FIELDS, Field, METRICS, Need, PROPERTIES, PROPERTY_CALLS, Parameter, SIGNATURES, SIZES,
    Signature, TYPES,
};

/// `sum[width](circuits..)`, `shuffle(of, key)`, `csv(path, rows?)`
fn written(signature: &Signature) -> String {
    let statics = match signature.statics {
        [] => String::new(),
        statics => format!("[{}]", listed(statics)),
    };
    format!("`{}{statics}({})`", signature.name, listed(signature.params))
}

fn listed(parameters: &[Parameter]) -> String {
    let one = |p: &Parameter| match p.need {
        Need::Required => p.name.to_string(),
        Need::Optional => format!("{}?", p.name),
        Need::Rest => format!("{}..", p.name),
    };
    parameters.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// `tree.root`, `tree.children(of)`
fn written_field(field: &Field) -> String {
    let of = format!("{:?}", field.of).to_lowercase();
    let params = field.params.map_or(String::new(), |params| format!("({})", listed(params)));
    format!("`{of}.{}{params}`", field.name)
}

#[test]
fn the_reference_lists_what_the_compiler_knows() {
    let page = include_str!("../../../docs/book/prelude.md");
    let quoted = |name: &&str| format!("`{name}`");
    let words = [METRICS, PROPERTIES, PROPERTY_CALLS, SIZES, DOMAINS].concat();
    let expected = SIGNATURES
        .iter()
        .map(written)
        .chain(FIELDS.iter().map(written_field))
        .chain(words.iter().map(quoted))
        .chain(TYPES.iter().map(|(name, _)| format!("`{name}`")));
    let missing: Vec<String> = expected.filter(|entry| !page.contains(entry)).collect();
    assert!(missing.is_empty(), "docs/book/prelude.md lacks\n{}", missing.join("\n"));
}

#[test]
fn the_reference_lists_nothing_else() {
    let page = include_str!("../../../docs/book/prelude.md");
    let known: Vec<String> = SIGNATURES.iter().map(written).chain(FIELDS.iter().map(written_field)).collect();
    // The rows of the tables of callables and fields: their first cell is one entry.
    let is_entry = |cell: &&str| cell.ends_with(")`") || cell.contains('.');
    let entries = page.lines().filter_map(|line| Some(line.strip_prefix("| ")?.split_once(" |")?.0));
    let unknown: Vec<&str> = entries.filter(is_entry).filter(|e| !known.iter().any(|k| k == e)).collect();
    assert!(
        unknown.is_empty(),
        "docs/book/prelude.md tells of {unknown:?}, which the compiler does not know"
    );
}
