//! What the parser promises of every text: trees as written, places, documentation, and no panic.

mod trees;

use pcc_diag::{Diagnostic, FileId, Span};
use pcc_grammar::ast::{Arg, BinaryOp, Expr, ExprKind, ItemKind, Pattern, QueryKind, Step, Stmt, UnaryOp};
use pcc_grammar::{Parse, parse, parse_expr, parse_query};
use proptest::prelude::*;

const FILE: FileId = FileId(3);

fn expr(text: &str) -> Expr {
    parse_expr(FILE, text).unwrap_or_else(|errors| panic!("{text}: {errors:?}"))
}

/// The tree of an expression in parentheses, operators first.
fn prefix(expr: &Expr) -> String {
    match &expr.kind {
        ExprKind::Name(name) => name.clone(),
        ExprKind::Number(number) => number.text.clone(),
        ExprKind::Paren(inner) => prefix(inner),
        ExprKind::Unary(op, operand) => format!("({op:?} {})", prefix(operand)),
        ExprKind::Binary(op, left, right) => format!("({op:?} {} {})", prefix(left), prefix(right)),
        ExprKind::With(circuit, table) => format!("(With {} {})", prefix(circuit), prefix(table)),
        ExprKind::By(circuit, latent) => format!("(By {} {})", prefix(circuit), prefix(latent)),
        ExprKind::Call(callee, args) => format!("(Call {} {})", prefix(callee), args.len()),
        ExprKind::Index(object, args) => format!("(Index {} {})", prefix(object), args.len()),
        ExprKind::Field(object, name) => format!("(Field {} {})", prefix(object), name.text),
        ExprKind::Share(circuit) => format!("(Share {})", prefix(circuit)),
        other => format!("{other:?}"),
    }
}

#[test]
fn operators_bind_as_in_the_grammar() {
    for (text, tree) in [
        ("a - b - c", "(Subtract (Subtract a b) c)"),
        ("a + b * c", "(Add a (Multiply b c))"),
        ("a => b => c", "(Implies a (Implies b c))"),
        ("a or b and c => d", "(Implies (Or a (And b c)) d)"),
        ("not a and b", "(And (Not a) b)"),
        ("a == len(X) - 1", "(Equal a (Subtract (Call len 1) 1))"),
        ("0 .. n + 1", "(Range 0 (Add n 1))"),
        ("0.9 -> 0.1", "(Arrow 0.9 0.1)"),
        ("a - -b", "(Subtract a (Negate b))"),
        ("f[K](x).y.0", "(Field (Field (Call (Index f 1) 1) y) 0)"),
        ("f(x) with t by Z", "(By (With (Call f 1) t) Z)"),
        ("share f[K](x)", "(Share (Call (Index f 1) 1))"),
        ("0..4", "(Range 0 4)"),
        ("x.data", "(Field x data)"),
        ("a // comment\n  + b", "(Add a b)"),
    ] {
        assert_eq!(prefix(&expr(text)), tree, "{text}");
    }
}

#[test]
fn a_bracket_after_an_if_is_a_new_expression() {
    let text = "structure S(X: seq) -> layer[1] { let a = if b { c } else { d } (e) }";
    let parse = parse(FILE, text);
    let ItemKind::Structure(structure) = &parse.file.items[0].kind else { panic!("{parse:?}") };
    assert!(
        matches!(&structure.body.stmts[0], Stmt::Let(binding) if matches!(binding.value.kind, ExprKind::If(..)))
    );
    assert!(matches!(structure.body.result.kind, ExprKind::Paren(_)));
}

#[test]
fn arguments_are_positional_named_or_spliced() {
    let ExprKind::Call(_, args) = expr("f(x, data = 3, for (l, r) in xs if l: g(l, r))").kind else {
        panic!()
    };
    assert!(matches!(&args[0], Arg::Positional(_)));
    assert!(matches!(&args[1], Arg::Named(name, _) if name.text == "data"));
    let Arg::For(clause) = &args[2] else { panic!("{args:?}") };
    assert!(matches!(&clause.pattern, Pattern::Tuple(names, _) if names.len() == 2));
    assert!(clause.condition.is_some());
}

