//! Sentential decision diagrams (Darwiche, 2011) and their `.sdd` files.
//!
//! ```text
//! sdd 5
//! L 0 0 1                  literal: id, vtree node, variable (negative: false)
//! L 1 0 -1
//! T 2                      true: id
//! F 3                      false: id
//! D 4 1 2 0 2 1 3          decision: id, vtree node, elements, {prime, sub}
//! ```
//! before → after: a literal becomes a literal layer of one unit, an element a product of its prime and its
//! sub, a decision the sum of its elements, with the weight 1 for each. Variable k of the file is
//! `X[k - 1] : bool`. Elements whose sub is false are left out, and so is a sum over one element.
//!
//! An SDD says nothing of variables that a node does not depend on, but a circuit's sum adds functions of the
//! same variables. So a node that lies below the place where it is read is multiplied with the sums over the
//! variables in between, of which the vtree knows. The value of the circuit is 1 where the formula holds,
//! else 0, and where variables are missing the number of ways to make it hold.

use super::lines::{Line, count_warning, damaged, lines};
use super::vtree::{Vtree, VtreeNode};
use super::{Content, Imported, other_content};
use pcc_diag::{Diagnostic, Span};
use pcc_ir::{Domain, GraphBuilder, LayerId, Param, ParamId, ParamShape, Params, VarId};
use rustc_hash::FxHashMap;

/// Reads the content of a `.sdd` file; `file` is what messages call it. Every node is held against the vtree
/// node that it names.
///
/// # Errors
/// `circuit-format` when it is no SDD, `circuit-file-damaged` with the line that is wrong, `unsatisfiable`
/// when it is the formula that never holds.
pub fn read_sdd(content: &[u8], vtree: &Vtree, file: &str) -> Result<Imported, Diagnostic> {
    let text = match std::str::from_utf8(content) {
        Ok(text) if Content::of(content) == Content::Sdd => text,
        _ => return Err(other_content(content, "an SDD", file)),
    };
    let mut lines = lines(text, file);
    let declared = match lines.next() {
        Some(mut header) => header.word("the word `sdd`").and_then(|_| header.number("count of nodes"))?,
        None => 0,
    };
    let mut reader = Reader::new(vtree);
    for mut line in lines {
        reader.node(&mut line)?;
    }
    let n_nodes = reader.nodes.len();
    let root = reader.last.ok_or_else(|| damaged(file, "the circuit has no nodes"))?;
    let root = reader.lifted(root, vtree.root()).ok_or_else(|| {
        Diagnostic::error("unsatisfiable", format!("`{file}` is the formula that no assignment satisfies"))
    })?;
    let graph = reader.builder.finish(root).map_err(|e| damaged(file, &e))?;
    let params = Params::of(&graph);
    let warnings = count_warning(file, declared, n_nodes).into_iter().collect();
    Ok(Imported { graph, params, warnings })
}

/// A node that was read.
#[derive(Clone, Copy)]
enum Node {
    False,
    True,
    /// A layer over the variables of a place of the vtree.
    Some {
        layer: LayerId,
        place: usize,
    },
}

struct Reader<'v> {
    builder: GraphBuilder,
    vtree: &'v Vtree,
    /// The parent of each place; that of the root is itself.
    parents: Vec<usize>,
    nodes: FxHashMap<u32, Node>,
    last: Option<Node>,
    literals: FxHashMap<(u32, bool), LayerId>,
    /// The layer that is the sum over all variables of a place.
    totals: FxHashMap<usize, LayerId>,
    products: FxHashMap<(LayerId, LayerId), LayerId>,
    /// Tables of ones, by their length.
    ones: FxHashMap<u32, ParamId>,
}

