//! Reads a folder of CustomResourceDefinitions, as upstream publishes them: YAML or JSON, several in a file or one.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// Why CRDs could not be read.
#[derive(Debug, thiserror::Error)]
pub enum CrdsError {
    /// The folder or a file cannot be read.
    #[error("failed to read `{path}`")]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file is not YAML.
    #[error("`{path}` is not YAML: {message}")]
    Parse {
        /// Which.
        path: PathBuf,
        /// Why.
        message: String,
    },
}

/// All CustomResourceDefinitions in the files of a folder, in order of the files' names. Other objects are left out.
pub fn read_crds(folder: &Path) -> Result<Vec<Value>, CrdsError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| CrdsError::Read { path, source }
    };
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed(folder))? {
        let path = entry.map_err(failed(folder))?.path();
        if path
            .extension()
            .is_some_and(|extension| ["yaml", "yml", "json"].iter().any(|known| extension == *known))
        {
            paths.push(path);
        }
    }
    paths.sort();
    let mut crds = Vec::new();
    for path in paths {
        let text = fs::read_to_string(&path).map_err(failed(&path))?;
        // Schemas run to tens of thousands of nodes, and the files are the user's own: no budget against them.
        let options = serde_saphyr::options! { budget: None, legacy_octal_numbers: true };
        let documents: Vec<Value> =
            serde_saphyr::from_multiple_with_options(&text, options).map_err(|error| CrdsError::Parse {
                path: path.clone(),
                message: error.to_string(),
            })?;
        crds.extend(
            documents
                .into_iter()
                .filter(|document| document["kind"] == "CustomResourceDefinition"),
        );
    }
    Ok(crds)
}
