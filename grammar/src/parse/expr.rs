//! Expressions, types, and what stands inside braces.

use super::{Builder, Parts, Rule};
use crate::ast::{
    Arg, BinaryOp, Block, Clause, Expr, ExprKind, FnStmt, LetStmt, Name, Number, Param, ParamKey, ParamStmt,
    Pattern, Stmt, Ty, UnaryOp,
};
use pcc_diag::{Diagnostic, Span};
use pest::iterators::Pair;

impl Builder<'_> {
    /// Any rule that is an expression.
    pub(super) fn expr(&mut self, pair: Pair<Rule>) -> Expr {
        match pair.as_rule() {
            Rule::lambda => self.lambda(pair),
            Rule::implies => self.right_chain(pair),
            Rule::or => self.keyword_chain(pair, BinaryOp::Or),
            Rule::and => self.keyword_chain(pair, BinaryOp::And),
            Rule::compare | Rule::range | Rule::add | Rule::multiply => self.left_chain(pair),
            Rule::unary => self.unary(pair),
            Rule::tagged => self.tagged(pair),
            Rule::postfix => self.postfix(pair),
            Rule::if_expr => self.if_expr(pair),
            Rule::share | Rule::list | Rule::group | Rule::name | Rule::number | Rule::string => {
                self.primary(pair)
            }
            _ => self.expr(Parts::of(pair).one()),
        }
    }

    /// All remaining parts as expressions.
    pub(super) fn exprs<'t>(&mut self, parts: impl IntoIterator<Item = Pair<'t, Rule>>) -> Vec<Expr> {
        parts.into_iter().map(|part| self.expr(part)).collect()
    }

    fn lambda(&mut self, pair: Pair<Rule>) -> Expr {
        let span = self.span(&pair);
        let mut parts = Parts::of(pair);
        let params = self.params(parts.one());
        let body = self.expr(parts.one());
        Expr { kind: ExprKind::Lambda(params, Box::new(body)), span }
    }

    /// `a => b => c` is `a => (b => c)`.
    fn right_chain(&mut self, pair: Pair<Rule>) -> Expr {
        let mut operands: Vec<Expr> = Vec::new();
        for part in Parts::of(pair).filter(|p| p.as_rule() != Rule::implies_op) {
            operands.push(self.expr(part));
        }
        let mut operands = operands.into_iter().rev();
        let last = match operands.next() {
            Some(last) => last,
            None => unreachable!("pc.pest promises an operand"),
        };
        operands.fold(last, |right, left| binary(BinaryOp::Implies, left, right))
    }

    fn keyword_chain(&mut self, pair: Pair<Rule>, op: BinaryOp) -> Expr {
        let mut parts = Parts::of(pair);
        let first = self.expr(parts.one());
        parts.fold(first, |left, right| binary(op, left, self.expr(right)))
    }

    fn left_chain(&mut self, pair: Pair<Rule>) -> Expr {
        let mut parts = Parts::of(pair);
        let mut left = self.expr(parts.one());
        while let Some(op) = parts.next() {
            let right = self.expr(parts.one());
            left = binary(binary_op(op.as_str()), left, right);
        }
        left
    }

    fn unary(&mut self, pair: Pair<Rule>) -> Expr {
        let span = self.span(&pair);
        let mut parts = Parts::of(pair);
        let op = parts.one_if(Rule::unary_op).map(|op| unary_op(op.as_str()));
        let operand = self.expr(parts.one());
        match op {
            Some(op) => Expr { kind: ExprKind::Unary(op, Box::new(operand)), span },
            None => operand,
        }
    }

    fn tagged(&mut self, pair: Pair<Rule>) -> Expr {
        let mut parts = Parts::of(pair);
        let first = self.expr(parts.one());
        parts.fold(first, |circuit, tag| {
            let is_with = tag.as_rule() == Rule::with;
            let tag = self.expr(tag);
            let span = circuit.span.to(tag.span);
            let (circuit, tag) = (Box::new(circuit), Box::new(tag));
            let kind = if is_with { ExprKind::With(circuit, tag) } else { ExprKind::By(circuit, tag) };
            Expr { kind, span }
        })
    }

    fn postfix(&mut self, pair: Pair<Rule>) -> Expr {
        let mut parts = Parts::of(pair);
        let first = self.expr(parts.one());
        parts.fold(first, |object, part| {
            let span = object.span.to(self.span(&part));
            let object = Box::new(object);
            let kind = match part.as_rule() {
                Rule::index => ExprKind::Index(object, self.args(part)),
                Rule::call => ExprKind::Call(object, self.args(part)),
                _ => ExprKind::Field(object, self.name(Parts::of(part).one())),
            };
            Expr { kind, span }
        })
    }

    fn primary(&mut self, pair: Pair<Rule>) -> Expr {
        let span = self.span(&pair);
        let text = pair.as_str();
        let kind = match pair.as_rule() {
            Rule::name => ExprKind::Name(text.to_string()),
            Rule::number => ExprKind::Number(self.number(text, span)),
            Rule::string => ExprKind::Text(text.trim_matches('"').to_string()),
            Rule::list => ExprKind::List(self.args(pair)),
            Rule::share => ExprKind::Share(Box::new(self.expr(Parts::of(pair).one()))),
            _ => group(self.exprs(Parts::of(pair))),
        };
        Expr { kind, span }
    }

    fn number(&mut self, text: &str, span: Span) -> Number {
        let number = number(text);
        let has_digits =
            text.chars().take_while(|c| !matches!(c, 'e' | 'E')).any(|c| ('1'..='9').contains(&c));
        let fault = if !number.value.is_finite() {
            Some("it is larger than the largest double, about 1.8e308")
        } else if number.is_integer && number.value > LARGEST_INTEGER {
            Some("an integer may be at most 9,007,199,254,740,991 (2 to the power 53, less 1)")
        } else if number.value == 0.0 && has_digits {
            Some("it is too small for a double and would become 0")
        } else {
            None
        };
        if let Some(fault) = fault {
            let error = Diagnostic::error(
                "number-out-of-range",
                format!("the number `{text}` cannot be represented"),
            );
            self.errors.push(error.at(span, fault));
        }
        number
    }

    fn if_expr(&mut self, pair: Pair<Rule>) -> Expr {
        let span = self.span(&pair);
        let mut parts = Parts::of(pair);
        let condition = self.expr(parts.one());
        let then = self.block(parts.one());
        let otherwise = parts.next().map(|branch| match branch.as_rule() {
            Rule::block => self.block(branch),
            _ => self.else_if(branch),
        });
        Expr { kind: ExprKind::If(Box::new(condition), Box::new(then), otherwise.map(Box::new)), span }
    }

    /// `else if ..` is a block without braces that holds one `if`.
    fn else_if(&mut self, branch: Pair<Rule>) -> Block {
        let result = self.if_expr(branch);
        Block { stmts: Vec::new(), span: result.span, result }
    }

    fn args(&mut self, pair: Pair<Rule>) -> Vec<Arg> {
        Parts::of(pair).map(|arg| self.arg(Parts::of(arg).one())).collect()
    }

    fn arg(&mut self, pair: Pair<Rule>) -> Arg {
        match pair.as_rule() {
            Rule::named => {
                let mut parts = Parts::of(pair);
                Arg::Named(self.name(parts.one()), self.expr(parts.one()))
            }
            Rule::clause => Arg::For(Box::new(self.clause(pair))),
            _ => Arg::Positional(self.expr(pair)),
        }
    }

    fn clause(&mut self, pair: Pair<Rule>) -> Clause {
        let span = self.span(&pair);
        let mut parts = Parts::of(pair);
        let pattern = self.pattern(parts.one());
        let source = self.expr(parts.one());
        let condition = parts.one_if(Rule::condition).map(|c| self.expr(c));
        let value = self.expr(parts.one());
        Clause { pattern, source, condition, value, span }
    }

    fn pattern(&mut self, pair: Pair<Rule>) -> Pattern {
        let span = self.span(&pair);
        let is_tuple = pair.as_str().starts_with('(');
        let mut parts = Parts::of(pair);
        if is_tuple {
            return Pattern::Tuple(parts.map(|name| self.name(name)).collect(), span);
        }
        Pattern::Name(self.name(parts.one()))
    }

    /// `{ .. }`
    pub(super) fn block(&mut self, pair: Pair<Rule>) -> Block {
        let span = self.span(&pair);
        let mut stmts = Vec::new();
        let mut parts = Parts::of(pair);
        let result = loop {
            let part = parts.one();
            match part.as_rule() {
                Rule::let_stmt => stmts.push(Stmt::Let(self.let_stmt(part))),
                Rule::param_stmt => stmts.push(Stmt::Param(self.param_stmt(part))),
                Rule::function => stmts.push(Stmt::Fn(self.function(part))),
                _ => break self.expr(part),
            }
        };
        Block { stmts, result, span }
    }

    /// `let pattern = value`
    pub(super) fn let_stmt(&mut self, pair: Pair<Rule>) -> LetStmt {
        let span = self.span(&pair);
        let mut parts = Parts::of(pair);
        LetStmt { pattern: self.pattern(parts.one()), value: self.expr(parts.one()), span }
    }

    fn param_stmt(&mut self, pair: Pair<Rule>) -> ParamStmt {
        let span = self.span(&pair);
        let key = |part| {
            let mut parts = Parts::of(part);
            ParamKey { name: self.name(parts.one()), is_keyed: parts.one_if(Rule::keyed).is_some() }
        };
        ParamStmt { keys: Parts::of(pair).map(key).collect(), span }
    }

    /// `memo fn name(params) -> ty { body }`
    pub(super) fn function(&mut self, pair: Pair<Rule>) -> FnStmt {
        let span = self.span(&pair);
        let is_memo = pair.as_str().starts_with("memo");
        let mut parts = Parts::of(pair);
        FnStmt {
            is_memo,
            name: self.name(parts.one()),
            params: self.params(parts.one()),
            ty: self.ty(parts.one()),
            body: self.block(parts.one()),
            span,
        }
    }

    /// `(a: int, b = 2)`, also in brackets.
    pub(super) fn params(&mut self, pair: Pair<Rule>) -> Vec<Param> {
        Parts::of(pair).map(|param| self.param(param)).collect()
    }

    fn param(&mut self, pair: Pair<Rule>) -> Param {
        let mut parts = Parts::of(pair);
        Param {
            name: self.name(parts.one()),
            ty: parts.one_if(Rule::ty).map(|ty| self.ty(ty)),
            default: parts.next().map(|value| self.expr(value)),
        }
    }

    /// `layer[K](X)`
    pub(super) fn ty(&mut self, pair: Pair<Rule>) -> Ty {
        let span = self.span(&pair);
        let mut parts = Parts::of(pair);
        let name = self.name(parts.one());
        let mut list = |rule| parts.one_if(rule).map(|p| self.exprs(Parts::of(p))).unwrap_or_default();
        Ty { name, widths: list(Rule::widths), scopes: list(Rule::scopes), span }
    }

    /// Any single word.
    pub(super) fn name(&self, pair: Pair<Rule>) -> Name {
        Name { text: pair.as_str().to_string(), span: self.span(&pair) }
    }
}