impl<'v> Reader<'v> {
    fn new(vtree: &'v Vtree) -> Self {
        let mut builder = GraphBuilder::new();
        builder.variables("X", &[vtree.n_variables() as u32], Domain::Bool, false);
        let mut parents = vec![vtree.root(); vtree.nodes().len()];
        for (place, node) in vtree.nodes().iter().enumerate() {
            if let VtreeNode::Inner(left, right) = *node {
                (parents[left], parents[right]) = (place, place);
            }
        }
        Reader {
            builder,
            vtree,
            parents,
            nodes: FxHashMap::default(),
            last: None,
            literals: FxHashMap::default(),
            totals: FxHashMap::default(),
            products: FxHashMap::default(),
            ones: FxHashMap::default(),
        }
    }

    fn node(&mut self, line: &mut Line) -> Result<(), Diagnostic> {
        let kind = line.word("a node")?;
        let id = line.number("node id")?;
        let node = match kind {
            "T" => Node::True,
            "F" => Node::False,
            "L" => self.literal_node(line)?,
            "D" => self.decision(line)?,
            other => return Err(line.fault(format_args!("`{other}` is no kind of SDD node"))),
        };
        line.end()?;
        self.last = Some(node);
        match self.nodes.insert(id, node) {
            Some(_) => Err(line.fault(format_args!("node {id} is there twice"))),
            None => Ok(()),
        }
    }

    fn place(&self, line: &mut Line) -> Result<usize, Diagnostic> {
        let id = line.number("vtree node")?;
        self.vtree.find(id).ok_or_else(|| line.fault(format_args!("the vtree has no node {id}")))
    }

    fn literal_node(&mut self, line: &mut Line) -> Result<Node, Diagnostic> {
        let place = self.place(line)?;
        let literal: i64 = line.number("literal")?;
        match self.vtree.nodes()[place] {
            VtreeNode::Leaf(variable) if u64::from(variable) + 1 == literal.unsigned_abs() => {
                let layer = self.literal(variable, literal > 0);
                Ok(Node::Some { layer, place })
            }
            _ => Err(line.fault(format_args!("the vtree has another variable than {literal} there"))),
        }
    }

    fn decision(&mut self, line: &mut Line) -> Result<Node, Diagnostic> {
        let place = self.place(line)?;
        let VtreeNode::Inner(left, right) = self.vtree.nodes()[place] else {
            return Err(line.fault("a decision lies at a leaf of the vtree"));
        };
        let n: usize = line.number("count of elements")?;
        let mut elements = Vec::new();
        for _ in 0..n {
            let (prime, sub) = (self.child(line, "prime", left)?, self.child(line, "sub", right)?);
            let prime = self.lifted(prime, left);
            let sub = self.lifted(sub, right);
            if let (Some(prime), Some(sub)) = (prime, sub) {
                elements.push(self.product(prime, sub));
            }
        }
        Ok(match elements[..] {
            [] => Node::False,
            [layer] => Node::Some { layer, place },
            _ => Node::Some { layer: self.sum(&elements), place },
        })
    }

    /// A prime ranges over the left of its node's place in the vtree, a sub over the right.
    fn child(&self, line: &mut Line, what: &str, side: usize) -> Result<Node, Diagnostic> {
        let id = line.number(what)?;
        let Some(&node) = self.nodes.get(&id) else {
            return Err(line.fault(format_args!("there is no node {id} above, but it is a {what}")));
        };
        match node {
            Node::Some { place, .. } if !self.vtree.is_within(place, side) => {
                Err(line.fault("a prime or a sub lies elsewhere in the vtree than its node says"))
            }
            _ => Ok(node),
        }
    }

    /// A node as a layer over all variables of a place that it lies within; none for false.
    fn lifted(&mut self, node: Node, place: usize) -> Option<LayerId> {
        let (mut layer, mut at) = match node {
            Node::False => return None,
            Node::True => return Some(self.total(place)),
            Node::Some { layer, place } => (layer, place),
        };
        while at != place {
            let parent = self.parents[at];
            let VtreeNode::Inner(left, right) = self.vtree.nodes()[parent] else { break };
            layer = match at == left {
                true => {
                    let total = self.total(right);
                    self.product(layer, total)
                }
                false => {
                    let total = self.total(left);
                    self.product(total, layer)
                }
            };
            at = parent;
        }
        Some(layer)
    }

