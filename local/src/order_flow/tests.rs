//! The readers, on a few lines each; the whole real file is compared with the oracle in `tests/oracle_figures.rs`.

use std::io::Write;

use lzma_rust2::{XzOptions, XzWriter};

use super::rows::counterparty_of;
use super::*;

const HEADER: &str = "id,timestamp,exchange.timestamp,price,volume,action,direction\n";

/// The first lines of a Bitstamp file: an interest, what is ignored, a cancel, and the same cancel again.
const BITSTAMP: &str = "\
65595247,1430438404518,1430438404000,236.47,200000000,created,bid
65595247,1430438404635,1430438404000,236.47,178855669,changed,bid
65595187,1430438404637,1430438340000,236.47,0,deleted,ask
65595181,1430438405647,1430438337000,236.08,1,deleted,bid
65595181,1430438405648,1430438337000,236.08,1,deleted,bid
65595248,1430438405943,1430438405000,236.10,1,created,ask
65595248,1430438406943,1430438405000,236.10,0,deleted,ask
";

/// One line of each LOBSTER type.
const LOBSTER: &str = "\
34200.017459617,1,16116658,100,2239500,1
34200.189607,2,16116658,40,2239500,1
34200.19,3,16116658,60,2239500,1
34201,4,16116704,18,2238100,-1
34201.0009,4,16116704,18,2238100,1
34201.5,5,0,1,2238600,-1
34202.123456789,6,-1,321,2238600,-1
34203.5,7,0,0,-1,-1
";

fn options(counterparties: u32) -> ReadOptions {
    ReadOptions {
        counterparties: NonZeroU32::new(counterparties).unwrap(),
        symbol: Some(Symbol::new("AAPL").unwrap()),
    }
}

fn read_bytes(bytes: &[u8]) -> Result<OrderFlow, ReadError> {
    read_from(bytes, Path::new("flow.csv"), &options(12))
}

fn interest(at_millis: i64, counterparty: u32, id: &str, side: Side, qty: &str, price: &str) -> Event {
    let action = Action::Interest {
        cl_ord_id: ClOrdId::new(id).unwrap(),
        side,
        order_qty: Quantity::parse(qty).unwrap(),
        price: Price::parse(price).unwrap(),
    };
    Event {
        at_millis,
        counterparty,
        action,
    }
}

fn cancel(at_millis: i64, counterparty: u32, id: &str, original: &str) -> Event {
    let action = Action::Cancel {
        cl_ord_id: ClOrdId::new(id).unwrap(),
        orig_cl_ord_id: ClOrdId::new(original).unwrap(),
    };
    Event {
        at_millis,
        counterparty,
        action,
    }
}

#[test]
fn bitstamp_events_become_interests_and_cancels() {
    let flow = read_bytes(format!("{HEADER}{BITSTAMP}").as_bytes()).unwrap();
    let [maker, gone, taker] =
        ["65595247", "65595181", "65595248"].map(|id| counterparty_of(id, NonZeroU32::new(12).unwrap()));
    assert_eq!(
        flow.events,
        [
            interest(1_430_438_404_518, maker, "65595247", Side::Buy, "2", "236.47"),
            cancel(1_430_438_405_647, gone, "c65595181", "65595181"),
            cancel(1_430_438_405_648, gone, "c65595181", "65595181"),
            interest(
                1_430_438_405_943,
                taker,
                "65595248",
                Side::Sell,
                "0.00000001",
                "236.1"
            ),
        ]
    );
    assert_eq!(flow.ignored, 3);
    assert_eq!((flow.symbol.as_str(), flow.currency), ("BTCUSD", "USD"));
    assert_eq!(
        (flow.tick.to_string(), flow.lot.to_string()),
        ("0.01".into(), "0.00000001".into())
    );
    assert_eq!(
        flow.last_at_millis, 1_430_438_406_943,
        "the last line counts, ignored or not"
    );
}

#[test]
fn lobster_messages_become_interests_and_cancels() {
    let flow = read_bytes(LOBSTER.as_bytes()).unwrap();
    let owner = counterparty_of("16116658", NonZeroU32::new(12).unwrap());
    assert_eq!(
        flow.events,
        [
            interest(34_200_017, owner, "16116658", Side::Buy, "100", "223.95"),
            cancel(34_200_190, owner, "c16116658", "16116658"),
            interest(34_201_000, 0, "x4", Side::Buy, "18", "223.81"),
            interest(34_201_000, 0, "x5", Side::Sell, "18", "223.81"),
        ]
    );
    assert_eq!(flow.ignored, 4);
    assert_eq!((flow.symbol.as_str(), flow.currency), ("AAPL", "USD"));
    assert_eq!(
        (flow.tick.to_string(), flow.lot.to_string()),
        ("0.0001".into(), "1".into())
    );
    assert_eq!(flow.last_at_millis, 34_203_500);
}

