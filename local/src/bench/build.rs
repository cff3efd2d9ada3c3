//! The matcher's bootstrap: the release build, by the cargo that is here, and its package.

use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::BenchError;

/// Builds the matcher in release and says where it lies. Takes minutes the first time.
pub(super) fn bootstrap() -> Result<PathBuf, BenchError> {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.toml");
    let built = escargot::CargoBuild::new()
        .manifest_path(manifest)
        .package("matcher")
        .bin("matcher")
        .release()
        .run();
    let built = built.map_err(|error| BenchError::Build(error.to_string()))?;
    Ok(built.path().to_owned())
}

/// How many bytes Lambda's package of this binary has.
pub(super) fn zipped_bytes(binary: &[u8]) -> Result<u64, BenchError> {
    let pack = |error: std::io::Error| BenchError::Pack(Box::new(error));
    let mut package = ZipWriter::new(Cursor::new(Vec::new()));
    // Deflate at its usual level, which is what `sam build` writes and Lambda takes.
    let executable = SimpleFileOptions::default().unix_permissions(0o755);
    package
        .start_file("bootstrap", executable)
        .map_err(|error| pack(error.into()))?;
    package.write_all(binary).map_err(pack)?;
    let package = package.finish().map_err(|error| pack(error.into()))?;
    Ok(package.into_inner().len() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_is_deflated() {
        let zipped = zipped_bytes(&vec![7; 100_000]).unwrap();
        assert!((100..2_000).contains(&zipped), "{zipped}");
    }
}