    /// The sum over all variables of a place: 1 for each of their assignments.
    fn total(&mut self, place: usize) -> LayerId {
        let mut stack = vec![place];
        while let Some(&at) = stack.last() {
            let layer = match self.vtree.nodes()[at] {
                _ if self.totals.contains_key(&at) => None,
                VtreeNode::Leaf(variable) => {
                    let both = [false, true].map(|value| self.literal(variable, value));
                    Some(self.sum(&both))
                }
                VtreeNode::Inner(left, right) => {
                    match [left, right].map(|side| self.totals.get(&side).copied()) {
                        [Some(left), Some(right)] => Some(self.product(left, right)),
                        _ => {
                            stack.extend([right, left]);
                            continue;
                        }
                    }
                }
            };
            if let Some(layer) = layer {
                self.totals.insert(at, layer);
            }
            stack.pop();
        }
        self.totals[&place]
    }

    fn literal(&mut self, variable: u32, is_true: bool) -> LayerId {
        let builder = &mut self.builder;
        let make = || builder.literal(VarId(variable), u32::from(is_true), 1, 1, Span::NONE);
        *self.literals.entry((variable, is_true)).or_insert_with(make)
    }

    fn product(&mut self, left: LayerId, right: LayerId) -> LayerId {
        let builder = &mut self.builder;
        let make = || builder.product(&[left, right], Span::NONE).expect("single units agree");
        *self.products.entry((left, right)).or_insert_with(make)
    }

    fn sum(&mut self, children: &[LayerId]) -> LayerId {
        let param = self.ones(children.len() as u32);
        self.builder.sum(children, param, 1, Span::NONE).expect("the table is as long as the sum")
    }

