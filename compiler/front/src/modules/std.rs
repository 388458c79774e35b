//! The standard library, embedded: `std/...` needs no files at run time.

macro_rules! modules {
    ($($name:literal),* $(,)?) => {
        const MODULES: &[(&str, &str)] = &[$((
            concat!("std/", $name),
            include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../stdlib/", $name, ".pc")),
        )),*];
    };
}

modules!(
    "chow_liu",
    "cluster",
    "hclt",
    "hmm",
    "logic",
    "metrics",
    "naive_bayes",
    "poon_domingos",
    "psdd",
    "quad",
    "rat",
    "split",
    "trees",
);

/// The text of a module of the standard library.
pub fn std_module(name: &str) -> Option<&'static str> {
    MODULES.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}

/// The names of all modules of the standard library.
pub fn std_names() -> impl Iterator<Item = &'static str> {
    MODULES.iter().map(|(name, _)| *name)
}

/// A name that a module of the standard library declares and that was probably meant, with that module.
pub(crate) fn std_export(name: &str) -> Option<(String, &'static str)> {
    let exports = MODULES.iter().flat_map(|(module, text)| {
        let items = pcc_grammar::parse(pcc_diag::FileId(0), text).file.items;
        let names: Vec<String> = items.iter().flat_map(super::declared).map(|n| n.text.clone()).collect();
        names.into_iter().map(move |n| (n, *module))
    });
    let exports: Vec<(String, &'static str)> = exports.collect();
    if let Some(same) = exports.iter().find(|(n, _)| n == name) {
        return Some(same.clone());
    }
    let near = pcc_diag::suggest(name, exports.iter().map(|(n, _)| n.as_str()))?;
    exports.iter().find(|(n, _)| n == near).cloned()
}
