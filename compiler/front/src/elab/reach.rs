//! Which items a circuit can reach by names: so that its graph declares only the variables it may use.

use crate::modules::{ItemId, ModuleId, Named, Program};
use pcc_grammar::ast::{self, Arg, Block, Expr, ExprKind, ItemKind, Stmt};
use rustc_hash::FxHashSet;

/// The items of variables that an item can reach.
pub(crate) fn variables(program: &Program, from: ItemId) -> FxHashSet<ItemId> {
    let mut seen = FxHashSet::default();
    let mut open = vec![from];
    while let Some(id) = open.pop() {
        if !seen.insert(id) {
            continue;
        }
        let Some(item) = program.item(id) else { continue };
        let names = names_of(item);
        for name in &names {
            match program.find(id.module, name) {
                Some(Named::Item(next, _)) => open.push(next),
                // `module.name`: any of the names may be the one behind the dot.
                Some(Named::Module(module)) => open.extend(items_of(program, module, &names)),
                _ => {}
            }
        }
    }
    seen.retain(|id| program.item(*id).is_some_and(|i| matches!(i.kind, ItemKind::Vars(_))));
    seen
}

fn items_of(program: &Program, module: ModuleId, names: &[&str]) -> Vec<ItemId> {
    let item = |name: &&str| match program.find(module, name) {
        Some(Named::Item(id, _)) => Some(id),
        _ => None,
    };
    names.iter().filter_map(item).collect()
}

/// All names that an item mentions, locals included: more than enough is no harm.
fn names_of(item: &ast::Item) -> Vec<&str> {
    let mut names = Names(Vec::new());
    match &item.kind {
        ItemKind::Constant(i) => names.expr(&i.value),
        ItemKind::Data(i) => names.expr(&i.target),
        ItemKind::Learn(i) => names.expr(&i.value),
        ItemKind::Constraint(i) => {
            names.0.extend(i.variables.iter().map(|v| v.text.as_str()));
            names.expr(&i.formula);
        }
        ItemKind::Structure(i) => {
            names.params(&i.statics);
            names.params(&i.params);
            names.block(&i.body);
        }
        ItemKind::Function(f) => names.function(f),
        ItemKind::Circuit(i) => names.expr(&i.value),
        _ => {}
    }
    names.0
}

struct Names<'a>(Vec<&'a str>);

impl<'a> Names<'a> {
    fn params(&mut self, params: &'a [ast::Param]) {
        for param in params {
            param.default.iter().for_each(|e| self.expr(e));
            if let Some(ty) = &param.ty {
                ty.widths.iter().chain(&ty.scopes).for_each(|e| self.expr(e));
            }
        }
    }

    fn function(&mut self, f: &'a ast::FnStmt) {
        self.params(&f.params);
        f.ty.widths.iter().chain(&f.ty.scopes).for_each(|e| self.expr(e));
        self.block(&f.body);
    }

    fn block(&mut self, block: &'a Block) {
        for stmt in &block.stmts {
            match stmt {
                Stmt::Let(binding) => self.expr(&binding.value),
                Stmt::Fn(f) => self.function(f),
                Stmt::Param(_) => {}
            }
        }
        self.expr(&block.result);
    }

    fn args(&mut self, args: &'a [Arg]) {
        for arg in args {
            match arg {
                Arg::Positional(e) | Arg::Named(_, e) => self.expr(e),
                Arg::For(clause) => {
                    self.expr(&clause.source);
                    clause.condition.iter().for_each(|e| self.expr(e));
                    self.expr(&clause.value);
                }
            }
        }
    }

    fn expr(&mut self, expr: &'a Expr) {
        stacker::maybe_grow(64 << 10, 1 << 20, || self.expr_here(expr));
    }

    fn expr_here(&mut self, expr: &'a Expr) {
        match &expr.kind {
            ExprKind::Name(name) => self.0.push(name),
            ExprKind::Number(_) | ExprKind::Text(_) => {}
            ExprKind::List(args) => self.args(args),
            ExprKind::Tuple(items) => items.iter().for_each(|e| self.expr(e)),
            ExprKind::Paren(e) | ExprKind::Unary(_, e) | ExprKind::Share(e) => self.expr(e),
            ExprKind::Field(e, name) => {
                self.0.push(&name.text);
                self.expr(e);
            }
            ExprKind::Binary(_, a, b) | ExprKind::With(a, b) | ExprKind::By(a, b) => {
                self.expr(a);
                self.expr(b);
            }
            ExprKind::Lambda(params, body) => {
                self.params(params);
                self.expr(body);
            }
            ExprKind::If(condition, yes, no) => {
                self.expr(condition);
                self.block(yes);
                no.iter().for_each(|b| self.block(b));
            }
            ExprKind::Index(e, args) | ExprKind::Call(e, args) => {
                self.expr(e);
                self.args(args);
            }
        }
    }
}
