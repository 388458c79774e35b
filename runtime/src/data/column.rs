//! The columns of a data set: which variable each one holds, and how a written value becomes a word.

use pcc_diag::{Diagnostic, Span};
use pcc_ir::{Domain, VarGroup, VarId};

/// One column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    /// The variable whose values stand in it.
    pub variable: VarId,
    /// The variable's domain.
    pub domain: Domain,
    lowest: i64,
    n_codes: i64,
}

impl Column {
    fn of(variable: VarId, domain: Domain) -> Self {
        let lowest = if let Domain::Int(low, _) = domain { low } else { 0 };
        // The largest word is the missing value, so `nat` ends one before it.
        let n_codes = match domain {
            Domain::Real => 0,
            _ => i64::from(domain.n_values().unwrap_or(u32::MAX - 1)),
        };
        Column { variable, domain, lowest, n_codes }
    }

    /// The word of a whole number (see [`pcc_ir::Batch`]), or `None` when it is outside the domain.
    pub fn word_of_integer(&self, value: i64) -> Option<u32> {
        if self.domain == Domain::Real {
            return self.word_of_number(value as f64);
        }
        let code = value.checked_sub(self.lowest)?;
        (0..self.n_codes).contains(&code).then_some(code as u32)
    }

    /// The word of a number, or `None` when it is outside the domain or not finite as an `f32`.
    pub fn word_of_number(&self, value: f64) -> Option<u32> {
        if self.domain == Domain::Real {
            let value = value as f32;
            return value.is_finite().then_some(value.to_bits());
        }
        let is_whole = value.fract() == 0.0 && value.abs() < 9e15;
        if is_whole { self.word_of_integer(value as i64) } else { None }
    }

    /// How many codes it has; `None` for real values.
    pub(crate) fn n_codes(&self) -> Option<u32> {
        (self.domain != Domain::Real).then_some(self.n_codes as u32)
    }

    /// Whether a code is written as itself, as it is in all domains but `int(a .. b)` with another start.
    pub(crate) fn is_its_own_code(&self) -> bool {
        self.domain != Domain::Real && self.lowest == 0
    }
}

/// The columns of a data set, in the order of its files.
#[derive(Clone, Debug)]
pub struct Columns {
    groups: Vec<VarGroup>,
    columns: Vec<Column>,
    n_variables: usize,
}

impl Columns {
    /// The columns of one group, which is all there is.
    pub(crate) fn of_group(group: VarGroup) -> Self {
        let columns = group.variables().map(|variable| Column::of(variable, group.domain)).collect();
        Columns { n_variables: group.len(), groups: vec![group], columns }
    }

    /// The columns of named groups, one after the other, each row-major. `all` are the groups of the whole
    /// circuit; they say how many variables a row of evidence has.
    ///
    /// # Errors
    /// `data-variables` when a name is in no group, or twice.
    pub fn of(names: &[String], all: &[VarGroup], data: &str, span: Span) -> Result<Self, Diagnostic> {
        let mut groups: Vec<VarGroup> = Vec::new();
        for name in names {
            let group = all.iter().find(|g| g.name == *name).ok_or_else(|| unknown(name, all, data, span))?;
            if groups.contains(group) {
                let message = format!("data set `{data}` holds `{name}` twice");
                return Err(Diagnostic::error("data-variables", message).at(span, ""));
            }
            groups.push(group.clone());
        }
        let columns = groups.iter().flat_map(|g| g.variables().map(|v| Column::of(v, g.domain))).collect();
        let n_variables = all.iter().map(VarGroup::len).sum();
        Ok(Columns { groups, columns, n_variables })
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.columns.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.columns.is_empty()
    }

    /// One column.
    pub fn get(&self, column: usize) -> &Column {
        &self.columns[column]
    }

    /// All columns.
    pub fn iter(&self) -> std::slice::Iter<'_, Column> {
        self.columns.iter()
    }

    /// The groups of variables they hold, in order.
    pub fn groups(&self) -> &[VarGroup] {
        &self.groups
    }

    /// How many variables a row of evidence has, those without a column included.
    pub fn n_variables(&self) -> usize {
        self.n_variables
    }

    /// The name of a column's variable, such as `X[3, 5]`.
    pub fn name(&self, column: usize) -> String {
        self.group_of(column).name_of(self.columns[column].variable)
    }

    pub(crate) fn group_of(&self, column: usize) -> &VarGroup {
        let variable = self.columns[column].variable.0;
        let holds = |g: &&VarGroup| (g.first.0..g.first.0 + g.len() as u32).contains(&variable);
        self.groups.iter().find(holds).expect("every column belongs to one of the groups")
    }

    /// The declaration in words: `X[28, 28]`, or `A, B` for several groups.
    pub(crate) fn declared(&self) -> String {
        let one = |g: &VarGroup| match g.extents.is_empty() {
            true => g.name.clone(),
            false => format!("{}[{}]", g.name, join(&g.extents, ", ")),
        };
        self.groups.iter().map(one).collect::<Vec<_>>().join(", ")
    }
}

fn unknown(name: &str, all: &[VarGroup], data: &str, span: Span) -> Diagnostic {
    let message = format!("data set `{data}` holds `{name}`, but no variables have that name");
    let fault = Diagnostic::error("data-variables", message).at(span, "");
    fault.did_you_mean(name, all.iter().map(|g| g.name.as_str()), |fault| fault)
}

/// Numbers with a word between them.
pub(crate) fn join(numbers: &[impl ToString], between: &str) -> String {
    numbers.iter().map(ToString::to_string).collect::<Vec<_>>().join(between)
}
