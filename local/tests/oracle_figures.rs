//! The oracle itself, checked: against books small enough to work out by hand, and against known figures of the
//! real file. And the readers of the order flow, checked against the oracle's own reading.

mod oracle;

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use local::order_flow::{Action, OrderFlow, ReadOptions, read, sample, sample_csv};
use oracle::{Match, Verdict, head, judge, real_morning, real_path};

/// In the small books there are three counterparties: orders 3, 5, 6, 9 are of one, 1, 2, 4, 8 of another, and
/// 7, 11, 16, 18 of the third (FNV-1a 64 of the text, modulo 3).
fn small_book(events: &[(u64, u64, &str, u64, &str, &str)]) -> Verdict {
    let header = "id,timestamp,exchange.timestamp,price,volume,action,direction\n".to_owned();
    let lines = events.iter().map(|(id, at, price, satoshi, action, direction)| {
        format!("{id},{at},{at},{price},{satoshi},{action},{direction}\n")
    });
    judge(&(header + &lines.collect::<String>()), 3)
}

/// Aggressor, resting, quantity, price.
fn pairs(verdict: &Verdict) -> Vec<(&str, &str, &str, &str)> {
    let matches = verdict.matches.iter();
    matches
        .map(|m| {
            (
                m.aggressor.as_str(),
                m.resting.as_str(),
                m.qty.as_str(),
                m.price.as_str(),
            )
        })
        .collect()
}

#[test]
fn the_best_price_first_then_who_came_first_at_the_resting_price() {
    let verdict = small_book(&[
        (1, 10, "10.02", 100_000_000, "created", "ask"),
        (2, 20, "10.01", 100_000_000, "created", "ask"),
        (7, 30, "10.01", 100_000_000, "created", "ask"),
        (3, 40, "10.02", 250_000_000, "created", "bid"),
        (4, 50, "9.99", 100_000_000, "created", "bid"),
        (11, 60, "10.00", 50_000_000, "created", "bid"),
        (5, 70, "9.00", 120_000_000, "created", "ask"),
    ]);
    assert_eq!(
        pairs(&verdict),
        [
            ("3", "2", "1", "10.01"),
            ("3", "7", "1", "10.01"),
            ("3", "1", "0.5", "10.02"),
            ("5", "11", "0.5", "10"),
            ("5", "4", "0.7", "9.99"),
        ]
    );
    assert_eq!(
        (verdict.matched_qty.as_str(), verdict.notional.as_str()),
        ("3.7", "37.023")
    );
    assert_eq!((verdict.resting, verdict.resting_qty.as_str()), (2, "0.8"));
    assert_eq!(
        (
            verdict.interests,
            verdict.cancelled,
            verdict.ignored,
            verdict.ties
        ),
        (7, 0, 0, 0)
    );
}

#[test]
fn own_interests_are_passed_over() {
    let verdict = small_book(&[
        (3, 10, "10.00", 1, "created", "ask"),
        (1, 20, "10.50", 1, "created", "ask"),
        (5, 30, "11.00", 2, "created", "bid"),
    ]);
    assert_eq!(pairs(&verdict), [("5", "1", "0.00000001", "10.5")]);
    assert_eq!((verdict.resting, verdict.resting_qty.as_str()), (2, "0.00000002"));
}

#[test]
fn cancels_come_early_in_time_late_and_twice() {
    let verdict = small_book(&[
        (1, 10, "10.00", 5, "deleted", "ask"),
        (1, 20, "10.00", 5, "created", "ask"),
        (1, 21, "10.00", 5, "deleted", "ask"),
        (2, 30, "10.00", 5, "created", "ask"),
        (2, 40, "10.00", 5, "deleted", "ask"),
        (2, 41, "10.00", 5, "deleted", "ask"),
        (4, 50, "10.00", 5, "created", "ask"),
        (3, 60, "10.00", 5, "created", "bid"),
        (4, 70, "10.00", 0, "deleted", "ask"),
        (3, 80, "10.00", 5, "deleted", "bid"),
        (8, 90, "10.00", 7, "deleted", "ask"),
        (9, 99, "10.00", 7, "changed", "ask"),
    ]);
    assert_eq!(pairs(&verdict), [("3", "4", "0.00000005", "10")]);
    assert_eq!((verdict.interests, verdict.cancelled), (4, 2));
    assert_eq!((verdict.cancels_waiting, verdict.too_late_to_cancel), (1, 1));
    assert_eq!(
        (verdict.resting, verdict.resting_qty.as_str(), verdict.ignored),
        (0, "0", 2)
    );
}

