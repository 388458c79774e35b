//! Expressions, signatures and blocks.

use super::comments::{Brackets, CALL, Formatter, SQUARE, TUPLE};
use super::doc::{Doc, concat, join, line, text};
use super::range;
use crate::ast::{
    Arg, BinaryOp, Block, Clause, Expr, ExprKind, FnStmt, LetStmt, Name, Param, Pattern, Stmt, Ty, UnaryOp,
};
use pcc_diag::Span;
use std::ops::Range;

/// An `if` stands on one line up to this many columns.
const IF_WIDTH: usize = 64;

impl Formatter<'_> {
    /// Any expression.
    pub(super) fn expr(&mut self, expr: &Expr) -> Doc {
        match &expr.kind {
            ExprKind::Name(name) => text(name),
            ExprKind::Number(number) => text(&number.text),
            ExprKind::Text(_) => text(self.source(range(expr.span))),
            ExprKind::List(args) => self.args(SQUARE, args),
            ExprKind::Tuple(parts) => self.list(TUPLE, parts, |e| range(e.span), Formatter::expr),
            ExprKind::Paren(inner) => {
                self.list(TUPLE, std::slice::from_ref(inner), |e| range(e.span), |f, e| f.expr(e))
            }
            ExprKind::Unary(UnaryOp::Not, operand) => text("not ").then(self.expr(operand)),
            ExprKind::Unary(UnaryOp::Negate, operand) => text("-").then(self.expr(operand)),
            ExprKind::Binary(op, left, right) => self.binary(expr, *op, left, right),
            ExprKind::Lambda(params, body) => {
                concat([text("fn"), self.params(CALL, params), text(" => "), self.expr(body)])
            }
            ExprKind::If(..) => self.if_expr(expr).group_within(IF_WIDTH),
            ExprKind::Share(circuit) => text("share ").then(self.expr(circuit)),
            ExprKind::Index(object, args) => self.expr(object).then(self.args(SQUARE, args)),
            ExprKind::Call(callee, args) => self.expr(callee).then(self.args(CALL, args)),
            ExprKind::Field(object, name) => self.expr(object).then(text(format!(".{}", name.text))),
            ExprKind::With(circuit, table) => concat([self.expr(circuit), text(" with "), self.expr(table)]),
            ExprKind::By(circuit, latent) => concat([self.expr(circuit), text(" by "), self.expr(latent)]),
        }
    }

    /// Expressions in brackets.
    pub(super) fn exprs(&mut self, brackets: Brackets, exprs: &[Expr]) -> Doc {
        self.list(brackets, exprs, |e| range(e.span), Formatter::expr)
    }

    /// Names in brackets.
    pub(super) fn names(&mut self, brackets: Brackets, names: &[Name]) -> Doc {
        self.list(brackets, names, |name| range(name.span), |_, name| text(&name.text))
    }

    fn binary(&mut self, expr: &Expr, op: BinaryOp, left: &Expr, right: &Expr) -> Doc {
        if !is_chain(op) {
            return concat([self.expr(left), text(format!(" {} ", op.word())), self.expr(right)]);
        }
        let mut operands = Vec::new();
        if op == BinaryOp::Implies {
            right_operands(expr, &mut operands)
        } else {
            left_operands(expr, &mut operands)
        }
        self.chain(&operands, |operand| range(operand.span), |f, operand| f.expr(operand))
    }

    fn args(&mut self, brackets: Brackets, args: &[Arg]) -> Doc {
        self.list(brackets, args, arg_place, Formatter::arg)
    }

    fn arg(&mut self, arg: &Arg) -> Doc {
        match arg {
            Arg::Positional(value) => self.expr(value),
            Arg::Named(name, value) => text(format!("{} = ", name.text)).then(self.expr(value)),
            Arg::For(clause) => self.for_clause(clause),
        }
    }

    fn for_clause(&mut self, clause: &Clause) -> Doc {
        let mut head = vec![text("for "), pattern(&clause.pattern), text(" in "), self.expr(&clause.source)];
        if let Some(condition) = &clause.condition {
            head.extend([text(" if "), self.expr(condition)]);
        }
        let value = line().then(self.expr(&clause.value)).nest();
        concat(head.into_iter().chain([text(":"), value])).group()
    }

    /// `if c { a } else { b }`; the caller decides how wide that may be on one line.
    fn if_expr(&mut self, expr: &Expr) -> Doc {
        let ExprKind::If(condition, then, otherwise) = &expr.kind else { return self.expr(expr) };
        let head = concat([text("if "), self.expr(condition), text(" "), self.branch(then)]);
        match otherwise {
            None => head,
            Some(block) => {
                let is_else_if = block.span == block.result.span;
                let block = if is_else_if { self.if_expr(&block.result) } else { self.branch(block) };
                concat([head, line(), text("else "), block])
            }
        }
    }

    /// `{ value }` on one line when it fits and binds nothing.
    fn branch(&mut self, block: &Block) -> Doc {
        if !block.stmts.is_empty() {
            return self.body(block);
        }
        let inside = self.block_lines(block, inside(block));
        concat([text("{"), line().then(inside).nest(), line(), text("}")]).group()
    }

    /// `{ .. }` of a function, on lines of its own.
    pub(super) fn body(&mut self, block: &Block) -> Doc {
        let first = lines(block).first().map(|line| line.place().start);
        self.braced(inside(block), first, |f, inside| f.block_lines(block, inside))
    }

    fn block_lines(&mut self, block: &Block, inside: Range<usize>) -> Doc {
        self.sequence(
            &lines(block),
            inside,
            Line::place,
            |_| false,
            |f, line| match line {
                Line::Stmt(stmt) => f.stmt(stmt),
                Line::Result(result) => f.expr(result),
            },
        )
    }

    fn stmt(&mut self, stmt: &Stmt) -> Doc {
        match stmt {
            Stmt::Let(binding) => self.let_stmt(binding),
            Stmt::Param(params) => {
                let key = |key: &crate::ast::ParamKey| {
                    text(format!("{}{}", key.name.text, if key.is_keyed { "[_]" } else { "" }))
                };
                let keys = join(params.keys.iter().map(key), &text(",").then(line()));
                text("param ").then(keys.nest().group())
            }
            Stmt::Fn(function) => self.function(function),
        }
    }

    /// `let pattern = value`
    pub(super) fn let_stmt(&mut self, binding: &LetStmt) -> Doc {
        self.binding(text("let ").then(pattern(&binding.pattern)), &binding.value)
    }

    /// `head = value`; an `if` of several lines starts on its own.
    pub(super) fn binding(&mut self, head: Doc, value: &Expr) -> Doc {
        let doc = self.expr(value);
        let is_if = matches!(value.kind, ExprKind::If(..));
        let value = if is_if { line().then(doc).nest().group() } else { text(" ").then(doc) };
        concat([head, text(" ="), value])
    }

    /// `memo fn name(params) -> ty { .. }`
    pub(super) fn function(&mut self, function: &FnStmt) -> Doc {
        let memo = if function.is_memo { "memo " } else { "" };
        let head = text(format!("{memo}fn {}", function.name.text));
        let params = self.params(CALL, &function.params);
        concat([head, params, text(" -> "), self.ty(&function.ty), text(" "), self.body(&function.body)])
    }

    /// Parameters in brackets.
    pub(super) fn params(&mut self, brackets: Brackets, params: &[Param]) -> Doc {
        self.list(brackets, params, param_place, Formatter::param)
    }

    fn param(&mut self, param: &Param) -> Doc {
        let ty = param.ty.as_ref().map(|ty| text(": ").then(self.ty(ty)));
        let head = concat([text(&param.name.text)].into_iter().chain(ty));
        match &param.default {
            Some(default) => concat([head, text(" = "), self.expr(default)]),
            None => head,
        }
    }

    /// `layer[K](X)`
    pub(super) fn ty(&mut self, ty: &Ty) -> Doc {
        let mut parts = vec![text(&ty.name.text)];
        for (brackets, exprs) in [(SQUARE, &ty.widths), (CALL, &ty.scopes)] {
            if !exprs.is_empty() {
                parts.push(self.exprs(brackets, exprs));
            }
        }
        concat(parts)
    }
}

