//! Heads that somebody remembers: in files, and as copies in the other region's bucket.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use audit_verifier::format::{CHAINS, Signed, head_name};
use audit_verifier::{Bucket as _, Finding, RememberedHead};

use super::place::Place;
use super::source::read;
use crate::failure::Failure;

/// The heads in these files.
pub(super) fn in_files(files: &[PathBuf]) -> Result<Vec<RememberedHead>, Failure> {
    let read = files.iter().map(|file| in_file(file));
    Ok(read.collect::<Result<Vec<_>, _>>()?.concat())
}

/// The heads that were kept in this file; none when it is not there yet.
pub(super) fn kept(file: &Path) -> Result<Vec<RememberedHead>, Failure> {
    match file.try_exists() {
        Ok(false) => Ok(Vec::new()),
        _ => in_file(file),
    }
}

fn in_file(file: &Path) -> Result<Vec<RememberedHead>, Failure> {
    let name = file.display().to_string();
    let no_head = |line: Option<usize>| {
        let what = line.map_or_else(
            || "it is no text".to_owned(),
            |line| format!("line {line} is none"),
        );
        Failure::new(format!("{name} does not hold heads of the audit log alone"))
            .because(what)
            .advice(
                "it holds heads as they lie in the bucket, two lines each, or the function's log lines `audit_head`",
            )
    };
    let text = String::from_utf8(read(file)?).map_err(|_| no_head(None))?;
    RememberedHead::parse_all(&text, &name).map_err(|error| no_head(Some(error.0)))
}

/// The heads of the log of `region` that lie in another bucket than its own. What lies in a head's place and is none of
/// this log is a finding.
pub(super) async fn copies(
    place: &Place,
    region: &str,
    findings: &mut Vec<Finding>,
) -> Result<Vec<RememberedHead>, Failure> {
    let mut heads = Vec::new();
    for chain in 0..CHAINS {
        let name = head_name(region, chain);
        let bytes = place.read(&name).await.map_err(|error| place.explain(&error))?;
        let Some(bytes) = bytes else { continue };
        let from = format!("{name} in {}", place.name());
        let belongs = |known: &RememberedHead| {
            let statement = &known.head.statement;
            (statement.region.as_str(), statement.chain) == (region, chain)
        };
        match RememberedHead::parse(&bytes, from.as_str()).filter(belongs) {
            Some(head) => heads.push(head),
            None => findings.push(Finding::RememberedInvalid { from }),
        }
    }
    Ok(heads)
}

/// Keeps these heads in the file, in place of what it held of the same logs. The file is whole at any moment.
pub(super) fn keep<'a>(
    file: &Path,
    before: &'a [RememberedHead],
    regions: &[&str],
    heads: impl Iterator<Item = &'a Signed>,
) -> Result<(), Failure> {
    let others = before.iter().map(|known| &known.head);
    let others = others.filter(|head| !regions.contains(&head.statement.region.as_str()));
    let lines = |head: &Signed| {
        let signature = data_encoding::BASE64.encode(&head.signature);
        format!("{}\n{signature}\n", head.line)
    };
    let text: String = others.chain(heads).map(lines).collect();
    let folder = match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let written = tempfile::NamedTempFile::new_in(folder).and_then(|mut draft| {
        draft.write_all(text.as_bytes())?;
        draft.as_file().sync_all()?;
        draft.persist(file).map_err(|error| error.error)?;
        Ok(())
    });
    written.map_err(|error| {
        Failure::new(format!(
            "the log is whole, but its heads cannot be kept in {}",
            file.display()
        ))
        .because(error.to_string())
    })
}
