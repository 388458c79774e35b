//! `duplicate-name`: two items, or two locals in view of each other, with one name.

use crate::modules::{Module, declared};
use pcc_diag::{Diagnostic, Span};
use pcc_grammar::ast::{Import, ItemKind, Name};
use rustc_hash::FxHashMap;

/// Reports every item or import of a module whose name another one has taken before it.
pub(crate) fn check(module: &Module, found: &mut Vec<Diagnostic>) {
    let mut first: FxHashMap<String, Span> = FxHashMap::default();
    for item in &module.file.items {
        let names: Vec<Name> = match &item.kind {
            ItemKind::Import(import) => imported_names(import),
            _ => declared(item).into_iter().cloned().collect(),
        };
        for name in names {
            match first.get(&name.text) {
                Some(earlier) => found.push(item_twice(&name, *earlier)),
                None => {
                    first.insert(name.text, name.span);
                }
            }
        }
    }
}

/// The names that an import gives to its module: `import a.{b} as c` gives `c`, `import a/b` gives `b`.
fn imported_names(import: &Import) -> Vec<Name> {
    match (&import.alias, import.names.as_slice()) {
        (Some(alias), [] | [_]) => vec![alias.clone()],
        (None, []) => {
            let last = import.path.text.rsplit('/').next().unwrap_or(&import.path.text);
            vec![Name { text: last.into(), span: import.path.span }]
        }
        (_, names) => names.to_vec(),
    }
}

fn item_twice(name: &Name, earlier: Span) -> Diagnostic {
    Diagnostic::error("duplicate-name", format!("`{}` names two items of this file", name.text))
        .at(name.span, "named again here")
        .note(earlier, "first named here")
        .help("give one of them another name")
}

/// The report of a local that hides another local.
pub(crate) fn local_twice(name: &str, span: Span, earlier: Span) -> Diagnostic {
    Diagnostic::error("duplicate-name", format!("`{name}` is already the name of a local here"))
        .at(span, "bound again here")
        .note(earlier, "first bound here")
        .help("a local may hide an item, never another local: choose another name")
}

/// The report of a parameter, argument or stage that comes twice in one list.
pub(crate) fn listed_twice(what: &str, name: &str, span: Span, earlier: Span) -> Diagnostic {
    Diagnostic::error("duplicate-name", format!("{what} `{name}` is there twice"))
        .at(span, "again here")
        .note(earlier, "first here")
}
