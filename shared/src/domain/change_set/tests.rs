//! Merging is writing one after the other: laws, over random sequences of what decisions do.

use proptest::prelude::*;
use rust_decimal::Decimal;

use super::*;
use crate::domain::book::Rank;
use crate::domain::decimal::Price;
use crate::domain::form::Form;
use crate::domain::identifiers::{CounterpartyId, Side, Symbol};
use crate::domain::submission::{SubmissionKind, Terms, submission_expiry};
use crate::domain::test_tables::TestTables;
use crate::domain::time::Timestamp;
use crate::domain::token::{DataKey, EpochId, EpochKey};

/// Orders that a sequence is about.
const ORDERS: usize = 5;

/// What one decision does to one order.
#[derive(Debug, Clone, Copy)]
pub(in crate::domain) enum Act {
    /// It comes in and rests.
    Enter,
    /// It comes in and is filled at once.
    EnterFilled,
    /// An early cancel leaves its mark.
    Mark,
    /// One unit of it is matched; found by itself or by another.
    Match { found_by_itself: bool },
    /// Its owner takes it out.
    Cancel,
    /// Its owner replaces it in its place; the new one is the same order with another number.
    ReplaceInPlace { by: usize },
}

pub(in crate::domain) fn act() -> impl Strategy<Value = (usize, Act)> {
    let act = prop_oneof![
        4 => Just(Act::Enter),
        1 => Just(Act::EnterFilled),
        2 => Just(Act::Mark),
        6 => any::<bool>().prop_map(|found_by_itself| Act::Match { found_by_itself }),
        2 => Just(Act::Cancel),
        2 => (0..ORDERS).prop_map(|by| Act::ReplaceInPlace { by }),
    ];
    (0..ORDERS, act)
}

fn qty(units: u32) -> Quantity {
    Quantity::from_decimal(Decimal::from(units)).unwrap()
}

fn name(number: usize) -> OrderKey {
    let cl_ord_id = ClOrdId::new(format!("order-{number}")).unwrap();
    OrderKey::new(CounterpartyId::new("cp-a").unwrap(), cl_ord_id)
}

fn blank(number: usize, kind: SubmissionKind) -> Submission {
    let at = Timestamp::from_millis(1_000);
    Submission {
        v: Form,
        owner: name(number).owner,
        cl_ord_id: name(number).cl_ord_id,
        kind,
        body_hash: None,
        accepted_at: at,
        answer: None,
        terms: None,
        ord_status: None,
        cum_qty: Quantity::ZERO,
        leaves_qty: Quantity::ZERO,
        rests: None,
        tokens: Vec::new(),
        matches: Vec::new(),
        told_at: None,
        ended_by: None,
        generation: 1,
        expires_at: submission_expiry(at),
    }
}

fn resting(number: usize) -> Submission {
    let price = Price::parse("100").unwrap();
    let accepted_at = Timestamp::from_millis(1_000);
    let mut order = blank(number, SubmissionKind::Interest);
    order.terms = Some(Terms {
        symbol: Symbol::new("X").unwrap(),
        side: Side::Buy,
        order_qty: qty(3),
        price,
        min_qty: Quantity::ZERO,
        expire_time: accepted_at.plus_days(1),
    });
    order.ord_status = Some(OrdStatus::New);
    order.leaves_qty = qty(3);
    order.rests = Some(Rests {
        rank: Rank::new(Side::Buy, price, accepted_at, &name(number)),
        version: Version::FIRST,
    });
    order
}

/// Decides, from what the tables would hold by now.
struct Decider {
    tables: TestTables,
    key: EpochKey,
    matches: u8,
}