#[test]
fn comprehensions_nest() {
    let ExprKind::List(args) = expr("[for x in xs: [for y in x: f(x, y)]]").kind else { panic!() };
    let Arg::For(outer) = &args[0] else { panic!("{args:?}") };
    assert!(matches!(&outer.value.kind, ExprKind::List(inner) if matches!(inner[0], Arg::For(_))));
}

#[test]
fn strings_lose_their_quotes_and_nothing_else() {
    assert_eq!(expr("\" a // b \"").kind, ExprKind::Text(" a // b ".to_string()));
    assert_eq!(expr("\"\"").kind, ExprKind::Text(String::new()));
}

#[test]
fn places_hold_what_was_written_and_no_more() {
    let text = "circuit M = f( x )  // why\n\n  // below\nvars A : bool";
    let parse = parse(FILE, text);
    let words = |span: Span| &text[span.start as usize..span.end as usize];
    assert_eq!(
        parse.file.items.iter().map(|i| words(i.span)).collect::<Vec<_>>(),
        ["circuit M = f( x )", "vars A : bool"]
    );
    let ItemKind::Circuit(circuit) = &parse.file.items[0].kind else { panic!("{parse:?}") };
    assert_eq!(words(circuit.value.span), "f( x )");
    assert_eq!(circuit.value.span.file, FILE);
    let ExprKind::Call(_, args) = &circuit.value.kind else { panic!("{circuit:?}") };
    assert!(matches!(&args[0], Arg::Positional(x) if words(x.span) == "x"));
}

#[test]
fn documentation_and_attributes_belong_to_their_item() {
    let text = "/// One.\n///  Two.\n@block(32)\n@fast\ncircuit M = A\n\n/// Not this.\n\nvars A : bool\n";
    let parse = parse(FILE, text);
    assert_eq!(parse.errors, []);
    let [circuit, vars] = parse.file.items.as_slice() else { panic!("{parse:?}") };
    assert_eq!(circuit.doc.as_deref(), Some("One.\n Two."));
    assert_eq!(circuit.attributes.iter().map(prefix).collect::<Vec<_>>(), ["(Call block 1)", "fast"]);
    assert_eq!(vars.doc, None);
}

#[test]
fn library_functions_and_bare_fits_parse() {
    let text =
        "memo fn f(t: data) -> list { t }\nrecipe r() for M { fit M on d given Z, Y holding M.a by em() }";
    let parse = parse(FILE, text);
    assert_eq!(parse.errors, []);
    assert!(matches!(&parse.file.items[0].kind, ItemKind::Function(f) if f.is_memo && f.name.text == "f"));
    let ItemKind::Recipe(recipe) = &parse.file.items[1].kind else { panic!("{parse:?}") };
    let [Step::Fit(fit)] = recipe.steps.as_slice() else { panic!("{recipe:?}") };
    assert_eq!((fit.given.len(), fit.holding.len()), (2, 1));
}

#[test]
fn queries_have_targets_and_evidence() {
    let query = parse_query(FILE, "p(A = true, X[3, 5] = 7 | B = -1, C < 4)").expect("a query");
    assert_eq!(query.kind, QueryKind::Probability);
    assert_eq!((query.targets.len(), query.given.len()), (2, 2));
    assert_eq!(prefix(&query.targets[1].subject), "(Index X 2)");
    assert!(matches!(&query.given[0].value, Some(Expr { kind: ExprKind::Unary(UnaryOp::Negate, _), .. })));
    let condition = &query.given[1];
    assert!(
        matches!(condition.subject.kind, ExprKind::Binary(BinaryOp::Less, ..)) && condition.value.is_none()
    );

    let query = parse_query(FILE, "sample").expect("a query");
    assert_eq!((query.kind, query.targets.len(), query.given.len()), (QueryKind::Sample, 0, 0));
    let query = parse_query(FILE, "map(| B = \"red\")").expect("a query");
    assert_eq!((query.kind, query.targets.len(), query.given.len()), (QueryKind::Map, 0, 1));
    let query = parse_query(FILE, "map(|)").expect("a query about everything, nothing known");
    assert_eq!((query.kind, query.targets.len(), query.given.len()), (QueryKind::Map, 0, 0));
}

