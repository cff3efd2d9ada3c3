//! Cases of the port `Ledger`.

use super::fixtures::{NOON, Stage, quantity, together};
use super::submissions::inserting;
use super::{Arrange, EveryPort, Unmet, Verdict, ensure};
use crate::domain::book::{Entry, Rank, Version};
use crate::domain::change_set::{ChangeSet, Progress};
use crate::domain::identifiers::{ClOrdId, Side};
use crate::domain::submission::{OrdStatus, Rests, Submission};
use crate::ports::{CommitError, Fault, LostItem};

/// Writes `changes` and expects exactly these conditions to be lost, in any order.
async fn loses<P: EveryPort, A: Arrange>(
    on: &Stage<'_, P, A>,
    changes: &ChangeSet,
    n: u32,
    expected: &[LostItem],
) -> Verdict {
    match on.ports.commit(changes, on.request(n)).await {
        Err(CommitError::Lost(lost)) => ensure(
            lost.len() == expected.len() && expected.iter().all(|item| lost.contains(item)),
            "other conditions are named than were lost",
        ),
        Err(error) => Err(error.into()),
        Ok(()) => Err(Unmet("it was written".to_owned())),
    }
}

/// The entries of the case's book, as they are stored.
async fn book<P: EveryPort, A: Arrange>(on: &Stage<'_, P, A>) -> Result<Vec<Entry>, Unmet> {
    super::books::whole_book(on, on.symbol(0)?, Side::Sell).await
}

/// An interest with its entry, both stored.
async fn put_resting<P: EveryPort, A: Arrange>(on: &Stage<'_, P, A>, n: u32) -> Result<Submission, Unmet> {
    let submission = on.resting(n)?;
    let mut changes = inserting([submission.clone()]);
    changes.insert_entry(on.entry(n)?);
    on.write(&changes, 1000 + n).await?;
    Ok(submission)
}

pub(super) async fn an_empty_change_set_is_written<P: EveryPort, A: Arrange>(
    on: &Stage<'_, P, A>,
) -> Verdict {
    on.write(&ChangeSet::default(), 1).await
}

pub(super) async fn a_lone_insert_over_a_submission_is_lost<P: EveryPort, A: Arrange>(
    on: &Stage<'_, P, A>,
) -> Verdict {
    insert_twice(on, &ChangeSet::default()).await
}

pub(super) async fn an_insert_over_a_submission_is_lost<P: EveryPort, A: Arrange>(
    on: &Stage<'_, P, A>,
) -> Verdict {
    insert_twice(on, &inserting([on.resting(2)?])).await?;
    ensure(
        on.stored(&on.order(2)?).await?.is_none(),
        "the rest of the transaction was written",
    )
}

async fn insert_twice<P: EveryPort, A: Arrange>(on: &Stage<'_, P, A>, beside: &ChangeSet) -> Verdict {
    let first = on.resting(1)?;
    on.write(&inserting([first.clone()]), 1).await?;
    let mut changes = inserting([Submission {
        generation: 9,
        ..first.clone()
    }]);
    changes.merge(beside.clone());
    loses(on, &changes, 2, &[LostItem::Submission(first.key())]).await?;
    ensure(
        on.stored(&first.key()).await? == Some(first),
        "the first one was changed",
    )
}

pub(super) async fn a_mark_is_claimed_once<P: EveryPort, A: Arrange>(on: &Stage<'_, P, A>) -> Verdict {
    for (n, beside) in [(1, ChangeSet::default()), (10, inserting([on.resting(11)?]))] {
        on.write(&inserting([on.mark(n)?]), n).await?;
        let born_cancelled = Submission {
            ord_status: Some(OrdStatus::Cancelled),
            rests: None,
            ..on.resting(n)?
        };
        let mut claim = beside;
        claim.put_submission(born_cancelled.clone(), true);
        on.write(&claim, n + 1).await?;
        let stored = on.stored(&born_cancelled.key()).await?;
        ensure(
            stored.as_ref() == Some(&born_cancelled),
            "the mark was not replaced",
        )?;
        let mut again = ChangeSet::default();
        again.put_submission(born_cancelled.clone(), true);
        loses(on, &again, n + 2, &[LostItem::Submission(born_cancelled.key())]).await?;
    }
    Ok(())
}

