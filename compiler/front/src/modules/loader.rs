//! Reading a program: the root file, then whatever it imports, each file once.
//!
//! Faults of syntax, unreadable imports and cycles go to the sink; the program is whatever could be read.

use super::std::{std_module, std_names};
use super::{ItemId, Module, ModuleId, Named, Program, declared};
use crate::World;
use pcc_diag::{Diagnostic, Sink, Sources};
use pcc_grammar::ast::{Import, ItemKind};
use petgraph::algo::tarjan_scc;
use petgraph::graph::DiGraph;
use rustc_hash::FxHashMap;

/// Reads the program whose root file has that path (as the user wrote it).
pub fn load(root_path: &str, world: &dyn World, sources: &mut Sources, sink: &mut Sink) -> Program {
    let mut loader =
        Loader { world, sources, sink, program: Program::default(), loaded: FxHashMap::default() };
    match loader.text_of(root_path) {
        Ok(text) => loader.add(root_path, &text),
        Err(why) => {
            let message = format!("`{root_path}` can't be read: {why}");
            loader.sink.push(Diagnostic::error("unreadable-file", message));
        }
    }
    let mut next = 0;
    while next < loader.program.modules.len() {
        loader.imports_of(ModuleId(next));
        next += 1;
    }
    loader.name_items();
    loader.report_cycles();
    loader.program
}

struct Loader<'a> {
    world: &'a dyn World,
    sources: &'a mut Sources,
    sink: &'a mut Sink,
    program: Program,
    loaded: FxHashMap<String, ModuleId>,
}

impl Loader<'_> {
    fn text_of(&self, name: &str) -> Result<String, String> {
        match std_module(name) {
            Some(text) => Ok(text.into()),
            None if name.starts_with("std/") => Err("`std` has no such module".into()),
            None => self.world.read(name),
        }
    }

    fn add(&mut self, name: &str, text: &str) {
        let id = self.sources.add(name, text);
        let parse = pcc_grammar::parse(id, text);
        self.sink.extend(parse.errors);
        let folder = match name.rsplit_once('/') {
            Some((folder, _)) if std_module(name).is_none() => folder.to_string(),
            _ => String::new(),
        };
        self.loaded.insert(name.into(), ModuleId(self.program.modules.len()));
        self.program.modules.push(Module {
            name: name.into(),
            id,
            folder,
            text: text.into(),
            file: parse.file,
            imports: FxHashMap::default(),
            names: FxHashMap::default(),
        });
    }

    fn imports_of(&mut self, id: ModuleId) {
        let Some(module) = self.program.modules.get(id.0) else { return };
        let wanted: Vec<(usize, Import)> =
            module.file.items.iter().enumerate().filter_map(import_at).collect();
        let folder = module.folder.clone();
        for (index, import) in wanted {
            let target = self.target(&folder, &import);
            if let Some(module) = self.program.modules.get_mut(id.0) {
                module.imports.insert(index, target);
            }
        }
    }

    fn target(&mut self, folder: &str, import: &Import) -> Option<ModuleId> {
        let name = module_name(folder, &import.path.text);
        if let Some(&id) = self.loaded.get(&name) {
            return Some(id);
        }
        match self.text_of(&name) {
            Ok(text) => {
                self.add(&name, &text);
                self.loaded.get(&name).copied()
            }
            Err(why) => {
                self.sink.push(unknown_module(import, &name, &why));
                None
            }
        }
    }

    /// Fills the tables of names, imported ones included. Of two equal names the first counts; the check
    /// phase reports the second.
    fn name_items(&mut self) {
        let own: Vec<FxHashMap<String, Named>> =
            self.program.modules.iter().enumerate().map(|(i, m)| own_names(ModuleId(i), m)).collect();
        for (i, module) in self.program.modules.iter_mut().enumerate() {
            let mut names = own.get(i).cloned().unwrap_or_default();
            for (index, import) in module.file.items.iter().enumerate().filter_map(import_at) {
                let target = module.imports.get(&index).copied().flatten();
                for (name, named) in imported(&import, target, &own, self.sink) {
                    names.entry(name).or_insert(named);
                }
            }
            module.names = names;
        }
    }

    fn report_cycles(&mut self) {
        let mut graph = DiGraph::new();
        let nodes: Vec<_> = self.program.modules().map(|(id, _)| graph.add_node(id)).collect();
        for (id, module) in self.program.modules() {
            for target in module.imports.values().flatten() {
                if let (Some(&from), Some(&to)) = (nodes.get(id.0), nodes.get(target.0)) {
                    graph.add_edge(from, to, ());
                }
            }
        }
        for component in tarjan_scc(&graph) {
            let mut members: Vec<ModuleId> =
                component.iter().filter_map(|n| graph.node_weight(*n).copied()).collect();
            members.sort();
            let is_cycle = members.len() > 1 || component.iter().any(|n| graph.contains_edge(*n, *n));
            if is_cycle {
                let cycle = import_cycle(&self.program, &members);
                self.sink.push(cycle);
            }
        }
    }
}

