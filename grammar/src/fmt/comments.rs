//! Putting comments and blank lines back.
//!
//! A comment can stand above an element of a sequence, list or chain, behind it on its line, or before the
//! closing bracket. Each of these takes the comments of its place in the text. What nothing inside an
//! element could take is displaced: it goes above the element, so that no comment is lost.

use super::doc::{Doc, concat, line, nothing, soft_line, text};
use crate::trivia::{Comment, Trivia};
use std::ops::Range;

/// The text and the trivia that are not yet written.
pub(super) struct Formatter<'t> {
    text: &'t str,
    trivia: &'t Trivia,
    /// Which comments are written.
    is_taken: Vec<bool>,
}

/// One element of a sequence or list with its comments.
struct Element {
    /// Comments from inside it that nothing there could hold.
    displaced: Vec<Comment>,
    /// Comments above it.
    above: Vec<Comment>,
    doc: Doc,
    /// The comment behind it on its line.
    behind: Option<Comment>,
}

/// The brackets of a list, and what may stand before the second.
#[derive(Clone, Copy)]
pub(super) struct Brackets {
    /// The opening one.
    pub open: &'static str,
    /// The closing one.
    pub close: &'static str,
    /// The comma after the last element, where the grammar takes one.
    pub last_comma: &'static str,
}

impl Brackets {
    fn around(self, inside: Vec<Doc>) -> Doc {
        let inside = soft_line().then(concat(inside)).nest();
        concat([text(self.open), inside, soft_line(), text(self.close)])
    }
}

/// `( .. )` of a call or of parameters.
pub(super) const CALL: Brackets = Brackets { open: "(", close: ")", last_comma: "," };
/// `[ .. ]`
pub(super) const SQUARE: Brackets = Brackets { open: "[", close: "]", last_comma: "," };
/// `{ .. }` of an import.
pub(super) const BRACES: Brackets = Brackets { open: "{", close: "}", last_comma: "," };
/// `( .. )` of a tuple.
pub(super) const TUPLE: Brackets = Brackets { open: "(", close: ")", last_comma: "" };