pub(super) async fn only_a_mark_is_claimed<P: EveryPort, A: Arrange>(on: &Stage<'_, P, A>) -> Verdict {
    let interest = on.resting(1)?;
    on.write(&inserting([interest.clone()]), 1).await?;
    let (mut over_interest, mut over_nothing) = (ChangeSet::default(), ChangeSet::default());
    over_interest.put_submission(interest.clone(), true);
    over_nothing.put_submission(on.resting(2)?, true);
    loses(on, &over_interest, 2, &[LostItem::Submission(interest.key())]).await?;
    loses(on, &over_nothing, 3, &[LostItem::Submission(on.order(2)?)]).await?;
    over_interest.merge(over_nothing);
    let both = [interest.key(), on.order(2)?].map(LostItem::Submission);
    loses(on, &over_interest, 4, &both).await
}

/// The next version in the same place.
fn next(rests: Option<&Rests>) -> Option<Rests> {
    rests.map(|rests| Rests {
        rank: rests.rank.clone(),
        version: rests.version.next(),
    })
}

/// Advances an order together with its entry, as every decision does.
async fn advance<P: EveryPort, A: Arrange>(
    on: &Stage<'_, P, A>,
    order: &Submission,
    progress: &Progress,
    n: u32,
) -> Result<Submission, Unmet> {
    let mut after = order.clone();
    progress.apply_to(&mut after);
    let mut changes = ChangeSet::default();
    changes.advance(order.key(), progress.clone());
    match (order.entry(), after.entry()) {
        (Some(before), Some(entry)) => changes.change_entry(entry, before.version),
        (Some(before), None) => changes.delete_entry(before.key(), before.version),
        _ => {}
    }
    on.write(&changes, n).await?;
    Ok(after)
}

pub(super) async fn an_advance_appends_and_takes_told_away<P: EveryPort, A: Arrange>(
    on: &Stage<'_, P, A>,
) -> Verdict {
    let mut order = put_resting(on, 1).await?;
    for n in [1, 2] {
        order = advance(on, &order, &on.fill(n, next(order.rests.as_ref()))?, n).await?;
        ensure(
            on.stored(&order.key()).await?.as_ref() == Some(&order),
            "it is not as a fill leaves it",
        )?;
        ensure(
            on.ports.mark_told(&order.key(), &order.matches, NOON).await?,
            "it cannot be told",
        )?;
    }
    ensure(
        order.tokens.len() == 2 && order.matches.len() == 2,
        "the case itself is wrong",
    )?;
    ensure(
        book(on).await? == order.entry().into_iter().collect::<Vec<_>>(),
        "the entry was not changed",
    )
}

pub(super) async fn an_advance_without_matches_leaves_told_and_lists<P: EveryPort, A: Arrange>(
    on: &Stage<'_, P, A>,
) -> Verdict {
    let order = put_resting(on, 1).await?;
    let order = advance(on, &order, &on.fill(1, next(order.rests.as_ref()))?, 1).await?;
    ensure(
        on.ports.mark_told(&order.key(), &order.matches, NOON).await?,
        "it cannot be told",
    )?;
    // Consumed as the resting side: a token, but the match is somebody else's to tell.
    let consumed = Progress {
        matches: Vec::new(),
        ..on.fill(2, next(order.rests.as_ref()))?
    };
    let mut order = advance(on, &order, &consumed, 2).await?;
    order.told_at = Some(NOON);
    ensure(
        on.stored(&order.key()).await?.as_ref() == Some(&order),
        "a token takes told away",
    )?;
    let untouched = Progress {
        tokens: Vec::new(),
        ..consumed
    };
    let order = advance(
        on,
        &order,
        &Progress {
            rests: next(order.rests.as_ref()),
            ..untouched
        },
        3,
    )
    .await?;
    ensure(
        on.stored(&order.key()).await? == Some(order),
        "lists or told were changed by nothing",
    )
}

