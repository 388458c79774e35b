//! A small document algebra: text with places where lines may break, laid out to a width.
//!
//! A group is printed on one line when it fits, and with all its own breaks taken when not. The algebra
//! knows nothing of the language.

/// Columns that a line may take.
pub(super) const WIDTH: usize = 100;

/// A group this short is not broken for the sake of something before it on its line.
const SHORT: usize = 40;

/// Columns of one level of indentation.
const INDENT: usize = 2;

/// A document.
#[derive(Clone, Debug)]
pub(super) enum Doc {
    /// Text without line ends.
    Text(String),
    /// A line end, or the given text when its group is on one line.
    Line(&'static str),
    /// Always a line end. Breaks the groups around it.
    HardLine,
    /// Text that only a broken group has.
    IfBroken(&'static str),
    /// A comment for the end of the current line. Breaks the groups around it.
    Suffix(String),
    /// One more level of indentation after each line end.
    Nest(Box<Doc>),
    /// What is laid out together, and whether it must break.
    Group(Box<Doc>, bool),
    /// One after the other.
    Concat(Vec<Doc>),
}

/// Any text.
pub(super) fn text(text: impl Into<String>) -> Doc {
    Doc::Text(text.into())
}

/// One after the other.
pub(super) fn concat(docs: impl IntoIterator<Item = Doc>) -> Doc {
    Doc::Concat(docs.into_iter().collect())
}

/// Nothing.
pub(super) fn nothing() -> Doc {
    Doc::Concat(Vec::new())
}

/// A space or a line end.
pub(super) fn line() -> Doc {
    Doc::Line(" ")
}

/// Nothing or a line end.
pub(super) fn soft_line() -> Doc {
    Doc::Line("")
}

/// The documents with a separator between each two.
pub(super) fn join(docs: impl IntoIterator<Item = Doc>, separator: &Doc) -> Doc {
    let mut parts = Vec::new();
    for doc in docs {
        if !parts.is_empty() {
            parts.push(separator.clone());
        }
        parts.push(doc);
    }
    Doc::Concat(parts)
}

impl Doc {
    /// On one line when it fits.
    pub fn group(self) -> Doc {
        let must_break = self.must_break();
        Doc::Group(Box::new(self), must_break)
    }

    /// On one line when it takes at most this many columns there.
    pub fn group_within(self, columns: usize) -> Doc {
        let must_break = self.must_break() || !self.is_flat_within(columns);
        Doc::Group(Box::new(self), must_break)
    }

    /// Never on one line.
    pub fn broken(self) -> Doc {
        Doc::Group(Box::new(self), true)
    }

    /// One level further in.
    pub fn nest(self) -> Doc {
        Doc::Nest(Box::new(self))
    }

    /// Followed by another document.
    pub fn then(self, next: Doc) -> Doc {
        Doc::Concat(vec![self, next])
    }

    fn must_break(&self) -> bool {
        match self {
            Doc::HardLine | Doc::Suffix(_) => true,
            Doc::Group(_, must_break) => *must_break,
            Doc::Nest(doc) => doc.must_break(),
            Doc::Concat(docs) => docs.iter().any(Doc::must_break),
            Doc::Text(_) | Doc::Line(_) | Doc::IfBroken(_) => false,
        }
    }

    fn is_flat_within(&self, columns: usize) -> bool {
        let mut left = columns;
        let mut todo = vec![self];
        while let Some(doc) = todo.pop() {
            let taken = match doc {
                Doc::Text(text) => n_columns(text),
                Doc::Line(flat) => n_columns(flat),
                Doc::Nest(doc) | Doc::Group(doc, false) => {
                    todo.push(doc);
                    0
                }
                Doc::Concat(docs) => {
                    todo.extend(docs.iter().rev());
                    0
                }
                Doc::IfBroken(_) => 0,
                Doc::HardLine | Doc::Suffix(_) | Doc::Group(_, true) => return false,
            };
            match left.checked_sub(taken) {
                Some(rest) => left = rest,
                None => return false,
            }
        }
        true
    }

    /// The text of the document, without a line end after the last line.
    pub fn print(&self) -> String {
        let mut printer = Printer::default();
        printer.print(self);
        printer.end_line();
        printer.out
    }
}

/// Whether the breaks of a document are taken.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Flat,
    Broken,
}

#[derive(Default)]
struct Printer {
    out: String,
    /// Columns taken on the current line.
    column: usize,
    /// Where the current line starts.
    indent: usize,
    /// Comments that wait for the end of the line.
    suffix: String,
}

impl Printer {
    fn print(&mut self, doc: &Doc) {
        let mut todo = vec![(0, Mode::Broken, doc)];
        while let Some((indent, mode, doc)) = todo.pop() {
            match doc {
                Doc::Text(text) => self.text(text),
                Doc::Line(flat) if mode == Mode::Flat => self.text(flat),
                Doc::Line(_) | Doc::HardLine => {
                    self.end_line();
                    self.out.push('\n');
                    self.column = 0;
                    self.indent = indent;
                }
                Doc::IfBroken(text) if mode == Mode::Broken => self.text(text),
                Doc::IfBroken(_) => {}
                Doc::Suffix(comment) => {
                    self.suffix.push_str("  ");
                    self.suffix.push_str(comment);
                }
                Doc::Nest(doc) => todo.push((indent + INDENT, mode, doc)),
                Doc::Concat(docs) => todo.extend(docs.iter().rev().map(|doc| (indent, mode, doc))),
                Doc::Group(doc, must_break) => {
                    let is_flat = mode == Mode::Flat || !must_break && fits(self.left(), doc, &todo);
                    todo.push((indent, if is_flat { Mode::Flat } else { Mode::Broken }, doc));
                }
            }
        }
    }

