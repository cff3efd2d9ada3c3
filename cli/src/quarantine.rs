//! `quarantine`: what the redrive took for poison, looked at and decided on.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use symbolon_shared::domain::redrive::{
    Answer, Listing, ObjectName, ObjectRequest, QuarantineAnswer, QuarantineRequest, Request, ShelfRefusal,
};
use symbolon_shared::domain::time::Timestamp;

use crate::arguments::{Filter, QuarantineCommand, Which};
use crate::failure::Failure;
use crate::function::{Function, another_answer};
use crate::print::Printer;
use crate::settings::Settings;

/// Digits of a hash that a table shows: enough to name one among a million.
const SHOWN: usize = 16;

pub(crate) async fn run(
    command: QuarantineCommand,
    settings: &Settings,
    printer: &mut Printer,
) -> Result<(), Failure> {
    let function = Function::open(settings).await?;
    match command {
        QuarantineCommand::List(filter) => list(&function, &filter, printer).await,
        QuarantineCommand::Show { hash, filter } => show(&function, &hash, &filter, printer).await,
        QuarantineCommand::Release(which) => each(&function, &which, Deed::Release, printer).await,
        QuarantineCommand::Purge(which) => each(&function, &which, Deed::Purge, printer).await,
    }
}

async fn ask(
    function: &Function,
    request: QuarantineRequest,
    doing: &str,
) -> Result<QuarantineAnswer, Failure> {
    match function.ask(&Request::Quarantine(request), doing).await? {
        Answer::Quarantine(answer) => Ok(answer),
        _ => Err(another_answer()),
    }
}

// ---- List ---------------------------------------------------------------------------------------------------------

async fn list(function: &Function, filter: &Filter, printer: &mut Printer) -> Result<(), Failure> {
    let names = names(function, &listing(filter, now())).await?;
    if printer.is_json() {
        return names.iter().try_for_each(|name| printer.json(&as_json(name)));
    }
    if names.is_empty() {
        return printer.line(if filter.is_empty() {
            "The quarantine is empty."
        } else {
            "Nothing of that kind is in the quarantine."
        });
    }
    let rows = names.iter().map(|name| {
        let hash = name.identity.encode();
        let short = hash.get(..SHOWN).unwrap_or(&hash).to_owned();
        let row = vec![
            short,
            name.day.clone(),
            name.reason.to_string(),
            name.source.to_string(),
        ];
        (row, false)
    });
    printer.table(&["hash", "first seen", "reason", "queue"], rows.collect())
}

fn as_json(name: &ObjectName) -> Value {
    json!({
        "hash": name.identity.encode(), "firstSeen": name.day, "reason": name.reason, "queue": name.source,
        "object": name,
    })
}

/// The days that a filter means, counted from now.
fn listing(filter: &Filter, now: Timestamp) -> Listing {
    let ago = |days: u16| now.plus_days(-i64::from(days)).utc_day();
    Listing {
        source: filter.source.clone(),
        reason: filter.reason,
        seen_from: filter.newer_than.map(ago),
        seen_to: filter.older_than.map(ago),
        after: None,
    }
}

/// Every name that a listing takes, page by page.
async fn names(function: &Function, listing: &Listing) -> Result<Vec<ObjectName>, Failure> {
    let mut listing = listing.clone();
    let mut names = Vec::new();
    loop {
        let request = QuarantineRequest::List(listing.clone());
        match ask(function, request, "list the quarantine").await? {
            QuarantineAnswer::Listed(page) => {
                names.extend(page.objects);
                let Some(next) = page.next else {
                    return Ok(names);
                };
                listing.after = Some(next);
            }
            QuarantineAnswer::Refused(why) => return Err(refused(why, "list the quarantine")),
            _ => return Err(another_answer()),
        }
    }
}

/// The one name whose hash begins so.
fn one(names: &[ObjectName], hash: &str) -> Result<ObjectName, Failure> {
    let mut found = names
        .iter()
        .filter(|name| name.identity.encode().starts_with(hash));
    match (found.next(), found.next()) {
        (Some(name), None) => Ok(name.clone()),
        (None, _) => Err(
            Failure::new(format!("nothing in the quarantine begins with {hash}"))
                .advice("`symbolon quarantine list` shows what is there"),
        ),
        (Some(_), Some(_)) => Err(
            Failure::new(format!("more than one object's hash begins with {hash}"))
                .advice("give more of it (`--output json` shows all), or --reason: one may be there for two"),
        ),
    }
}