pub(super) async fn an_advance_ends_an_order<P: EveryPort, A: Arrange>(on: &Stage<'_, P, A>) -> Verdict {
    let order = put_resting(on, 1).await?;
    let ended = Progress {
        ord_status: OrdStatus::Cancelled,
        leaves_qty: quantity("0")?,
        tokens: Vec::new(),
        matches: Vec::new(),
        ended_by: Some(ClOrdId::new("A-2")?),
        ..on.fill(1, None)?
    };
    let order = advance(on, &order, &ended, 1).await?;
    ensure(
        on.stored(&order.key()).await?.as_ref() == Some(&order),
        "it is not as a cancel leaves it",
    )?;
    ensure(book(on).await?.is_empty(), "its entry is still there")?;
    let silent = Progress {
        ended_by: None,
        ..ended
    };
    let order = advance(on, &order, &silent, 2).await?;
    ensure(order.ended_by.is_some(), "the case itself is wrong")?;
    ensure(
        on.stored(&order.key()).await? == Some(order),
        "what ended it was forgotten",
    )
}

pub(super) async fn an_advance_of_nothing_is_lost<P: EveryPort, A: Arrange>(on: &Stage<'_, P, A>) -> Verdict {
    let mut changes = ChangeSet::default();
    changes.advance(on.order(1)?, on.fill(1, None)?);
    loses(on, &changes, 1, &[LostItem::Submission(on.order(1)?)]).await?;
    changes.merge(inserting([on.resting(2)?]));
    loses(on, &changes, 2, &[LostItem::Submission(on.order(1)?)]).await?;
    ensure(
        on.stored(&on.order(1)?).await?.is_none(),
        "a submission came of it",
    )
}

pub(super) async fn a_lone_advance_is_written_once<P: EveryPort, A: Arrange>(
    on: &Stage<'_, P, A>,
) -> Verdict {
    let mut order = on.resting(1)?;
    on.write(&inserting([order.clone()]), 1).await?;
    let progress = on.fill(1, order.rests.clone())?;
    progress.apply_to(&mut order);
    let mut changes = ChangeSet::default();
    changes.advance(order.key(), progress);
    for _repetition in 0..2 {
        on.write(&changes, 2).await?;
        ensure(
            on.stored(&order.key()).await?.as_ref() == Some(&order),
            "not once",
        )?;
    }
    Ok(())
}

/// The entry with another quantity and the next version.
fn changed(entry: &Entry) -> Result<Entry, Unmet> {
    Ok(Entry {
        cum_qty: quantity("1.25")?,
        leaves_qty: quantity("4")?,
        version: entry.version.next(),
        ..entry.clone()
    })
}

pub(super) async fn an_entry_is_changed_under_its_version<P: EveryPort, A: Arrange>(
    on: &Stage<'_, P, A>,
) -> Verdict {
    change_entry(on, &inserting([on.resting(2)?])).await?;
    ensure(
        on.stored(&on.order(2)?).await?.is_some(),
        "the rest of the transaction was not written",
    )
}

pub(super) async fn a_lone_entry_is_changed_under_its_version<P: EveryPort, A: Arrange>(
    on: &Stage<'_, P, A>,
) -> Verdict {
    change_entry(on, &ChangeSet::default()).await
}

async fn change_entry<P: EveryPort, A: Arrange>(on: &Stage<'_, P, A>, beside: &ChangeSet) -> Verdict {
    put_resting(on, 1).await?;
    let first = on.entry(1)?;
    let second = changed(&first)?;
    let mut update = beside.clone();
    update.change_entry(second.clone(), first.version);
    on.write(&update, 1).await?;
    ensure(book(on).await?.first() == Some(&second), "it was not changed")?;
    let mut stale = ChangeSet::default();
    stale.change_entry(changed(&first)?, first.version);
    loses(on, &stale, 2, &[LostItem::Entry(first.key())]).await?;
    let mut absent = ChangeSet::default();
    absent.change_entry(changed(&on.entry(3)?)?, Version::FIRST);
    loses(on, &absent, 3, &[LostItem::Entry(on.entry(3)?.key())]).await?;
    ensure(book(on).await? == [second], "a lost condition changed the book")
}

