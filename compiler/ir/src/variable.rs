//! Variables, their domains, and the groups in which they are declared.

use crate::VarId;

/// The values that a variable can take.
///
/// Evidence names a value of a discrete domain by its *code*, counted from zero; for `int(a .. b)` the
/// code of `x` is `x - a`. A value of `real` stands for itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Domain {
    /// `false` (code 0) and `true` (code 1).
    Bool,
    /// `cat(n)`: categories 0 to n - 1.
    Cat(u32),
    /// `token(n)`: words of a vocabulary of size n.
    Token(u32),
    /// `int(a .. b)`, both ends included.
    Int(i64, i64),
    /// `nat`: 0, 1, 2, ...
    Nat,
    /// `real`.
    Real,
}

impl Domain {
    /// How many values it has; `None` when there is no bound.
    pub fn n_values(self) -> Option<u32> {
        match self {
            Domain::Bool => Some(2),
            Domain::Cat(n) | Domain::Token(n) => Some(n),
            Domain::Int(low, high) => u32::try_from(i128::from(high) - i128::from(low) + 1).ok(),
            Domain::Nat | Domain::Real => None,
        }
    }

    /// Whether its values are codes.
    pub fn is_discrete(self) -> bool {
        self != Domain::Real
    }

    /// The code of a written value, or `None` when the value is outside the domain.
    pub fn code_of(self, value: f64) -> Option<u32> {
        if value.fract() != 0.0 || !value.is_finite() {
            return None;
        }
        let low = if let Domain::Int(low, _) = self { low as f64 } else { 0.0 };
        let n = match self {
            Domain::Real => return None,
            Domain::Nat => f64::from(u32::MAX - 1),
            _ => f64::from(self.n_values()?),
        };
        let code = value - low;
        (code >= 0.0 && code < n).then_some(code as u32)
    }

    /// The value that a code stands for.
    pub fn value_of(self, code: u32) -> f64 {
        match self {
            Domain::Int(low, _) => low as f64 + f64::from(code),
            _ => f64::from(code),
        }
    }
}

impl std::fmt::Display for Domain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Domain::Bool => write!(f, "bool"),
            Domain::Cat(n) => write!(f, "cat({n})"),
            Domain::Token(n) => write!(f, "token({n})"),
            Domain::Int(a, b) => write!(f, "int({a} .. {b})"),
            Domain::Nat => write!(f, "nat"),
            Domain::Real => write!(f, "real"),
        }
    }
}

/// Variables that were declared together, such as `X[28, 28]`; row-major, consecutive ids.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VarGroup {
    /// The declared name.
    pub name: String,
    /// The extents; empty for a single variable.
    pub extents: Vec<u32>,
    /// The domain of each.
    pub domain: Domain,
    /// Declared by `latent`: summed out unless observed.
    pub is_latent: bool,
    /// The first variable.
    pub first: VarId,
}

impl VarGroup {
    /// How many variables it has.
    pub fn len(&self) -> usize {
        self.extents.iter().map(|&e| e as usize).product()
    }

    /// Whether an extent is zero.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Its variables.
    pub fn variables(&self) -> impl Iterator<Item = VarId> + use<> {
        (self.first.0..self.first.0 + self.len() as u32).map(VarId)
    }

    /// The variable at an index, or `None` when the index has another rank or is out of range.
    pub fn at(&self, index: &[u32]) -> Option<VarId> {
        if index.len() != self.extents.len() {
            return None;
        }
        let mut offset = 0;
        for (&i, &extent) in index.iter().zip(&self.extents) {
            if i >= extent {
                return None;
            }
            offset = offset * extent + i;
        }
        Some(VarId(self.first.0 + offset))
    }

    /// The index of the variable at an offset in the group.
    pub fn index_of(&self, variable: VarId) -> Vec<u32> {
        let mut offset = variable.0 - self.first.0;
        let mut index = vec![0; self.extents.len()];
        for (i, &extent) in index.iter_mut().zip(&self.extents).rev() {
            *i = offset % extent;
            offset /= extent;
        }
        index
    }

    /// The name of one of its variables, as in source: `X[3, 5]`, or `A` for a single one.
    pub fn name_of(&self, variable: VarId) -> String {
        if self.extents.is_empty() {
            return self.name.clone();
        }
        let index: Vec<String> = self.index_of(variable).iter().map(u32::to_string).collect();
        format!("{}[{}]", self.name, index.join(", "))
    }
}

/// One variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Variable {
    /// The group it was declared in.
    pub group: crate::VarGroupId,
    /// Its domain.
    pub domain: Domain,
    /// Declared by `latent`.
    pub is_latent: bool,
}
