//! How counterparties are shown.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use symbolon_shared::domain::counterparty::{Counterparty, Standing};
use symbolon_shared::domain::identifiers::CounterpartyId;
use symbolon_shared::onboarding::{InboxHost, Listed, inbox_queue_name};
use symbolon_shared::records::ReservationRecord;

use crate::failure::Failure;
use crate::print::Printer;

/// What is shown of one whose onboarding broke off.
const HALF: &str = "incomplete";

fn word(standing: Standing) -> &'static str {
    match standing {
        Standing::Active => "active",
        Standing::Suspended => "suspended",
    }
}

pub(super) fn onboarded(
    hosts: &[InboxHost],
    counterparty: &Counterparty,
    kept: &ReservationRecord,
    printer: &mut Printer,
) -> Result<(), Failure> {
    let id = counterparty.id.as_str();
    let stack = hosts.first().map_or("", |host| host.stack.as_str());
    let tags = [
        format!("symbolon:counterparty={id}"),
        format!("symbolon:inbox={}", kept.inbox_name),
    ];
    if printer.is_json() {
        return printer.json(&json!({
            "id": id,
            "name": kept.name,
            "principal": counterparty.principal,
            "standing": word(counterparty.standing),
            "exclusions": counterparty.exclusions,
            "inbox": kept.inbox_name,
            "inboxQueue": inbox_queue_name(stack, kept),
            "inboxUrls": counterparty.inboxes,
            "roleTags": { "symbolon:counterparty": id, "symbolon:inbox": kept.inbox_name },
        }));
    }
    let active = counterparty.standing == Standing::Active;
    let mut pairs = vec![
        ("counterparty", id.to_owned()),
        ("name", kept.name.clone().unwrap_or_default()),
        ("role id", counterparty.principal.as_str().to_owned()),
        ("state", printer.mood(word(counterparty.standing), active)),
        ("inbox", kept.inbox_name.clone()),
        (
            "regions",
            counterparty
                .inboxes
                .keys()
                .cloned()
                .collect::<Vec<_>>()
                .join(", "),
        ),
    ];
    let excluded: Vec<String> = counterparty
        .exclusions
        .iter()
        .map(|id| id.as_str().to_owned())
        .collect();
    pairs.extend(excluded.into_iter().map(|id| ("never meets", id)));
    pairs.extend(tags.map(|tag| ("role's tag", tag)));
    printer.pairs(&pairs)
}

pub(super) fn list(everybody: &[Listed], printer: &mut Printer) -> Result<(), Failure> {
    if printer.is_json() {
        return everybody
            .iter()
            .try_for_each(|listed| printer.json(&as_json(listed)));
    }
    if everybody.is_empty() {
        return printer.line("Nobody is onboarded.");
    }
    let names: BTreeMap<CounterpartyId, String> = everybody
        .iter()
        .filter_map(|listed| Some((listed.id.clone(), listed.name.clone()?)))
        .collect();
    let rows = everybody.iter().map(|listed| row(listed, &names)).collect();
    printer.table(&["name", "counterparty", "state", "never meets"], rows)
}

fn row(listed: &Listed, names: &BTreeMap<CounterpartyId, String>) -> (Vec<String>, bool) {
    let whole = listed.counterparty.as_ref().filter(|_| listed.admitted);
    let state = whole.map_or(HALF, |counterparty| word(counterparty.standing));
    let excluded = whole.iter().flat_map(|counterparty| &counterparty.exclusions);
    let called = |id: &CounterpartyId| names.get(id).cloned().unwrap_or_else(|| id.as_str().to_owned());
    let cells = vec![
        listed.name.clone().unwrap_or_else(|| "-".to_owned()),
        listed.id.as_str().to_owned(),
        state.to_owned(),
        excluded.map(called).collect::<Vec<_>>().join(", "),
    ];
    (cells, state == word(Standing::Active))
}

fn as_json(listed: &Listed) -> Value {
    let mut object = json!({
        "id": listed.id,
        "name": listed.name,
        "principal": listed.principal,
        "inbox": listed.inbox_name,
        "onboarded": listed.admitted && listed.counterparty.is_some(),
    });
    if let Some(counterparty) = &listed.counterparty {
        object["standing"] = word(counterparty.standing).into();
        object["exclusions"] = json!(counterparty.exclusions);
        object["inboxUrls"] = json!(counterparty.inboxes);
    }
    object
}

pub(super) fn standing(counterparty: &Counterparty, printer: &mut Printer) -> Result<(), Failure> {
    let id = counterparty.id.as_str();
    if printer.is_json() {
        return printer.json(&json!({ "id": id, "standing": word(counterparty.standing) }));
    }
    printer.line(&match counterparty.standing {
        Standing::Suspended => {
            format!("{id} is suspended within half a minute:\nnothing of it is matched, its cancels work.")
        }
        Standing::Active => format!("{id} may trade again within half a minute."),
    })
}

pub(super) fn apart(
    one: &CounterpartyId,
    other: &CounterpartyId,
    printer: &mut Printer,
) -> Result<(), Failure> {
    let (one, other) = (one.as_str(), other.as_str());
    if printer.is_json() {
        return printer.json(&json!({ "id": one, "excludes": other }));
    }
    printer.line(&format!(
        "{one} and {other}\nare not matched with each other from half a minute on."
    ))
}
