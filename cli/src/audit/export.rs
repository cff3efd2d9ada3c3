//! `audit export`: the whole log, verified, as lines or columns.
//!
//! Rows are written while the log is verified, into a file that has not its name yet. Only a whole log gives it its name,
//! or copies it to standard output: what an analyst reads is what was verified, and not what was read a moment later.

mod columns;
pub(super) mod rows;

use std::fs::{File, Permissions};
use std::io::{self, BufWriter, Read as _, Seek as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use audit_verifier::Report;
use audit_verifier::format::CHAINS;
use audit_verifier::lookup::Found;
use audit_verifier::verify_entries;
use serde_json::json;
use tempfile::NamedTempFile;
use tokio::sync::Notify;

use self::columns::Columns;
use self::rows::Row;
use super::plural;
use super::progress::Progress;
use super::source::Source;
use crate::arguments::{AuditExport, ExportFormat};
use crate::failure::Failure;
use crate::print::Printer;
use crate::settings::Settings;

/// What goes to standard output at once.
const CHUNK: usize = 64 * 1024;

pub(super) async fn run(
    wanted: &AuditExport,
    settings: &Settings,
    printer: &mut Printer,
) -> Result<(), Failure> {
    if wanted.format == ExportFormat::Parquet && wanted.out.is_none() {
        return Err(Failure::usage("Parquet goes to a file").advice("name it with --out FILE"));
    }
    let source = Source::one(&wanted.log, settings).await?;
    let draft = Draft::new(wanted.out.as_deref())?;
    let rows = draft.handle().and_then(|file| Rows::new(wanted.format, file));
    let rows = rows.map_err(|error| draft.cannot(&error))?;
    let progress = Progress::new();
    let report = tokio::select! {
        report = write(&source, &rows, &progress) => report?,
        _interrupted = tokio::signal::ctrl_c() => {
            return Err(Failure::new("interrupted: nothing was written"));
        }
    };
    progress.finish();
    if let Some(report) = &report {
        refuse_what_is_not_whole(report, &source)?;
    }
    rows.finish().map_err(|error| draft.cannot(&error))?;
    report.map_or(Ok(()), |report| draft.publish(wanted, &report, printer))
}

/// Writes row after row, until the log ends, or until one cannot be written: then there is no report, and the rows'
/// `finish` says why.
async fn write(source: &Source, rows: &Rows, progress: &Progress) -> Result<Option<Report>, Failure> {
    let Source { place, region, keys } = source;
    let told = progress.told();
    let each = |found: Found| rows.write(found);
    let verified = verify_entries(place.as_ref(), region, keys, 0..CHAINS, told.as_ref(), &each);
    tokio::select! {
        biased;
        () = rows.failed.notified() => Ok(None),
        report = verified => report.map(Some).map_err(|error| place.explain(&error)),
    }
}

fn refuse_what_is_not_whole(report: &Report, source: &Source) -> Result<(), Failure> {
    let (region, place) = (&report.region, source.place.name());
    if let Some(first) = report.findings.first() {
        let faults = plural(report.findings.len(), "fault", "faults");
        return Err(Failure::new(format!(
            "the log of {region} is not whole: {faults}; nothing was written"
        ))
        .because(first.to_string())
        .advice("`symbolon audit verify` says what is wrong, and where"));
    }
    if report.objects == 0 {
        return Err(Failure::new(format!(
            "there is no log of {region} in {place}; nothing was written"
        ))
        .advice("name another one with --log, --bucket or --dir"));
    }
    Ok(())
}

/// Where rows are written before they are what was asked for.
enum Draft<'a> {
    Named {
        file: NamedTempFile,
        out: &'a Path,
    },
    /// Gone with the process.
    Nameless(File),
}

