//! The programs under `examples/`: all of them check, and those that are quick are run, where their own data is
//! large on small data made here.

use crate::book::copy_folder;
use crate::cli::pcc;
use std::fs;
use std::path::Path;

/// Examples that are run here, with settings that make them short.
const QUICK: &[(&str, &str)] = &[
    ("quickstart", "--set K=2"),
    ("rat_spn", "--data data"),
    ("hmm", "--set K=4 --data data"),
    ("lvd_patches", "distill --set CODES=2 --set h=1 --set K=1"),
    ("lvd_untied", "distill --set CODES=2 --set h=1 --set K=1"),
    ("lvd_hmm", "distill --set K=4"),
];

/// Checks one example, and runs it where that takes seconds.
pub fn example(model: &Path) -> Result<(), String> {
    let folder = tempfile::tempdir().map_err(|e| e.to_string())?;
    let name = model.parent().and_then(Path::file_name).unwrap_or_default().to_string_lossy().into_owned();
    // What is learned is kept beside a program, so programs are run where that leaves no trace.
    for example in [name.as_str(), "quickstart"] {
        let from = model.ancestors().nth(2).unwrap_or(model).join(example);
        copy_folder(&from, &folder.path().join(example)).map_err(|e| e.to_string())?;
    }
    let file = model.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let model = format!("{name}/{file}");
    expect(folder.path(), &format!("check {model}"), 0, "")?;
    let is_quick = |quick: &str| quick == name && file == "model.pc";
    let Some((_, settings)) = QUICK.iter().find(|(quick, _)| is_quick(quick)) else { return Ok(()) };
    write_data(&folder.path().join("data")).map_err(|e| e.to_string())?;
    expect(folder.path(), &format!("run {model} {settings} --threads 1 --out out"), 0, "the model is out/")
}

fn expect(folder: &Path, arguments: &str, exit: i32, said: &str) -> Result<(), String> {
    let seen = pcc(folder, arguments)?;
    let err = String::from_utf8_lossy(&seen.stderr);
    match seen.status.code() == Some(exit) && err.contains(said) {
        true => Ok(()),
        false => Err(format!("`pcc {arguments}` exits with {:?}\n{err}", seen.status.code())),
    }
}

/// Small files where the examples look for large ones: sixteen answers a row, and a text of few words.
fn write_data(folder: &Path) -> std::io::Result<()> {
    let (survey, books) = (folder.join("debd/nltcs"), folder.join("text-public-domain"));
    fs::create_dir_all(&survey)?;
    fs::create_dir_all(&books)?;
    for (part, n) in [("train", 200), ("valid", 50), ("test", 50)] {
        fs::write(survey.join(format!("nltcs.{part}.data.gz")), answers(n))?;
        fs::write(books.join(format!("books.{part}.txt.gz")), "the sun and the moon and the sea ".repeat(n))?;
    }
    Ok(())
}

/// Rows whose answers hang together: all that come before a place in the row are yes.
fn answers(n: usize) -> String {
    let row = |row: usize| (0..16).map(|i| u8::from(i < row * 7 % 17).to_string()).collect::<Vec<_>>();
    (0..n).map(|i| row(i).join(",") + "\n").collect()
}
