//! What is said when data is at fault: one function for each kind, so that every reader says it alike.
//!
//! The pages are `docs/errors/{data-shape,data-format,value-out-of-domain,missing-value}.md`.

use super::column::Columns;
use pcc_diag::{Diagnostic, Span};
use pcc_ir::Domain;

pub(crate) use pcc_diag::grouped;

/// Where values come from: what messages call them.
#[derive(Clone, Debug)]
pub(crate) struct Origin {
    /// The data set's name in the source.
    pub(crate) data: String,
    /// The file that was read.
    pub(crate) file: String,
    /// Where the data set was declared.
    pub(crate) span: Span,
}

/// A row as a person finds it, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RowName {
    /// A row of an array.
    Row(u64),
    /// A line of a text file.
    Line(u64),
}

impl std::fmt::Display for RowName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            RowName::Row(n) => write!(f, "row {}", grouped(*n)),
            RowName::Line(n) => write!(f, "line {}", grouped(*n)),
        }
    }
}

impl Origin {
    /// The numbers of rows, columns or windows do not fit the declaration, or the file ends early.
    pub(crate) fn shape(&self, message: impl std::fmt::Display) -> Diagnostic {
        self.error("data-shape", message)
    }

    /// The content is not what the reader reads.
    pub(crate) fn format(&self, message: impl std::fmt::Display) -> Diagnostic {
        self.error("data-format", message)
    }

    /// A value that its variable can't take.
    pub(crate) fn outside(
        &self,
        row: RowName,
        columns: &Columns,
        column: usize,
        value: impl std::fmt::Display,
    ) -> Diagnostic {
        let (name, domain) = (columns.name(column), columns.get(column).domain);
        let message = format!(
            "{row} of `{}` has {value} at `{name}`, but `{}` is `{domain}`{}",
            self.data,
            columns.group_of(column).name,
            values_of(domain)
        );
        Diagnostic::error("value-out-of-domain", message)
            .at(self.span, "declared here")
            .help(format!("the value stands in `{}`: correct it there, or declare a wider domain", self.file))
    }

    /// A NaN in a format that has no missing values.
    pub(crate) fn missing(&self, row: RowName, columns: &Columns, column: usize) -> Diagnostic {
        let message = format!(
            "{row} of `{}` is NaN at `{}`, and an array has no missing values (`{}`)",
            self.data,
            columns.name(column),
            self.file
        );
        Diagnostic::error("missing-value", message)
            .at(self.span, "declared here")
            .help("write missing values as empty fields of a csv file, or give a mask beside the array")
    }

    fn error(&self, code: &'static str, message: impl std::fmt::Display) -> Diagnostic {
        Diagnostic::error(code, format!("{message} (data set `{}`, file `{}`)", self.data, self.file))
            .at(self.span, "declared here")
    }
}

/// The range of a bounded domain, in words to be put behind its name.
fn values_of(domain: Domain) -> String {
    match domain {
        Domain::Bool => ", so 0 or 1".into(),
        Domain::Cat(n) | Domain::Token(n) => format!(", so 0 to {}", n.saturating_sub(1)),
        Domain::Int(..) => String::new(),
        Domain::Nat => ", so a whole number from 0 on".into(),
        Domain::Real => ", so a finite number".into(),
    }
}

/// `1 value`, `1,204 values`.
pub(crate) fn counted(n: usize, noun: &str) -> String {
    let ending = if n == 1 { "" } else { "s" };
    format!("{} {noun}{ending}", grouped(n as u64))
}

#[cfg(test)]
mod tests {
    #[test]
    fn nouns_follow_their_counts() {
        assert_eq!(super::counted(1, "value"), "1 value");
        assert_eq!(super::counted(1204, "value"), "1,204 values");
    }
}
