//! Admission: who sent a record, is the envelope ours, what messages are in it. Pure, but for the registry that it
//! is given.

use std::collections::HashMap;
use std::sync::Arc;

use symbolon_shared::domain::counterparty::Counterparty;
use symbolon_shared::domain::decision::Arrival;
use symbolon_shared::domain::envelope::{Envelope, Origin};
use symbolon_shared::domain::identifiers::{CounterpartyId, OrderKey, Principal};
use symbolon_shared::domain::intake::{Member, parse_body};
use symbolon_shared::domain::own_roles::{Opening, OwnRoles};
use symbolon_shared::domain::reason::SetAsideReason;
use symbolon_shared::domain::time::Timestamp;

use crate::record::Stamped;

/// A body with its first sender and time, taken out of its envelope if it came in one.
pub(crate) struct Opened {
    pub(crate) origin: Origin,
    pub(crate) sent_at: Timestamp,
    pub(crate) cycles: u32,
    pub(crate) receive_count: u32,
    pub(crate) body: String,
    /// Why the body is not to be looked at: an envelope of ours that cannot be read.
    pub(crate) broken: bool,
}

/// One message of a known sender.
pub(crate) struct Task {
    /// Which record of the batch it came in.
    pub(crate) record: usize,
    /// The message.
    pub(crate) arrival: Arrival,
    /// Who sent it.
    pub(crate) sender: Arc<Counterparty>,
}

/// Something for the dead-letter queue.
pub(crate) struct SetAside {
    /// Which record of the batch it came in.
    pub(crate) record: usize,
    /// Why.
    pub(crate) reason: SetAsideReason,
    /// What is sent there.
    pub(crate) envelope: Envelope,
}

/// What the registry says of those whom a batch names.
#[derive(Default)]
pub(crate) struct Senders {
    pub(crate) principals: HashMap<Principal, CounterpartyId>,
    pub(crate) counterparties: HashMap<CounterpartyId, Arc<Counterparty>>,
}

impl Senders {
    /// The counterparty that `origin` stands for, if there is one.
    fn of(&self, origin: &Origin) -> Option<&Arc<Counterparty>> {
        match origin {
            Origin::OnBehalfOf(id) => self.counterparties.get(id),
            Origin::Sender(sender) => {
                let principal = sender.principal().ok()?;
                let counterparty = self.counterparties.get(self.principals.get(&principal)?)?;
                // The principal's item may be older than the counterparty's: both must agree.
                (counterparty.principal == principal).then_some(counterparty)
            }
        }
    }

    /// The principals whose counterparty names another principal, and those counterparties.
    pub(crate) fn disagreeing(&self) -> (Vec<Principal>, Vec<CounterpartyId>) {
        let other = |(principal, id): &(&Principal, &CounterpartyId)| {
            let named = self.counterparties.get(*id);
            named.is_some_and(|counterparty| counterparty.principal != **principal)
        };
        let pairs = self.principals.iter().filter(other);
        pairs
            .map(|(principal, id)| (principal.clone(), id.clone()))
            .unzip()
    }
}

/// Opens the envelope when SQS says that one of our own roles sent it; anybody else's is only a body, and as such
/// malformed.
pub(crate) fn open(stamped: Stamped, roles: &OwnRoles) -> Opened {
    match roles.open(&stamped.sender, &stamped.body) {
        Opening::Foreign => Opened::as_it_is(stamped, false),
        Opening::Broken => Opened::as_it_is(stamped, true),
        Opening::Ours(envelope) => Opened {
            origin: envelope.origin,
            sent_at: envelope.sent_at,
            cycles: envelope.cycles,
            receive_count: stamped.receive_count,
            body: envelope.body,
            broken: false,
        },
    }
}

impl Opened {
    fn as_it_is(stamped: Stamped, broken: bool) -> Self {
        Self {
            origin: Origin::Sender(stamped.sender),
            sent_at: stamped.sent_at,
            cycles: 0,
            receive_count: stamped.receive_count,
            body: stamped.body,
            broken,
        }
    }

    /// The principal to look up, when the message names one.
    pub(crate) fn principal(&self) -> Option<Principal> {
        match &self.origin {
            Origin::Sender(sender) => sender.principal().ok(),
            Origin::OnBehalfOf(_) => None,
        }
    }

    fn set_aside(&self, record: usize, reason: SetAsideReason, body: String) -> SetAside {
        let envelope = Envelope {
            origin: self.origin.clone(),
            sent_at: self.sent_at,
            cycles: self.cycles,
            reason: Some(reason.into()),
            body,
        };
        SetAside {
            record,
            reason,
            envelope,
        }
    }