/// The next integer above is also what the one after it would be rounded to.
const LARGEST_INTEGER: f64 = 9_007_199_254_740_991.0;

fn binary(op: BinaryOp, left: Expr, right: Expr) -> Expr {
    let span = left.span.to(right.span);
    Expr { kind: ExprKind::Binary(op, Box::new(left), Box::new(right)), span }
}

fn group(mut parts: Vec<Expr>) -> ExprKind {
    match parts.pop() {
        Some(only) if parts.is_empty() => ExprKind::Paren(Box::new(only)),
        last => ExprKind::Tuple(parts.into_iter().chain(last).collect()),
    }
}

fn unary_op(text: &str) -> UnaryOp {
    if text == "-" { UnaryOp::Negate } else { UnaryOp::Not }
}

fn binary_op(text: &str) -> BinaryOp {
    match text {
        "==" => BinaryOp::Equal,
        "!=" => BinaryOp::NotEqual,
        "<=" => BinaryOp::LessEqual,
        ">=" => BinaryOp::GreaterEqual,
        "<" => BinaryOp::Less,
        ">" => BinaryOp::Greater,
        ".." => BinaryOp::Range,
        "->" => BinaryOp::Arrow,
        "+" => BinaryOp::Add,
        "-" => BinaryOp::Subtract,
        "*" => BinaryOp::Multiply,
        "/" => BinaryOp::Divide,
        "%" => BinaryOp::Remainder,
        other => unreachable!("pc.pest has no operator `{other}` at this level"),
    }
}