/// What stands on a line of a block.
enum Line<'t> {
    Stmt(&'t Stmt),
    Result(&'t Expr),
}

impl Line<'_> {
    fn place(&self) -> Range<usize> {
        range(match self {
            Line::Stmt(Stmt::Let(binding)) => binding.span,
            Line::Stmt(Stmt::Param(params)) => params.span,
            Line::Stmt(Stmt::Fn(function)) => function.span,
            Line::Result(result) => result.span,
        })
    }
}

fn lines(block: &Block) -> Vec<Line<'_>> {
    block.stmts.iter().map(Line::Stmt).chain([Line::Result(&block.result)]).collect()
}

/// What stands between the braces.
fn inside(block: &Block) -> Range<usize> {
    block.span.start as usize + 1..block.span.end as usize - 1
}

fn pattern(pattern: &Pattern) -> Doc {
    match pattern {
        Pattern::Name(name) => text(&name.text),
        Pattern::Tuple(names, _) => {
            let names: Vec<&str> = names.iter().map(|name| name.text.as_str()).collect();
            text(format!("({})", names.join(", ")))
        }
    }
}

fn arg_place(arg: &Arg) -> Range<usize> {
    range(match arg {
        Arg::Positional(value) => value.span,
        Arg::Named(name, value) => name.span.to(value.span),
        Arg::For(clause) => clause.span,
    })
}

