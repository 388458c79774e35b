//! Random circuits as programs, with an evaluation of their own.
//!
//! A [`Node`] is made from a seed, written as an expression of the language, and evaluated by the definition of
//! each builder, in 64-bit floats, on complete assignments. It shares nothing with the compiler but the text.

use pcc_ir::random::Random;
use std::fmt::Write;

/// A variable with its domain: `bool`, `cat(n)` or `int(low .. high)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Variable {
    /// How many values it has.
    pub n_values: u32,
    /// The first value, where it is not 0.
    pub low: i64,
}

/// The variables of all circuits: small enough to enumerate, and of every kind.
pub const VARIABLES: [Variable; 4] = [
    Variable { n_values: 2, low: 0 },
    Variable { n_values: 3, low: 0 },
    Variable { n_values: 3, low: -1 },
    Variable { n_values: 2, low: 0 },
];

/// One expression with its value.
#[derive(Clone, Debug)]
pub enum Node {
    /// `input[K](v) with [[..]]`: a distribution over the values for each unit.
    Input(usize, Vec<Vec<f64>>),
    /// `literal(v, value)`, by the position of the value.
    Literal(usize, u32),
    /// Unit by unit.
    Product(Vec<Node>),
    /// All pairs, the second factor fastest.
    Outer(Box<Node>, Box<Node>),
    /// A row of weights for each unit, over the units of all children.
    Sum(Vec<Node>, Vec<Vec<f64>>),
    /// A row of weights for each unit, over the children.
    Mix(Vec<Node>, Vec<Vec<f64>>),
}

impl Node {
    /// The units' values on a complete assignment, given by the positions of the values.
    pub fn values(&self, assignment: &[u32]) -> Vec<f64> {
        match self {
            Node::Input(v, table) => table.iter().map(|row| row[assignment[*v] as usize]).collect(),
            Node::Literal(v, value) => vec![f64::from(u8::from(assignment[*v] == *value))],
            Node::Product(factors) => {
                let mut values = factors.iter().map(|factor| factor.values(assignment));
                let first = values.next().unwrap_or_default();
                values.fold(first, |a, b| a.iter().zip(b).map(|(x, y)| x * y).collect())
            }
            Node::Outer(a, b) => {
                let (a, b) = (a.values(assignment), b.values(assignment));
                a.iter().flat_map(|x| b.iter().map(move |y| x * y)).collect()
            }
            Node::Sum(children, weights) => {
                let joined: Vec<f64> = children.iter().flat_map(|child| child.values(assignment)).collect();
                weights.iter().map(|row| row.iter().zip(&joined).map(|(w, x)| w * x).sum()).collect()
            }
            Node::Mix(children, weights) => {
                let values: Vec<Vec<f64>> = children.iter().map(|child| child.values(assignment)).collect();
                let unit =
                    |(k, row): (usize, &Vec<f64>)| row.iter().zip(&values).map(|(w, x)| w * x[k]).sum();
                weights.iter().enumerate().map(unit).collect()
            }
        }
    }

    fn width(&self) -> usize {
        match self {
            Node::Input(_, table) => table.len(),
            Node::Literal(..) => 1,
            Node::Product(factors) => factors.first().map_or(0, Node::width),
            Node::Outer(a, b) => a.width() * b.width(),
            Node::Sum(_, weights) | Node::Mix(_, weights) => weights.len(),
        }
    }

    /// The expression in the language.
    pub fn source(&self) -> String {
        match self {
            // A Bernoulli table has the probability of 1 alone.
            Node::Input(v, table) if VARIABLES[*v].n_values == 2 => {
                let ones: Vec<Vec<f64>> = table.iter().map(|row| vec![row[1]]).collect();
                format!("input[{}]({}) with {}", table.len(), name(*v), written(&ones))
            }
            Node::Input(v, table) => {
                format!("input[{}]({}, categorical()) with {}", table.len(), name(*v), written(table))
            }
            Node::Literal(v, value) => {
                let (variable, value) = (VARIABLES[*v], i64::from(*value) + VARIABLES[*v].low);
                match (variable.n_values, value) {
                    (2, 1) => name(*v),
                    (2, _) => format!("not {}", name(*v)),
                    _ => format!("literal({}, {value})", name(*v)),
                }
            }
            Node::Product(factors) => format!("prod({})", listed(factors)),
            Node::Outer(a, b) => format!("outer({}, {})", a.source(), b.source()),
            Node::Sum(children, weights) => {
                format!("sum[{}]({}) with {}", weights.len(), listed(children), written(weights))
            }
            Node::Mix(children, weights) => format!("mix({}) with {}", listed(children), written(weights)),
        }
    }
}

fn name(variable: usize) -> String {
    format!("V{variable}")
}

fn listed(nodes: &[Node]) -> String {
    nodes.iter().map(Node::source).collect::<Vec<_>>().join(", ")
}

