//! The names that need no import, the natives of `std`, and the fields of values, as tables.
//!
//! The check phase reads signatures from here, elaboration its did-you-mean candidates, and the
//! reference its lists. What each name does lives in `elab::builtin`; nothing here computes.

/// What kind of thing a value is, as far as a signature can say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A whole number.
    Int,
    /// A real number.
    Float,
    /// `true` or `false`.
    Bool,
    /// A string.
    Text,
    /// A source of keyed randomness.
    Key,
    /// One variable.
    Var,
    /// A set of variables; also a list of variables, or one variable.
    Scope,
    /// An ordered scope.
    Seq,
    /// A scope with extents.
    Grid,
    /// A rectangle of a grid.
    Box,
    /// A rooted tree over variables.
    Tree,
    /// A binary tree whose leaves are variables.
    Vtree,
    /// A propositional formula; a boolean variable is one.
    Formula,
    /// A list; a range is one.
    List,
    /// A tuple.
    Tuple,
    /// Units of a circuit. A boolean variable, or its negation, is a layer of one unit.
    Layer,
    /// A family of input distributions.
    Family,
    /// A table of numbers, or parameters.
    Table,
    /// Data.
    Data,
    /// How much each row of data counts.
    Weights,
    /// Labels learned by clustering.
    Codes,
    /// Something that can be called.
    Function,
    /// A number or a change between two numbers.
    Schedule,
    /// One word of a closed set, not a name.
    Word(&'static [&'static str]),
    /// Anything.
    Any,
}

/// How often a parameter may be given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Need {
    /// Exactly once.
    Required,
    /// At most once.
    Optional,
    /// Any number of times, by position.
    Rest,
}

/// One parameter of a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Its name, as in `name = value`.
    pub name: &'static str,
    /// What it takes.
    pub kind: Kind,
    /// How often.
    pub need: Need,
}

/// Where a name comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Home {
    /// Known everywhere.
    Prelude,
    /// Declared by `native fn` in this module of `std`.
    Std(&'static str),
    /// Stands after `from` in a `data` item.
    Reader,
    /// Stands after `teacher name =`.
    Teacher,
    /// Stands after `by` in a `fit`.
    Optimizer,
    /// Is the `step` of an optimiser.
    Schedule,
    /// Stands after `until`.
    Stop,
    /// Stands after `then`.
    Change,
    /// Stands after `report`.
    Output,
}

/// A name that can be called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signature {
    /// The name.
    pub name: &'static str,
    /// Where it is known.
    pub home: Home,
    /// What stands in brackets.
    pub statics: &'static [Parameter],
    /// What stands in parentheses.
    pub params: &'static [Parameter],
    /// What it gives.
    pub result: Kind,
}

/// A field or a method of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// Of what.
    pub of: Kind,
    /// Its name.
    pub name: &'static str,
    /// The parameters of a method; `None` for a plain field.
    pub params: Option<&'static [Parameter]>,
    /// What it gives.
    pub result: Kind,
}

const fn required(name: &'static str, kind: Kind) -> Parameter {
    Parameter { name, kind, need: Need::Required }
}

const fn optional(name: &'static str, kind: Kind) -> Parameter {
    Parameter { name, kind, need: Need::Optional }
}

const fn rest(name: &'static str, kind: Kind) -> Parameter {
    Parameter { name, kind, need: Need::Rest }
}

const fn function(home: Home, name: &'static str, params: &'static [Parameter], result: Kind) -> Signature {
    Signature { name, home, statics: &[], params, result }
}

const fn prelude(name: &'static str, params: &'static [Parameter], result: Kind) -> Signature {
    function(Home::Prelude, name, params, result)
}

const fn builder(
    name: &'static str,
    statics: &'static [Parameter],
    params: &'static [Parameter],
) -> Signature {
    Signature { name, home: Home::Prelude, statics, params, result: Kind::Layer }
}

