//! Pages of the book as tests: what a reader is told to type works, and shows what the page shows.
//!
//! A block `pc` is a program that checks without an error; `pc file=NAME` also puts it into the page's folder;
//! `pc error=CODE` must give that error. A block `console` runs its `$ pcc ..` lines in that folder, one
//! after the other, and what they print is what stands below; a line `...` stands for any number of lines.

use super::cli::pcc;
use std::fs;
use std::path::Path;

/// A fenced block of a page.
struct Block<'t> {
    info: &'t str,
    line: usize,
    text: String,
}

/// Runs one page.
pub fn page(path: &Path) -> Result<(), String> {
    let text = fs::read_to_string(path).map_err(|e| e.to_string())?;
    let folder = tempfile::tempdir().map_err(|e| e.to_string())?;
    for block in blocks(&text) {
        let result = match block.info.split_whitespace().next() {
            Some("pc") => program(folder.path(), &block),
            Some("console") => console(folder.path(), &block.text),
            _ => Ok(()),
        };
        result.map_err(|fault| format!("line {}: {fault}", block.line))?;
    }
    Ok(())
}

fn blocks(text: &str) -> Vec<Block<'_>> {
    let mut found: Vec<Block> = Vec::new();
    let mut is_open = false;
    for (number, line) in text.lines().enumerate() {
        match (line.strip_prefix("```"), is_open) {
            (Some(info), false) => {
                found.push(Block { info, line: number + 1, text: String::new() });
                is_open = true;
            }
            (Some(_), true) => is_open = false,
            (None, true) => {
                if let Some(block) = found.last_mut() {
                    block.text.push_str(line);
                    block.text.push('\n');
                }
            }
            (None, false) => {}
        }
    }
    found
}

fn program(folder: &Path, block: &Block) -> Result<(), String> {
    let option = |key: &str| block.info.split_whitespace().find_map(|w| w.strip_prefix(key));
    let name = option("file=").unwrap_or("block.pc");
    fs::write(folder.join(name), &block.text).map_err(|e| e.to_string())?;
    let seen = pcc(folder, &format!("check --format json {name}"))?;
    let out = String::from_utf8_lossy(&seen.stdout);
    match option("error=") {
        Some(code) if out.contains(&format!("\"code\":\"{code}\"")) => Ok(()),
        Some(code) => Err(format!("no error `{code}`:\n{out}")),
        None if seen.status.success() => Ok(()),
        None => Err(format!("the program has errors:\n{out}")),
    }
}

fn console(folder: &Path, text: &str) -> Result<(), String> {
    for part in text.split("$ ").filter(|p| !p.trim().is_empty()) {
        let (command, expected) = part.split_once('\n').unwrap_or((part, ""));
        let arguments = command.strip_prefix("pcc ").ok_or_else(|| format!("`{command}` is not pcc"))?;
        let seen = pcc(folder, &format!("{arguments} 2>&1"))?;
        let out = String::from_utf8_lossy(&seen.stdout);
        if !matches(&expected.lines().collect::<Vec<_>>(), &out.lines().collect::<Vec<_>>()) {
            return Err(format!("`{command}` prints\n{out}"));
        }
    }
    Ok(())
}

/// Whether lines are as expected; `...` stands for any number of lines.
fn matches(expected: &[&str], seen: &[&str]) -> bool {
    match expected.split_first() {
        None => seen.is_empty(),
        Some((&"...", rest)) => (0..=seen.len()).any(|skip| matches(rest, &seen[skip..])),
        Some((first, rest)) => {
            seen.split_first().is_some_and(|(line, more)| line.trim_end() == first.trim_end() && matches(rest, more))
        }
    }
}