impl<'a> Draft<'a> {
    fn new(out: Option<&'a Path>) -> Result<Self, Failure> {
        let Some(out) = out else {
            let file = tempfile::tempfile();
            return file.map(Self::Nameless).map_err(|error| {
                Failure::new("cannot write the rows down before they are verified")
                    .because(error.to_string())
                    .advice("there has to be room in TMPDIR; or name a file with --out")
            });
        };
        let folder = match out.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let mut builder = tempfile::Builder::new();
        // As any file that one writes: the umask takes away from it.
        builder
            .prefix(".symbolon-")
            .suffix(".part")
            .permissions(Permissions::from_mode(0o666));
        let file = builder.tempfile_in(folder).map_err(|error| cannot(out, &error))?;
        Ok(Self::Named { file, out })
    }

    fn handle(&self) -> io::Result<File> {
        match self {
            Self::Named { file, .. } => file.as_file().try_clone(),
            Self::Nameless(file) => file.try_clone(),
        }
    }

    fn cannot(&self, error: &io::Error) -> Failure {
        match self {
            Self::Named { out, .. } => cannot(out, error),
            Self::Nameless(_) => cannot(&std::env::temp_dir(), error),
        }
    }

    fn publish(self, wanted: &AuditExport, report: &Report, printer: &mut Printer) -> Result<(), Failure> {
        let entries = report.entries;
        match self {
            Self::Named { file, out } => {
                let kept = file.as_file().sync_all();
                let kept = kept.and_then(|()| Ok(file.persist(out).map(drop)?));
                kept.map_err(|error| cannot(out, &error))?;
                if printer.is_json() {
                    let format = match wanted.format {
                        ExportFormat::Parquet => "parquet",
                        ExportFormat::Jsonl => "jsonl",
                    };
                    return printer.json(&json!({
                        "file": out.display().to_string(), "format": format, "region": report.region,
                        "entries": entries,
                    }));
                }
                printer.line(&format!(
                    "{entries} entries of the log of {} are in {}; the log is whole.",
                    report.region,
                    out.display()
                ))
            }
            Self::Nameless(mut file) => {
                let unread = |error: io::Error| cannot(&std::env::temp_dir(), &error);
                file.rewind().map_err(unread)?;
                let mut chunk = vec![0; CHUNK];
                loop {
                    match file.read(&mut chunk).map_err(unread)? {
                        0 => return Ok(()),
                        read => printer.bytes(&chunk[..read])?,
                    }
                }
            }
        }
    }
}

fn cannot(file: &Path, error: &io::Error) -> Failure {
    Failure::new(format!("cannot write the export to {}", file.display())).because(error.to_string())
}

/// Rows on their way to a file.
struct Rows {
    writer: Mutex<Writer>,
    failed: Notify,
}

struct Writer {
    form: Form,
    /// The first thing that went wrong; from then on nothing is written.
    error: Option<io::Error>,
}

enum Form {
    Lines(BufWriter<File>),
    Columns(Box<Columns>),
}

impl Rows {
    fn new(format: ExportFormat, file: File) -> io::Result<Self> {
        let form = match format {
            ExportFormat::Jsonl => Form::Lines(BufWriter::new(file)),
            ExportFormat::Parquet => Form::Columns(Box::new(Columns::new(file)?)),
        };
        Ok(Self {
            writer: Mutex::new(Writer { form, error: None }),
            failed: Notify::new(),
        })
    }

    fn write(&self, found: Found) {
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        if writer.error.is_some() {
            return;
        }
        if let Err(error) = writer.form.write(found) {
            writer.error = Some(error);
            self.failed.notify_one();
        }
    }

    fn finish(self) -> io::Result<()> {
        let writer = self.writer.into_inner().unwrap_or_else(PoisonError::into_inner);
        match (writer.error, writer.form) {
            (Some(error), _) => Err(error),
            (None, Form::Lines(mut lines)) => lines.flush(),
            (None, Form::Columns(columns)) => columns.finish(),
        }
    }
}

impl Form {
    fn write(&mut self, found: Found) -> io::Result<()> {
        match self {
            Self::Lines(lines) => {
                serde_json::to_writer(&mut *lines, &Row::from(&found))?;
                lines.write_all(b"\n")
            }
            Self::Columns(columns) => columns.add(found),
        }
    }
}