#[test]
fn compressed_or_not_is_seen_from_the_content() {
    let plain = format!("{HEADER}{BITSTAMP}");
    let xz = |text: &str| {
        let mut writer = XzWriter::new(Vec::new(), XzOptions::default()).unwrap();
        writer.write_all(text.as_bytes()).unwrap();
        writer.finish().unwrap()
    };
    assert_eq!(
        read_bytes(&xz(&plain)).unwrap(),
        read_bytes(plain.as_bytes()).unwrap()
    );
    assert_eq!(
        read_bytes(&xz(LOBSTER)).unwrap(),
        read_bytes(LOBSTER.as_bytes()).unwrap()
    );
    // What `cat a.xz b.xz` makes, and what a download that stopped makes.
    let joined = [xz(HEADER), xz(BITSTAMP)].concat();
    assert_eq!(
        read_bytes(&joined).unwrap(),
        read_bytes(plain.as_bytes()).unwrap()
    );
    let cut = xz(&plain);
    assert!(matches!(
        read_bytes(&cut[..cut.len() / 2]),
        Err(ReadError::Read { .. })
    ));
}

#[test]
fn line_ends_and_the_last_line_do_not_matter() {
    let plain = format!("{HEADER}{BITSTAMP}");
    let flow = read_bytes(plain.as_bytes()).unwrap();
    assert_eq!(read_bytes(plain.replace('\n', "\r\n").as_bytes()).unwrap(), flow);
    assert_eq!(read_bytes(plain.trim_end().as_bytes()).unwrap(), flow);
    assert_eq!(read_bytes(format!("\u{feff}{plain}").as_bytes()).unwrap(), flow);
    let quoted = plain.replacen("id,timestamp", "\"id\",\"timestamp\"", 1);
    assert_eq!(read_bytes(quoted.as_bytes()).unwrap(), flow);
}

#[test]
fn a_header_alone_is_a_flow_without_events() {
    let flow = read_bytes(HEADER.as_bytes()).unwrap();
    assert_eq!((flow.events.len(), flow.ignored), (0, 0));
}

#[test]
fn counterparties_follow_from_fnv_1a() {
    let among = |text, n| counterparty_of(text, NonZeroU32::new(n).unwrap());
    // From the published vectors: "" is cbf29ce484222325, "a" af63dc4c8601ec8c, "foobar" 85944171f73967e8.
    for (text, hash) in [
        ("", 0xcbf2_9ce4_8422_2325_u64),
        ("a", 0xaf63_dc4c_8601_ec8c),
        ("foobar", 0x8594_4171_f739_67e8),
    ] {
        for n in [1, 2, 12, 40, 1_000_003, u32::MAX] {
            assert_eq!(
                u64::from(among(text, n)),
                1 + hash % u64::from(n),
                "{text} among {n}"
            );
        }
    }
}

#[test]
fn the_last_event_falls_at_the_start_of_the_run() {
    let mut flow = read_bytes(format!("{HEADER}{BITSTAMP}").as_bytes()).unwrap();
    let before = flow.clone();
    flow.shift_to(1_800_000_000_000);
    let by = 1_800_000_000_000 - 1_430_438_406_943;
    assert_eq!(flow.last_at_millis, 1_800_000_000_000);
    for (event, old) in flow.events.iter().zip(&before.events) {
        assert_eq!(event.at_millis, old.at_millis + by);
    }
    // A file that is not in order of time: nothing may be sent after the start.
    let disorderly = BITSTAMP.replacen("1430438404518", "1430438409999", 1);
    let mut flow = read_bytes(format!("{HEADER}{disorderly}").as_bytes()).unwrap();
    flow.shift_to(1_800_000_000_000);
    assert_eq!(flow.events[0].at_millis, 1_800_000_000_000);
    let mut nothing = read_bytes(HEADER.as_bytes()).unwrap();
    nothing.shift_to(1);
    assert!(nothing.events.is_empty());
}

