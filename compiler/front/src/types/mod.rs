//! The check phase: kinds, widths as symbols, domains, and the order of recipes, from the source alone.
//!
//! In: a loaded [`Program`]. Out: diagnostics. Each structure is checked once for all its arguments; what
//! depends on their values stays open here and is checked exactly by elaboration. No data is looked at and no
//! circuit is built. A fault is reported once: what it touches becomes [`kind::Kind::Any`], which fits
//! everywhere.
//!
//! One file for each construct: [`item`] and what it calls for items, [`expr`] for expressions,
//! [`builder`] for the words that make circuits, [`recipe`] for recipes.

mod arguments;
mod assertion;
mod block;
mod builder;
mod call;
mod clause;
mod data;
pub(crate) mod domain;
mod expr;
pub(crate) mod family;
mod field;
mod fits;
mod function;
mod index;
mod item;
pub(crate) mod kind;
mod latent;
mod operator;
mod prelude;
mod recipe;
mod report;
pub(crate) mod signature;
pub(crate) mod size;
mod table;
mod variables;
mod written;

use crate::resolve::duplicates;
use crate::resolve::names;
use crate::resolve::scopes::{Binding, Origin, Scopes};
use crate::{ItemId, ModuleId, Program, Settings, builtin};
use kind::Kind;
use pcc_diag::{Diagnostic, FileId, Sink, Span};
use pcc_grammar::ast::Name;
use rustc_hash::{FxHashMap, FxHashSet};
use size::{Size, Symbol};

/// Checks every module of a program and puts what is found into the sink, in the order of the text.
pub fn check_program(program: &Program, settings: &Settings, sink: &mut Sink) {
    let mut check = Check::new(program, settings);
    for (id, module) in program.modules() {
        check.module = id;
        duplicates::check(module, &mut check.found);
        for (index, declared) in module.file.items.iter().enumerate() {
            item::check(&mut check, ItemId { module: id, index }, declared);
        }
        variables::report_unused(&mut check, id);
    }
    check.found.sort_by_key(place);
    // What several names share, such as the domain of `vars A, B : cat(n)`, is looked at once for each.
    check.found.dedup();
    sink.extend(check.found);
}

fn place(diagnostic: &Diagnostic) -> (FileId, u32) {
    diagnostic.labels.first().map_or((FileId(0), 0), |label| (label.span.file, label.span.start))
}

/// What is known while a program is checked.
struct Check<'a> {
    program: &'a Program,
    settings: &'a Settings,
    /// The module whose names are in view.
    module: ModuleId,
    scopes: Scopes,
    /// Whether a `learn` item, or a function that one may call, is being read: they alone may look at data.
    is_learning: bool,
    /// The kinds of items, found when first asked for; `None` while that is under way.
    items: FxHashMap<(ItemId, usize), Option<Kind>>,
    used: FxHashSet<(ItemId, usize)>,
    found: Vec<Diagnostic>,
    n_symbols: u32,
    /// The sums that stand under a `by`, whose weights therefore mean something.
    supervised: FxHashSet<Span>,
    /// How many numbers a row of weights has, for each builder whose rows are distributions, by its place: the
    /// units that a sum mixes, the children of a `mix`, the values of a categorical variable.
    columns: FxHashMap<Span, Option<Size>>,
}

impl<'a> Check<'a> {
    fn new(program: &'a Program, settings: &'a Settings) -> Self {
        Check {
            program,
            settings,
            module: ModuleId(0),
            scopes: Scopes::default(),
            is_learning: false,
            items: FxHashMap::default(),
            used: FxHashSet::default(),
            found: Vec::new(),
            n_symbols: 0,
            supervised: FxHashSet::default(),
            columns: FxHashMap::default(),
        }
    }

    fn report(&mut self, diagnostic: Diagnostic) {
        self.found.push(diagnostic);
    }

    fn fresh_symbol(&mut self, name: &str) -> Symbol {
        self.n_symbols += 1;
        Symbol { id: self.n_symbols, name: name.into() }
    }

    /// Binds a local name, and reports another local of that name that is still in view.
    fn bind(&mut self, name: &Name, kind: Kind, origin: Origin) {
        // The other one can't be meant any more, and is not to be called unused for that.
        self.scopes.use_name(&name.text);
        if let Some(earlier) = self.bind_quietly(name, kind, origin) {
            self.report(duplicates::local_twice(&name.text, name.span, earlier));
        }
    }

    /// Binds a name whose clashes have been reported.
    fn bind_quietly(&mut self, name: &Name, kind: Kind, origin: Origin) -> Option<Span> {
        let (name, span) = (name.text.clone(), name.span);
        self.scopes.bind(Binding { name, span, kind, origin, is_used: false })
    }

    /// Closes the innermost scope and warns of the names in it that nothing refers to.
    fn close_scope(&mut self) {
        for binding in self.scopes.close() {
            if !binding.is_used && !binding.name.starts_with('_') {
                self.found.extend(report::unused(&binding));
            }
        }
    }

    /// Reports a name that nothing in view has.
    fn unknown_name(&mut self, name: &str, span: Span) {
        let module = self.program.module(self.module);
        if module.is_some_and(|module| names::is_in_a_broken_item(module, name)) {
            return;
        }
        let mut items: Vec<&str> = self.program.names(self.module).collect();
        items.sort_unstable();
        let locals: Vec<&str> = self.scopes.names().collect();
        let prelude: Vec<&str> = builtin::prelude_names().collect();
        let diagnostic = names::unknown_name(name, span, &[locals, items, prelude].concat());
        self.report(diagnostic);
    }
}