    /// Indentation is written only where text follows, so no line ends in spaces.
    fn text(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        if self.column == 0 {
            self.out.extend(std::iter::repeat_n(' ', self.indent));
            self.column = self.indent;
        }
        self.out.push_str(text);
        self.column += n_columns(text);
    }

    fn left(&self) -> usize {
        WIDTH.saturating_sub(if self.column == 0 { self.indent } else { self.column })
    }

    fn end_line(&mut self) {
        let written = self.out.trim_end_matches(' ').len();
        self.out.truncate(written);
        self.out.push_str(&std::mem::take(&mut self.suffix));
    }
}

/// Whether a document on one line, and what must follow it there, fits into the columns that are left.
fn fits(left: usize, doc: &Doc, rest: &[(usize, Mode, &Doc)]) -> bool {
    let mut left = left;
    let mut rest = rest.iter().rev();
    let mut todo = vec![(Mode::Flat, doc)];
    loop {
        let (mode, doc) = match todo.pop().or_else(|| rest.next().map(|(_, mode, doc)| (*mode, *doc))) {
            Some(next) => next,
            None => return true,
        };
        let taken = match doc {
            Doc::Text(text) => n_columns(text),
            Doc::Line(flat) if mode == Mode::Flat => n_columns(flat),
            Doc::Line(_) | Doc::HardLine => return true,
            Doc::IfBroken(text) if mode == Mode::Broken => n_columns(text),
            Doc::IfBroken(_) | Doc::Suffix(_) => 0,
            Doc::Nest(doc) => {
                todo.push((mode, doc));
                0
            }
            Doc::Concat(docs) => {
                todo.extend(docs.iter().rev().map(|doc| (mode, doc)));
                0
            }
            Doc::Group(inner, must_break) => {
                let is_flat = mode == Mode::Flat || !must_break && inner.is_flat_within(SHORT);
                todo.push((if is_flat { Mode::Flat } else { Mode::Broken }, inner));
                0
            }
        };
        match left.checked_sub(taken) {
            Some(columns) => left = columns,
            None => return false,
        }
    }
}

fn n_columns(text: &str) -> usize {
    text.chars().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(argument: &str) -> Doc {
        let inside = soft_line().then(text(argument)).nest();
        concat([text("f("), inside, Doc::IfBroken(","), soft_line(), text(")")]).group()
    }

    #[test]
    fn a_group_breaks_only_when_it_must() {
        let fits = "x".repeat(WIDTH - 3);
        assert_eq!(call(&fits).print(), format!("f({fits})"));
        let wide = "x".repeat(WIDTH - 2);
        assert_eq!(call(&wide).print(), format!("f(\n  {wide},\n)"));
    }

    #[test]
    fn a_short_group_behind_does_not_break_instead() {
        let long = "x".repeat(WIDTH - 6);
        assert_eq!(call(&long).then(call("y")).print(), format!("f(\n  {long},\n)f(y)"));
    }

    #[test]
    fn comments_go_to_the_end_of_their_line_and_blank_lines_hold_no_space() {
        let commented = concat([
            text("a"),
            Doc::Suffix("// c".into()),
            text(","),
            Doc::HardLine,
            Doc::HardLine,
            text("b"),
        ]);
        assert_eq!(commented.nest().print(), "a,  // c\n\n  b");
    }
}