// ---- Show ---------------------------------------------------------------------------------------------------------

async fn show(
    function: &Function,
    hash: &str,
    filter: &Filter,
    printer: &mut Printer,
) -> Result<(), Failure> {
    let name = one(&names(function, &listing(filter, now())).await?, hash)?;
    let doing = "show what is in the quarantine";
    let request = QuarantineRequest::Show(ObjectRequest { object: name });
    let object = match ask(function, request, doing).await? {
        QuarantineAnswer::Shown(shown) => shown.0,
        QuarantineAnswer::Refused(why) => return Err(refused(why, doing)),
        _ => return Err(another_answer()),
    };
    if printer.is_json() {
        return printer.json(&object);
    }
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let time = |value: &Value| {
        value
            .as_i64()
            .map_or_else(|| text(value), |ms| Timestamp::from_millis(ms).to_rfc3339())
    };
    let envelope = &object["envelope"];
    let sender = ["sender", "onBehalfOf"]
        .iter()
        .find_map(|name| envelope[name].as_str());
    let body = object["body"].as_str().or_else(|| envelope["body"].as_str());
    printer.pairs(&[
        ("hash", text(&object["hash"])),
        ("reason", text(&object["reason"])),
        ("queue", text(&object["source"])),
        ("sender", sender.unwrap_or("nobody can say").to_owned()),
        ("first seen", time(&object["firstSeen"])),
        ("quarantined", time(&object["quarantinedAt"])),
        ("sent back", text(&object["attempts"]["cycles"])),
        ("body", String::new()),
    ])?;
    printer.line(body.unwrap_or_default())
}

// ---- Release and purge --------------------------------------------------------------------------------------------

#[derive(Clone, Copy)]
enum Deed {
    Release,
    Purge,
}

impl Deed {
    fn request(self, object: ObjectName) -> QuarantineRequest {
        let object = ObjectRequest { object };
        match self {
            Self::Release => QuarantineRequest::Release(object),
            Self::Purge => QuarantineRequest::Purge(object),
        }
    }

    fn doing(self) -> &'static str {
        match self {
            Self::Release => "release what is in the quarantine",
            Self::Purge => "purge what is in the quarantine",
        }
    }

    fn done(self) -> &'static str {
        match self {
            Self::Release => "released",
            Self::Purge => "purged",
        }
    }
}

async fn each(function: &Function, which: &Which, deed: Deed, printer: &mut Printer) -> Result<(), Failure> {
    let there = names(function, &listing(&which.filter, now())).await?;
    let meant = if which.all {
        there
    } else {
        // All are found before the first is touched.
        let found = which.hashes.iter().map(|hash| one(&there, hash));
        found.collect::<Result<Vec<_>, Failure>>()?
    };
    let (mut refusals, mut kept) = (Vec::new(), 0_usize);
    for name in &meant {
        let answer = ask(function, deed.request(name.clone()), deed.doing()).await?;
        let (what, why) = match answer {
            QuarantineAnswer::Released | QuarantineAnswer::Purged => (deed.done(), None),
            QuarantineAnswer::ReleasedAndKept => {
                kept += 1;
                ("released, and still in the quarantine", None)
            }
            QuarantineAnswer::Refused(why) => ("left", Some(why)),
            _ => return Err(another_answer()),
        };
        tell(name, what, why, printer)?;
        refusals.extend(why);
    }
    if meant.is_empty() && !printer.is_json() {
        printer.line("Nothing of that kind is in the quarantine.")?;
    }
    match refusals.first() {
        None if kept > 0 => Err(Failure::new(format!(
            "{kept} of {} are back on their queue and could not be taken out of the quarantine",
            meant.len()
        ))
        .advice("purge them: until then a copy that fails again waits among the dead letters")),
        None => Ok(()),
        Some(why) => {
            Err(refused(*why, deed.doing()).because(format!("{} of {} stay", refusals.len(), meant.len())))
        }
    }
}

