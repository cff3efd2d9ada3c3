//! `inbox`: what came for a counterparty, written out and only then deleted.

mod seen;
mod view;

use std::time::Duration;

use serde_json::Value;
use symbolon_shared::domain::identifiers::CounterpartyId;
use symbolon_shared::ports::{Fault, Registry as _};

use self::seen::Seen;
use crate::arguments::Inbox;
use crate::deployment::Deployment;
use crate::failure::Failure;
use crate::print::{Printer, note};
use crate::queue::{Mailbox, Queue, Received};
use crate::settings::Settings;

/// Who may read an inbox.
const READER: &str = "the counterparty's own role: nobody else may";
/// Seconds of a long poll at most, SQS.
const LONGEST_WAIT: u8 = 20;
/// Copies remembered: about 5 MB.
const REMEMBERED: usize = 100_000;
/// How long it waits when the service is out of order while it follows.
const OUTAGE_PAUSE: Duration = Duration::from_secs(5);
/// How often a deletion is tried.
const DELETIONS: usize = 3;

pub(crate) async fn run(wanted: &Inbox, settings: &Settings, printer: &mut Printer) -> Result<(), Failure> {
    let deployment = Deployment::primary(settings).await?;
    let queue = queue_of(&wanted.whose, &deployment).await?;
    let mut reader = Reader {
        mailbox: queue,
        seen: Seen::new(REMEMBERED),
        undeleted: 0,
        begun: false,
    };
    let explain = |error| deployment.connection.explain(&error, "read the inbox", READER);
    tokio::select! {
        read = reader.read(wanted, printer, &explain) => read?,
        _interrupted = tokio::signal::ctrl_c() => {}
    }
    match reader.undeleted {
        0 => Ok(()),
        count => Err(
            Failure::new(format!("{count} of the messages above could not be deleted"))
                .advice("they will come again, under the messageId that they bear now"),
        ),
    }
}

async fn queue_of(whose: &str, deployment: &Deployment) -> Result<Queue, Failure> {
    if let Ok(id) = CounterpartyId::new(whose) {
        return registered(&id, deployment).await;
    }
    let is_name = whose.len() == 26
        && whose
            .bytes()
            .all(|b| b.is_ascii_lowercase() || (b'2'..=b'7').contains(&b));
    if !is_name {
        return Err(
            Failure::usage("this is neither a counterparty's id nor an inbox's name")
                .because("an id is cp- and letters and digits, a name 26 characters of a-z and 2-7")
                .advice("`symbolon counterparty list` shows the id; onboarding printed both"),
        );
    }
    let name = format!("{}-inbox-{whose}", deployment.stack()?);
    let named = Queue::named(deployment.sqs(), &name).await;
    named.map_err(|error| deployment.connection.explain(&error, "find the inbox", READER))
}

/// The inbox in this region, as the registry knows it.
async fn registered(id: &CounterpartyId, deployment: &Deployment) -> Result<Queue, Failure> {
    let ports = deployment.ports(&["RegistryTable"])?;
    let read = ports
        .read_counterparties(std::slice::from_ref(id))
        .await
        .map_err(|error| {
            let failure = deployment.explain_to_staff(&error, "look the inbox up in the registry");
            failure.also("or name the inbox itself, as onboarding printed it")
        })?;
    let counterparty = read.first().ok_or_else(|| {
        Failure::new(format!("there is no counterparty {}", id.as_str()))
            .advice("`symbolon counterparty list` shows who there is")
    })?;
    let url = counterparty.inboxes.get(deployment.region()).ok_or_else(|| {
        let regions: Vec<&str> = counterparty.inboxes.keys().map(String::as_str).collect();
        Failure::new(format!("{} has no inbox in {}", id.as_str(), deployment.region()))
            .advice(format!("name its region with --region: {}", regions.join(" or ")))
    })?;
    Ok(Queue::new(deployment.sqs(), url.clone()))
}

struct Reader<M> {
    mailbox: M,
    seen: Seen,
    /// Messages that were written out and not deleted.
    undeleted: usize,
    /// Whether the titles stand.
    begun: bool,
}

impl<M: Mailbox> Reader<M> {
    async fn read(
        &mut self,
        wanted: &Inbox,
        printer: &mut Printer,
        explain: &dyn Fn(symbolon_shared::ports::PortError) -> Failure,
    ) -> Result<(), Failure> {
        let wait = if wanted.follow { LONGEST_WAIT } else { wanted.wait };
        loop {
            match self.mailbox.receive(wait).await {
                Ok(received) if received.is_empty() && !wanted.follow => return Ok(()),
                Ok(received) => self.take(received, printer).await?,
                Err(error) if wanted.follow && !matches!(error.fault, Fault::Refused | Fault::Corrupt) => {
                    note(&format!(
                        "note: {error}; trying again in {} s",
                        OUTAGE_PAUSE.as_secs()
                    ));
                    tokio::time::sleep(OUTAGE_PAUSE).await;
                }
                Err(error) => return Err(explain(error)),
            }
        }
    }

    /// Writes out what is new, and then deletes. Where writing fails nothing is deleted.
    async fn take(&mut self, received: Vec<Received>, printer: &mut Printer) -> Result<(), Failure> {
        if received.is_empty() {
            return Ok(());
        }
        let mut text = String::new();
        let mut fresh = Vec::new();
        for message in &received {
            let parsed: Option<Value> = serde_json::from_str(&message.body).ok();
            let id = parsed
                .as_ref()
                .and_then(|body| body["messageId"].as_str())
                .map(str::to_owned);
            let known = id
                .as_ref()
                .is_some_and(|id| self.seen.contains(id) || fresh.contains(id));
            if known {
                continue;
            }
            fresh.extend(id);
            text.push_str(&view::message(&message.body, parsed.as_ref(), printer));
        }
        if !text.is_empty() {
            if !self.begun && !printer.is_json() {
                text.insert_str(0, &view::titles(printer));
            }
            printer
                .text(&text)
                .and_then(|()| printer.keep())
                .map_err(|failure| {
                    failure
                        .also("nothing that was not written out is deleted: it comes again within a minute")
                })?;
            self.begun = true;
        }
        for id in fresh {
            self.seen.insert(&id);
        }
        let receipts: Vec<String> = received.into_iter().map(|message| message.receipt).collect();
        self.undeleted += self.delete(&receipts).await;
        Ok(())
    }

    /// How many could not be deleted. A deletion may be repeated as it is.
    async fn delete(&self, receipts: &[String]) -> usize {
        let mut left = receipts.len();
        for _try in 0..DELETIONS {
            left = self.mailbox.delete(receipts).await.unwrap_or(receipts.len());
            if left == 0 {
                break;
            }
        }
        left
    }
}

#[cfg(test)]
mod tests;
