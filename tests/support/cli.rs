//! Transcripts of the command line: files, commands, and what is to be seen.
//!
//! ```text
//! === file weather.pc
//! vars Rain : bool
//! === run check weather.pc
//! exit 1
//! err nothing is named
//! out a whole line of standard output
//! out~ a part of standard output
//! ```
//!
//! `exit` is 0 when left out. When any `out` line is there, they are all of standard output.
//! `=== shell` runs a line of `sh` in the same folder, with the binary as `$PCC`.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

/// Runs one transcript in a folder of its own.
pub fn transcript(path: &Path) -> Result<(), String> {
    let text = fs::read_to_string(path).map_err(|e| e.to_string())?;
    let folder = tempfile::tempdir().map_err(|e| e.to_string())?;
    for section in text.split("\n=== ").flat_map(|s| s.strip_prefix("=== ").or(Some(s))) {
        let (head, body) = section.split_once('\n').unwrap_or((section, ""));
        let (verb, rest) = head.split_once(' ').unwrap_or((head, ""));
        match verb {
            "file" => write(&folder.path().join(rest), body)?,
            "run" => compare(head, body, &pcc(folder.path(), rest)?)?,
            "shell" => compare(head, body, &shell(folder.path(), rest)?)?,
            _ if section.trim_start().starts_with("//") => {}
            _ => return Err(format!("unknown section `{head}`")),
        }
    }
    Ok(())
}

fn write(path: &Path, body: &str) -> Result<(), String> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(|e| e.to_string())?;
    }
    fs::write(path, format!("{body}\n")).map_err(|e| e.to_string())
}

/// Runs the binary in a folder. The environment of the person who runs the tests does not matter.
pub fn pcc(folder: &Path, arguments: &str) -> Result<Output, String> {
    shell(folder, &format!("\"$PCC\" {arguments}"))
}

fn shell(folder: &Path, line: &str) -> Result<Output, String> {
    let repository = env!("CARGO_MANIFEST_DIR");
    Command::new("sh")
        .args(["-c", line])
        .current_dir(folder)
        .env("PCC", env!("CARGO_BIN_EXE_pcc"))
        .env("REPOSITORY", repository)
        .env("NO_COLOR", "1")
        .env("COLUMNS", "100")
        .env_remove("PCC_DATA")
        .env_remove("PCC_KERNELS")
        .output()
        .map_err(|e| e.to_string())
}

fn compare(head: &str, expected: &str, seen: &Output) -> Result<(), String> {
    let (out, err) = (String::from_utf8_lossy(&seen.stdout), String::from_utf8_lossy(&seen.stderr));
    let lines = || expected.lines();
    let after = |prefix: &'static str| lines().filter_map(move |l| l.strip_prefix(prefix));
    let exit: i32 = after("exit ").next().map_or(Ok(0), str::parse).map_err(|_| "exit takes a number")?;
    let mut faults = Vec::new();
    if seen.status.code() != Some(exit) {
        faults.push(format!("exit code {:?} instead of {exit}", seen.status.code()));
    }
    let whole: Vec<&str> = after("out ").collect();
    if !whole.is_empty() && whole != out.lines().collect::<Vec<_>>() {
        faults.push(format!("standard output is not\n{}", whole.join("\n")));
    }
    // A report is wrapped to the width of the terminal, so words are compared without their line breaks.
    let flat = |text: &str| {
        text.split(|c: char| c.is_whitespace() || c == '│')
            .filter(|w| !w.is_empty())
            .collect::<Vec<_>>()
            .join(" ")
    };
    faults.extend(
        after("out~ ").filter(|p| !flat(&out).contains(&flat(p))).map(|p| format!("no `{p}` in stdout")),
    );
    faults.extend(
        after("err ").filter(|p| !flat(&err).contains(&flat(p))).map(|p| format!("no `{p}` in stderr")),
    );
    let known = ["exit ", "out ", "out~ ", "err ", "//"];
    faults.extend(
        lines()
            .filter(|l| !l.trim().is_empty() && !known.iter().any(|k| l.starts_with(k)))
            .map(|l| format!("unknown expectation `{l}`")),
    );
    match faults.is_empty() {
        true => Ok(()),
        false => Err(format!("{head}\n{}\n--- stdout\n{out}\n--- stderr\n{err}", faults.join("\n"))),
    }
}
