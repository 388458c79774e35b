//! Probabilistic sentential decision diagrams (Kisa, Van den Broeck, Choi and Darwiche, 2014) and their
//! `.psdd` files.
//!
//! ```text
//! psdd 4
//! L 0 0 1                                    literal: id, vtree node, variable (negative: false)
//! T 1 2 2 -0.69                              true: id, vtree node, variable, log p(variable = true)
//! D 3 1 2 0 1 -0.36 2 1 -1.2                 decision: id, vtree node, elements, {prime, sub, log weight}
//! ```
//! before → after: a literal becomes a literal layer of one unit, a true node a sum of both literals, a
//! decision a sum of products of (prime, sub). Variable k of the file is `X[k - 1] : bool`. Log weights
//! become linear weights, computed in 64 bits. The last node is the root; a wrong count of nodes in the
//! header, which most files in circulation have, is a warning.

use super::lines::{Line, count_warning, damaged, lines};
use super::vtree::{Vtree, VtreeNode};
use super::{Content, Imported, other_content};
use pcc_diag::{Diagnostic, Span};
use pcc_ir::{Domain, Graph, GraphBuilder, GraphError, LayerId, Param, ParamShape, Params, VarId};
use rustc_hash::FxHashMap;

/// How far the weights of a node may be from summing to one: what printing with few digits may cost.
const SLACK: f64 = 1e-3;

/// Reads the content of a `.psdd` file; `file` is what messages call it. With a vtree every node is held
/// against the vtree node that it names.
///
/// # Errors
/// `circuit-format` when it is no PSDD, `circuit-file-damaged` with the line that is wrong.
pub fn read_psdd(content: &[u8], vtree: Option<&Vtree>, file: &str) -> Result<Imported, Diagnostic> {
    let text = match std::str::from_utf8(content) {
        Ok(text) if Content::of(content) == Content::Psdd => text,
        _ => return Err(other_content(content, "a PSDD", file)),
    };
    let n_variables = n_variables(text, vtree, file)?;
    let mut lines = lines(text, file);
    let declared = match lines.next() {
        Some(mut header) => header.word("the word `psdd`").and_then(|_| header.number("count of nodes"))?,
        None => 0,
    };
    let mut reader = Reader::new(n_variables, vtree);
    for mut line in lines {
        reader.node(&mut line)?;
    }
    let (root, n_nodes) = (reader.last, reader.nodes.len());
    let root = root.ok_or_else(|| damaged(file, "the circuit has no nodes"))?;
    let graph = reader.builder.finish(root).map_err(|e| damaged(file, &e))?;
    let params = params_of(&graph, &reader.weights);
    let warnings = count_warning(file, declared, n_nodes).into_iter().collect();
    Ok(Imported { graph, params, warnings })
}

/// Variables must be declared before the first layer, so the text is looked through for the largest.
fn n_variables(text: &str, vtree: Option<&Vtree>, file: &str) -> Result<usize, Diagnostic> {
    const MOST: usize = 1 << 24;
    let mut n = vtree.map_or(0, Vtree::n_variables);
    for line in lines(text, file).skip(1) {
        n = n.max(variable_of(line).unwrap_or(0));
    }
    match n <= MOST {
        true => Ok(n),
        false => Err(damaged(file, format_args!("variable {n} is beyond the largest that pcc reads"))),
    }
}

/// The variable that a line names, counted from 1; malformed lines are found out later.
fn variable_of(mut line: Line) -> Option<usize> {
    let kind = line.word("").ok()?;
    let _ids: (u64, u64) = (line.number("").ok()?, line.number("").ok()?);
    match kind {
        "L" | "T" => Some(line.number::<i64>("").ok()?.unsigned_abs() as usize),
        _ => None,
    }
}

struct Reader<'v> {
    builder: GraphBuilder,
    n_variables: usize,
    vtree: Option<&'v Vtree>,
    nodes: FxHashMap<u32, Node>,
    literals: FxHashMap<(u32, bool), LayerId>,
    /// The weights of each table, by its name.
    weights: FxHashMap<String, Vec<f64>>,
    last: Option<LayerId>,
}

/// A node that was read: its layer, and where the vtree has it.
#[derive(Clone, Copy)]
struct Node {
    layer: LayerId,
    place: Option<usize>,
}

impl<'v> Reader<'v> {
    fn new(n_variables: usize, vtree: Option<&'v Vtree>) -> Self {
        let mut builder = GraphBuilder::new();
        builder.variables("X", &[n_variables as u32], Domain::Bool, false);
        Reader {
            builder,
            n_variables,
            vtree,
            nodes: FxHashMap::default(),
            literals: FxHashMap::default(),
            weights: FxHashMap::default(),
            last: None,
        }
    }

    fn node(&mut self, line: &mut Line) -> Result<(), Diagnostic> {
        let kind = line.word("a node")?;
        let id = line.number("node id")?;
        let place = self.place(line)?;
        let layer = match kind {
            "L" => self.literal_node(line, place)?,
            "T" => self.true_node(line, id, place)?,
            "D" => self.decision(line, id, place)?,
            other => return Err(line.fault(format_args!("`{other}` is no kind of PSDD node"))),
        };
        line.end()?;
        self.last = Some(layer);
        match self.nodes.insert(id, Node { layer, place }) {
            Some(_) => Err(line.fault(format_args!("node {id} is there twice"))),
            None => Ok(()),
        }
    }

