//! The text form of a plan: one line for each table, guard, buffer, block, layer and step.
//!
//! What is printed reads back as an equal plan ([`super::read`]); the lines stand in the order in which
//! they refer to each other. Nothing is judged here.

use super::field::Field;
use super::{Plan, Source};
use std::fmt::{Display, Formatter, Result};

impl Display for Plan {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let up = self.n_up;
        writeln!(
            f,
            "plan {} variables={} rows={} up={up}",
            self.mode.word(),
            self.n_variables,
            self.arena_rows
        )?;
        for (i, t) in self.tables.iter().enumerate() {
            let source = if t.source == Source::Params { "params" } else { "prepared" };
            write!(f, "table t{i} {source} start={} rows={} columns={}", t.start, t.rows, t.columns)?;
            writeln!(f, " groups={} stats={}", t.groups, t.stats)?;
        }
        for (i, guard) in self.guards.iter().enumerate() {
            writeln!(f, "guard {i} always={} tables={}", text(&guard.is_always), text(&guard.tables))?;
        }
        for (i, b) in self.buffers.iter().enumerate() {
            writeln!(f, "buffer m{i} rows={} first={}", b.rows, b.first)?;
        }
        for (i, b) in self.blocks.iter().enumerate() {
            writeln!(f, "block b{i} groups={} width={} buffer={}", b.groups, b.width, b.buffer)?;
        }
        for (i, block) in self.layers.iter().enumerate() {
            writeln!(f, "layer l{i} block={}", text(block))?;
        }
        for step in &self.steps {
            let mut fields = String::new();
            step.write_fields(&mut fields);
            writeln!(f, "{}{fields}", step.word())?;
        }
        writeln!(f, "root {}", self.root)
    }
}

fn text(field: &impl Field) -> String {
    let mut text = String::new();
    field.write(&mut text);
    text
}
