//! The sending: call by call, in the file's order, each acknowledged part noted before the next call.

use std::ops::Range;
use std::time::Duration;

use symbolon_shared::ports::{Fault, PortError};

use super::journal::Journal;
use super::parcel::{Parcel, next_call};
use super::progress::Progress;
use super::rows::Line;
use crate::ask::SENDER;
use crate::deployment::Deployment;
use crate::failure::Failure;
use crate::queue::Intake;

/// How long what SQS did not take of a batch waits before it is sent again; whole calls are repeated by the SDK.
const PAUSES: [Duration; 6] = [
    Duration::from_millis(100),
    Duration::from_millis(200),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
];

/// Why the sending stopped.
#[derive(Debug)]
pub(super) enum Stop {
    /// Somebody interrupted it.
    Interrupted,
    /// The journal cannot be written.
    Journal(std::io::Error),
    /// A call failed, or these lines were not taken.
    Queue(PortError, Option<Range<usize>>),
}

/// Sends what is not acknowledged, and gives how many SQS messages that took.
///
/// One call after the other: the moment of acceptance is SQS's, so the file's order stays the order in time.
pub(super) async fn all<Q: Intake>(
    queue: &Q,
    lines: &[Line],
    bundle: Option<usize>,
    journal: &mut Journal,
    progress: &Progress,
) -> Result<usize, Stop> {
    let mut sqs_messages = 0;
    while let Some(open) = journal.next_open() {
        let parcels = next_call(lines, open, bundle);
        sqs_messages += parcels.len();
        call(queue, parcels, journal).await?;
        progress.set(journal.acknowledged());
    }
    Ok(sqs_messages)
}

/// Sends these until all are taken.
async fn call<Q: Intake>(queue: &Q, mut parcels: Vec<Parcel>, journal: &mut Journal) -> Result<(), Stop> {
    let mut pauses = PAUSES.into_iter();
    loop {
        let bodies: Vec<String> = parcels.iter().map(|parcel| parcel.body.clone()).collect();
        let left = queue
            .send(&bodies)
            .await
            .map_err(|error| Stop::Queue(error, None))?;
        let is_left = |index: usize| left.iter().any(|not_taken| not_taken.index == index);
        let all: Vec<(usize, Parcel)> = parcels.into_iter().enumerate().collect();
        let (kept, taken): (Vec<_>, Vec<_>) = all.into_iter().partition(|(index, _)| is_left(*index));
        let stretches = taken.into_iter().map(|(_, parcel)| parcel.lines);
        journal.note(&joined(stretches)).map_err(Stop::Journal)?;
        let Some(first) = left.first() else {
            return Ok(());
        };
        let refused = left
            .iter()
            .find(|not_taken| not_taken.error.fault == Fault::Refused);
        let pause = if refused.is_some() { None } else { pauses.next() };
        let Some(pause) = pause else {
            let named = refused.unwrap_or(first);
            let which = kept.iter().find(|(index, _)| *index == named.index);
            return Err(Stop::Queue(
                named.error.clone(),
                which.map(|(_, parcel)| parcel.lines.clone()),
            ));
        };
        tokio::time::sleep(pause).await;
        parcels = kept.into_iter().map(|(_, parcel)| parcel).collect();
    }
}

/// Stretches that follow each other as one.
fn joined(stretches: impl Iterator<Item = Range<usize>>) -> Vec<Range<usize>> {
    let mut joined: Vec<Range<usize>> = Vec::new();
    for stretch in stretches {
        match joined.last_mut() {
            Some(last) if last.end == stretch.start => last.end = stretch.end,
            _ => joined.push(stretch),
        }
    }
    joined
}

