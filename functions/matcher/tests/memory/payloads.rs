//! Events as large as Lambda delivers them, in shapes that are larger inside.

use std::fmt::Write;

use symbolon_shared::domain::limits::{MAX_BUNDLE_MESSAGES, MAX_MESSAGE_BYTES};
use symbolon_shared::domain::time::Timestamp;
use symbolon_shared::testing::hostile::record;

use crate::MAX_PAYLOAD_BYTES;
use crate::ports::REGISTERED;

/// 2099-01-01T00:00:00Z: when every batch is taken.
pub(crate) const NOW: Timestamp = Timestamp::from_millis(4_070_908_800_000);

/// A shape of events.
pub(crate) struct Shape {
    pub(crate) name: &'static str,
    /// The `n`th event of this shape: the ids in it are its own.
    pub(crate) event: Box<dyn Fn(usize) -> String>,
}

/// As many records as fit into an event; each is given its number.
fn event_of(count: usize, sender: impl Fn(usize) -> String, body: impl Fn(usize) -> String) -> String {
    let mut event = String::with_capacity(MAX_PAYLOAD_BYTES + 64);
    event.push_str("{\"Records\":[");
    for n in 0..count {
        let record = record(&format!("m-{n}"), &sender(n), NOW, &body(n)).to_string();
        // A little more than the last one that fits, so that six whole mebibytes are among the payloads.
        if n > 0 && event.len() + record.len() > MAX_PAYLOAD_BYTES + 8 * 1024 {
            break;
        }
        write!(event, "{}{record}", if n == 0 { "" } else { "," }).unwrap();
    }
    event.push_str("]}");
    event
}

fn registered(n: usize) -> String {
    format!("{REGISTERED}{}:desk", n % 12)
}

/// Bodies of one length each, from registered counterparties.
fn bodies(name: &'static str, count: usize, body: impl Fn(usize, usize) -> String + 'static) -> Shape {
    Shape {
        name,
        event: Box::new(move |batch| event_of(count, registered, |n| body(batch, n))),
    }
}