pub(super) async fn an_entry_is_taken_out_under_its_version<P: EveryPort, A: Arrange>(
    on: &Stage<'_, P, A>,
) -> Verdict {
    for (n, beside) in [(1, ChangeSet::default()), (10, inserting([on.resting(11)?]))] {
        put_resting(on, n).await?;
        let entry = on.entry(n)?;
        let delete = |expected: Version, beside: &ChangeSet| {
            let mut changes = beside.clone();
            changes.delete_entry(entry.key(), expected);
            changes
        };
        let lost = [LostItem::Entry(entry.key())];
        loses(on, &delete(Version::FIRST.next(), &beside), n + 1, &lost).await?;
        ensure(
            book(on).await? == [entry.clone()],
            "it was taken out under another version",
        )?;
        on.write(&delete(Version::FIRST, &beside), n + 2).await?;
        ensure(book(on).await?.is_empty(), "it is still there")?;
        loses(on, &delete(Version::FIRST, &ChangeSet::default()), n + 3, &lost).await?;
    }
    Ok(())
}

pub(super) async fn an_entry_is_put_once<P: EveryPort, A: Arrange>(on: &Stage<'_, P, A>) -> Verdict {
    let entry = on.entry(1)?;
    let mut changes = ChangeSet::default();
    changes.insert_entry(entry.clone());
    on.write(&changes, 1).await?;
    let mut again = ChangeSet::default();
    again.insert_entry(changed(&entry)?);
    loses(on, &again, 2, &[LostItem::Entry(entry.key())]).await?;
    again.merge(inserting([on.resting(2)?]));
    loses(on, &again, 3, &[LostItem::Entry(entry.key())]).await?;
    ensure(book(on).await? == [entry], "the first one was changed")
}

pub(super) async fn a_match_is_put_once<P: EveryPort, A: Arrange>(on: &Stage<'_, P, A>) -> Verdict {
    let record = on.match_record(1)?;
    let mut changes = inserting([on.resting(1)?]);
    changes.matches.push(record.clone());
    on.write(&changes, 1).await?;
    let mut again = inserting([on.resting(2)?]);
    let mut other = on.match_record(1)?;
    other.generation = 9;
    again.matches.push(other);
    loses(on, &again, 2, &[LostItem::Match(record.match_id)]).await?;
    let stored = on.ports.read_matches(&[record.match_id]).await?;
    ensure(stored == [record], "the first one was changed")?;
    ensure(on.stored(&on.order(2)?).await?.is_none(), "the rest was written")
}

pub(super) async fn all_or_nothing_and_every_lost_condition_is_named<P: EveryPort, A: Arrange>(
    on: &Stage<'_, P, A>,
) -> Verdict {
    let (one, two) = (put_resting(on, 1).await?, put_resting(on, 2).await?);
    let before = book(on).await?;
    let mut changes = inserting([on.resting(3)?, one.clone()]);
    changes.advance(two.key(), on.fill(1, next(two.rests.as_ref()))?);
    changes.change_entry(changed(&on.entry(1)?)?, Version::FIRST);
    changes.change_entry(changed(&on.entry(2)?)?, Version::FIRST.next());
    changes.insert_entry(on.entry(3)?);
    changes.matches.push(on.match_record(1)?);
    let lost = [
        LostItem::Submission(one.key()),
        LostItem::Entry(on.entry(2)?.key()),
    ];
    loses(on, &changes, 1, &lost).await?;
    ensure(book(on).await? == before, "the book was changed")?;
    ensure(
        on.stored(&two.key()).await? == Some(two),
        "a submission was changed",
    )?;
    ensure(
        on.stored(&on.order(3)?).await?.is_none(),
        "a submission was written",
    )?;
    ensure(
        on.ports.read_matches(&[on.match_id(1)]).await?.is_empty(),
        "a match was written",
    )
}

pub(super) async fn a_repeated_transaction_is_written_once<P: EveryPort, A: Arrange>(
    on: &Stage<'_, P, A>,
) -> Verdict {
    let mut order = put_resting(on, 1).await?;
    let progress = on.fill(1, next(order.rests.as_ref()))?;
    let mut changes = inserting([on.resting(2)?]);
    changes.advance(order.key(), progress.clone());
    changes.change_entry(changed(&on.entry(1)?)?, Version::FIRST);
    changes.matches.push(on.match_record(1)?);
    progress.apply_to(&mut order);
    for _repetition in 0..3 {
        on.write(&changes, 1).await?;
        ensure(
            on.stored(&order.key()).await?.as_ref() == Some(&order),
            "not once",
        )?;
    }
    // Under another token it is another request.
    let lost = [
        LostItem::Submission(on.order(2)?),
        LostItem::Entry(on.entry(1)?.key()),
        LostItem::Match(on.match_id(1)),
    ];
    loses(on, &changes, 2, &lost).await
}