/// The code, message and help of the only error.
fn only(errors: Vec<Diagnostic>) -> (&'static str, String, Option<String>) {
    assert_eq!(errors.len(), 1, "{errors:?}");
    let error = errors.into_iter().next().expect("one error");
    assert!(error.labels.iter().all(|l| l.span.file == FILE), "{error:?}");
    (error.code, error.message, error.help)
}

#[test]
fn faults_of_expressions_and_queries_are_told() {
    let (code, message, help) = only(parse_query(FILE, "marginal(A)").expect_err("no such query"));
    assert_eq!((code, message.as_str()), ("unknown-query", "there is no query named `marginal`"));
    assert_eq!(help.as_deref(), Some("did you mean `marginals`?"));

    let (code, message, _) = only(parse_query(FILE, "p(A = true").expect_err("never closed"));
    assert_eq!(
        (code, message.as_str()),
        ("unclosed-bracket", "expected `)` to close the `(` of `p`, found the end")
    );

    let (code, message, _) = only(parse_expr(FILE, "3 4").expect_err("two expressions"));
    assert_eq!((code, message.as_str()), ("unexpected-token", "expected an operator or the end, found `4`"));

    let (code, message, _) = only(parse_expr(FILE, "").expect_err("nothing"));
    assert_eq!((code, message.as_str()), ("unexpected-token", "expected an expression, found the end"));

    let (code, ..) = only(parse_expr(FILE, &"(".repeat(600)).expect_err("too deep"));
    assert_eq!(code, "nesting-too-deep");
}

#[test]
fn habits_from_elsewhere_are_told_what_to_write() {
    let help = |text: &str| only(parse(FILE, text).errors).2.expect("some help");
    assert!(help("recipe train for M {\n}\n").contains("`recipe train() for M`"));
    assert!(help("data train : A, B from csv(\"x.csv\")\n").contains("`(A, B)`"));
    let returns = "structure S(X: seq) -> layer[1] {\n  return sum[1](X[0])\n}\n";
    assert!(help(returns).contains("leave `return` out"));
    assert!(help("circuit M = f(a) for v in X\n").contains("among the arguments"));
}

fn codes(parse: &Parse) -> Vec<&'static str> {
    parse.errors.iter().map(|e| e.code).collect()
}

#[test]
fn hostile_nesting_costs_one_item() {
    for hostile in [
        "(".repeat(10_000),
        "[".repeat(10_000),
        "{".repeat(10_000),
        "f(".repeat(10_000),
        format!("{}1{}", "(".repeat(10_000), ")".repeat(10_000)),
        "share ".repeat(10_000),
        "fn() => ".repeat(10_000),
        "if a { b } else ".repeat(10_000),
        "if ".repeat(10_000),
        "1 + ".repeat(10_000),
        "a => ".repeat(10_000),
        format!("a{}", ".b".repeat(10_000)),
        format!("a{}", "()".repeat(10_000)),
        format!("a{}", " by b".repeat(10_000)),
        "f(\nfn(v) => ".repeat(10_000),
        "f(data = ".repeat(10_000),
    ] {
        let text = format!("vars A : bool\ncircuit M = {hostile}\nvars B : bool\n");
        let parse = parse(FILE, &text);
        assert!(codes(&parse).contains(&"nesting-too-deep"), "{}", &hostile[..20]);
        assert!(parse.file.items.len() >= 2, "{}", &hostile[..20]);
    }
}

