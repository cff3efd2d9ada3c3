//! Dead letters of every kind, drawn from a seed; and where each must end.

use std::collections::BTreeMap;

use rand::rngs::StdRng;
use rand::seq::SliceRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::{Value, json};
use symbolon_shared::domain::envelope::{Envelope, Origin, SenderId};
use symbolon_shared::domain::redrive::{Identity, Letter, LetterAsRead};

use crate::world::{COUNTERPARTIES, CYCLES, DEAD_URL, DEADLY, NOON, REDRIVE, World, own_roles, sender};

/// What a letter is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// As SQS moved it during an outage.
    Transient,
    /// The same, sent back before.
    SentBackBefore,
    /// A copy of another letter.
    Duplicate,
    /// Processed, but for its deletion.
    Processed,
    /// The matcher dies of it each time.
    Relapsing,
    /// Sent back as often as may be.
    Exhausted,
    /// Its envelope fits no message.
    Oversize,
    /// Not JSON, as SQS moved it.
    NotJson,
    /// Not JSON, as the matcher set it aside.
    SetAside,
    /// From somebody who is not registered, as SQS moved it.
    Stranger,
    /// First sent before submissions were kept.
    Stale,
    /// Without the stamps of SQS.
    Unstamped,
}

impl Kind {
    pub(crate) const ALL: [Self; 12] = [
        Self::Transient,
        Self::SentBackBefore,
        Self::Duplicate,
        Self::Processed,
        Self::Relapsing,
        Self::Exhausted,
        Self::Oversize,
        Self::NotJson,
        Self::SetAside,
        Self::Stranger,
        Self::Stale,
        Self::Unstamped,
    ];

    /// Whether it must end back and processed; else in the quarantine.
    pub(crate) fn is_processed(self) -> bool {
        matches!(
            self,
            Self::Transient | Self::SentBackBefore | Self::Duplicate | Self::Processed
        )
    }

    fn drawn(dice: &mut StdRng) -> Self {
        match dice.random_range(0..1_000) {
            0..80 => Self::SentBackBefore,
            80..160 => Self::Duplicate,
            160..220 => Self::Processed,
            220..250 => Self::Relapsing,
            250..280 => Self::Exhausted,
            280..284 => Self::Oversize,
            284..334 => Self::NotJson,
            334..374 => Self::SetAside,
            374..394 => Self::Stranger,
            394..414 => Self::Stale,
            414..420 => Self::Unstamped,
            _ => Self::Transient,
        }
    }
}

/// What was put into the queue, message by message: what it is, and as it was sent.
pub(crate) type Expected = BTreeMap<Identity, (Kind, LetterAsRead)>;

/// Fills the dead-letter queue.
pub(crate) async fn mixed(world: &World, count: usize, seed: u64) -> Expected {
    let mut dice = StdRng::seed_from_u64(seed);
    let (mut letters, mut sent) = (Vec::new(), Vec::<LetterAsRead>::new());
    let (mut processed, mut set_aside) = (Vec::new(), Vec::new());
    for n in 0..count {
        let kind = Kind::drawn(&mut dice);
        let letter = match kind {
            Kind::Duplicate if !sent.is_empty() => sent[dice.random_range(0..sent.len())].clone(),
            kind => drawn(kind, n, &mut dice),
        };
        match kind {
            Kind::Transient => sent.push(letter.clone()),
            Kind::Processed => processed.push((0, letter.clone())),
            Kind::SetAside => set_aside.push((0, letter.clone())),
            _ => {}
        }
        letters.push((kind, letter));
    }
    let identity = |letter: &LetterAsRead| Letter::open(letter.clone(), &own_roles()).identity;
    // Copies are one message: it is noted as one that has some.
    let expected: Expected = letters
        .iter()
        .map(|(kind, letter)| (identity(letter), (*kind, letter.clone())))
        .collect();
    world.deliver(processed).await;
    world.match_all().await;
    world.deliver(set_aside).await;
    world.match_all().await;
    letters.retain(|(kind, _)| *kind != Kind::SetAside);
    letters.shuffle(&mut dice);
    for (_, letter) in letters {
        world.memory.put_letter(DEAD_URL, letter);
    }
    expected
}