fn param_place(param: &Param) -> Range<usize> {
    let ty = param.ty.as_ref().map_or(Span::NONE, |ty| ty.span);
    let default = param.default.as_ref().map_or(Span::NONE, |default| default.span);
    range(param.name.span.to(ty).to(default))
}

/// Whether operands of this operator stand in one chain with those of its level.
fn is_chain(op: BinaryOp) -> bool {
    level(op).is_some()
}

/// Operators of one number bind alike and may follow each other.
fn level(op: BinaryOp) -> Option<u8> {
    match op {
        BinaryOp::Implies => Some(0),
        BinaryOp::Or => Some(1),
        BinaryOp::And => Some(2),
        BinaryOp::Add | BinaryOp::Subtract => Some(3),
        BinaryOp::Multiply | BinaryOp::Divide | BinaryOp::Remainder => Some(4),
        _ => None,
    }
}

/// The operands of a chain that groups to the left, each with the operator before it.
fn left_operands<'t>(expr: &'t Expr, operands: &mut Vec<(&'static str, &'t Expr)>) {
    let mut expr = expr;
    let mut reversed = Vec::new();
    let chain = binary_level(expr);
    while let ExprKind::Binary(op, left, right) = &expr.kind
        && level(*op) == chain
    {
        reversed.push((op.word(), &**right));
        expr = left;
    }
    reversed.push(("", expr));
    operands.extend(reversed.into_iter().rev());
}

/// The operands of a chain of `=>`.
fn right_operands<'t>(expr: &'t Expr, operands: &mut Vec<(&'static str, &'t Expr)>) {
    let mut expr = expr;
    while let ExprKind::Binary(BinaryOp::Implies, left, right) = &expr.kind {
        operands.push((BinaryOp::Implies.word(), left));
        expr = right;
    }
    operands.push((BinaryOp::Implies.word(), expr));
}

fn binary_level(expr: &Expr) -> Option<u8> {
    match &expr.kind {
        ExprKind::Binary(op, ..) => level(*op),
        _ => None,
    }
}