const WIDTH: &[Parameter] = &[required("width", Kind::Int)];
const LAYERS: &[Parameter] = &[rest("circuits", Kind::Layer)];
const SCOPE: &[Parameter] = &[required("scope", Kind::Scope)];
/// Numbers of one kind, or one list of them.
const NUMBERS: &[Parameter] = &[rest("values", Kind::Any)];
const INT: &[Parameter] = &[required("n", Kind::Int)];
const ANY_LIST: &[Parameter] = &[required("values", Kind::List)];
const PATH: Parameter = required("path", Kind::Text);
const ROWS: Parameter = optional("rows", Kind::List);
const ENDS: &[Parameter] = &[required("ends", Kind::Schedule)];

/// Everything that can be called without being declared in the file.
///
/// A family's name has two uses: `gaussian(min_sd = 1e-3)` names the family, and with a variable first,
/// `gaussian(v, mean, sd)`, it builds a leaf. The signature given here is that of the second use with all
/// but the family's settings optional.
pub const SIGNATURES: &[Signature] = &[
    builder("input", WIDTH, &[required("variable", Kind::Var), optional("family", Kind::Family)]),
    builder("sum", WIDTH, LAYERS),
    builder("prod", &[], LAYERS),
    builder("outer", &[], LAYERS),
    builder("mix", &[], LAYERS),
    builder("copies", &[required("count", Kind::Int)], &[required("circuit", Kind::Layer)]),
    prelude("literal", &[required("variable", Kind::Var), required("value", Kind::Any)], Kind::Layer),
    prelude("bernoulli", &[optional("variable", Kind::Var), optional("p", Kind::Float)], Kind::Any),
    prelude("categorical", &[optional("variable", Kind::Var), optional("p", Kind::List)], Kind::Any),
    prelude(
        "binomial",
        &[optional("variable", Kind::Any), optional("n", Kind::Int), optional("p", Kind::Float)],
        Kind::Any,
    ),
    prelude(
        "gaussian",
        &[
            optional("variable", Kind::Var),
            optional("mean", Kind::Float),
            optional("sd", Kind::Float),
            optional("min_sd", Kind::Float),
        ],
        Kind::Any,
    ),
    prelude("fixed", &[required("table", Kind::List)], Kind::Table),
    prelude("len", &[required("of", Kind::Any)], Kind::Int),
    prelude("head", &[required("of", Kind::Any), required("to", Kind::Int)], Kind::Any),
    prelude("tail", &[required("of", Kind::Any), required("from", Kind::Int)], Kind::Any),
    prelude("reverse", &[required("of", Kind::Any)], Kind::Any),
    prelude("concat", &[rest("lists", Kind::List)], Kind::List),
    prelude("join", &[rest("texts", Kind::Text)], Kind::Text),
    prelude("zip", &[required("left", Kind::List), required("right", Kind::List)], Kind::List),
    prelude("range", &[required("start", Kind::Int), optional("end", Kind::Int)], Kind::List),
    prelude("min", NUMBERS, Kind::Any),
    prelude("max", NUMBERS, Kind::Any),
    prelude("total", ANY_LIST, Kind::Any),
    prelude("div", &[required("n", Kind::Int), required("by", Kind::Int)], Kind::Int),
    prelude("log2", INT, Kind::Int),
    prelude("ceil_log2", INT, Kind::Int),
    prelude("float", INT, Kind::Float),
    prelude("union", &[rest("scopes", Kind::Scope)], Kind::Seq),
    prelude("minus", &[required("scope", Kind::Scope), required("without", Kind::Scope)], Kind::Seq),
    prelude("contains", &[required("of", Kind::Any), required("value", Kind::Any)], Kind::Bool),
    prelude("key", &[required("seed", Kind::Int), rest("more", Kind::Int)], Kind::Key),
    prelude("random_halves", &[required("scope", Kind::Scope), required("key", Kind::Key)], Kind::Tuple),
    prelude("shuffle", &[required("of", Kind::Any), required("key", Kind::Key)], Kind::Any),
    prelude("balanced", SCOPE, Kind::Vtree),
    prelude("right_linear", SCOPE, Kind::Vtree),
    prelude("left_linear", SCOPE, Kind::Vtree),
    function(
        Home::Std("std/trees"),
        "chow_liu",
        &[
            required("data", Kind::Data),
            optional("max_rows", Kind::Int),
            optional("bits", Kind::Int),
            optional("pseudocount", Kind::Float),
            optional("trees", Kind::Int),
            optional("every", Kind::Int),
            optional("root", Kind::Word(&["centre", "first"])),
        ],
        Kind::Any,
    ),
    function(
        Home::Std("std/trees"),
        "tree_of",
        &[required("scope", Kind::Scope), required("parents", Kind::List)],
        Kind::Tree,
    ),
    function(
        Home::Std("std/cluster"),
        "kmeans",
        &[
            required("features", Kind::Data),
            required("k", Kind::Int),
            optional("seed", Kind::Int),
            optional("restarts", Kind::Int),
            optional("iterations", Kind::Int),
            optional("batch", Kind::Int),
            optional("per", Kind::Word(&["position", "all"])),
        ],
        Kind::Codes,
    ),
    function(
        Home::Std("std/logic"),
        "partition",
        &[required("f", Kind::Formula), required("v", Kind::Vtree)],
        Kind::List,
    ),
    function(
        Home::Std("std/logic"),
        "literal",
        &[required("f", Kind::Formula), required("v", Kind::Var)],
        Kind::Layer,
    ),
    function(Home::Std("std/logic"), "exactly", CARDINALITY, Kind::Formula),
    function(Home::Std("std/logic"), "at_most", CARDINALITY, Kind::Formula),
    function(Home::Std("std/logic"), "at_least", CARDINALITY, Kind::Formula),
    function(Home::Reader, "idx", &[PATH, ROWS], Kind::Data),
    function(Home::Reader, "npy", &[PATH, ROWS], Kind::Data),
    function(Home::Reader, "npz", &[PATH, required("array", Kind::Text), ROWS], Kind::Data),
    function(Home::Reader, "safetensors", &[PATH, required("array", Kind::Text), ROWS], Kind::Data),
    function(Home::Reader, "parquet", &[PATH, ROWS], Kind::Data),
    function(
        Home::Reader,
        "csv",
        &[PATH, ROWS, optional("header", Kind::Bool), optional("separator", Kind::Text)],
        Kind::Data,
    ),
    function(Home::Reader, "bits", &[PATH, ROWS], Kind::Data),
    function(
        Home::Reader,
        "text",
        &[
            PATH,
            ROWS,
            optional("window", Kind::Int),
            optional("stride", Kind::Int),
            optional("by", Kind::Word(&["word", "character"])),
            optional("vocabulary", Kind::Text),
        ],
        Kind::Data,
    ),
    function(Home::Teacher, "transformer", &[PATH], Kind::Any),
    function(
        Home::Teacher,
        "masked_autoencoder",
        &[
            required("patch", Kind::Tuple),
            optional("dim", Kind::Int),
            optional("layers", Kind::Int),
            optional("heads", Kind::Int),
            optional("epochs", Kind::Int),
            optional("batch", Kind::Int),
            optional("seed", Kind::Int),
        ],
        Kind::Any,
    ),
    function(
        Home::Teacher,
        "vq_vae",
        &[
            required("patch", Kind::Tuple),
            required("codes", Kind::Int),
            optional("dim", Kind::Int),
            optional("epochs", Kind::Int),
            optional("batch", Kind::Int),
            optional("seed", Kind::Int),
        ],
        Kind::Any,
    ),
    function(
        Home::Teacher,
        "word_vectors",
        &[optional("dim", Kind::Int), optional("window", Kind::Int), optional("seed", Kind::Int)],
        Kind::Any,
    ),
    function(
        Home::Optimizer,
        "em",
        &[
            optional("batch", Kind::Any),
            optional("epochs", Kind::Int),
            optional("step", Kind::Schedule),
            optional("pseudocount", Kind::Float),
            optional("per", Kind::Word(&["node", "cell"])),
            optional("start", Kind::Any),
            optional("soften", Kind::Float),
            optional("entropy", Kind::Float),
            optional("weights", Kind::Weights),
        ],
        Kind::Any,
    ),
    function(
        Home::Optimizer,
        "anemone",
        &[
            optional("batch", Kind::Any),
            optional("epochs", Kind::Int),
            optional("step", Kind::Schedule),
            optional("momentum", Kind::Float),
            optional("pseudocount", Kind::Float),
            optional("per", Kind::Word(&["node", "cell"])),
            optional("start", Kind::Any),
            optional("weights", Kind::Weights),
        ],
        Kind::Any,
    ),
    function(
        Home::Optimizer,
        "mle",
        &[
            optional("pseudocount", Kind::Float),
            optional("per", Kind::Word(&["node", "cell"])),
            optional("weights", Kind::Weights),
        ],
        Kind::Any,
    ),
    function(Home::Schedule, "constant", &[required("value", Kind::Float)], Kind::Schedule),
    function(Home::Schedule, "linear", ENDS, Kind::Schedule),
    function(Home::Schedule, "cosine", ENDS, Kind::Schedule),
    function(
        Home::Stop,
        "plateau",
        &[
            required("of", Kind::Any),
            optional("patience", Kind::Int),
            optional("min_delta", Kind::Float),
            optional("weights", Kind::Weights),
        ],
        Kind::Any,
    ),
    function(
        Home::Change,
        "prune",
        &[optional("below", Kind::Float), optional("keep", Kind::Float)],
        Kind::Any,
    ),
    function(Home::Change, "grow", &[optional("noise", Kind::Float)], Kind::Any),
    function(Home::Output, "samples", &[required("count", Kind::Int), required("to", Kind::Text)], Kind::Any),
    function(
        Home::Output,
        "inpaint",
        &[required("data", Kind::Data), optional("count", Kind::Int), required("to", Kind::Text)],
        Kind::Any,
    ),
];