/// The value of a number: `_` is skipped, and `K`, `M`, `G` multiply by powers of a thousand.
fn number(text: &str) -> Number {
    let digits = text.replace('_', "");
    let plain = digits.trim_end_matches(['K', 'M', 'G']);
    let thousands = match digits.as_bytes().last() {
        Some(b'K') => 3,
        Some(b'M') => 6,
        Some(b'G') => 9,
        _ => 0,
    };
    let (mantissa, exponent) = plain.split_once(['e', 'E']).unwrap_or((plain, "0"));
    // An exponent of more digits than fit is as good as infinite, in either direction.
    let exponent =
        exponent.parse::<i64>().unwrap_or(if exponent.starts_with('-') { -99_999 } else { 99_999 });
    let value = format!("{mantissa}e{}", exponent.saturating_add(thousands)).parse().unwrap_or(f64::INFINITY);
    Number { text: text.to_string(), value, is_integer: !mantissa.contains('.') && exponent >= 0 }
}

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn numbers_have_the_value_that_is_meant() {
        for (text, value, is_integer) in [
            ("0", 0.0, true),
            ("50_257", 50257.0, true),
            ("200M", 2e8, true),
            ("0.1K", 100.0, false),
            ("1e-3", 0.001, false),
            ("2E3", 2000.0, true),
            ("1e+2", 100.0, true),
            ("1e99999999999999999999", f64::INFINITY, true),
            ("1e-99999999999999999999", 0.0, false),
        ] {
            let found = number(text);
            assert_eq!((found.value, found.is_integer), (value, is_integer), "{text}");
        }
    }
}