fn written(table: &[Vec<f64>]) -> String {
    let rows: Vec<String> = table.iter().map(|row| format!("{row:?}")).collect();
    format!("[{}]", rows.join(", "))
}

/// A program with one circuit.
pub fn program(root: &Node) -> String {
    let mut text = String::new();
    for (v, variable) in VARIABLES.iter().enumerate() {
        let high = variable.low + i64::from(variable.n_values) - 1;
        let domain = match (variable.n_values, variable.low) {
            (2, 0) => "bool".to_string(),
            (n, 0) => format!("cat({n})"),
            (_, low) => format!("int({low} .. {high})"),
        };
        // Writing to a String cannot fail.
        let _ = writeln!(text, "vars {} : {domain}", name(v));
    }
    let _ = write!(text, "\ncircuit Random = {}\n", root.source());
    text
}

/// All complete assignments, the last variable fastest.
pub fn assignments() -> Vec<Vec<u32>> {
    let mut rows = vec![Vec::new()];
    for variable in VARIABLES {
        rows = rows
            .into_iter()
            .flat_map(|row| (0..variable.n_values).map(move |value| [row.as_slice(), &[value]].concat()))
            .collect();
    }
    rows
}

/// A random circuit over all variables, of one unit.
pub fn any(seed: u64) -> Node {
    let mut maker = Maker(Random::new(seed));
    maker.sum(&[0, 1, 2, 3], 1, 2)
}

/// A random circuit that decides one variable after the other, so that at most one alternative of each sum is
/// possible.
pub fn deterministic(seed: u64) -> Node {
    let mut maker = Maker(Random::new(seed));
    let mut order: Vec<usize> = (0..VARIABLES.len()).collect();
    for i in (1..order.len()).rev() {
        order.swap(i, maker.0.below(i as u32 + 1) as usize);
    }
    maker.decision(&order)
}

/// Makes nodes; every weight table has rows that sum to one.
struct Maker(Random);

impl Maker {
    fn node(&mut self, scope: &[usize], width: usize, depth: u32) -> Node {
        match (scope, depth) {
            (&[v], 0) => self.leaf(v, width),
            (&[v], _) if self.0.chance(0.5) => self.leaf(v, width),
            (_, 0) => self.factors(scope, width, depth),
            _ if scope.len() > 1 && self.0.chance(0.5) => self.factors(scope, width, depth),
            _ if self.0.chance(0.3) => self.mix(scope, width, depth - 1),
            _ => self.sum(scope, width, depth - 1),
        }
    }

    fn leaf(&mut self, v: usize, width: usize) -> Node {
        if width == 1 && self.0.chance(0.3) {
            return Node::Literal(v, self.0.below(VARIABLES[v].n_values));
        }
        let n = VARIABLES[v].n_values as usize;
        Node::Input(v, (0..width).map(|_| self.0.simplex(n, 0.1)).collect())
    }

    fn factors(&mut self, scope: &[usize], width: usize, depth: u32) -> Node {
        let at = 1 + self.0.below(scope.len() as u32 - 1) as usize;
        let (left, right) = scope.split_at(at);
        if self.0.chance(0.3) {
            let divisors: Vec<usize> = (1..=width).filter(|d| width.is_multiple_of(*d)).collect();
            let first = divisors[self.0.below(divisors.len() as u32) as usize];
            let a = self.node(left, first, depth);
            return Node::Outer(Box::new(a), Box::new(self.node(right, width / first, depth)));
        }
        Node::Product([left, right].iter().map(|part| self.node(part, width, depth)).collect())
    }

    fn sum(&mut self, scope: &[usize], width: usize, depth: u32) -> Node {
        let children: Vec<Node> = (0..2 + self.0.below(2))
            .map(|_| {
                let units = 1 + self.0.below(3) as usize;
                self.node(scope, units, depth)
            })
            .collect();
        let columns = children.iter().map(Node::width).sum();
        let weights = (0..width).map(|_| self.0.simplex(columns, 0.2)).collect();
        Node::Sum(children, weights)
    }

    fn mix(&mut self, scope: &[usize], width: usize, depth: u32) -> Node {
        let children: Vec<Node> = (0..2).map(|_| self.node(scope, width, depth)).collect();
        let weights = (0..width).map(|_| self.0.simplex(children.len(), 0.2)).collect();
        Node::Mix(children, weights)
    }

    fn decision(&mut self, order: &[usize]) -> Node {
        let (v, rest) = (order[0], &order[1..]);
        if rest.is_empty() {
            return self.leaf(v, 1);
        }
        let values = 0..VARIABLES[v].n_values;
        let children: Vec<Node> =
            values.map(|value| Node::Product(vec![Node::Literal(v, value), self.decision(rest)])).collect();
        let weights = vec![self.0.simplex(children.len(), 0.2)];
        Node::Sum(children, weights)
    }
}
