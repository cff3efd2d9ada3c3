//! `submit`: a file of messages to the intake, all of it or nothing, once.

mod explain;
mod input;
mod journal;
mod parcel;
mod progress;
mod rows;
mod send;

use std::path::PathBuf;

use serde_json::json;

use self::input::Input;
use self::journal::{Journal, Key};
use self::progress::Progress;
use self::rows::Line;
use crate::arguments::Submit;
use crate::ask::intake;
use crate::deployment::Deployment;
use crate::failure::Failure;
use crate::print::Printer;
use crate::settings::Settings;

pub(crate) async fn run(wanted: &Submit, settings: &Settings, printer: &mut Printer) -> Result<(), Failure> {
    let input = Input::read(&wanted.file)?;
    let lines = rows::read(&input, wanted.format)?;
    if lines.is_empty() {
        return Err(Failure::new(format!("there is no message in {}", input.name))
            .advice("a line is one message: a JSON object, or a row of CSV under its header"));
    }
    let deployment = Deployment::primary(settings).await?;
    let queue = intake(&deployment)?;
    let key = Key::new(
        &input.bytes,
        deployment.outputs.get("IntakeQueueUrl")?,
        lines.len(),
    );
    let mut journal = match journal_of(wanted) {
        Some(file) => Journal::open(&file, &key)?,
        None => Journal::none(&key),
    };
    let before = journal.acknowledged();
    let progress = Progress::new(lines.len(), before);
    let sent = tokio::select! {
        sent = send::all(&queue, &lines, wanted.bundle.map(usize::from), &mut journal, &progress) => sent,
        _interrupted = tokio::signal::ctrl_c() => Err(send::Stop::Interrupted),
    };
    progress.finish();
    match sent {
        Ok(requests) => report(&lines, before, requests, &journal, printer),
        Err(stop) => Err(stop.explain(&deployment, &lines, &journal)),
    }
}

/// Standard input has no place beside it.
fn journal_of(wanted: &Submit) -> Option<PathBuf> {
    wanted.journal.clone().or_else(|| {
        let is_file = wanted.file.as_os_str() != "-";
        is_file.then(|| {
            let mut name = wanted.file.clone().into_os_string();
            name.push(".journal");
            PathBuf::from(name)
        })
    })
}

fn report(
    lines: &[Line],
    before: usize,
    sqs_messages: usize,
    journal: &Journal,
    printer: &mut Printer,
) -> Result<(), Failure> {
    let sent = lines.len() - before;
    if printer.is_json() {
        return printer.json(&json!({
            "messages": lines.len(),
            "sent": sent,
            "sentBefore": before,
            "sqsMessages": sqs_messages,
            "journal": journal.file().map(|file| file.display().to_string()),
        }));
    }
    let noun = |count: usize| if count == 1 { "message" } else { "messages" };
    match (sent, before) {
        (0, _) => {
            printer.line(&format!(
                "Nothing was sent: {before} {} of this file went out before.",
                noun(before)
            ))?;
            match journal.file() {
                Some(file) => printer.line(&format!(
                    "So says {}; remove it to send them again, which counts once.",
                    file.display()
                )),
                None => Ok(()),
            }
        }
        (_, 0) => printer.line(&format!(
            "{sent} {} sent; the answers come to your inbox.",
            noun(sent)
        )),
        _ => printer.line(&format!(
            "{sent} {} sent, {before} went out before; the answers come to your inbox.",
            noun(sent)
        )),
    }
}
