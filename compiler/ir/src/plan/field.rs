//! The text form of an operand: ids as `b3`, flags as `yes` and `no`, lists as `[b1,b2]`,
//! leaves as `v1:t2`, absence as `-`.
//!
//! In and out: text. A list holds no lists, so commas split it. Meaning is not checked here.

use super::{Factor, FlowInto};
use crate::{BlockId, BufferId, ParamId, VarId};
use std::fmt::Write;

/// What can stand behind `field=`.
pub(super) trait Field: Sized {
    fn write(&self, text: &mut String);
    fn read(text: &str) -> Option<Self>;
}

/// Reads the next operand, which must have this name.
pub(super) fn take_field<'t, F: Field>(fields: &mut impl Iterator<Item = &'t str>, name: &str) -> Option<F> {
    F::read(fields.next()?.strip_prefix(name)?.strip_prefix('=')?)
}

macro_rules! number {
    ($($type:ty),*) => { $(
        impl Field for $type {
            fn write(&self, text: &mut String) {
                let _ = write!(text, "{self}");
            }

            fn read(text: &str) -> Option<Self> {
                text.parse().ok()
            }
        }
    )* };
}
number!(u32, u64);

macro_rules! id {
    ($($type:ident $letter:literal),*) => { $(
        impl Field for $type {
            fn write(&self, text: &mut String) {
                let _ = write!(text, "{self}");
            }

            fn read(text: &str) -> Option<Self> {
                text.strip_prefix($letter)?.parse().ok().map($type)
            }
        }
    )* };
}
id!(BlockId 'b', BufferId 'm', ParamId 't', VarId 'v');

impl Field for bool {
    fn write(&self, text: &mut String) {
        text.push_str(if *self { "yes" } else { "no" });
    }

    fn read(text: &str) -> Option<Self> {
        match text {
            "yes" => Some(true),
            "no" => Some(false),
            _ => None,
        }
    }
}

impl Field for FlowInto {
    fn write(&self, text: &mut String) {
        text.push_str(if self.is_added { "+" } else { "" });
        self.buffer.write(text);
    }

    fn read(text: &str) -> Option<Self> {
        let buffer = BufferId::read(text.trim_start_matches('+'))?;
        Some(FlowInto { buffer, is_added: text.starts_with('+') })
    }
}

/// A leaf: its variable and its table.
impl Field for (VarId, ParamId) {
    fn write(&self, text: &mut String) {
        self.0.write(text);
        text.push(':');
        self.1.write(text);
    }

    fn read(text: &str) -> Option<Self> {
        let (var, table) = text.split_once(':')?;
        Some((Field::read(var)?, Field::read(table)?))
    }
}

impl Field for Factor {
    fn write(&self, text: &mut String) {
        match *self {
            Factor::Block(block) => block.write(text),
            Factor::Leaf { var, table } => (var, table).write(text),
        }
    }

    fn read(text: &str) -> Option<Self> {
        match Field::read(text) {
            Some((var, table)) => Some(Factor::Leaf { var, table }),
            None => Field::read(text).map(Factor::Block),
        }
    }
}

impl<F: Field> Field for Option<F> {
    fn write(&self, text: &mut String) {
        match self {
            Some(field) => field.write(text),
            None => text.push('-'),
        }
    }

    fn read(text: &str) -> Option<Self> {
        if text == "-" { Some(None) } else { F::read(text).map(Some) }
    }
}

impl<F: Field> Field for Box<[F]> {
    fn write(&self, text: &mut String) {
        text.push('[');
        for (i, field) in self.iter().enumerate() {
            text.push_str(if i > 0 { "," } else { "" });
            field.write(text);
        }
        text.push(']');
    }

    fn read(text: &str) -> Option<Self> {
        let inner = text.strip_prefix('[')?.strip_suffix(']')?;
        if inner.is_empty() { Some(Box::default()) } else { inner.split(',').map(F::read).collect() }
    }
}