fn import_at((index, item): (usize, &pcc_grammar::ast::Item)) -> Option<(usize, Import)> {
    match &item.kind {
        ItemKind::Import(import) => Some((index, import.clone())),
        _ => None,
    }
}

/// `std/trees` as it is; another path beside the importing file, with `.pc` after it and `..` resolved.
fn module_name(folder: &str, path: &str) -> String {
    if path.starts_with("std/") {
        return path.into();
    }
    let is_absolute = folder.starts_with('/');
    let mut parts: Vec<&str> = folder.split('/').filter(|p| !p.is_empty() && *p != ".").collect();
    for part in path.split('/') {
        match part {
            ".." if parts.last().is_some_and(|p| *p != "..") => {
                parts.pop();
            }
            _ => parts.push(part),
        }
    }
    format!("{}{}.pc", if is_absolute { "/" } else { "" }, parts.join("/"))
}

fn own_names(module: ModuleId, m: &Module) -> FxHashMap<String, Named> {
    let mut names = FxHashMap::default();
    for (index, item) in m.file.items.iter().enumerate() {
        for (position, name) in declared(item).into_iter().enumerate() {
            let named = Named::Item(ItemId { module, index }, position);
            names.entry(name.text.clone()).or_insert(named);
        }
    }
    names
}

fn imported(
    import: &Import,
    target: Option<ModuleId>,
    own: &[FxHashMap<String, Named>],
    sink: &mut Sink,
) -> Vec<(String, Named)> {
    let module = target.map_or(Named::Missing, Named::Module);
    if import.names.is_empty() {
        let last = import.path.text.rsplit('/').next().unwrap_or(&import.path.text);
        let name = import.alias.as_ref().map_or(last, |a| a.text.as_str());
        return vec![(name.into(), module)];
    }
    let exports = target.and_then(|t| own.get(t.0));
    let mut found = Vec::new();
    for name in &import.names {
        let named = exports.and_then(|e| e.get(&name.text)).copied();
        if let (None, Some(exports)) = (named, exports) {
            sink.push(unknown_import(import, name, exports));
        }
        let local = match (&import.alias, import.names.len()) {
            (Some(alias), 1) => &alias.text,
            _ => &name.text,
        };
        found.push((local.clone(), named.unwrap_or(Named::Missing)));
    }
    found
}

fn unknown_import(
    import: &Import,
    name: &pcc_grammar::ast::Name,
    exports: &FxHashMap<String, Named>,
) -> Diagnostic {
    let message = format!("`{}` has nothing named `{}`", import.path.text, name.text);
    let error = Diagnostic::error("unknown-import", message).at(name.span, "");
    let mut known: Vec<&str> = exports.keys().map(String::as_str).collect();
    known.sort_unstable();
    error.did_you_mean(&name.text, known.iter().copied(), |error| {
        error.help(format!("it has {}", crate::words::listing(&known)))
    })
}

fn unknown_module(import: &Import, name: &str, why: &str) -> Diagnostic {
    let message = format!("`{}` can't be imported: {why}", import.path.text);
    let error = Diagnostic::error("unknown-module", message).at(import.path.span, "");
    error.did_you_mean(name, std_names(), |error| match name.starts_with("std/") {
        true => error,
        false => {
            error.help(format!("an import is a path from this file, without `.pc`; `{name}` was looked for"))
        }
    })
}

fn import_cycle(program: &Program, members: &[ModuleId]) -> Diagnostic {
    let modules = members.iter().filter_map(|id| program.module(*id));
    let names: Vec<String> = modules.clone().map(|m| format!("`{}`", m.name)).collect();
    let message = format!("files import each other in a circle: {}", names.join(", "));
    let mut error = Diagnostic::error("import-cycle", message);
    for module in modules {
        for (index, target) in &module.imports {
            let is_inside = target.is_some_and(|t| members.contains(&t));
            if let (true, Some(item)) = (is_inside, module.file.items.get(*index)) {
                error =
                    if error.labels.is_empty() { error.at(item.span, "") } else { error.note(item.span, "") };
            }
        }
    }
    error.help("move what both need into a file of its own")
}
