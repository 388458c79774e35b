//! Pieces of HTML: tables, figures, pictures, and the document around them.
//!
//! In: text that is markup already, where a parameter is called `body`, and plain text elsewhere, which is escaped
//! here. Nothing that is written refers to another file.

use super::super::pictures::png_of;
use crate::chart;
use crate::data::Picture;
use crate::markup::{escape, png_address};
use std::fmt::Write;

const STYLE: &str = include_str!("style.css");

/// What a browser may load for the page: nothing but what is in it.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:";

/// A part of the page.
pub(super) struct Section {
    /// Where links to it lead.
    pub id: &'static str,
    pub title: &'static str,
    pub body: String,
}

/// The whole page.
pub(super) fn document(title: &str, lead: &str, sections: &[Section]) -> String {
    let title = escape(title);
    let mut links = String::new();
    let mut bodies = String::new();
    for Section { id, title, body } in sections {
        // Writing to a String cannot fail.
        let _ = writeln!(links, "<a href=\"#{id}\">{title}</a>");
        let _ = write!(bodies, "<section id=\"{id}\">\n<h2>{title}</h2>\n{body}</section>\n");
    }
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\n\
         <title>{title}</title>\n<style>\n{STYLE}{chart_style}</style>\n</head>\n<body>\n\
         <header>\n<h1>{title}</h1>\n<p class=\"lead\">{lead}</p>\n<nav aria-label=\"Sections\">\n{links}</nav>\n\
         </header>\n<main>\n{bodies}</main>\n</body>\n</html>\n",
        chart_style = chart::STYLE,
        lead = escape(lead),
    )
}

/// A cell of a table.
pub(super) enum Cell {
    /// Words, to the left.
    Words(String),
    /// A number, to the right.
    Number(String),
    /// A key or a name of a program.
    Code(String),
}

impl Cell {
    /// Words, to the left.
    pub fn words(text: impl Into<String>) -> Self {
        Cell::Words(text.into())
    }

    /// A number, to the right.
    pub fn number(text: impl Into<String>) -> Self {
        Cell::Number(text.into())
    }
}

/// A table whose first column names its rows. Without heads it is a list of facts.
pub(super) fn table(heads: &[&str], rows: &[Vec<Cell>]) -> String {
    let class = if heads.is_empty() { " class=\"facts\"" } else { "" };
    let mut text = format!("<div class=\"wide\"><table{class}>\n");
    let is_number =
        |column: usize| matches!(rows.first().and_then(|row| row.get(column)), Some(Cell::Number(_)));
    if !heads.is_empty() {
        text.push_str("<thead><tr>");
        for (column, head) in heads.iter().enumerate() {
            let class = if is_number(column) { " class=\"number\"" } else { "" };
            let _ = write!(text, "<th scope=\"col\"{class}>{head}</th>");
        }
        text.push_str("</tr></thead>\n");
    }
    text.push_str("<tbody>\n");
    for row in rows {
        text.push_str("<tr>");
        row.iter().enumerate().for_each(|(column, cell)| cell_of(column, cell, &mut text));
        text.push_str("</tr>\n");
    }
    text.push_str("</tbody></table></div>\n");
    text
}

fn cell_of(column: usize, cell: &Cell, text: &mut String) {
    let (open, close) = if column == 0 { ("<th scope=\"row\"", "</th>") } else { ("<td", "</td>") };
    let _ = match cell {
        Cell::Words(words) => write!(text, "{open}>{}{close}", escape(words)),
        Cell::Number(number) => write!(text, "{open} class=\"number\">{}{close}", escape(number)),
        Cell::Code(code) => write!(text, "{open}><code>{}</code>{close}", escape(code)),
    };
}

/// Something to look at, with what it is.
pub(super) fn figure(body: &str, caption: &str) -> String {
    format!("<figure>\n{body}<figcaption>{}</figcaption>\n</figure>\n", escape(caption))
}

/// A paragraph.
pub(super) fn paragraph(class: &str, text: &str) -> String {
    format!("<p class=\"{class}\">{}</p>\n", escape(text))
}

/// A picture. Without words it is one of many that a caption tells of.
pub(super) fn image(picture: &Picture, class: &str, words: &str) -> String {
    let class = if class.is_empty() { String::new() } else { format!("class=\"{class}\" ") };
    let Picture { width, height, .. } = picture;
    format!(
        "<img {class}width=\"{width}\" height=\"{height}\" alt=\"{}\" src=\"{}\">",
        escape(words),
        png_address(&png_of(picture))
    )
}