    /// Parses the body of record `record` into tasks, and what must be set aside of it.
    pub(crate) fn admit(mut self, record: usize, senders: &Senders) -> (Vec<Task>, Vec<SetAside>) {
        // A body may be as long as a message: it is moved, never copied.
        let body = std::mem::take(&mut self.body);
        let whole = |reason, body| (Vec::new(), vec![self.set_aside(record, reason, body)]);
        if self.broken {
            return whole(SetAsideReason::Malformed, body);
        }
        let Some(sender) = senders.of(&self.origin) else {
            return whole(SetAsideReason::UnknownSender, body);
        };
        let Ok(members) = parse_body(&body) else {
            return whole(SetAsideReason::Malformed, body);
        };
        let (mut tasks, mut asides) = (Vec::new(), Vec::new());
        for member in members {
            match member {
                Member::Message(message) => tasks.push(Task {
                    record,
                    sender: Arc::clone(sender),
                    arrival: Arrival {
                        order: OrderKey::new(sender.id.clone(), message.cl_ord_id.clone()),
                        message,
                        sent_at: self.sent_at,
                        receive_count: self.receive_count,
                    },
                }),
                Member::Unreadable(text) => {
                    asides.push(self.set_aside(record, SetAsideReason::Malformed, text));
                }
            }
        }
        (tasks, asides)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use symbolon_shared::domain::envelope::SenderId;

    use super::*;

    fn principal(id: &str) -> Principal {
        Principal::new(id).unwrap()
    }

    fn roles() -> OwnRoles {
        OwnRoles {
            matcher: principal("AROAMATCHER"),
            redrive: Some(principal("AROAREDRIVE")),
            bulk: Some(principal("AROABULK")),
        }
    }

    fn from(sender: &str, body: String) -> Stamped {
        Stamped {
            sender: SenderId::parse(sender).unwrap(),
            sent_at: Timestamp::from_millis(900),
            receive_count: 2,
            body,
        }
    }

    fn envelope(origin: Origin) -> String {
        Envelope {
            origin,
            sent_at: Timestamp::from_millis(5),
            cycles: 3,
            reason: None,
            body: "inside".to_owned(),
        }
        .to_json()
    }

    fn of_sender() -> String {
        envelope(Origin::Sender(SenderId::parse("AROACOUNTERPARTY:desk").unwrap()))
    }

    fn on_behalf() -> String {
        envelope(Origin::OnBehalfOf(CounterpartyId::new("cp-a").unwrap()))
    }

    #[test]
    fn an_envelope_is_opened_by_who_sent_it() {
        for (sender, body, opened, broken) in [
            ("AROAMATCHER:f", of_sender(), true, false),
            ("AROAREDRIVE:f", of_sender(), true, false),
            ("AROABULK:f", of_sender(), true, false),
            ("AROABULK:f", on_behalf(), true, false),
            ("AROAMATCHER:f", on_behalf(), false, true),
            ("AROAREDRIVE:f", on_behalf(), false, true),
            ("AROAREDRIVE:f", "{}".to_owned(), false, true),
            ("AROACOUNTERPARTY:f", of_sender(), false, false),
            ("AROACOUNTERPARTY:AROAMATCHER", of_sender(), false, false),
            ("AROAMATCHERX:f", of_sender(), false, false),
            (":AROAMATCHER", of_sender(), false, false),
        ] {
            let what = format!("{sender}: {body}");
            let read = open(from(sender, body.clone()), &roles());
            assert_eq!(read.broken, broken, "{what}");
            let stamps = (read.sent_at.as_millis(), read.cycles, read.body.as_str());
            let expected = if opened {
                (5, 3, "inside")
            } else {
                (900, 0, body.as_str())
            };
            assert_eq!(stamps, expected, "{what}");
            assert_eq!(read.receive_count, 2);
        }
    }

    #[test]
    fn a_role_that_there_is_not_opens_nothing() {
        let roles = OwnRoles {
            redrive: None,
            bulk: None,
            ..roles()
        };
        for sender in ["AROAREDRIVE:f", "AROABULK:f", ":f"] {
            let read = open(from(sender, of_sender()), &roles);
            assert!(!read.broken && read.sent_at.as_millis() == 900, "{sender}");
        }
    }

    fn registry(named: &str) -> Senders {
        let id = CounterpartyId::new("cp-a").unwrap();
        let counterparty = Counterparty::new(id.clone(), principal(named), BTreeMap::new());
        Senders {
            principals: HashMap::from([(principal("AROACOUNTERPARTY"), id.clone())]),
            counterparties: HashMap::from([(id, Arc::new(counterparty))]),
        }
    }

    #[test]
    fn principal_and_counterparty_must_name_each_other() {
        let origin = Origin::Sender(SenderId::parse("AROACOUNTERPARTY:desk").unwrap());
        let agreeing = registry("AROACOUNTERPARTY");
        assert!(agreeing.of(&origin).is_some());
        assert!(agreeing.disagreeing().0.is_empty());
        let other = registry("AROAOTHER");
        assert!(other.of(&origin).is_none());
        assert_eq!(other.disagreeing().0, [principal("AROACOUNTERPARTY")]);
        // The bulk role names the counterparty itself.
        assert!(
            other
                .of(&Origin::OnBehalfOf(CounterpartyId::new("cp-a").unwrap()))
                .is_some()
        );
        assert!(
            other
                .of(&Origin::OnBehalfOf(CounterpartyId::new("cp-b").unwrap()))
                .is_none()
        );
    }
}