impl Decider {
    /// The change set of one act, or nothing where it has no place.
    fn decide(&mut self, number: usize, act: Act) -> Option<ChangeSet> {
        let key = name(number);
        let stored = self.tables.submissions.get(&key).cloned();
        let mark = stored.as_ref().is_some_and(Submission::is_mark);
        let mut changes = ChangeSet::default();
        match (act, stored) {
            (Act::Enter, None) => enter(&mut changes, resting(number), false),
            (Act::Enter, Some(_)) if mark => changes.put_submission(born_cancelled(number), true),
            (Act::EnterFilled, None) => {
                let mut order = resting(number);
                (order.rests, order.leaves_qty) = (None, Quantity::ZERO);
                order.matches.push(self.match_id());
                enter(&mut changes, order, false);
            }
            (Act::Mark, None) => changes.put_submission(blank(number, SubmissionKind::Mark), false),
            (Act::Match { found_by_itself }, Some(order)) if order.rests.is_some() => {
                self.fill(&mut changes, &order, found_by_itself);
            }
            (Act::Cancel, Some(order)) if order.rests.is_some() => close(&mut changes, &order, "cancel"),
            (Act::ReplaceInPlace { by }, Some(order)) if order.rests.is_some() => {
                let free = !self.tables.submissions.contains_key(&name(by));
                replace_in_place(&mut changes, &order, by).filter(|()| free)?;
            }
            _ => return None,
        }
        Some(changes)
    }

    fn match_id(&mut self) -> MatchId {
        self.matches += 1;
        MatchId::from_random([self.matches; 16])
    }

    fn fill(&mut self, changes: &mut ChangeSet, order: &Submission, found_by_itself: bool) {
        let id = self.match_id();
        let mut entry = order.entry().unwrap();
        let expected = entry.version;
        entry.cum_qty = entry.cum_qty.plus(qty(1));
        entry.leaves_qty = entry.leaves_qty.minus(qty(1));
        entry.version = expected.next();
        let rests = Rests {
            rank: entry.rank.clone(),
            version: entry.version,
        };
        let progress = Progress {
            ord_status: OrdStatus::PartiallyFilled,
            cum_qty: entry.cum_qty,
            leaves_qty: entry.leaves_qty,
            rests: (!entry.leaves_qty.is_zero()).then_some(rests),
            tokens: vec![self.key.token(id, Side::Buy, &order.owner)],
            matches: found_by_itself.then_some(id).into_iter().collect(),
            ended_by: None,
            generation: 1,
        };
        changes.advance(order.key(), progress);
        changes.change_entry(entry, expected);
    }
}

fn enter(changes: &mut ChangeSet, order: Submission, over_mark: bool) {
    order
        .entry()
        .into_iter()
        .for_each(|entry| changes.insert_entry(entry));
    changes.put_submission(order, over_mark);
}

fn born_cancelled(number: usize) -> Submission {
    let mut order = resting(number);
    (order.rests, order.leaves_qty) = (None, Quantity::ZERO);
    order.ord_status = Some(OrdStatus::Cancelled);
    order
}

fn closing(order: &Submission, by: &str) -> Progress {
    Progress {
        ord_status: OrdStatus::Cancelled,
        cum_qty: order.cum_qty,
        leaves_qty: Quantity::ZERO,
        rests: None,
        tokens: Vec::new(),
        matches: Vec::new(),
        ended_by: Some(ClOrdId::new(by).unwrap()),
        generation: 1,
    }
}

fn close(changes: &mut ChangeSet, order: &Submission, by: &str) {
    let entry = order.entry().unwrap();
    changes.advance(order.key(), closing(order, by));
    changes.delete_entry(entry.key(), entry.version);
}

fn replace_in_place(changes: &mut ChangeSet, order: &Submission, by: usize) -> Option<()> {
    let expected = order.entry()?.version;
    let mut new = order.clone();
    new.cl_ord_id = name(by).cl_ord_id;
    new.matches.clear();
    new.rests.as_mut()?.version = expected.next();
    changes.advance(order.key(), closing(order, new.cl_ord_id.as_str()));
    changes.change_entry(new.entry()?, expected);
    changes.put_submission(new, false);
    Some(())
}

/// What was decided one after the other, and the tables before and after.
pub(in crate::domain) struct Sequence {
    pub(in crate::domain) before: TestTables,
    pub(in crate::domain) decided: Vec<ChangeSet>,
    pub(in crate::domain) after: TestTables,
}

