//! Local names: parameters, `let`, `param`, local functions, and what comprehensions and lambdas bind.
//!
//! Scopes are lexical and nest. A local may shadow an item, never another local that is still in view.
//! This file keeps the names and what was used of them; it reports nothing.

use crate::types::kind::Kind;
use pcc_diag::Span;

/// What bound a local name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A parameter of a structure, function or recipe.
    Parameter,
    /// A parameter of a lambda, or an element that a comprehension runs through.
    Element,
    /// `let`
    Let,
    /// `param`
    Table,
    /// A function in a body.
    Function,
}

/// One local name.
#[derive(Clone, Debug)]
pub struct Binding {
    /// The name.
    pub name: String,
    /// Where it was bound.
    pub span: Span,
    /// What its value is.
    pub kind: Kind,
    /// What bound it.
    pub origin: Origin,
    /// Whether anything refers to it.
    pub is_used: bool,
}

/// The local names in view, innermost scope last.
#[derive(Debug, Default)]
pub struct Scopes {
    frames: Vec<Vec<Binding>>,
}

impl Scopes {
    /// Opens a scope.
    pub fn open(&mut self) {
        self.frames.push(Vec::new());
    }

    /// Closes the innermost scope and gives up its names in the order of their binding.
    pub fn close(&mut self) -> Vec<Binding> {
        self.frames.pop().unwrap_or_default()
    }

    /// Binds a name in the innermost scope. The place of an equal name that is in view comes back; the
    /// new one is bound all the same, so that what follows means it.
    pub fn bind(&mut self, binding: Binding) -> Option<Span> {
        let earlier = self.position(&binding.name).map(|(frame, index)| self.frames[frame][index].span);
        if self.frames.is_empty() {
            self.open();
        }
        if let Some(innermost) = self.frames.last_mut() {
            innermost.push(binding);
        }
        earlier
    }

    /// Looks a name up and counts the use.
    pub fn use_name(&mut self, name: &str) -> Option<Kind> {
        let (frame, index) = self.position(name)?;
        let binding = &mut self.frames[frame][index];
        binding.is_used = true;
        Some(binding.kind.clone())
    }

    /// Whether a local has this name.
    pub fn has(&self, name: &str) -> bool {
        self.position(name).is_some()
    }

    /// Gives a name of the innermost scope another kind, when more is known of it.
    pub fn refine(&mut self, name: &str, kind: Kind) {
        if let Some((frame, index)) = self.position(name) {
            self.frames[frame][index].kind = kind;
        }
    }

    /// All names in view, innermost first.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.frames.iter().rev().flat_map(|frame| frame.iter().rev().map(|binding| binding.name.as_str()))
    }

    fn position(&self, name: &str) -> Option<(usize, usize)> {
        self.frames.iter().enumerate().rev().find_map(|(frame, bindings)| {
            bindings.iter().rposition(|binding| binding.name == name).map(|index| (frame, index))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pcc_diag::FileId;

    fn binding(name: &str, start: usize) -> Binding {
        Binding {
            name: name.into(),
            span: Span::new(FileId(0), start, start + 1),
            kind: Kind::Any,
            origin: Origin::Let,
            is_used: false,
        }
    }

    #[test]
    fn siblings_may_share_a_name_and_nested_scopes_may_not() {
        let mut scopes = Scopes::default();
        scopes.open();
        assert_eq!(scopes.bind(binding("x", 0)), None);
        scopes.open();
        assert_eq!(scopes.bind(binding("x", 4)).map(|span| span.start), Some(0));
        assert_eq!(scopes.bind(binding("y", 6)), None);
        scopes.close();
        scopes.open();
        assert_eq!(scopes.bind(binding("y", 8)), None);
    }

    #[test]
    fn a_use_counts_for_the_innermost() {
        let mut scopes = Scopes::default();
        scopes.open();
        scopes.bind(binding("x", 0));
        scopes.open();
        scopes.bind(binding("x", 4));
        assert!(scopes.use_name("x").is_some());
        assert!(scopes.close()[0].is_used);
        assert!(!scopes.close()[0].is_used);
        assert!(scopes.use_name("x").is_none());
    }
}