impl Stop {
    pub(super) fn explain(self, deployment: &Deployment, lines: &[Line], journal: &Journal) -> Failure {
        let acknowledged = format!(
            "{} of {} messages were acknowledged",
            journal.acknowledged(),
            lines.len()
        );
        let again = match journal.file() {
            Some(_) => format!("{acknowledged}: run the same command again, and it goes on from there"),
            None => {
                format!("{acknowledged}: run it again with the same input; what is sent twice counts once")
            }
        };
        match self {
            Self::Interrupted => Failure::new("interrupted").advice(again),
            Self::Journal(error) => Failure::new("cannot write the journal, so the sending stopped")
                .because(error.to_string())
                .advice("make room, or name another place with --journal")
                .also(&again),
            Self::Queue(error, None) => deployment
                .connection
                .explain(&error, "send to the intake queue", SENDER)
                .also(&again),
            Self::Queue(error, Some(left)) => {
                let line = lines.get(left.start).map_or(0, |line| line.number);
                Failure::new(format!("SQS does not take the message of line {line}"))
                    .because(error.to_string())
                    .advice(again)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::super::journal::Key;
    use super::*;
    use crate::queue::NotTaken;

    /// What is not taken of a call, or how it fails.
    type Answer = Result<Vec<(usize, Fault)>, Fault>;

    /// Takes what the script says, in order; then everything.
    struct Scripted {
        answers: RefCell<Vec<Answer>>,
        taken: RefCell<Vec<String>>,
    }

    fn error(fault: Fault) -> PortError {
        PortError {
            operation: "sqs:SendMessage",
            fault,
            code: "Code".to_owned(),
        }
    }

    impl Intake for Scripted {
        async fn send(&self, bodies: &[String]) -> Result<Vec<NotTaken>, PortError> {
            let mut answers = self.answers.borrow_mut();
            let answer = if answers.is_empty() {
                Ok(Vec::new())
            } else {
                answers.remove(0)
            };
            let left = answer.map_err(error)?;
            let mut taken = self.taken.borrow_mut();
            taken.extend(
                bodies
                    .iter()
                    .enumerate()
                    .filter(|(index, _)| !left.iter().any(|(left, _)| left == index))
                    .map(|(_, body)| body.clone()),
            );
            Ok(left
                .into_iter()
                .map(|(index, fault)| NotTaken {
                    index,
                    error: error(fault),
                })
                .collect())
        }
    }

    async fn sent(answers: Vec<Answer>) -> (Result<usize, Stop>, Vec<String>, Journal) {
        let lines: Vec<Line> = (0..25)
            .map(|n| Line {
                number: n + 1,
                body: n.to_string(),
            })
            .collect();
        let mut journal = Journal::none(&Key::new(b"", "", lines.len()));
        let queue = Scripted {
            answers: answers.into(),
            taken: RefCell::default(),
        };
        let outcome = all(&queue, &lines, None, &mut journal, &Progress::new(25, 0)).await;
        (outcome, queue.taken.into_inner(), journal)
    }

    #[tokio::test(start_paused = true)]
    async fn all_is_sent_in_order() {
        let (outcome, taken, journal) = sent(Vec::new()).await;
        assert_eq!((outcome.unwrap(), journal.acknowledged()), (25, 25));
        assert!(taken.into_iter().eq((0..25).map(|n: u32| n.to_string())));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_not_taken_is_sent_again_and_only_that() {
        let some = |indices: &[usize]| Ok(indices.iter().map(|index| (*index, Fault::Unavailable)).collect());
        let (outcome, mut taken, journal) = sent(vec![some(&[1, 8]), some(&[1])]).await;
        assert_eq!((outcome.unwrap(), journal.acknowledged()), (25, 25));
        taken.sort_by_key(|body| body.parse::<u32>().unwrap());
        assert!(
            taken.into_iter().eq((0..25).map(|n: u32| n.to_string())),
            "each once"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_refused_message_stops_it_and_names_its_line() {
        let (outcome, _, journal) = sent(vec![Ok(vec![]), Ok(vec![(3, Fault::Refused)])]).await;
        assert!(matches!(outcome, Err(Stop::Queue(_, Some(lines))) if lines == (13..14)));
        assert_eq!(journal.acknowledged(), 19);
    }

    #[tokio::test(start_paused = true)]
    async fn it_gives_up_in_the_end() {
        let left = || Ok(vec![(0, Fault::Unavailable)]);
        let (outcome, _, journal) = sent((0..=PAUSES.len()).map(|_| left()).collect()).await;
        assert!(matches!(outcome, Err(Stop::Queue(_, Some(lines))) if lines == (0..1)));
        assert_eq!(journal.acknowledged(), 9);
        let (outcome, _, journal) = sent(vec![Ok(vec![]), Err(Fault::Unavailable)]).await;
        assert!(matches!(outcome, Err(Stop::Queue(_, None))));
        assert_eq!(journal.acknowledged(), 10);
    }
}
