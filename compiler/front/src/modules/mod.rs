//! The files of a program: the one that was named, and all that it imports.

mod loader;
mod std;

pub(crate) use self::std::std_export;
pub use self::std::std_module;
pub use loader::load;

use ::std::rc::Rc;
use pcc_diag::{FileId, Span};
use pcc_grammar::ast;
use rustc_hash::FxHashMap;

/// A module of a [`Program`], by position; the root is the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ModuleId(pub usize);

/// An item of a [`Program`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ItemId {
    /// The module it stands in.
    pub module: ModuleId,
    /// Its position among the module's items.
    pub index: usize,
}

/// A parsed program. Items that have faults of syntax are not in it; their errors went to the sink.
#[derive(Clone, Debug, Default)]
pub struct Program {
    modules: Vec<Module>,
}

/// One file of a program.
#[derive(Clone, Debug)]
pub struct Module {
    /// As it is imported: `std/trees`, or the path of the file.
    pub name: String,
    /// Its file in the sources.
    pub id: FileId,
    /// The folder of the file, without a slash at the end; empty for the current one and for `std`.
    pub folder: String,
    /// The whole text.
    pub text: Rc<str>,
    /// Its items.
    pub file: ast::File,
    /// What each import item (by position among the items) leads to; `None` when it can't be read.
    pub imports: FxHashMap<usize, Option<ModuleId>>,
    names: FxHashMap<String, Named>,
}

/// What a name at the top of a module stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Named {
    /// An item of the program; for variables, the position of the declaration inside the item too.
    Item(ItemId, usize),
    /// A module, by `import path` or `import path as name`.
    Module(ModuleId),
    /// Something imported that can't be found; reported when it was loaded.
    Missing,
}

impl Program {
    /// The modules, the root first, each after the module that first imports it.
    pub fn modules(&self) -> impl Iterator<Item = (ModuleId, &Module)> {
        self.modules.iter().enumerate().map(|(i, m)| (ModuleId(i), m))
    }

    /// The module of an id; `None` only for an id of another program, or when nothing was loaded.
    pub fn module(&self, id: ModuleId) -> Option<&Module> {
        self.modules.get(id.0)
    }

    /// The module that was named by the user.
    pub fn root(&self) -> Option<&Module> {
        self.modules.first()
    }

    /// The item of an id.
    pub fn item(&self, id: ItemId) -> Option<&ast::Item> {
        self.modules.get(id.module.0)?.file.items.get(id.index)
    }

    /// All items of all modules, in order.
    pub fn items(&self) -> impl Iterator<Item = (ItemId, &ast::Item)> {
        self.modules().flat_map(|(module, m)| {
            let items = m.file.items.iter().enumerate();
            items.map(move |(index, item)| (ItemId { module, index }, item))
        })
    }

    /// What a name at the top of a module stands for; the prelude is not looked at.
    pub fn find(&self, module: ModuleId, name: &str) -> Option<Named> {
        self.modules.get(module.0)?.names.get(name).copied()
    }

    /// The names known at the top of a module, in no order.
    pub fn names(&self, module: ModuleId) -> impl Iterator<Item = &str> {
        self.modules.get(module.0).into_iter().flat_map(|m| m.names.keys().map(String::as_str))
    }

    /// The names of the circuits of the root module, in order.
    pub fn circuits(&self) -> Vec<&str> {
        let items = self.root().into_iter().flat_map(|m| &m.file.items);
        let names = items.filter_map(|i| match &i.kind {
            ast::ItemKind::Circuit(c) => Some(c.name.text.as_str()),
            _ => None,
        });
        names.collect()
    }

    /// The text under a span.
    pub fn text(&self, span: Span) -> &str {
        let module = self.modules.iter().find(|m| m.id == span.file);
        module.and_then(|m| m.text.get(span.start as usize..span.end as usize)).unwrap_or("")
    }
}

/// The names that an item declares, each with its place.
pub fn declared(item: &ast::Item) -> Vec<&ast::Name> {
    use ast::ItemKind as K;
    match &item.kind {
        K::Native(i) => vec![&i.name],
        K::Constant(i) => vec![&i.name],
        K::Vars(i) => i.decls.iter().map(|d| &d.name).collect(),
        K::Data(i) => vec![&i.name],
        K::Learn(i) => vec![&i.name],
        K::Teacher(i) => vec![&i.name],
        K::Constraint(i) => vec![&i.name],
        K::Structure(i) => vec![&i.name],
        K::Function(i) => vec![&i.name],
        K::Circuit(i) => vec![&i.name],
        K::Recipe(i) => vec![&i.name],
        K::Import(_) | K::Assertion(_) => Vec::new(),
    }
}
