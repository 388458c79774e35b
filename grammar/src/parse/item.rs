//! Items.

use super::{Builder, Parts, Rule};
use crate::ast::{
    Assertion, Circuit, Constant, Constraint, Data, Domain, Import, Item, ItemKind, Learn, Name, Native,
    Property, Structure, Teacher, VarDecl, Vars,
};
use pest::iterators::Pair;

impl Builder<'_> {
    /// One item with its attributes and the documentation above it.
    pub(super) fn item(&mut self, pair: Pair<Rule>) -> Item {
        let doc = self.trivia.doc_above(self.text, pair.as_span().start());
        let mut parts = Parts::of(pair);
        let attributes = parts.all_of(Rule::attribute).collect::<Vec<_>>();
        let attributes = self.exprs(attributes);
        let pair = parts.one();
        Item { span: self.span(&pair), kind: self.item_kind(pair), attributes, doc }
    }

    fn item_kind(&mut self, pair: Pair<Rule>) -> ItemKind {
        match pair.as_rule() {
            Rule::import => ItemKind::Import(self.import(pair)),
            Rule::native => ItemKind::Native(self.native(pair)),
            Rule::constant => ItemKind::Constant(self.constant(pair)),
            Rule::vars => ItemKind::Vars(self.vars(pair, false)),
            Rule::latent => ItemKind::Vars(self.vars(pair, true)),
            Rule::data => ItemKind::Data(self.data(pair)),
            Rule::learn => ItemKind::Learn(self.learn(pair)),
            Rule::teacher => ItemKind::Teacher(self.teacher(pair)),
            Rule::constraint => ItemKind::Constraint(self.constraint(pair)),
            Rule::structure => ItemKind::Structure(self.structure(pair)),
            Rule::function => ItemKind::Function(self.function(pair)),
            Rule::circuit => ItemKind::Circuit(self.circuit(pair)),
            Rule::assertion => ItemKind::Assertion(self.assertion(pair)),
            _ => ItemKind::Recipe(self.recipe(pair)),
        }
    }

    fn names<'t>(&self, parts: impl Iterator<Item = Pair<'t, Rule>>) -> Vec<Name> {
        parts.map(|name| self.name(name)).collect()
    }

    fn import(&mut self, pair: Pair<Rule>) -> Import {
        let mut parts = Parts::of(pair);
        let path = self.name(parts.one());
        let names = self.names(parts.all_of(Rule::name));
        Import { path, names, alias: parts.next().map(|alias| self.name(Parts::of(alias).one())) }
    }

    fn native(&mut self, pair: Pair<Rule>) -> Native {
        let mut parts = Parts::of(pair);
        Native { name: self.name(parts.one()), params: self.params(parts.one()), ty: self.ty(parts.one()) }
    }

    fn constant(&mut self, pair: Pair<Rule>) -> Constant {
        let mut parts = Parts::of(pair);
        Constant {
            name: self.name(parts.one()),
            ty: parts.one_if(Rule::ty).map(|ty| self.ty(ty)),
            value: self.expr(parts.one()),
        }
    }

    fn vars(&mut self, pair: Pair<Rule>, is_latent: bool) -> Vars {
        let mut parts = Parts::of(pair);
        let decls = parts.all_of(Rule::var_decl).map(|decl| self.var_decl(decl)).collect();
        Vars { is_latent, decls, domain: self.domain(parts.one()) }
    }

    fn var_decl(&mut self, pair: Pair<Rule>) -> VarDecl {
        let mut parts = Parts::of(pair);
        VarDecl { name: self.name(parts.one()), extents: self.exprs(parts) }
    }

    fn domain(&mut self, pair: Pair<Rule>) -> Domain {
        let span = self.span(&pair);
        let mut parts = Parts::of(pair);
        Domain { name: self.name(parts.one()), args: self.exprs(parts), span }
    }

    fn data(&mut self, pair: Pair<Rule>) -> Data {
        let mut parts = Parts::of(pair);
        Data { name: self.name(parts.one()), target: self.expr(parts.one()), source: self.expr(parts.one()) }
    }

    fn learn(&mut self, pair: Pair<Rule>) -> Learn {
        let mut parts = Parts::of(pair);
        Learn { name: self.name(parts.one()), value: self.expr(parts.one()) }
    }

    fn teacher(&mut self, pair: Pair<Rule>) -> Teacher {
        let mut parts = Parts::of(pair);
        Teacher {
            name: self.name(parts.one()),
            network: self.expr(parts.one()),
            data: parts.next().map(|data| self.expr(data)),
        }
    }

    fn constraint(&mut self, pair: Pair<Rule>) -> Constraint {
        let mut parts = Parts::of(pair);
        Constraint {
            name: self.name(parts.one()),
            variables: self.names(parts.all_of(Rule::name)),
            formula: self.expr(parts.one()),
        }
    }

    fn structure(&mut self, pair: Pair<Rule>) -> Structure {
        let mut parts = Parts::of(pair);
        Structure {
            name: self.name(parts.one()),
            statics: parts.one_if(Rule::statics).map(|statics| self.params(statics)).unwrap_or_default(),
            params: self.params(parts.one()),
            ty: self.ty(parts.one()),
            body: self.block(parts.one()),
        }
    }

    fn circuit(&mut self, pair: Pair<Rule>) -> Circuit {
        let mut parts = Parts::of(pair);
        Circuit { name: self.name(parts.one()), value: self.expr(parts.one()) }
    }

    fn assertion(&mut self, pair: Pair<Rule>) -> Assertion {
        let mut parts = Parts::of(pair);
        Assertion { subject: self.expr(parts.one()), properties: parts.map(|p| self.property(p)).collect() }
    }

    fn property(&mut self, pair: Pair<Rule>) -> Property {
        let mut parts = Parts::of(pair);
        Property { value: self.expr(parts.one()), given: parts.next().map(|given| self.expr(given)) }
    }
}