#[test]
fn a_tie_is_two_as_good_of_one_millisecond_that_the_aggressor_may_take() {
    let same_millisecond = |second_maker| {
        small_book(&[
            (1, 10, "10.00", 5, "created", "ask"),
            (second_maker, 10, "10.00", 5, "created", "ask"),
            (3, 60, "10.00", 7, "created", "bid"),
        ])
    };
    assert_eq!(same_millisecond(2).ties, 1);
    assert_eq!(same_millisecond(5).ties, 0, "the second is the aggressor's own");
}

/// The figures in the contract's order: interests, matches, quantity, notional, cancelled, waiting, too late,
/// resting, quantity, ignored.
fn figures(of: &Verdict) -> String {
    let matches = of.matches.len();
    format!(
        "{} {matches} {} {} {} {} {} {} {} {}",
        of.interests,
        of.matched_qty,
        of.notional,
        of.cancelled,
        of.cancels_waiting,
        of.too_late_to_cancel,
        of.resting,
        of.resting_qty,
        of.ignored
    )
}

/// Worked out by another book, written before this one by somebody else.
#[test]
fn the_first_5000_events_of_the_real_file() {
    let Some(csv) = real_morning() else { return };
    let verdict = judge(head(&csv, 5_000), 12);
    assert_eq!(
        figures(&verdict),
        "2434 90 243.25611186 57085.2220122289 2227 86 5 116 1372.55787672 243"
    );
    assert_eq!(verdict.ties, 0);
}

/// Worked out by a second book in another language, as are those of the sample.
#[test]
fn the_whole_real_file() {
    let Some(csv) = real_morning() else { return };
    for (counterparties, known) in [
        (
            2,
            "24894 585 800.65999663 188901.3016403078 24098 159 60 208 1693.49729984 1182",
        ),
        (
            5,
            "24894 569 774.45181499 182679.3805541574 24122 159 36 196 1628.8949032 1182",
        ),
        (
            12,
            "24894 567 779.33261433 183837.7909205983 24129 159 29 192 1622.69602888 1182",
        ),
        (
            40,
            "24894 556 771.93872586 182088.968950976 24138 159 20 191 1619.8931183 1182",
        ),
    ] {
        let verdict = judge(&csv, counterparties);
        println!("{counterparties} counterparties: {}", figures(&verdict));
        assert_eq!(figures(&verdict), known, "{counterparties} counterparties");
        // A book that knows only milliseconds finds the same matches.
        assert_eq!(verdict.ties, 0, "{counterparties} counterparties");
    }
}

fn twelve() -> NonZeroU32 {
    NonZeroU32::new(12).unwrap_or(NonZeroU32::MIN)
}

/// Every interest of a flow, and how many cancels: what the oracle has to see too.
fn seen_by_reader(flow: &OrderFlow) -> (BTreeMap<&str, u32>, u64) {
    let mut interests = BTreeMap::new();
    let mut cancels = 0;
    for event in &flow.events {
        match &event.action {
            Action::Interest { cl_ord_id, .. } => {
                interests.insert(cl_ord_id.as_str(), event.counterparty);
            }
            Action::Cancel { .. } => cancels += 1,
        }
    }
    (interests, cancels)
}

#[test]
fn the_reader_sees_what_the_oracle_sees() {
    let Some(csv) = real_morning() else { return };
    let flow = read(
        &real_path(),
        &ReadOptions {
            counterparties: twelve(),
            symbol: None,
        },
    )
    .unwrap();
    let verdict = judge(&csv, 12);
    let (interests, cancels) = seen_by_reader(&flow);
    assert_eq!(flow.events.len() as u64 + flow.ignored, 50_414);
    assert_eq!(
        (interests.len() as u64, flow.ignored),
        (verdict.interests, verdict.ignored)
    );
    // 21 cancels come twice.
    let effective = verdict.cancelled + verdict.cancels_waiting + verdict.too_late_to_cancel;
    assert_eq!(cancels, effective + 21);
    for Match {
        aggressor, resting, ..
    } in &verdict.matches
    {
        assert_ne!(
            interests[aggressor.as_str()],
            interests[resting.as_str()],
            "{aggressor} and {resting}"
        );
    }
    assert!(
        flow.events.is_sorted_by_key(|event| event.at_millis),
        "not in order of time"
    );
}

#[test]
fn the_sample_has_a_bit_of_everything() {
    let verdict = judge(&sample_csv(), 12);
    assert_eq!(
        figures(&verdict),
        "1275 478 349.39349315 87705.2287165621 638 15 65 150 177.32008215 0"
    );
    assert_eq!(verdict.ties, 0);
    assert_eq!(
        seen_by_reader(&sample(twelve()).unwrap()).0.len() as u64,
        verdict.interests
    );
}
