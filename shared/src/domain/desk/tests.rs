//! What lies on the desk is what the tables will hold once everything decided is written, however little of them was
//! read, and whenever.

use proptest::prelude::*;

use super::*;
use crate::domain::change_set::tests::{Act, Sequence, act, sequence};
use crate::domain::identifiers::{ClOrdId, Side};
use crate::domain::test_tables::TestTables;

fn book() -> BookKey {
    BookKey {
        symbol: Symbol::new("X").unwrap(),
        side: Side::Buy,
    }
}

/// Beyond every rank.
fn everything() -> RankBound {
    Rank::bound(Side::Buy, "0.01".to_owned().try_into().unwrap())
}

fn counterparty(text: &str) -> CounterpartyId {
    CounterpartyId::new(text).unwrap()
}

fn order(number: usize) -> OrderKey {
    OrderKey::new(
        counterparty("cp-a"),
        ClOrdId::new(format!("order-{number}")).unwrap(),
    )
}

fn read_page(desk: &mut Desk, tables: &TestTables, size: usize) {
    let (page, known_to) = tables.page(&book(), &desk.known_to(&book()), &everything(), size);
    desk.learn_page(&book(), page, known_to);
}

fn read_book(desk: &mut Desk, tables: &TestTables) {
    while !desk.book(&book(), &everything()).1 {
        read_page(desk, tables, 2);
    }
}

fn read_submission(desk: &mut Desk, tables: &TestTables, key: &OrderKey) {
    desk.learn_submissions([(key.clone(), tables.submissions.get(key).cloned())]);
}

fn shows(desk: &Desk, tables: &TestTables) -> bool {
    let (entries, complete) = desk.book(&book(), &everything());
    complete && entries.eq(tables.entries.values())
}

/// Something between two decisions.
#[derive(Debug, Clone)]
enum Reading {
    Page(usize),
    Submission(usize),
    Nothing,
}

fn reading() -> impl Strategy<Value = Reading> {
    prop_oneof![
        (1_usize..4).prop_map(Reading::Page),
        (0_usize..5).prop_map(Reading::Submission),
        Just(Reading::Nothing),
    ]
}

/// Decisions know what they decide about: its entry, and its submission too unless it is somebody's resting order.
fn follow(desk: &mut Desk, changes: &ChangeSet, tables: &TestTables) {
    for (key, write) in &changes.submissions {
        let unknown = desk.submission(key).is_err();
        let own = !matches!(write, SubmissionWrite::Advance(progress) if progress.ended_by.is_none());
        if unknown && own {
            read_submission(desk, tables, key);
        }
    }
    read_book(desk, tables);
    desk.apply(changes);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(500) })]

    /// All that was decided waits to be written; what is read meanwhile comes from the tables as they were before.
    #[test]
    fn it_shows_what_will_be_written(
        acts in prop::collection::vec(act(), 0..25),
        already in 0_usize..12,
        readings in prop::collection::vec(reading(), 25),
    ) {
        let Sequence { before, decided, after } = sequence(&acts, already);
        let mut desk = Desk::default();
        for (changes, reading) in decided.iter().zip(readings) {
            match reading {
                Reading::Page(size) => read_page(&mut desk, &before, size),
                Reading::Submission(number) if desk.submission(&order(number)).is_err() => {
                    read_submission(&mut desk, &before, &order(number));
                }
                Reading::Submission(_) | Reading::Nothing => {}
            }
            follow(&mut desk, changes, &before);
        }
        read_book(&mut desk, &before);
        prop_assert!(shows(&desk, &after));
        for number in 0..5 {
            let key = order(number);
            if desk.submission(&key).is_err() {
                read_submission(&mut desk, &before, &key);
            }
            prop_assert!(desk.submission(&key).unwrap() == after.submissions.get(&key));
        }
    }

    /// The same when each change is written before the next is decided.
    #[test]
    fn it_shows_what_was_written(
        acts in prop::collection::vec(act(), 0..25),
        already in 0_usize..12,
    ) {
        let Sequence { before, decided, after } = sequence(&acts, already);
        let (mut desk, mut tables) = (Desk::default(), before);
        for changes in &decided {
            follow(&mut desk, changes, &tables);
            tables.commit(changes).unwrap();
        }
        read_book(&mut desk, &tables);
        prop_assert!(shows(&desk, &after));
        for number in 0..5 {
            let key = order(number);
            if desk.submission(&key).is_err() {
                read_submission(&mut desk, &tables, &key);
            }
            prop_assert!(desk.submission(&key).unwrap() == after.submissions.get(&key));
        }
    }
}