pub(super) async fn a_token_is_good_for_one_content<P: EveryPort, A: Arrange>(
    on: &Stage<'_, P, A>,
) -> Verdict {
    on.write(&inserting([on.resting(1)?, on.resting(2)?]), 1).await?;
    let other = inserting([on.resting(3)?, on.resting(4)?]);
    let refused = match on.ports.commit(&other, on.request(1)).await {
        Err(CommitError::Failed(error)) => error.fault == Fault::Refused,
        _ => false,
    };
    ensure(refused, "other content under the same token is not refused")?;
    ensure(
        on.stored(&on.order(3)?).await?.is_none(),
        "other content was written",
    )
}

pub(super) async fn a_repeated_lone_write_loses_to_itself<P: EveryPort, A: Arrange>(
    on: &Stage<'_, P, A>,
) -> Verdict {
    let submission = on.resting(1)?;
    let changes = inserting([submission.clone()]);
    on.write(&changes, 1).await?;
    loses(on, &changes, 1, &[LostItem::Submission(submission.key())]).await?;
    ensure(
        on.stored(&submission.key()).await? == Some(submission),
        "it was changed",
    )
}

pub(super) async fn a_hundred_actions_are_written<P: EveryPort, A: Arrange>(on: &Stage<'_, P, A>) -> Verdict {
    let mut changes = ChangeSet::default();
    for n in 0..34 {
        changes.put_submission(on.resting(n)?, false);
        changes.insert_entry(on.entry(n)?);
        changes.matches.push(on.match_record(n)?);
    }
    changes.submissions.pop_last();
    changes.entries.pop_last();
    ensure(changes.actions() == 100, "the case itself is wrong")?;
    on.write(&changes, 1).await?;
    let written = book(on).await?;
    let ranks: Vec<&Rank> = changes.entries.keys().map(|key| &key.rank).collect();
    ensure(
        written.iter().map(|entry| &entry.rank).eq(ranks),
        "not all were written",
    )?;
    let ids: Vec<_> = changes.matches.iter().map(|record| record.match_id).collect();
    ensure(
        on.ports.read_matches(&ids).await?.len() == 34,
        "not all matches were written",
    )
}

pub(super) async fn of_many_writers_of_one_entry_one_wins<P: EveryPort, A: Arrange>(
    on: &Stage<'_, P, A>,
) -> Verdict {
    put_resting(on, 1).await?;
    let entry = on.entry(1)?;
    let takers: Vec<Submission> = (10..18).map(|n| on.resting(n)).collect::<Result<_, Unmet>>()?;
    let mut changes: Vec<ChangeSet> = Vec::new();
    for taker in &takers {
        let mut taking = inserting([taker.clone()]);
        taking.delete_entry(entry.key(), entry.version);
        changes.push(taking);
    }
    // They may all stand in each other's way; then they try again.
    for round in 0..10 {
        let calls = (10..)
            .zip(&changes)
            .map(|(n, taking)| on.ports.commit(taking, on.request(100 * round + n)));
        let outcomes = together(calls).await;
        let won = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
        for (outcome, taker) in outcomes.into_iter().zip(&takers) {
            took_or_lost(on, outcome, taker, &entry).await?;
        }
        if won > 0 {
            ensure(won == 1, "more than one won")?;
            return ensure(book(on).await?.is_empty(), "the entry is still there");
        }
    }
    Err(Unmet("nobody won".to_owned()))
}

async fn took_or_lost<P: EveryPort, A: Arrange>(
    on: &Stage<'_, P, A>,
    outcome: Result<(), CommitError>,
    taker: &Submission,
    entry: &Entry,
) -> Verdict {
    let written = on.stored(&taker.key()).await?.is_some();
    ensure(
        written == outcome.is_ok(),
        "a winner was not written, or a loser was",
    )?;
    match outcome {
        Ok(()) | Err(CommitError::Conflict) => Ok(()),
        Err(CommitError::Lost(lost)) => ensure(
            lost == [LostItem::Entry(entry.key())],
            "something else was lost than the entry",
        ),
        Err(error) => Err(error.into()),
    }
}