const CARDINALITY: &[Parameter] = &[required("k", Kind::Int), required("of", Kind::List)];

/// The fields and methods of every kind of value. A seq has those of a scope, a grid those of both.
pub const FIELDS: &[Field] = &[
    Field { of: Kind::Scope, name: "vars", params: None, result: Kind::List },
    Field { of: Kind::Scope, name: "first", params: None, result: Kind::Var },
    Field { of: Kind::Scope, name: "last", params: None, result: Kind::Var },
    Field { of: Kind::Grid, name: "box", params: None, result: Kind::Box },
    Field { of: Kind::Grid, name: "extents", params: None, result: Kind::List },
    Field { of: Kind::Grid, name: "tile", params: Some(&[required("at", Kind::Var)]), result: Kind::Grid },
    Field {
        of: Kind::Grid,
        name: "tiles",
        params: Some(&[required("grid", Kind::Grid)]),
        result: Kind::List,
    },
    Field { of: Kind::Var, name: "index", params: None, result: Kind::Int },
    Field { of: Kind::Var, name: "n_values", params: None, result: Kind::Int },
    Field { of: Kind::Var, name: "values", params: None, result: Kind::List },
    Field { of: Kind::Box, name: "area", params: None, result: Kind::Int },
    Field { of: Kind::Box, name: "extents", params: None, result: Kind::List },
    Field { of: Kind::Box, name: "quarters", params: None, result: Kind::List },
    Field { of: Kind::Box, name: "halves", params: None, result: Kind::List },
    Field { of: Kind::Box, name: "cuts", params: Some(&[required("every", Kind::Int)]), result: Kind::List },
    Field { of: Kind::Tree, name: "root", params: None, result: Kind::Var },
    Field { of: Kind::Tree, name: "vars", params: None, result: Kind::List },
    Field {
        of: Kind::Tree,
        name: "children",
        params: Some(&[required("of", Kind::Var)]),
        result: Kind::List,
    },
    Field { of: Kind::Tree, name: "parent", params: Some(&[required("of", Kind::Var)]), result: Kind::Var },
    Field { of: Kind::Vtree, name: "is_leaf", params: None, result: Kind::Bool },
    Field { of: Kind::Vtree, name: "var", params: None, result: Kind::Var },
    Field { of: Kind::Vtree, name: "left", params: None, result: Kind::Vtree },
    Field { of: Kind::Vtree, name: "right", params: None, result: Kind::Vtree },
    Field { of: Kind::Vtree, name: "vars", params: None, result: Kind::List },
    Field { of: Kind::Key, name: "left", params: None, result: Kind::Key },
    Field { of: Kind::Key, name: "right", params: None, result: Kind::Key },
    Field { of: Kind::Key, name: "split", params: Some(&[required("n", Kind::Int)]), result: Kind::List },
    Field { of: Kind::Data, name: "tile", params: Some(&[required("at", Kind::Var)]), result: Kind::Data },
    Field {
        of: Kind::Data,
        name: "tiles",
        params: Some(&[required("grid", Kind::Grid)]),
        result: Kind::Data,
    },
    Field {
        of: Kind::Codes,
        name: "assign",
        params: Some(&[required("features", Kind::Data)]),
        result: Kind::Codes,
    },
];