/// The first `already` acts have been written long ago; the others are decided one after the other.
pub(in crate::domain) fn sequence(acts: &[(usize, Act)], already: usize) -> Sequence {
    let epoch = EpochId::new(Timestamp::from_millis(0), 1);
    let mut writer = Decider {
        tables: TestTables::default(),
        key: EpochKey::derive(epoch, DataKey::new([7; 32])),
        matches: 0,
    };
    let (mut before, mut decided) = (TestTables::default(), Vec::new());
    for (step, (number, act)) in acts.iter().enumerate() {
        let Some(changes) = writer.decide(*number, *act) else {
            continue;
        };
        writer.tables.commit(&changes).unwrap();
        if step < already {
            // What its publication does in the end.
            let told = Some(Timestamp::from_millis(2_000));
            let stored = writer.tables.submissions.values_mut();
            stored.for_each(|submission| submission.told_at = told);
            before = writer.tables.clone();
        } else {
            decided.push(changes);
        }
    }
    Sequence {
        before,
        decided,
        after: writer.tables,
    }
}

fn merged(all: &[ChangeSet]) -> ChangeSet {
    all.iter()
        .cloned()
        .fold(ChangeSet::default(), |mut merged, later| {
            merged.merge(later);
            merged
        })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(500) })]

    #[test]
    fn writing_the_merged_is_writing_one_after_the_other(
        acts in prop::collection::vec(act(), 0..25),
        already in 0_usize..12,
    ) {
        let sequence = sequence(&acts, already);
        let mut tables = sequence.before.clone();
        prop_assert!(tables.commit(&merged(&sequence.decided)).is_ok());
        prop_assert_eq!(tables, sequence.after);
    }

    #[test]
    fn merging_is_associative(
        acts in prop::collection::vec(act(), 0..25),
        already in 0_usize..12,
        cut in any::<prop::sample::Index>(),
    ) {
        let decided = sequence(&acts, already).decided;
        let (first, second) = decided.split_at(cut.index(decided.len() + 1));
        prop_assert!(merged(&[merged(first), merged(second)]) == merged(&decided));
    }

    #[test]
    fn the_bound_on_its_actions_is_one(
        acts in prop::collection::vec(act(), 0..25),
        already in 0_usize..12,
    ) {
        let decided = sequence(&acts, already).decided;
        let mut all = ChangeSet::default();
        for later in decided {
            let bound = all.actions_with(&later);
            all.merge(later);
            prop_assert!(all.actions() <= bound);
        }
        prop_assert_eq!(all.is_empty(), all.actions() == 0);
    }

    /// Somebody else changed one entry after it was read: no part of what was decided from it is written.
    #[test]
    fn what_changed_meanwhile_is_not_overwritten(
        acts in prop::collection::vec(act(), 0..25),
        already in 0_usize..12,
    ) {
        let sequence = sequence(&acts, already);
        let changes = merged(&sequence.decided);
        for key in changes.entries.keys().filter(|key| sequence.before.entries.contains_key(*key)) {
            let mut tables = sequence.before.clone();
            let entry = tables.entries.get_mut(key).unwrap();
            entry.version = entry.version.next();
            let before = tables.clone();
            prop_assert!(tables.commit(&changes).is_err());
            prop_assert_eq!(tables, before);
        }
    }
}

/// Two takers of one entry become one update of it, on condition of the version that was read before the first.
#[test]
fn two_takers_of_one_entry_are_one_update() {
    let act = Act::Match {
        found_by_itself: false,
    };
    let sequence = sequence(&[(0, Act::Enter), (0, act), (0, act)], 1);
    let changes = merged(&sequence.decided);
    assert_eq!((changes.submissions.len(), changes.entries.len()), (1, 1));
    let write = changes.entries.values().next();
    let Some(EntryWrite::Update { entry, expected }) = write else {
        panic!("no update")
    };
    assert_eq!((*expected, entry.version), (Version(1), Version(3)));
}

/// A match found anew is not told yet, whatever was told before.
#[test]
fn a_new_match_takes_told_away() {
    let act = Act::Match {
        found_by_itself: true,
    };
    let sequence = sequence(&[(0, Act::Enter), (0, act)], 1);
    let before = sequence.before.submissions.values().next().unwrap();
    assert!(before.told_at.is_some());
    let mut tables = sequence.before.clone();
    tables.commit(&merged(&sequence.decided)).unwrap();
    assert_eq!(tables.submissions[&name(0)].told_at, None);
}
