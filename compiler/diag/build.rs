//! Collects the pages of diagnostic codes, `docs/errors/<code>.md`, into a sorted table.
//!
//! A file is a page when its first line is `# <code>` with its own name; other files are left alone.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let Some(out) = env::var_os("OUT_DIR") else {
        return Err(io::Error::other("cargo sets OUT_DIR for build scripts"));
    };
    let manifest = env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from).unwrap_or_default();
    let folder = manifest.join("../../docs/errors");
    println!("cargo::rerun-if-changed={}", folder.display());

    let mut table = String::from("/// Each code with its page, sorted by code.\n");
    table.push_str("static PAGES: &[(&str, &str)] = &[\n");
    for (code, page) in pages(&folder)? {
        let _ = writeln!(table, "    ({code:?}, {page:?}),");
    }
    table.push_str("];\n");
    fs::write(Path::new(&out).join("pages.rs"), table)
}

/// The codes with their pages, sorted.
fn pages(folder: &Path) -> io::Result<Vec<(String, String)>> {
    let mut pages = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let is_markdown = path.extension().is_some_and(|e| e == "md");
        let Some(code) = path.file_stem().and_then(|stem| stem.to_str()).filter(|_| is_markdown) else {
            continue;
        };
        println!("cargo::rerun-if-changed={}", path.display());
        let page = fs::read_to_string(&path)?;
        if page.lines().next().is_some_and(|first| first.trim() == format!("# {code}")) {
            pages.push((code.to_string(), page));
        }
    }
    pages.sort();
    Ok(pages)
}
