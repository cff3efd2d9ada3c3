//! The file, whole: every line is looked at before the first is sent, and the journal knows it by its hash.

use std::io::Read as _;
use std::path::Path;

use crate::failure::Failure;

/// What was read, and where from.
pub(super) struct Input {
    pub(super) bytes: Vec<u8>,
    pub(super) name: String,
    /// The file's ending in lower case, empty for standard input.
    pub(super) ending: String,
}

impl Input {
    pub(super) fn read(file: &Path) -> Result<Self, Failure> {
        let mut bytes = Vec::new();
        let (name, read) = if file.as_os_str() == "-" {
            let read = std::io::stdin().lock().read_to_end(&mut bytes);
            ("standard input".to_owned(), read)
        } else {
            let opened = std::fs::File::open(file);
            let read = opened.and_then(|mut file| file.read_to_end(&mut bytes));
            (file.display().to_string(), read)
        };
        read.map_err(|error| {
            Failure::new(format!("cannot read {name}"))
                .because(error.to_string())
                .advice("name a file that there is, or - for standard input")
        })?;
        let ending = file
            .extension()
            .map(|ending| ending.to_string_lossy().to_ascii_lowercase());
        Ok(Self {
            bytes,
            name,
            ending: ending.unwrap_or_default(),
        })
    }
}