fn drawn(kind: Kind, n: usize, dice: &mut StdRng) -> LetterAsRead {
    let by = dice.random_range(0..COUNTERPARTIES);
    let plain = from(&sender(by), &message(&format!("A-{n}"), dice), n);
    match kind {
        Kind::Transient | Kind::Duplicate | Kind::Processed => plain,
        Kind::SentBackBefore => enveloped(plain, dice.random_range(1..CYCLES)),
        Kind::Exhausted => enveloped(plain, CYCLES),
        Kind::Relapsing => LetterAsRead {
            body: interest(&format!("{DEADLY}{n}"), dice).to_string(),
            ..plain
        },
        Kind::Oversize => LetterAsRead {
            body: json!({"clOrdId": format!("A-{n}"), "quotes": "\"".repeat(300_000)}).to_string(),
            ..plain
        },
        Kind::NotJson | Kind::SetAside => LetterAsRead {
            body: format!("hello {n}"),
            ..plain
        },
        Kind::Stranger => LetterAsRead {
            sender: Some("AROASTRANGER:desk".to_owned()),
            ..plain
        },
        Kind::Stale => LetterAsRead {
            sent_at: Some(NOON.plus_days(-401).as_millis().to_string()),
            ..plain
        },
        Kind::Unstamped => LetterAsRead {
            sent_at: None,
            ..plain
        },
    }
}

/// Sent within the hour before noon.
fn from(sender: &str, body: &str, n: usize) -> LetterAsRead {
    let at = NOON.plus_millis(-3_600_000 + i64::try_from(n * 500).unwrap());
    LetterAsRead {
        body: body.to_owned(),
        sender: Some(sender.to_owned()),
        sent_at: Some(at.as_millis().to_string()),
        receives: Some("10".to_owned()),
        ..LetterAsRead::default()
    }
}

fn enveloped(letter: LetterAsRead, cycles: u32) -> LetterAsRead {
    let envelope = Envelope {
        origin: Origin::Sender(SenderId::parse(&letter.sender.clone().unwrap()).unwrap()),
        sent_at: symbolon_shared::domain::time::Timestamp::from_millis(
            letter.sent_at.clone().unwrap().parse().unwrap(),
        ),
        cycles,
        reason: None,
        body: letter.body.clone(),
    };
    LetterAsRead {
        body: envelope.to_json(),
        sender: Some(REDRIVE.to_owned()),
        sent_at: Some(NOON.as_millis().to_string()),
        ..letter
    }
}

fn interest(id: &str, dice: &mut StdRng) -> Value {
    let side = if dice.random() { "buy" } else { "sell" };
    let (qty, price) = (dice.random_range(1..10), dice.random_range(95..105));
    json!({"type": "interest", "clOrdId": id, "symbol": "BTCUSD", "side": side, "orderQty": qty.to_string(),
        "price": price.to_string(), "ack": true})
}

/// Mostly an interest; else a cancel of one that may not have come, a question, or a bundle.
fn message(id: &str, dice: &mut StdRng) -> String {
    match dice.random_range(0..20) {
        0 => json!({"type": "cancel", "clOrdId": id, "origClOrdId": format!("{id}-never")}),
        1 => json!({"type": "status", "clOrdId": id, "origClOrdId": format!("{id}-never")}),
        2 => {
            let members: Vec<Value> = (0..3).map(|m| interest(&format!("{id}-{m}"), dice)).collect();
            json!({"type": "bundle", "messages": members})
        }
        3 => json!({"type": "interest", "clOrdId": id, "symbol": "NOSUCH"}),
        _ => interest(id, dice),
    }
    .to_string()
}
