//! Cases of the port `Submissions`.

use std::collections::BTreeSet;

use super::fixtures::{NOON, Stage, quantity};
use super::{Arrange, EveryPort, Unmet, Verdict, ensure};
use crate::domain::change_set::ChangeSet;
use crate::domain::identifiers::{ClOrdId, OrderKey, Side};
use crate::domain::reason::Reason;
use crate::domain::submission::{Answer, OrdStatus, Submission};

/// A change set that inserts these.
pub(super) fn inserting(submissions: impl IntoIterator<Item = Submission>) -> ChangeSet {
    let mut changes = ChangeSet::default();
    for submission in submissions {
        changes.put_submission(submission, false);
    }
    changes
}

pub(super) async fn a_submission_reads_back_as_it_was_written<P: EveryPort, A: Arrange>(
    on: &Stage<'_, P, A>,
) -> Verdict {
    let (n1, n2) = (ClOrdId::new("A-1")?, ClOrdId::new("A-2")?);
    let answers = [
        None,
        Some(Answer::Accepted),
        Some(Answer::Cancelled {
            cl_ord_id: n2.clone(),
            orig_cl_ord_id: n1.clone(),
            cum_qty: quantity("0")?,
            cxl_qty: quantity("0.000000000000000001")?,
        }),
        Some(Answer::CancelPending {
            orig_cl_ord_id: n1.clone(),
        }),
        Some(Answer::Replaced {
            orig_cl_ord_id: n1.clone(),
            cum_qty: quantity("999999999999999999")?,
            leaves_qty: quantity("1")?,
        }),
        Some(Answer::Status {
            orig_cl_ord_id: n1,
            ord_status: OrdStatus::PartiallyFilled,
            cum_qty: quantity("1")?,
            leaves_qty: quantity("2")?,
            tokens: vec![on.token(1, Side::Buy)],
        }),
        Some(Answer::Rejected {
            reason: Reason::OffTick,
        }),
    ];
    for (n, answer) in (0..).zip(answers) {
        let written = Submission {
            answer,
            tokens: vec![on.token(1, Side::Buy), on.token(2, Side::Sell)],
            matches: vec![on.match_id(1)],
            told_at: Some(NOON),
            ended_by: Some(n2.clone()),
            ..on.resting(n)?
        };
        on.write(&inserting([written.clone()]), n).await?;
        ensure(
            on.stored(&written.key()).await?.as_ref() == Some(&written),
            "it reads back changed",
        )?;
    }
    let mark = on.mark(100)?;
    on.write(&inserting([mark.clone()]), 100).await?;
    ensure(
        on.stored(&mark.key()).await? == Some(mark),
        "a mark reads back changed",
    )
}

pub(super) async fn a_submission_that_does_not_exist_is_none<P: EveryPort, A: Arrange>(
    on: &Stage<'_, P, A>,
) -> Verdict {
    ensure(on.stored(&on.order(1)?).await?.is_none(), "there is one")?;
    ensure(
        on.ports.read_submissions(&[]).await?.is_empty(),
        "no key gives a submission",
    )
}

pub(super) async fn two_hundred_and_fifty_submissions_are_read_in_one_call<P: EveryPort, A: Arrange>(
    on: &Stage<'_, P, A>,
) -> Verdict {
    let all: Vec<Submission> = (0..250).map(|n| on.resting(n)).collect::<Result<_, Unmet>>()?;
    for (n, part) in (0..).zip(all.chunks(100)) {
        on.write(&inserting(part.iter().cloned()), n).await?;
    }
    let missing = on.order(250)?;
    let mut keys: Vec<OrderKey> = all.iter().map(Submission::key).collect();
    keys.insert(120, missing.clone());
    let read = on.ports.read_submissions(&keys).await?;
    let distinct: BTreeSet<&OrderKey> = read.iter().map(|(key, _)| key).collect();
    ensure(read.len() == 251 && distinct.len() == 251, "not each key once")?;
    let as_written = |(key, found): &(OrderKey, Option<Submission>)| match found {
        Some(found) => all.contains(found) && found.key() == *key,
        None => *key == missing,
    };
    ensure(read.iter().all(as_written), "a submission under another's key")
}

/// Inserts a submission with these matches, by their numbers.
async fn with_matches<P: EveryPort, A: Arrange>(
    on: &Stage<'_, P, A>,
    matches: &[u32],
) -> Result<OrderKey, Unmet> {
    let submission = Submission {
        matches: matches.iter().map(|n| on.match_id(*n)).collect(),
        ..on.resting(1)?
    };
    on.write(&inserting([submission.clone()]), 1).await?;
    Ok(submission.key())
}

pub(super) async fn told_is_set_when_the_matches_are_those_published<P: EveryPort, A: Arrange>(
    on: &Stage<'_, P, A>,
) -> Verdict {
    let order = with_matches(on, &[1, 2]).await?;
    let matches = [on.match_id(1), on.match_id(2)];
    for at in [NOON, NOON.plus_millis(1)] {
        ensure(on.ports.mark_told(&order, &matches, at).await?, "it was not set")?;
        let stored = on.stored(&order).await?.and_then(|stored| stored.told_at);
        ensure(stored == Some(at), "toldAt is not what was set")?;
    }
    let expected = Submission {
        matches: matches.to_vec(),
        told_at: Some(NOON.plus_millis(1)),
        ..on.resting(1)?
    };
    ensure(
        on.stored(&order).await? == Some(expected),
        "something else was changed",
    )
}

pub(super) async fn told_is_not_set_when_there_are_other_matches<P: EveryPort, A: Arrange>(
    on: &Stage<'_, P, A>,
) -> Verdict {
    let order = with_matches(on, &[1, 2]).await?;
    for published in [&[1][..], &[1, 2, 3], &[2, 1], &[1, 3], &[]] {
        let matches: Vec<_> = published.iter().map(|n| on.match_id(*n)).collect();
        ensure(!on.ports.mark_told(&order, &matches, NOON).await?, "it was set")?;
    }
    let stored = on.stored(&order).await?;
    ensure(
        stored.is_some_and(|stored| stored.told_at.is_none()),
        "toldAt is there",
    )
}

pub(super) async fn told_is_not_set_on_what_does_not_exist<P: EveryPort, A: Arrange>(
    on: &Stage<'_, P, A>,
) -> Verdict {
    let order = on.order(1)?;
    for matches in [vec![on.match_id(1)], Vec::new()] {
        ensure(!on.ports.mark_told(&order, &matches, NOON).await?, "it was set")?;
    }
    ensure(on.stored(&order).await?.is_none(), "a submission came of it")
}