#[test]
fn nesting_under_the_bound_takes_linear_time() {
    for (open, close) in
        [("(", ")"), ("[", "]"), ("f(", ")"), ("f[", "]"), ("f(a = ", ")"), ("f(for x in ", ": y)")]
    {
        let (opened, closed) = (open.repeat(450), close.repeat(450));
        assert_eq!(codes(&parse(FILE, &format!("circuit M = {opened}x{closed}"))), [""; 0], "{open}");
        assert_eq!(codes(&parse(FILE, &format!("circuit M = {opened}x"))), ["unclosed-bracket"], "{open}");
        assert_eq!(
            codes(&parse(FILE, &format!("circuit M = {opened}x ;{closed}"))),
            ["unexpected-character"],
            "{open}"
        );
    }
    let blocks = format!("circuit M = {}x{}", "if a { ".repeat(220), " }".repeat(220));
    assert_eq!(codes(&parse(FILE, &blocks)), [""; 0]);
}

#[test]
fn deep_programs_are_formatted_on_a_small_stack() {
    let text = format!("circuit M = {}x{}", "f(".repeat(450), ")".repeat(450));
    trees::check_format(&text).expect("the invariants hold");
}

/// Pieces of programs, in any order.
fn token() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "vars",
        "circuit",
        "structure",
        "recipe",
        "import",
        "data",
        "learn",
        "fn",
        "memo",
        "let",
        "if",
        "else",
        "for",
        "in",
        "share",
        "with",
        "by",
        "not",
        "and",
        "stage",
        "fit",
        "on",
        "given",
        "assert",
        "const",
        "param",
        "A",
        "sum",
        "x",
        "12",
        "1e9",
        "3.",
        "0..4",
        "10k",
        "\"text\"",
        "\"open",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        ",",
        ":",
        "=",
        "==",
        "=>",
        "->",
        "..",
        ".",
        "+",
        "-",
        "*",
        "<",
        "|",
        "@",
        "// note",
        "///",
        "\n",
        "\r\n",
        "\t",
        ";",
        "é",
        "\u{0}",
        "\u{feff}",
        "_",
    ])
}

fn soup() -> impl Strategy<Value = String> {
    prop::collection::vec((token(), prop::sample::select(vec!["", " ", "\n"])), 0..60)
        .prop_map(|parts| parts.into_iter().flat_map(|(token, space)| [token, space]).collect())
}

/// A comment, a line end or nothing, to be put between tokens.
fn trivia() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "",
        "",
        "",
        "",
        "\n",
        "\n\n",
        " // note\n",
        "\n/// doc\n",
        " /// behind\n",
        "  ",
    ])
}

/// The programs between whose words comments are put.
const PROGRAMS: [&str; 5] = [
    include_str!("../../tests/syntax/ok/by_hand.pc"),
    include_str!("../../tests/syntax/ok/hclt.pc"),
    include_str!("../../tests/syntax/ok/lvd_patches.pc"),
    include_str!("../../tests/syntax/ok/psdd.pc"),
    include_str!("../../tests/syntax/ok/hmm.pc"),
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_panics(text in soup()) {
        let parse = parse(FILE, &text);
        for error in &parse.errors {
            prop_assert!(!error.labels.is_empty(), "{error:?}");
            for label in &error.labels {
                prop_assert!(text.get(label.span.start as usize..label.span.end as usize).is_some(), "{error:?}");
            }
        }
        let again = pcc_grammar::format(&text, &parse);
        prop_assert!(!parse.errors.is_empty() || trees::check_format(&text).is_ok(), "{again}");
        let _ = (parse_expr(FILE, &text), parse_query(FILE, &text));
    }

    #[test]
    fn no_characters_panic(text in any::<String>()) {
        parse(FILE, &text);
    }

    #[test]
    fn comments_anywhere_survive_formatting(
        program in 0..PROGRAMS.len(),
        between in prop::collection::vec(trivia(), 40),
    ) {
        let code = PROGRAMS[program].lines().map(|line| line.split("//").next().unwrap_or(""));
        let code = code.flat_map(|line| [line, "\n"]).collect::<String>();
        let cut = code.split_inclusive(' ').zip(between.iter().cycle());
        let cut: String = cut.flat_map(|(piece, trivia)| [piece, *trivia]).collect();
        prop_assert_eq!(parse(FileId(0), &cut).errors, []);
        if let Err(fault) = trees::check_format(&cut) {
            return Err(TestCaseError::fail(format!("{fault}\nfrom\n{cut}")));
        }
    }
}