/// A message with a readable `clOrdId` and an unknown field of about `bytes` bytes: `open`, this value again and again,
/// `close`.
fn spoilt(batch: usize, n: usize, bytes: usize, open: &str, value: &str, close: &str) -> String {
    let times = bytes.saturating_sub(100) / (value.len() + 1);
    let values = vec![value; times].join(",");
    format!(r#"{{"type":"interest","clOrdId":"O-{batch}-{n}","x":{open}{values}{close}}}"#)
}

/// The same with a field of as many fields, none of whose names is there twice.
fn many_names(batch: usize, n: usize, bytes: usize) -> String {
    let names: Vec<String> = (0..bytes / 10).map(|name| format!("\"{name:x}\":0")).collect();
    format!(
        r#"{{"type":"interest","clOrdId":"O-{batch}-{n}","x":{{{}}}}}"#,
        names.join(",")
    )
}

fn deep(batch: usize, n: usize, bytes: usize) -> String {
    let levels = (bytes - 100) / 2;
    format!(
        r#"{{"type":"interest","clOrdId":"O-{batch}-{n}","x":{}{}}}"#,
        "[".repeat(levels),
        "]".repeat(levels)
    )
}

/// A bundle with as many blanks behind it as make forty of them a whole event: more messages than are taken at once,
/// and no more than a test has time for. (Without blanks there may be a hundred times as many; then they take longer.)
fn bundle(batch: usize, n: usize, member: impl Fn(String) -> String) -> String {
    let members: Vec<String> = (0..MAX_BUNDLE_MESSAGES)
        .map(|m| member(format!("{batch}.{n}.{m}")))
        .collect();
    let bundle = format!(r#"{{"type":"bundle","messages":[{}]}}"#, members.join(","));
    format!("{bundle}{}", " ".repeat(150_000 - bundle.len()))
}

fn interest(id: &str) -> String {
    format!(
        r#"{{"type":"interest","clOrdId":"{id}","symbol":"BTCUSD","side":"buy","orderQty":"1","price":"1","ack":true}}"#
    )
}

fn status(id: &str) -> String {
    format!(r#"{{"type":"status","clOrdId":"{id}","origClOrdId":"N"}}"#)
}

fn cancel(id: &str) -> String {
    format!(r#"{{"type":"cancel","clOrdId":"{id}","origClOrdId":"N{id}"}}"#)
}

/// Bodies that are long, deep or wide.
pub(crate) fn long_bodies() -> Vec<Shape> {
    const MIB: usize = MAX_MESSAGE_BYTES;
    const QUARTER: usize = 256 * 1024;
    let quarters = |name, body: fn(usize, usize) -> String| bodies(name, 23, body);
    // An event has more beside them, so they are a little shorter.
    let six = |name, body: fn(usize, usize, usize) -> String| {
        bodies(name, 6, move |batch, n| body(batch, n, MIB - 1024))
    };
    vec![
        six("6 of 1 MiB, not JSON", |_, _, bytes| "x".repeat(bytes)),
        bodies("6 of quotes, doubled in event and envelope", 6, |_, _| {
            "\"".repeat(500_000)
        }),
        bodies("6 of quotes, too many for an envelope", 6, |_, _| {
            "\"".repeat(MIB / 2)
        }),
        quarters("23 of 256 KiB, not JSON", |_, _| "x".repeat(QUARTER)),
        quarters("23 of 256 KiB, one field", |b, n| {
            spoilt(b, n, QUARTER, "\"", "x", "\"")
        }),
        six("6 of 1 MiB, [0,0,…]", |b, n, bytes| {
            spoilt(b, n, bytes, "[", "0", "]")
        }),
        six("6 of 1 MiB, [[],[],…]", |b, n, bytes| {
            spoilt(b, n, bytes, "[", "[]", "]")
        }),
        six("6 of 1 MiB, [[0],[0],…]", |b, n, bytes| {
            spoilt(b, n, bytes, "[", "[0]", "]")
        }),
        // Quotes are longer in the event: as many as fit there.
        six("6 of about 1 MiB, [{\"\":0},…]", |b, n, bytes| {
            spoilt(b, n, bytes / 7 * 5, "[", "{\"\":0}", "]")
        }),
        six("6 of about 1 MiB, {\"0\":0,\"1\":0,…}", |b, n, bytes| {
            many_names(b, n, bytes / 12 * 10)
        }),
        six("6 of 1 MiB, 500,000 levels", deep),
        six("6 of 1 MiB, a bundle of 0,0,…", |_, _, bytes| {
            let members = vec!["0"; (bytes - 100) / 2].join(",");
            format!(r#"{{"type":"bundle","messages":[{members}]}}"#)
        }),
    ]
}

/// Very many messages, alone or in bundles.
pub(crate) fn many_messages() -> Vec<Shape> {
    let bundles = |name, member: fn(&str) -> String| {
        bodies(name, 40, move |batch, n| bundle(batch, n, |id| member(&id)))
    };
    let records =
        |name, body: fn(&str) -> String| bodies(name, 10_000, move |batch, n| body(&format!("{batch}.{n}")));
    vec![
        bundles("40 bundles of 500 interests", interest),
        bundles("40 bundles of 500 status questions", status),
        bundles("40 bundles of 500 cancels", cancel),
        bundles("40 bundles of 500 scraps", |_| "7".to_owned()),
        records("10,000 interests", interest),
        records("10,000 status questions", status),
        records("10,000 scraps", |_| "7".to_owned()),
        records("10,000 about as many symbols", |id| {
            interest(id).replace("BTCUSD", &format!("S{id}"))
        }),
    ]
}

/// Very many senders.
pub(crate) fn many_senders() -> Vec<Shape> {
    let from = |name, sender: fn(usize, usize) -> String| Shape {
        name,
        event: Box::new(move |batch| {
            event_of(10_000, |n| sender(batch, n), |n| status(&format!("{batch}.{n}")))
        }),
    };
    vec![
        from("10,000 strangers", |batch, n| {
            format!("AROASTRANGER{batch}X{n}:desk")
        }),
        from("10,000 counterparties", |batch, n| {
            format!("{REGISTERED}{batch}x{n}:desk")
        }),
    ]
}