impl<'t> Formatter<'t> {
    /// Nothing is written yet.
    pub fn new(text: &'t str, trivia: &'t Trivia) -> Formatter<'t> {
        Formatter { text, trivia, is_taken: vec![false; trivia.comments.len()] }
    }

    /// The text of a place.
    pub fn source(&self, place: Range<usize>) -> &'t str {
        self.text.get(place).unwrap_or("")
    }

    /// One element a line, with the blank lines of the text, but never two, nor any at the ends. `place` tells
    /// where an element stands, `stands_apart` whether it has a blank line on both sides in any case; `inside`
    /// is where elements and comments may stand.
    pub fn sequence<T>(
        &mut self,
        elements: &[T],
        inside: Range<usize>,
        place: impl Fn(&T) -> Range<usize>,
        stands_apart: impl Fn(&T) -> bool,
        build: impl Fn(&mut Self, &T) -> Doc,
    ) -> Doc {
        let mut lines = Lines { docs: Vec::new(), end: inside.start };
        let mut was_apart = false;
        for (i, element) in elements.iter().enumerate() {
            let next = elements.get(i + 1).map_or(inside.end, |next| place(next).start);
            let found = self.element(lines.end, place(element), next, |f| build(f, element));
            let is_apart = stands_apart(element);
            lines.wants_blank(is_apart || was_apart);
            was_apart = is_apart;
            lines.docs.extend(self.displaced(&found));
            for comment in &found.above {
                self.push_line(&mut lines, range(comment), text(self.comment(comment)));
            }
            let behind = self.suffix(&found.behind);
            self.push_line(&mut lines, place(element), found.doc.then(behind));
        }
        lines.wants_blank(false);
        for comment in self.take(lines.end..inside.end) {
            self.push_line(&mut lines, range(&comment), text(self.comment(&comment)));
        }
        lines.docs.pop();
        concat(lines.docs)
    }

    fn push_line(&self, lines: &mut Lines, place: Range<usize>, doc: Doc) {
        lines.wants_blank(self.has_blank_line(lines.end..place.start));
        lines.docs.extend([doc, Doc::HardLine]);
        lines.end = place.end;
    }

    /// `{ .. }` around a sequence, always on lines of its own. A comment right behind the opening brace stays
    /// there; `inside` is as for [`Formatter::sequence`], and `first` where the first element stands.
    pub fn braced(
        &mut self,
        inside: Range<usize>,
        first: Option<usize>,
        sequence: impl FnOnce(&mut Self, Range<usize>) -> Doc,
    ) -> Doc {
        let line_end = self.source(inside.clone()).find('\n').map_or(inside.end, |n| inside.start + n);
        let comment = self.take(inside.start..first.unwrap_or(line_end).min(line_end)).pop();
        let behind = self.suffix(&comment);
        let is_empty = comment.is_none() && first.is_none();
        let lines = sequence(self, inside);
        let has_lines = !matches!(&lines, Doc::Concat(docs) if docs.is_empty());
        if is_empty && !has_lines {
            return text("{}");
        }
        let lines = if has_lines { Doc::HardLine.then(lines).nest() } else { lines };
        concat([text("{"), behind, lines, Doc::HardLine, text("}")])
    }

    /// `open a, b close` on one line, or one element a line. A comma after the last element in the text keeps
    /// the list broken, and so do comments.
    pub fn list<T>(
        &mut self,
        brackets: Brackets,
        elements: &[T],
        place: impl Fn(&T) -> Range<usize>,
        build: impl Fn(&mut Self, &T) -> Doc,
    ) -> Doc {
        let (Some(first), Some(last)) = (elements.first().map(&place), elements.last().map(&place)) else {
            return text(format!("{}{}", brackets.open, brackets.close));
        };
        let mut at = self.trivia.trimmed_end(self.text, 0, first.start);
        let end = self.closer_after(last.end);
        let mut docs = Vec::new();
        for (i, element) in elements.iter().enumerate() {
            let next = elements.get(i + 1).map(|next| place(next).start);
            let found = self.element(at, place(element), next.unwrap_or(end), |f| build(f, element));
            docs.extend(self.displaced(&found));
            docs.extend(found.above.iter().flat_map(|c| [text(self.comment(c)), Doc::HardLine]));
            docs.push(found.doc);
            docs.push(if next.is_some() { text(",") } else { Doc::IfBroken(brackets.last_comma) });
            docs.push(self.suffix(&found.behind));
            docs.extend(next.map(|_| line()));
            at = place(element).end;
        }
        docs.extend(self.take(at..end).iter().flat_map(|c| [Doc::HardLine, text(self.comment(c))]));
        let is_kept_broken = !brackets.last_comma.is_empty() && self.has_comma_after(last.end);
        let whole = brackets.around(docs);
        if is_kept_broken { whole.broken() } else { whole.group() }
    }

    /// `first op second op third`, each operator at the start of a line when they do not fit on one.
    pub fn chain<T>(
        &mut self,
        operands: &[(&'static str, T)],
        place: impl Fn(&T) -> Range<usize>,
        build: impl Fn(&mut Self, &T) -> Doc,
    ) -> Doc {
        let mut docs = Vec::new();
        let mut before: Option<Range<usize>> = None;
        for (operator, operand) in operands {
            if let Some(before) = before {
                docs.push(self.comments_between(before.end..place(operand).start));
                docs.extend([line(), text(format!("{operator} "))]);
            }
            docs.push(build(self, operand));
            before = Some(place(operand));
        }
        concat(docs).nest().group()
    }

    /// The comments between two elements: the first behind the one before when it was on its line, the
    /// others on lines of their own.
    pub fn comments_between(&mut self, between: Range<usize>) -> Doc {
        let comments = self.take(between);
        let docs = comments.iter().enumerate().flat_map(|(i, comment)| match i {
            0 if !comment.is_own_line => vec![Doc::Suffix(self.comment(comment).to_string())],
            _ => vec![Doc::HardLine, text(self.comment(comment))],
        });
        concat(docs)
    }

    /// Builds the element at `place` and takes the comments that belong to it, from `from`, where the one
    /// before it ended, to `next`, where the next one starts.
    fn element(
        &mut self,
        from: usize,
        place: Range<usize>,
        next: usize,
        build: impl FnOnce(&mut Self) -> Doc,
    ) -> Element {
        let above = self.take(from..place.start);
        let doc = build(self);
        let displaced = self.take(place.clone());
        let line_end = self.source(place.end..next).find('\n').map_or(next, |n| place.end + n);
        Element { displaced, above, doc, behind: self.take(place.end..line_end).pop() }
    }

    /// The comments that start in a place and are not yet written. From now on they are.
    fn take(&mut self, place: Range<usize>) -> Vec<Comment> {
        let first = self.trivia.comments.partition_point(|c| (c.span.start as usize) < place.start);
        let comments = self.trivia.comments.iter().zip(&mut self.is_taken).skip(first);
        let inside = comments.take_while(|(comment, _)| (comment.span.start as usize) < place.end);
        inside
            .filter_map(|(comment, taken)| (!std::mem::replace(taken, true)).then(|| comment.clone()))
            .collect()
    }

    fn suffix(&self, comment: &Option<Comment>) -> Doc {
        comment.as_ref().map_or(nothing(), |c| Doc::Suffix(self.comment(c).to_string()))
    }

    fn comment(&self, comment: &Comment) -> &'t str {
        self.source(range(comment))
    }

    /// The displaced comments of an element, each on a line above it. They must not become its documentation.
    fn displaced(&self, element: &Element) -> Vec<Doc> {
        let plain = |comment: &Comment| {
            let text = self.comment(comment);
            if comment.is_doc { text.replacen("///", "//", 1) } else { text.to_string() }
        };
        element.displaced.iter().flat_map(|comment| [text(plain(comment)), Doc::HardLine]).collect()
    }

    fn has_blank_line(&self, between: Range<usize>) -> bool {
        let first = self.trivia.blank_lines.partition_point(|at| (*at as usize) < between.start);
        self.trivia.blank_lines.get(first).is_some_and(|at| (*at as usize) < between.end)
    }

    /// Whether a comma right before a closing bracket follows, with nothing but trivia between.
    fn has_comma_after(&self, end: usize) -> bool {
        let closer = self.closer_after(end);
        let first = self.trivia.trailing_commas.partition_point(|at| (*at as usize) < end);
        self.trivia.trailing_commas.get(first).is_some_and(|at| (*at as usize) < closer)
    }

    /// Where the closing bracket stands after the last element of a list: behind trivia and one comma.
    fn closer_after(&self, end: usize) -> usize {
        let mut at = end;
        loop {
            let rest = self.source(at..self.text.len());
            let code = rest.trim_start_matches([' ', '\t', '\r', '\n', ',']);
            at += rest.len() - code.len();
            let next = self.trivia.comments.partition_point(|c| (c.span.start as usize) < at);
            match self.trivia.comments.get(next).filter(|c| c.span.start as usize == at) {
                Some(comment) => at = comment.span.end as usize,
                None => return at,
            }
        }
    }
}

/// Lines being written, each followed by a line end.
struct Lines {
    docs: Vec<Doc>,
    /// Where the last written line ended in the text.
    end: usize,
}

impl Lines {
    /// Puts a blank line before the next one, unless there is one or nothing stands above.
    fn wants_blank(&mut self, wanted: bool) {
        let n_docs = self.docs.len();
        let is_blank = n_docs >= 2 && matches!(self.docs[n_docs - 2..], [Doc::HardLine, Doc::HardLine]);
        if wanted && n_docs > 0 && !is_blank {
            self.docs.push(Doc::HardLine);
        }
    }
}

fn range(comment: &Comment) -> Range<usize> {
    comment.span.start as usize..comment.span.end as usize
}
