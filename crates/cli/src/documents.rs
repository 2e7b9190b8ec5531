//! Documents from files, folders or standard input.

use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use berth_api::{DocumentError, Documents, Source};

use crate::args;
use crate::env;
use crate::exit::Exit;
use crate::failure::{Attempted, Failure, Result};

/// Reads and validates the documents that the arguments name. Every error of every file is reported together.
pub(crate) fn load(args: &args::Documents) -> Result<Documents> {
    let mut sources = Vec::new();
    for path in &args.files {
        if path == Path::new("-") {
            let mut text = String::new();
            io::stdin()
                .read_to_string(&mut text)
                .attempted("could not read documents from standard input")?;
            sources.push(Source {
                path: path.clone(),
                text,
            });
            continue;
        }
        for file in files(path)? {
            let text = fs::read_to_string(&file).attempted(format!("could not read {}", file.display()))?;
            sources.push(Source { path: file, text });
        }
    }
    berth_api::load(sources, &|path| fs::read(path), &env::named).map_err(|errors| refused(&errors))
}

/// The file itself, or every YAML file of a folder, by name.
fn files(path: &Path) -> Result<Vec<PathBuf>> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let entries = fs::read_dir(path).attempted(format!("could not read the folder {}", path.display()))?;
    let mut files = Vec::new();
    for entry in entries {
        let file = entry
            .attempted(format!("could not read the folder {}", path.display()))?
            .path();
        if file
            .extension()
            .is_some_and(|extension| extension == "yaml" || extension == "yml")
        {
            files.push(file);
        }
    }
    files.sort();
    if files.is_empty() {
        return Err(Failure::usage(format!(
            "the folder {} holds no .yaml file",
            path.display()
        )));
    }
    Ok(files)
}

fn refused(errors: &[DocumentError]) -> Failure {
    let what = if errors.len() == 1 {
        "an error".to_owned()
    } else {
        format!("{} errors", errors.len())
    };
    let mut failure = Failure::new(Exit::Refused, format!("{what} in the documents; nothing was written"));
    for DocumentError {
        position,
        field,
        cause,
        fix,
    } in errors
    {
        let field = if field.is_empty() {
            String::new()
        } else {
            format!("{field}: ")
        };
        failure.causes.push(format!("{position}: {field}{cause}"));
        if !fix.is_empty() {
            failure.causes.push(format!("  fix: {fix}"));
        }
    }
    failure
}