/// The names of types that a parameter may be given, each with the kind it stands for.
pub const TYPES: &[(&str, Kind)] = &[
    ("int", Kind::Int),
    ("float", Kind::Float),
    ("bool", Kind::Bool),
    ("text", Kind::Text),
    ("key", Kind::Key),
    ("var", Kind::Var),
    ("scope", Kind::Scope),
    ("seq", Kind::Seq),
    ("grid", Kind::Grid),
    ("box", Kind::Box),
    ("tree", Kind::Tree),
    ("vtree", Kind::Vtree),
    ("formula", Kind::Formula),
    ("list", Kind::List),
    ("tuple", Kind::Tuple),
    ("layer", Kind::Layer),
    ("family", Kind::Family),
    ("data", Kind::Data),
    ("codes", Kind::Codes),
    ("function", Kind::Function),
    ("any", Kind::Any),
];

/// What teachers are asked for.
pub const TEACHER_VIEWS: &[&str] = &["suffixes", "prefixes", "words", "features", "codes"];

/// The metrics that `evaluate` and `plateau` know.
pub const METRICS: &[&str] = &["ll", "bpd", "perplexity"];

/// Optimisers of later versions, whose settings are not known yet.
pub const LATER_OPTIMIZERS: &[&str] = &["sgd", "adam"];