    /// The table of that many ones.
    fn ones(&mut self, n: u32) -> ParamId {
        let builder = &mut self.builder;
        *self.ones.entry(n).or_insert_with(|| {
            builder.param(Param {
                shape: ParamShape::Sum { rows: 1, columns: n },
                groups: 1,
                initial: Some(vec![1.0; n as usize]),
                is_fixed: true,
                mask: None,
                name: format!("ones.{n}"),
                span: Span::NONE,
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exec::{Executor, Interpreter, UnitsExecutor};
    use crate::formats::{read_circuit, read_vtree};
    use pcc_ir::props::{DeterminismConfig, deterministic};
    use pcc_ir::{Batch, Checked, MISSING};
    use std::num::NonZeroUsize;

    const VTREE: &str = "vtree 7\nL 0 1\nL 1 2\nI 4 0 1\nL 2 3\nL 3 4\nI 5 2 3\nI 6 4 5\n";

    /// (A and B) or (not A and D); C is free, and the node for D lies below the place of its sub.
    const FORMULA: &str = "c written by hand
sdd 11
L 1 0 1
L 2 0 -1
L 3 1 2
L 4 1 -2
L 5 3 4
F 6
T 7
D 8 4 2 1 3 2 6
D 9 4 2 1 4 2 6
D 10 4 2 1 6 2 7
D 11 6 3 8 7 9 6 10 5
";

    fn holds(row: &[u32]) -> bool {
        if row[0] == 1 { row[1] == 1 } else { row[3] == 1 }
    }

    fn check(sdd: &str) -> Result<Imported, Diagnostic> {
        read_sdd(sdd.as_bytes(), &read_vtree(VTREE.as_bytes(), "v.vtree").unwrap().0, "f.sdd")
    }

    /// All rows in which each variable is false, true or missing.
    fn rows() -> Batch {
        let mut batch = Batch::empty(4);
        for row in 0..81_usize {
            batch.push(&[1, 3, 9, 27].map(|power| [0, 1, MISSING][row / power % 3]));
        }
        batch
    }

    #[test]
    fn values_are_numbers_of_models() {
        let circuit = check(FORMULA).unwrap();
        assert!(circuit.warnings.is_empty());
        let batch = rows();
        let options = crate::exec::CpuOptions::threads(NonZeroUsize::MIN);
        let (graph, params) = (circuit.graph.clone(), circuit.params.clone());
        let mut units = UnitsExecutor::new(graph, params, options).unwrap();
        let mut interpreter = Interpreter::new(circuit.graph, circuit.params);
        let found = [interpreter.log_likelihoods(&batch), units.log_likelihoods(&batch)];
        for row in 0..batch.n_rows() {
            let known = batch.row(row);
            let models = (0..16_u32).map(|code| [0, 1, 2, 3].map(|v| code >> v & 1)).filter(|model| {
                holds(model) && known.iter().zip(model).all(|(&k, m)| k == MISSING || k == *m)
            });
            let wanted = (models.count() as f64).ln();
            let is_near = |log: f64| log == wanted || (log - wanted).abs() < 1e-12;
            assert!(found.iter().all(|logs| is_near(logs[row])), "{known:?}");
        }
        // Rows without missing values take the program without sums over unread variables.
        let mut whole = Batch::empty(4);
        whole.push(&[1, 1, 0, 0]);
        whole.push(&[0, 1, 0, 0]);
        assert_eq!(units.log_likelihoods(&whole), [0.0, f64::NEG_INFINITY]);
    }

    #[test]
    fn properties_are_proved() {
        let graph = check(FORMULA).unwrap().graph;
        let config = DeterminismConfig::given(&graph, &[]);
        assert!(deterministic(&graph, &config).is_proved());
        assert!(Checked::new(graph).is_ok());
    }

    #[test]
    fn constants() {
        let count = |text: &str| {
            let circuit = check(text).unwrap();
            Interpreter::new(circuit.graph, circuit.params).log_likelihoods(&Batch::missing(4, 1))[0].exp()
        };
        assert!((count("sdd 1\nT 0\n") - 16.0).abs() < 1e-9);
        assert!((count("sdd 1\nL 0 3 -4\n") - 8.0).abs() < 1e-9);
        assert_eq!(check("sdd 1\nF 0\n").unwrap_err().code, "unsatisfiable");
    }

    #[test]
    fn damaged_files_and_missing_vtrees() {
        let fault = |from: &str, to: &str, words: &str| {
            let fault = check(&FORMULA.replace(from, to)).unwrap_err();
            assert_eq!(fault.code, "circuit-file-damaged", "{}", fault.message);
            assert!(fault.message.contains(words), "no `{words}` in: {}", fault.message);
        };
        fault("L 2 0 -1", "L 1 0 -1", "line 4: node 1 is there twice");
        fault("L 2 0 -1", "L 2 0 -3", "another variable");
        fault("L 2 0 -1", "L 2 44 -1", "no node 44");
        fault("L 2 0 -1", "Q 2 0 -1", "`Q`");
        fault("D 8 4 2 1 3", "D 8 4 2 99 3", "there is no node 99");
        fault("D 8 4 2 1 3", "D 8 4 2 3 1", "elsewhere in the vtree");
        fault("D 8 4 2 1 3", "D 8 0 2 1 3", "leaf of the vtree");
        fault("D 8 4 2 1 3", "D 8 4 3 1 3", "is missing");
        fault("D 8 4 2 1 3", "D 8 4 1 1 3", "`2` follows");
        let cut = check("sdd 1\n").unwrap_err();
        assert!(cut.message.contains("no nodes"), "{}", cut.message);
        let other = check("vtree 1\nL 0 1\n").unwrap_err();
        assert!(other.message.contains("is a vtree, where an SDD is wanted"), "{}", other.message);
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("f.sdd");
        std::fs::write(&file, FORMULA).unwrap();
        assert_eq!(read_circuit(&file, None).unwrap_err().code, "missing-vtree");
        let vtree = folder.path().join("v.vtree");
        std::fs::write(&vtree, VTREE).unwrap();
        assert!(read_circuit(&file, Some(&vtree)).is_ok());
    }
}
