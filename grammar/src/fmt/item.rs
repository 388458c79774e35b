//! Items.

use super::comments::{BRACES, CALL, Formatter, SQUARE};
use super::doc::{Doc, concat, join, line, text};
use super::range;
use crate::ast::{Assertion, Data, Import, Item, ItemKind, Native, Structure, Teacher, VarDecl, Vars};
use std::ops::Range;

impl Formatter<'_> {
    /// A whole file.
    pub(super) fn file(&mut self, items: &[Item], end: usize) -> Doc {
        self.sequence(items, 0..end, place, stands_apart, Formatter::item)
    }

    fn item(&mut self, item: &Item) -> Doc {
        let mut docs = Vec::new();
        for (i, attribute) in item.attributes.iter().enumerate() {
            docs.extend([text("@"), self.expr(attribute)]);
            let next = item.attributes.get(i + 1).map_or(item.span, |next| next.span);
            docs.push(self.comments_between(range(attribute.span).end..range(next).start));
            docs.push(Doc::HardLine);
        }
        docs.push(self.item_kind(item));
        concat(docs)
    }

    fn item_kind(&mut self, item: &Item) -> Doc {
        match &item.kind {
            ItemKind::Import(import) => self.import(import),
            ItemKind::Native(native) => self.native(native),
            ItemKind::Constant(constant) => {
                let ty = constant.ty.as_ref().map(|ty| text(": ").then(self.ty(ty)));
                let head = concat([text(format!("const {}", constant.name.text))].into_iter().chain(ty));
                self.binding(head, &constant.value)
            }
            ItemKind::Vars(vars) => self.vars(vars),
            ItemKind::Data(data) => self.data(data),
            ItemKind::Learn(learn) => self.binding(text(format!("learn {}", learn.name.text)), &learn.value),
            ItemKind::Teacher(teacher) => self.teacher(teacher),
            ItemKind::Constraint(constraint) => {
                let name = text(format!("constraint {}", constraint.name.text));
                let variables = self.names(CALL, &constraint.variables);
                self.binding(name.then(variables), &constraint.formula)
            }
            ItemKind::Structure(structure) => self.structure(structure),
            ItemKind::Function(function) => self.function(function),
            ItemKind::Circuit(circuit) => {
                self.binding(text(format!("circuit {}", circuit.name.text)), &circuit.value)
            }
            ItemKind::Assertion(assertion) => self.assertion(assertion),
            ItemKind::Recipe(recipe) => self.recipe(recipe, range(item.span)),
        }
    }

    fn import(&mut self, import: &Import) -> Doc {
        let mut parts = vec![text(format!("import {}", import.path.text))];
        if !import.names.is_empty() {
            parts.push(text("."));
            parts.push(self.names(BRACES, &import.names));
        }
        parts.extend(import.alias.iter().map(|alias| text(format!(" as {}", alias.text))));
        concat(parts)
    }

    fn native(&mut self, native: &Native) -> Doc {
        let params = self.params(CALL, &native.params);
        concat([text(format!("native fn {}", native.name.text)), params, text(" -> "), self.ty(&native.ty)])
    }

    fn vars(&mut self, vars: &Vars) -> Doc {
        let keyword = if vars.is_latent { "latent " } else { "vars " };
        let decls: Vec<Doc> = vars.decls.iter().map(|decl| self.var_decl(decl)).collect();
        let decls = join(decls, &text(",").then(line())).nest().group();
        let domain = text(format!(" : {}", vars.domain.name.text));
        let args = (!vars.domain.args.is_empty()).then(|| self.exprs(CALL, &vars.domain.args));
        concat([text(keyword), decls, domain].into_iter().chain(args))
    }

    fn var_decl(&mut self, decl: &VarDecl) -> Doc {
        let name = text(&decl.name.text);
        if decl.extents.is_empty() { name } else { name.then(self.exprs(SQUARE, &decl.extents)) }
    }

    fn data(&mut self, data: &Data) -> Doc {
        let name = text(format!("data {} : ", data.name.text));
        concat([name, self.expr(&data.target), text(" from "), self.expr(&data.source)])
    }

    fn teacher(&mut self, teacher: &Teacher) -> Doc {
        let head = self.binding(text(format!("teacher {}", teacher.name.text)), &teacher.network);
        match &teacher.data {
            Some(data) => concat([head, text(" on "), self.expr(data)]),
            None => head,
        }
    }

    fn structure(&mut self, structure: &Structure) -> Doc {
        let statics = (!structure.statics.is_empty()).then(|| self.params(SQUARE, &structure.statics));
        let head = [text(format!("structure {}", structure.name.text))].into_iter().chain(statics);
        let head = concat(head);
        let params = self.params(CALL, &structure.params);
        concat([head, params, text(" -> "), self.ty(&structure.ty), text(" "), self.body(&structure.body)])
    }

    fn assertion(&mut self, assertion: &Assertion) -> Doc {
        let subject = self.expr(&assertion.subject);
        let mut properties = Vec::new();
        for property in &assertion.properties {
            let value = self.expr(&property.value);
            let given = property.given.as_ref().map(|given| text(" given ").then(self.expr(given)));
            properties.push(concat([value].into_iter().chain(given)));
        }
        let properties = join(properties, &text(",").then(line())).nest().group();
        concat([text("assert "), subject, text(": "), properties])
    }
}

/// From the first attribute to the end.
fn place(item: &Item) -> Range<usize> {
    let start = item.attributes.first().map_or(item.span.start, |attribute| attribute.span.start);
    start as usize..item.span.end as usize
}

/// Items with a body have a blank line on both sides.
fn stands_apart(item: &Item) -> bool {
    matches!(item.kind, ItemKind::Structure(_) | ItemKind::Function(_) | ItemKind::Recipe(_))
}
