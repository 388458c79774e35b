//! Source files and places in them.

/// A file among the [`Sources`] of one run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(pub u32);

/// A half-open range of bytes in one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// The file.
    pub file: FileId,
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// No place: what did not come from source text.
    pub const NONE: Span = Span { file: FileId(u32::MAX), start: 0, end: 0 };

    /// A span in a file.
    pub fn new(file: FileId, start: usize, end: usize) -> Self {
        Span { file, start: start as u32, end: end as u32 }
    }

    /// Whether this is [`Span::NONE`].
    pub fn is_none(self) -> bool {
        self.file == Span::NONE.file
    }

    /// The smallest span that covers both; the other when one is [`Span::NONE`].
    pub fn to(self, other: Span) -> Span {
        if self.is_none() || self.file != other.file {
            return if self.is_none() { other } else { self };
        }
        Span { file: self.file, start: self.start.min(other.start), end: self.end.max(other.end) }
    }
}

impl Default for Span {
    fn default() -> Self {
        Span::NONE
    }
}

/// One source file: the name that messages show, and its text.
#[derive(Clone, Debug)]
pub struct SourceFile {
    /// As the user named it, or `std/...`.
    pub name: String,
    /// The whole text.
    pub text: String,
}

/// All source files of one run.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    files: Vec<SourceFile>,
}

impl Sources {
    /// No files.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a file and names it.
    pub fn add(&mut self, name: impl Into<String>, text: impl Into<String>) -> FileId {
        self.files.push(SourceFile { name: name.into(), text: text.into() });
        FileId(self.files.len() as u32 - 1)
    }

    /// The file of an id, if it is one of ours.
    pub fn get(&self, file: FileId) -> Option<&SourceFile> {
        self.files.get(file.0 as usize)
    }

    /// The text under a span; empty for a span that is not in these sources.
    pub fn text(&self, span: Span) -> &str {
        let text = self.get(span.file).map_or("", |f| f.text.as_str());
        text.get(span.start as usize..span.end as usize).unwrap_or("")
    }

    /// Line and column, both from 1, of a byte offset. Columns count characters.
    pub fn line_column(&self, file: FileId, offset: u32) -> (usize, usize) {
        let text = self.get(file).map_or("", |f| f.text.as_str());
        let before = text.get(..offset as usize).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |i| i + 1);
        (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
    }
}