/// The chain of messages, as a person sees it.
fn complaint(bytes: &[u8]) -> String {
    let error = read_bytes(bytes).unwrap_err();
    let source = std::error::Error::source(&error)
        .map(|source| format!(": {source}"))
        .unwrap_or_default();
    format!("{error}{source}")
}

#[test]
fn a_broken_line_is_named() {
    for (line, fault) in [
        ("1,2,3,4.00,5,created", "6 fields where there must be 7"),
        ("1,2,3,4.00,5,created,bid,", "8 fields where there must be 7"),
        (
            "x1,2,3,4.00,5,created,bid",
            "order id `x1` is not a decimal number of at most 63 digits",
        ),
        (
            "1,soon,3,4.00,5,changed,bid",
            "timestamp `soon` is not milliseconds since the epoch",
        ),
        (
            "1,-2,3,4.00,5,changed,bid",
            "timestamp `-2` is not milliseconds since the epoch",
        ),
        ("1,2,3,-4.00,5,created,bid", "price `-4.00` is not a decimal"),
        (
            "1,2,3,4.00,5e8,created,bid",
            "volume `5e8` is not a number of satoshi",
        ),
        ("1,2,3,4.00,+5,deleted,bid", "volume `+5` is not a whole number"),
        (
            "1,2,3,4.00,5,created,buy",
            "direction `buy` is not `bid` or `ask`",
        ),
        (
            "1,2,3,4.00,1000000000000000001,created,bid",
            "volume `1000000000000000001` is not a number of satoshi",
        ),
    ] {
        let text = format!("{HEADER}{BITSTAMP}{line}\n{BITSTAMP}");
        assert_eq!(complaint(text.as_bytes()), format!("flow.csv, line 9: {fault}"));
    }
    for (line, fault) in [
        ("34200.0,1,5,100,2239500,1,0", "7 fields where there must be 6"),
        (
            "3.42e4,1,5,100,2239500,1",
            "time `3.42e4` is not seconds after midnight",
        ),
        (
            "34200.,1,5,100,2239500,1",
            "time `34200.` is not seconds after midnight",
        ),
        (
            "34200.0,created,5,100,2239500,1",
            "type `created` is not a whole number",
        ),
        (
            "34200.0,1,-5,100,2239500,1",
            "order id `-5` is not a decimal number of at most 63 digits",
        ),
        (
            "34200.0,1,5,1.5,2239500,1",
            "size `1.5` is not a number of shares",
        ),
        (
            "34200.0,1,5,100,223.95,1",
            "price `223.95` is not a price times 10000",
        ),
        (
            "34200.0,4,?,100,2239500,1",
            "order id `?` is not a decimal number",
        ),
        ("34200.0,4,5,100,2239500,0", "direction `0` is not 1 or -1"),
    ] {
        assert_eq!(
            complaint(format!("{LOBSTER}{line}\n").as_bytes()),
            format!("flow.csv, line 9: {fault}")
        );
    }
}

#[test]
fn a_file_of_another_kind_is_refused() {
    assert_eq!(complaint(b""), "flow.csv is empty");
    assert!(
        complaint(b"id,time,price\n1,2,3\n")
            .contains("unknown header `id,time,price`; known is `id,timestamp,")
    );
    assert_eq!(complaint(b"12\xff,1\n"), "flow.csv, line 1: not text in UTF-8");
    let long = complaint("x".repeat(1_000_000).as_bytes());
    assert!(long.len() < 300, "{long}");
    let nameless = ReadOptions {
        symbol: None,
        ..options(12)
    };
    let error = read_from(LOBSTER.as_bytes(), Path::new("flow.csv"), &nameless).unwrap_err();
    assert!(matches!(error, ReadError::SymbolMissing { .. }) && error.to_string().contains("--symbol"));
    let error = read(Path::new("no such file"), &options(12)).unwrap_err();
    assert!(matches!(error, ReadError::Open { .. }));
}

#[test]
fn the_sample_is_a_morning_that_never_changes() {
    let flow = sample(NonZeroU32::new(12).unwrap()).unwrap();
    assert_eq!((flow.events.len(), flow.ignored), (2_000, 0));
    assert!(flow.events.is_sorted_by_key(|event| event.at_millis));
    let millis = flow.last_at_millis - flow.events[0].at_millis;
    assert!(
        (2..=5).contains(&(millis / 3_600_000)),
        "a morning of {millis} ms"
    );
    // The hash of the whole text: a change of the sample has to be meant.
    assert_eq!(counterparty_of(&sample_csv(), NonZeroU32::MAX), 670_980_075);
}