/// The properties that an `assert` may claim by name alone.
pub const PROPERTIES: &[&str] = &["smooth", "decomposable", "deterministic", "structured"];

/// The properties that an `assert` claims with an argument.
pub const PROPERTY_CALLS: &[&str] = &["structured_by", "compatible", "supports"];

/// The sizes that an `assert` may bound.
pub const SIZES: &[&str] = &["params", "layers", "width", "units", "edges"];

/// The names of domains.
pub const DOMAINS: &[&str] = &["bool", "cat", "token", "int", "nat", "real"];

/// The signature of a name that is known everywhere.
pub fn prelude_signature(name: &str) -> Option<&'static Signature> {
    SIGNATURES.iter().find(|s| s.home == Home::Prelude && s.name == name)
}

/// The names that are known everywhere.
pub fn prelude_names() -> impl Iterator<Item = &'static str> {
    let words = ["true", "false"].into_iter();
    words.chain(SIGNATURES.iter().filter(|s| s.home == Home::Prelude).map(|s| s.name))
}

/// The signature of a native of a module of `std`.
pub fn native_signature(module: &str, name: &str) -> Option<&'static Signature> {
    let is_here = |home: Home| matches!(home, Home::Std(m) if m == module);
    SIGNATURES.iter().find(|s| is_here(s.home) && s.name == name)
}

/// The names that stand in one kind of place, such as the readers.
pub fn names_at(home: Home) -> impl Iterator<Item = &'static str> {
    SIGNATURES.iter().filter(move |s| s.home == home).map(|s| s.name)
}
