//! Reads the text form of a plan. Bad text gives the line and what was expected there.
//!
//! Only the form is checked; [`super::verify`] says whether the plan makes sense.

use super::field::take_field;
use super::{Block, Buffer, Guard, Mode, Plan, Source, Step, Table};
use crate::BlockId;
use std::str::FromStr;

/// Text that is no plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadError {
    /// The line, counted from 1.
    pub line: usize,
    /// What should be there.
    pub expected: &'static str,
}

impl std::fmt::Display for ReadError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {}: expected {}", self.line, self.expected)
    }
}

impl std::error::Error for ReadError {}

impl FromStr for Plan {
    type Err = ReadError;

    fn from_str(text: &str) -> Result<Plan, ReadError> {
        let mut lines = text.lines().enumerate();
        let first = lines.next().and_then(|(_, line)| read_head(line));
        let mut plan = first.ok_or(ReadError { line: 1, expected: "`plan` and its sizes" })?;
        let mut root = None;
        for (i, line) in lines {
            let error = |expected| ReadError { line: i + 1, expected };
            if root.is_some() {
                return Err(error("nothing after the root"));
            }
            root = read_line(&mut plan, line).map_err(error)?;
        }
        let n_lines = text.lines().count();
        plan.root = root.ok_or(ReadError { line: n_lines + 1, expected: "`root` and its block" })?;
        match plan.n_up as usize <= plan.steps.len() {
            true => Ok(plan),
            false => Err(ReadError { line: 1, expected: "no more upward steps than there are steps" }),
        }
    }
}

fn read_head(line: &str) -> Option<Plan> {
    let mut words = line.split(' ');
    (words.next()? == "plan").then_some(())?;
    let word = words.next()?;
    let mode = Mode::ALL.into_iter().find(|m| m.word() == word)?;
    let plan = Plan {
        mode,
        n_variables: take_field(&mut words, "variables")?,
        tables: Vec::new(),
        guards: Vec::new(),
        blocks: Vec::new(),
        buffers: Vec::new(),
        arena_rows: take_field(&mut words, "rows")?,
        steps: Vec::new(),
        n_up: take_field(&mut words, "up")?,
        root: BlockId(0),
        layers: Vec::new(),
    };
    words.next().is_none().then_some(plan)
}

/// Adds what a line says to the plan, or gives the root that it names.
fn read_line(plan: &mut Plan, line: &str) -> Result<Option<BlockId>, &'static str> {
    let (word, rest) = line.split_once(' ').ok_or("a word and its operands")?;
    let mut words = rest.split(' ');
    if let Some((letter, position)) = numbering(plan, word) {
        let is_next = words.next().and_then(|id| id.strip_prefix(letter)?.parse().ok()) == Some(position);
        is_next.then_some(()).ok_or("the next number")?;
    }
    match word {
        "table" => plan.tables.push(read_table(&mut words).ok_or("a table")?),
        "guard" => plan.guards.push(read_guard(&mut words).ok_or("a guard")?),
        "buffer" => plan.buffers.push(read_buffer(&mut words).ok_or("a buffer")?),
        "block" => plan.blocks.push(read_block(&mut words).ok_or("a block")?),
        "layer" => plan.layers.push(take_field(&mut words, "block").ok_or("a layer's block")?),
        "root" => {
            let id = rest.strip_prefix('b').and_then(|digits| digits.parse().ok());
            return id.map(|id| Some(BlockId(id))).ok_or("a block");
        }
        _ => {
            plan.steps.push(Step::read(word, words.by_ref()).ok_or("a step and its operands")?);
        }
    }
    words.next().map_or(Ok(None), |_| Err("the end of the line"))
}

/// The letter and number that an entry of this kind must have next.
fn numbering(plan: &Plan, word: &str) -> Option<(&'static str, usize)> {
    match word {
        "table" => Some(("t", plan.tables.len())),
        "guard" => Some(("", plan.guards.len())),
        "buffer" => Some(("m", plan.buffers.len())),
        "block" => Some(("b", plan.blocks.len())),
        "layer" => Some(("l", plan.layers.len())),
        _ => None,
    }
}

fn read_table<'t>(words: &mut impl Iterator<Item = &'t str>) -> Option<Table> {
    let source = match words.next()? {
        "params" => Source::Params,
        "prepared" => Source::Prepared,
        _ => return None,
    };
    Some(Table {
        source,
        start: take_field(words, "start")?,
        rows: take_field(words, "rows")?,
        columns: take_field(words, "columns")?,
        groups: take_field(words, "groups")?,
        stats: take_field(words, "stats")?,
    })
}

fn read_guard<'t>(words: &mut impl Iterator<Item = &'t str>) -> Option<Guard> {
    Some(Guard { is_always: take_field(words, "always")?, tables: take_field(words, "tables")? })
}

fn read_buffer<'t>(words: &mut impl Iterator<Item = &'t str>) -> Option<Buffer> {
    Some(Buffer { rows: take_field(words, "rows")?, first: take_field(words, "first")? })
}

fn read_block<'t>(words: &mut impl Iterator<Item = &'t str>) -> Option<Block> {
    Some(Block {
        groups: take_field(words, "groups")?,
        width: take_field(words, "width")?,
        buffer: take_field(words, "buffer")?,
    })
}
