//! The named parts of a circuit: every `let` of the structures and functions that it reaches.
//!
//! `Image.patch` is the `let patch` of the structure that `Image` calls; a `let` inside a function names all
//! its instances. What a structure reaches is read off the names in its text, so the list may hold parts that
//! no argument ever leads to, and lacks none.

use crate::modules::Named;
use crate::{ItemId, Program};
use pcc_grammar::ast::{Arg, Block, Expr, ExprKind, ItemKind, Param, Pattern, Stmt};
use rustc_hash::FxHashSet;

/// The names of the parts of a circuit, each once, in the order in which they are reached.
pub(crate) fn of_circuit(program: &Program, circuit: ItemId) -> Vec<String> {
    let mut walk =
        Walk { program, module: circuit, seen: FxHashSet::default(), parts: Vec::new(), next: Vec::new() };
    walk.item(circuit);
    while let Some(id) = walk.next.pop() {
        walk.item(id);
    }
    walk.parts
}

struct Walk<'p> {
    program: &'p Program,
    /// The item that is being read; its module says what names mean.
    module: ItemId,
    seen: FxHashSet<ItemId>,
    parts: Vec<String>,
    next: Vec<ItemId>,
}

impl Walk<'_> {
    fn item(&mut self, id: ItemId) {
        self.module = id;
        match self.program.item(id).map(|item| &item.kind) {
            Some(ItemKind::Circuit(circuit)) => self.expr(&circuit.value),
            Some(ItemKind::Structure(structure)) => {
                self.params(&structure.statics);
                self.params(&structure.params);
                self.block(&structure.body);
            }
            Some(ItemKind::Function(function)) => {
                self.params(&function.params);
                self.block(&function.body);
            }
            _ => {}
        }
    }

    fn params(&mut self, params: &[Param]) {
        params.iter().filter_map(|param| param.default.as_ref()).for_each(|default| self.expr(default));
    }

    fn block(&mut self, block: &Block) {
        for statement in &block.stmts {
            match statement {
                Stmt::Let(binding) => {
                    if let Pattern::Name(name) = &binding.pattern
                        && !self.parts.contains(&name.text)
                    {
                        self.parts.push(name.text.clone());
                    }
                    self.expr(&binding.value);
                }
                Stmt::Param(_) => {}
                Stmt::Fn(function) => {
                    self.params(&function.params);
                    self.block(&function.body);
                }
            }
        }
        self.expr(&block.result);
    }

    fn named(&mut self, named: Option<Named>) {
        if let Some(Named::Item(id, _)) = named
            && self.seen.insert(id)
        {
            self.next.push(id);
        }
    }

    fn args(&mut self, args: &[Arg]) {
        for arg in args {
            match arg {
                Arg::Positional(value) | Arg::Named(_, value) => self.expr(value),
                Arg::For(clause) => {
                    self.expr(&clause.source);
                    self.expr(&clause.value);
                }
            }
        }
    }

    fn expr(&mut self, expr: &Expr) {
        stacker::maybe_grow(128 << 10, 2 << 20, || self.construct(expr));
    }

    fn construct(&mut self, expr: &Expr) {
        match &expr.kind {
            ExprKind::Name(name) => self.named(self.program.find(self.module.module, name)),
            ExprKind::Number(_) | ExprKind::Text(_) => {}
            ExprKind::List(args) => self.args(args),
            ExprKind::Tuple(parts) => parts.iter().for_each(|part| self.expr(part)),
            ExprKind::Paren(inner) | ExprKind::Unary(_, inner) | ExprKind::Share(inner) => self.expr(inner),
            ExprKind::Binary(_, left, right) | ExprKind::With(left, right) | ExprKind::By(left, right) => {
                self.expr(left);
                self.expr(right);
            }
            ExprKind::Lambda(params, body) => {
                self.params(params);
                self.expr(body);
            }
            ExprKind::If(condition, then, otherwise) => {
                self.expr(condition);
                self.block(then);
                otherwise.iter().for_each(|otherwise| self.block(otherwise));
            }
            ExprKind::Index(object, args) | ExprKind::Call(object, args) => {
                self.expr(object);
                self.args(args);
            }
            ExprKind::Field(object, name) => self.field(object, &name.text),
        }
    }

    /// `hclt.Hclt`, of a module that was imported whole.
    fn field(&mut self, object: &Expr, name: &str) {
        if let ExprKind::Name(module) = &object.kind
            && let Some(Named::Module(module)) = self.program.find(self.module.module, module)
        {
            self.named(self.program.find(module, name));
            return;
        }
        self.expr(object);
    }
}