    fn place(&self, line: &mut Line) -> Result<Option<usize>, Diagnostic> {
        let id = line.number("vtree node")?;
        let Some(vtree) = self.vtree else { return Ok(None) };
        match vtree.find(id) {
            Some(place) => Ok(Some(place)),
            None => Err(line.fault(format_args!("the vtree has no node {id}"))),
        }
    }

    fn literal_node(&mut self, line: &mut Line, place: Option<usize>) -> Result<LayerId, Diagnostic> {
        let literal: i64 = line.number("literal")?;
        let variable = self.variable(literal.unsigned_abs(), line, place)?;
        Ok(self.literal(variable, literal > 0))
    }

    fn true_node(&mut self, line: &mut Line, id: u32, place: Option<usize>) -> Result<LayerId, Diagnostic> {
        let number = line.number("variable")?;
        let variable = self.variable(number, line, place)?;
        let p = probability(line)?;
        let children = [self.literal(variable, true), self.literal(variable, false)];
        self.sum(&children, vec![p, 1.0 - p], id, line)
    }

    fn decision(&mut self, line: &mut Line, id: u32, place: Option<usize>) -> Result<LayerId, Diagnostic> {
        let n: usize = line.number("count of elements")?;
        if n == 0 {
            return Err(line.fault("a decision has no elements"));
        }
        let (mut children, mut weights) = (Vec::new(), Vec::new());
        for _ in 0..n {
            let (prime, sub) = (self.element(line, "prime")?, self.element(line, "sub")?);
            self.check_places(prime, sub, place, line)?;
            let product = self.builder.product(&[prime.layer, sub.layer], Span::NONE);
            children.push(product.map_err(|e| impossible(line, &e))?);
            weights.push(probability(line)?);
        }
        let total: f64 = weights.iter().sum();
        if (total - 1.0).abs() > SLACK {
            return Err(line.fault(format_args!("the weights of node {id} sum to {total}, not to 1")));
        }
        self.sum(&children, weights, id, line)
    }

    fn element(&self, line: &mut Line, what: &str) -> Result<Node, Diagnostic> {
        let id = line.number(what)?;
        let unknown = || line.fault(format_args!("there is no node {id} above, but it is a {what}"));
        self.nodes.get(&id).copied().ok_or_else(unknown)
    }

    fn variable(&self, number: u64, line: &Line, place: Option<usize>) -> Result<VarId, Diagnostic> {
        let variable = match number.checked_sub(1) {
            Some(index) if index < self.n_variables as u64 => VarId(index as u32),
            _ => return Err(line.fault("variables are counted from 1")),
        };
        match (self.vtree, place) {
            (Some(vtree), Some(place)) if vtree.nodes()[place] != VtreeNode::Leaf(variable.0) => {
                Err(line.fault(format_args!("the vtree has another variable than {number} there")))
            }
            _ => Ok(variable),
        }
    }

    /// A prime ranges over the left of its node's place in the vtree, a sub over the right.
    fn check_places(
        &self,
        prime: Node,
        sub: Node,
        place: Option<usize>,
        line: &Line,
    ) -> Result<(), Diagnostic> {
        let (Some(vtree), Some(place), Some(prime), Some(sub)) = (self.vtree, place, prime.place, sub.place)
        else {
            return Ok(());
        };
        match vtree.nodes()[place] {
            VtreeNode::Inner(left, right) if vtree.is_within(prime, left) && vtree.is_within(sub, right) => {
                Ok(())
            }
            _ => Err(line.fault("a prime or a sub lies elsewhere in the vtree than its node says")),
        }
    }

    fn literal(&mut self, variable: VarId, is_true: bool) -> LayerId {
        let builder = &mut self.builder;
        let make = || builder.literal(variable, u32::from(is_true), 1, 1, Span::NONE);
        *self.literals.entry((variable.0, is_true)).or_insert_with(make)
    }

    fn sum(
        &mut self,
        children: &[LayerId],
        weights: Vec<f64>,
        id: u32,
        line: &Line,
    ) -> Result<LayerId, Diagnostic> {
        let name = format!("psdd.{id}");
        let param = self.builder.param(Param {
            shape: ParamShape::Sum { rows: 1, columns: children.len() as u32 },
            groups: 1,
            initial: None,
            is_fixed: false,
            mask: None,
            name: name.clone(),
            span: Span::NONE,
        });
        self.weights.insert(name, weights);
        self.builder.sum(children, param, 1, Span::NONE).map_err(|e| impossible(line, &e))
    }
}

fn probability(line: &mut Line) -> Result<f64, Diagnostic> {
    let log: f64 = line.number("log weight")?;
    match log.exp() {
        p if (0.0..=1.0 + SLACK).contains(&p) => Ok(p.min(1.0)),
        p => Err(line.fault(format_args!("exp({log}) = {p} is no probability"))),
    }
}

fn impossible(line: &Line, error: &GraphError) -> Diagnostic {
    line.fault(format_args!("the node can't be built: {error}"))
}

/// Tables that the root does not reach are gone by now, so weights are found by name.
fn params_of(graph: &Graph, weights: &FxHashMap<String, Vec<f64>>) -> Params {
    let mut params = Params::of(graph);
    for (i, param) in graph.params().iter().enumerate() {
        let table = params.table_mut(pcc_ir::ParamId::new(i));
        for (to, from) in table.iter_mut().zip(weights.get(&param.name).into_iter().flatten()) {
            *to = *from as f32;
        }
    }
    params
}