const MATCH: Act = Act::Match {
    found_by_itself: false,
};

#[test]
fn nothing_beyond_what_was_read_is_shown() {
    let Sequence { before, decided, .. } = sequence(&[(0, Act::Enter), (1, Act::Enter), (2, Act::Enter)], 2);
    let mut desk = Desk::default();
    desk.apply(&decided[0]);
    let shown = |desk: &Desk| {
        let (entries, complete) = desk.book(&book(), &everything());
        (
            entries.map(|entry| entry.rank.clone()).collect::<Vec<_>>(),
            complete,
        )
    };
    assert_eq!(shown(&desk), (Vec::new(), false));
    read_page(&mut desk, &before, 1);
    let (ranks, complete) = shown(&desk);
    assert!(!complete);
    assert!(ranks.iter().all(|rank| desk.known_to(&book()).covers(rank)));
    read_book(&mut desk, &before);
    assert_eq!(shown(&desk).0.len(), 3);
}

#[test]
fn a_page_read_later_does_not_bring_back_what_was_taken_out() {
    let Sequence {
        before,
        decided,
        after,
    } = sequence(
        &[(0, Act::Enter), (1, Act::Enter), (0, Act::Cancel), (1, MATCH)],
        2,
    );
    let mut desk = Desk::default();
    for changes in &decided {
        desk.apply(changes);
    }
    read_book(&mut desk, &before);
    assert!(shows(&desk, &after));
    desk.forget_books();
    read_book(&mut desk, &before);
    assert!(
        shows(&desk, &before),
        "when the write was lost it is read as it is"
    );
}

#[test]
fn a_submission_older_than_the_entry_that_was_matched_is_read_again() {
    let Sequence {
        before,
        decided,
        after,
    } = sequence(&[(0, Act::Enter), (0, MATCH), (0, MATCH)], 1);
    let mut desk = Desk::default();
    read_submission(&mut desk, &before, &order(0));
    let mut tables = before.clone();
    tables.commit(&decided[0]).unwrap();
    read_book(&mut desk, &tables);
    desk.apply(&decided[1]);
    assert!(desk.submission(&order(0)).is_err());
    read_submission(&mut desk, &tables, &order(0));
    assert!(desk.submission(&order(0)).unwrap() == after.submissions.get(&order(0)));
}

#[test]
fn a_change_that_was_lost_is_forgotten_with_its_submission() {
    let Sequence { before, decided, .. } = sequence(&[(0, Act::Enter), (0, MATCH)], 1);
    let mut desk = Desk::default();
    read_book(&mut desk, &before);
    desk.apply(&decided[0]);
    desk.forget_submissions(decided[0].submissions.keys());
    read_submission(&mut desk, &before, &order(0));
    assert!(desk.submission(&order(0)).unwrap() == before.submissions.get(&order(0)));
}

#[test]
fn what_is_not_known_is_asked_for_once_and_what_does_not_exist_is_left_out() {
    let mut desk = Desk::default();
    let [a, b, c] = ["cp-a", "cp-b", "cp-c"].map(counterparty);
    desk.learn_counterparties([(b.clone(), None)]);
    assert_eq!(desk.strangers([&c, &b, &a, &c].into_iter()), [a.clone(), c]);
    assert_eq!(desk.counterparty(&a), Err(Need::Counterparties(vec![a.clone()])));
    assert_eq!(desk.counterparty(&b), Ok(None));
    let symbol = book().symbol;
    assert_eq!(desk.parameters(&symbol), Err(Need::Parameters(symbol.clone())));
    desk.learn_parameters(symbol.clone(), None);
    assert_eq!(desk.parameters(&symbol), Ok(None));
    assert_eq!(desk.submission(&order(0)), Err(Need::Submissions(vec![order(0)])));
}