fn tell(
    name: &ObjectName,
    what: &str,
    why: Option<ShelfRefusal>,
    printer: &mut Printer,
) -> Result<(), Failure> {
    let hash = name.identity.encode();
    if printer.is_json() {
        return printer.json(&json!({ "hash": hash, "done": what, "refused": why }));
    }
    let because = why.map(|why| format!(": {}", said(why))).unwrap_or_default();
    let short = hash.get(..SHOWN).unwrap_or(&hash);
    printer.line(&format!("{short}  {} {what}{because}", name.reason))
}

// ---- Refusals -----------------------------------------------------------------------------------------------------

fn refused(why: ShelfRefusal, doing: &str) -> Failure {
    let failure = Failure::new(format!("cannot {doing}: {}", said(why)));
    match why {
        ShelfRefusal::NotThere => failure.advice("`symbolon quarantine list` shows what is there"),
        ShelfRefusal::Unreadable => failure.advice("CloudTrail says who put it there; purge it"),
        ShelfRefusal::ConsumerDisabled => {
            failure.advice("release it in the region that matches: name it with --region")
        }
        ShelfRefusal::UnknownQueue => failure.advice("is it a queue of another region's stack?"),
        ShelfRefusal::Unstamped | ShelfRefusal::OnBehalf | ShelfRefusal::Stale | ShelfRefusal::TooLarge => {
            failure.advice("ask its sender to send it anew, and purge it")
        }
        ShelfRefusal::NotAnnounced | ShelfRefusal::Unavailable | ShelfRefusal::Deadline => {
            failure.advice("run it again: that is safe")
        }
    }
}

fn said(why: ShelfRefusal) -> &'static str {
    match why {
        ShelfRefusal::NotThere => "it is not there any more",
        ShelfRefusal::Unreadable => "what has its name is no object of the quarantine",
        ShelfRefusal::ConsumerDisabled => "nothing takes from its queue in this region",
        ShelfRefusal::UnknownQueue => "the deployment has no such queue",
        ShelfRefusal::Unstamped => "nobody can say whose it is",
        ShelfRefusal::OnBehalf => "only the bulk ingest may send it",
        ShelfRefusal::Stale => "it was first sent more than 400 days ago",
        ShelfRefusal::TooLarge => "it fits no message",
        ShelfRefusal::NotAnnounced => "the event bus does not take what has to be told first",
        ShelfRefusal::Unavailable => "the bucket or the queue does not answer",
        ShelfRefusal::Deadline => "too little time was left",
    }
}

#[expect(clippy::disallowed_methods, reason = "the tool's own clock, for days alone")]
fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use symbolon_shared::domain::reason::PoisonReason;

    use super::*;

    fn name(day: &str, hash: &str) -> ObjectName {
        ObjectName::parse(&format!("v1/intake/malformed/{day}/{hash}.json")).unwrap()
    }

    fn filter(older: Option<u16>, newer: Option<u16>) -> Filter {
        Filter {
            reason: Some(PoisonReason::Malformed),
            source: None,
            older_than: older,
            newer_than: newer,
        }
    }

    #[test]
    fn ages_are_days_counted_from_now() {
        let noon = Timestamp::parse_rfc3339("2026-11-30T12:00:00Z").unwrap();
        let takes =
            |older, newer, day| listing(&filter(older, newer), noon).takes(&name(day, &"a".repeat(64)));
        assert!(takes(Some(7), None, "2026-11-23") && !takes(Some(7), None, "2026-11-24"));
        assert!(takes(None, Some(7), "2026-11-23") && !takes(None, Some(7), "2026-11-22"));
        assert!(takes(Some(0), Some(0), "2026-11-30"));
    }

    #[test]
    fn a_beginning_names_one_or_none() {
        let (one_hash, other) = ("ab".repeat(32), format!("abac{}", "0".repeat(60)));
        let names = [name("2026-11-23", &one_hash), name("2026-11-23", &other)];
        assert_eq!(one(&names, "abab").unwrap(), names[0]);
        assert!(
            one(&names, "ab")
                .unwrap_err()
                .render(crate::arguments::Output::Table)
                .contains("more than one")
        );
        assert!(
            one(&names, "ff")
                .unwrap_err()
                .render(crate::arguments::Output::Table)
                .contains("nothing in the")
        );
    }
}
