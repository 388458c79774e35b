//! Parameters as values: what `param` declares, and what `share` holds together.
//!
//! A table is made in the graph when it is first used, as only then its shape is known; but where it belongs
//! (how many copies it has, inside which shared application it was made) is settled by its declaration.

use super::Value;
use pcc_diag::Span;
use pcc_ir::ParamId;
use rustc_hash::FxHashMap;
use std::cell::{Cell, RefCell};
use std::ops::Range;
use std::rc::Rc;

/// Where tables belong that are declared here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// How many copies each table has: the product of the enclosing `copies`.
    pub(crate) tables: u32,
    /// How many shared applications enclose the declaration.
    pub(crate) depth: usize,
}

/// `param emit[_]`, as one evaluation of the enclosing body declares it.
pub(crate) struct Tables<'p> {
    pub(crate) name: &'p str,
    pub(crate) span: Span,
    pub(crate) is_keyed: bool,
    pub(crate) place: Place,
    slots: RefCell<FxHashMap<Value<'p>, Rc<Slot>>>,
}

/// One table of it.
pub(crate) struct Slot {
    /// Such as `emit[3]`.
    pub(crate) name: String,
    /// The declaration.
    pub(crate) span: Span,
    pub(crate) place: Place,
    /// The table, and where it was first used.
    pub(crate) used: Cell<Option<(ParamId, Span)>>,
}

impl<'p> Tables<'p> {
    pub(crate) fn new(name: &'p str, span: Span, is_keyed: bool, place: Place) -> Self {
        Tables { name, span, is_keyed, place, slots: RefCell::default() }
    }

    /// The table of a key; `shown` is the key in words.
    pub(crate) fn slot(&self, key: Value<'p>, shown: &str) -> Rc<Slot> {
        let name = if self.is_keyed { format!("{}[{shown}]", self.name) } else { self.name.into() };
        let slot = Slot { name, span: self.span, place: self.place, used: Cell::new(None) };
        self.slots.borrow_mut().entry(key).or_insert_with(|| Rc::new(slot)).clone()
    }
}

/// `share callee`: all applications have the same tables.
pub(crate) struct Shared<'p> {
    pub(crate) callee: Value<'p>,
    pub(crate) span: Span,
    pub(crate) place: Place,
    /// The name that `let` gives it.
    pub(crate) label: Cell<Option<&'p str>>,
    pub(crate) first: RefCell<Option<Rc<Recording>>>,
}

/// What the first application of a [`Shared`] made.
pub(crate) struct Recording {
    /// The tables, in the order in which they were asked for.
    pub(crate) params: Vec<ParamId>,
    /// The layers.
    pub(crate) layers: Range<u32>,
    /// The groups of layers made there outside any further `copies`.
    pub(crate) groups: u32,
    /// The call.
    pub(crate) span: Span,
}
