//! Pages of the book as tests: what a reader is told to type works, and shows what the page shows.
//!
//! A block `pc` is a program that checks without an error; `pc error=CODE` must give that error. A block of
//! any kind with `file=NAME` is also put into the page's folder; the folder of an example's page holds a copy
//! of the example. A block `console` runs its `$ pcc ..` lines in that folder, one after the other, and what
//! they print is what stands below: a line `...` stands for any number of lines, `...` in a line for any words.

use super::cli::pcc;
use std::fs;
use std::path::Path;

/// A fenced block of a page.
struct Block<'t> {
    info: &'t str,
    line: usize,
    text: String,
}

impl<'t> Block<'t> {
    /// What stands behind a key of the first line.
    fn option(&self, key: &str) -> Option<&'t str> {
        self.info.split_whitespace().find_map(|word| word.strip_prefix(key))
    }
}

/// Runs one page in an empty folder.
pub fn page(path: &Path) -> Result<(), String> {
    let folder = tempfile::tempdir().map_err(|e| e.to_string())?;
    page_in(path, folder.path())
}

/// Runs the page of an example in a copy of the example.
pub fn example(path: &Path) -> Result<(), String> {
    let folder = tempfile::tempdir().map_err(|e| e.to_string())?;
    copy_folder(path.parent().unwrap_or(path), folder.path()).map_err(|e| e.to_string())?;
    page_in(path, folder.path())
}

/// Copies a folder with all that is in it.
pub fn copy_folder(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let place = to.join(entry.file_name());
        match entry.file_type()?.is_dir() {
            true => copy_folder(&entry.path(), &place)?,
            false => fs::copy(entry.path(), place).map(drop)?,
        }
    }
    Ok(())
}

fn page_in(path: &Path, folder: &Path) -> Result<(), String> {
    let text = fs::read_to_string(path).map_err(|e| e.to_string())?;
    for block in blocks(&text) {
        if let Some(name) = block.option("file=") {
            fs::write(folder.join(name), &block.text).map_err(|e| e.to_string())?;
        }
        let result = match block.info.split_whitespace().next() {
            Some("pc") => program(folder, &block),
            Some("console") => console(folder, &block.text),
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
    let name = block.option("file=").unwrap_or("block.pc");
    fs::write(folder.join(name), &block.text).map_err(|e| e.to_string())?;
    let seen = pcc(folder, &format!("check --format json {name}"))?;
    let out = String::from_utf8_lossy(&seen.stdout);
    match block.option("error=") {
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

/// Whether lines are as expected; a line `...` stands for any number of lines.
fn matches(expected: &[&str], seen: &[&str]) -> bool {
    match expected.split_first() {
        None => seen.is_empty(),
        Some((&"...", rest)) => (0..=seen.len()).any(|skip| matches(rest, &seen[skip..])),
        Some((first, rest)) => {
            seen.split_first().is_some_and(|(line, more)| is_like(line, first) && matches(rest, more))
        }
    }
}

/// Whether a line is as expected, but for what `...` stands for.
fn is_like(line: &str, expected: &str) -> bool {
    let parts: Vec<&str> = expected.trim_end().split("...").collect();
    let [first, between @ .., last] = parts.as_slice() else { return line.trim_end() == expected.trim_end() };
    let Some(mut rest) = line.trim_end().strip_prefix(first) else { return false };
    for part in between {
        let Some((_, after)) = rest.split_once(part) else { return false };
        rest = after;
    }
    rest.ends_with(last)
}
