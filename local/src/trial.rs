//! A deployment on trial: messages are sent, processes of the matcher take them however badly they fare, and in the
//! end everything that was sent and received is judged.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::atomic::{AtomicUsize, Ordering};

use futures::stream::{self, StreamExt};
use symbolon_shared::domain::book::Entry;
use symbolon_shared::domain::invariants::Evidence;
use symbolon_shared::domain::parameters::MatchParameters;
use symbolon_shared::domain::submission::Submission;
use tokio::time::Duration;

use crate::deployment::{DeadLetter, Deployment, DeploymentError, now};
use crate::gather;
use crate::platform::poller::Delivery;
use crate::process::{Process, ProcessOptions};
use crate::replay::{Replayed, Sent, read_inboxes, send};
use crate::report::HELD;

/// When nothing comes for so long, everything that can come has come.
const SILENCE: Duration = Duration::from_secs(3);

/// What is checked beside the invariants of design §5: the book is what the submissions say.
pub const BOOK_AND_SUBMISSIONS_AGREE: &str = "book and submissions agree";

/// A deployment, and what came to pass on it.
pub struct Trial {
    deployment: Deployment,
    replayed: Replayed,
    /// Dead letters that no envelope holds: they stay where they are.
    unfit: Vec<DeadLetter>,
}

/// What came of it: the evidence, and what every invariant says of it.
pub struct Judgement {
    /// What was sent, stored and received.
    pub evidence: Evidence,
    /// Name → `held`, or the first counterexample.
    pub verdicts: BTreeMap<String, String>,
}

impl Judgement {
    /// What did not hold.
    #[must_use]
    pub fn broken(&self) -> BTreeMap<&str, &str> {
        let broken = self.verdicts.iter().filter(|(_, verdict)| *verdict != HELD);
        broken
            .map(|(name, verdict)| (name.as_str(), verdict.as_str()))
            .collect()
    }
}

impl Trial {
    /// A deployment of its own, with the counterparties of these numbers.
    ///
    /// # Errors
    /// [`DeploymentError`] says what does not stand.
    pub async fn start(
        numbers: BTreeSet<u32>,
        parameters: Vec<MatchParameters>,
    ) -> Result<Self, DeploymentError> {
        Ok(Self {
            deployment: Deployment::start(0, numbers, parameters).await?,
            replayed: Replayed::default(),
            unfit: Vec::new(),
        })
    }

    /// The deployment.
    #[must_use]
    pub fn deployment(&self) -> &Deployment {
        &self.deployment
    }

    /// What was sent and received so far.
    #[must_use]
    pub fn replayed(&self) -> &Replayed {
        &self.replayed
    }

    /// A cold process.
    ///
    /// # Errors
    /// [`DeploymentError::Stack`] when the template does not map the queue to it.
    pub fn process(&self, options: &ProcessOptions) -> Result<Process, DeploymentError> {
        self.deployment.process(options)
    }

    /// Takes the inbox of a counterparty away, once what was in it has been read.
    ///
    /// # Errors
    /// [`DeploymentError`] when SQS refuses.
    pub async fn lose_inbox(&mut self, number: u32) -> Result<(), DeploymentError> {
        read_inboxes(&self.deployment, &mut self.replayed).await?;
        self.deployment.delete_inbox(number).await
    }

    /// Sends messages to the intake queue.
    ///
    /// # Errors
    /// [`DeploymentError`] when the queue does not take one.
    pub async fn send(&mut self, messages: Vec<Sent>) -> Result<(), DeploymentError> {
        send(&self.deployment, &mut self.replayed, messages).await
    }

    /// One batch through one process, waiting up to `patience` for its first message.
    ///
    /// # Errors
    /// [`DeploymentError`] when SQS refuses.
    pub async fn poll(
        &mut self,
        process: &mut Process,
        patience: Duration,
    ) -> Result<Delivery, DeploymentError> {
        let delivery = process.poll(patience).await?;
        self.count(&delivery);
        Ok(delivery)
    }

    /// Counts what a process did that polled by itself.
    pub fn count(&mut self, delivery: &Delivery) {
        self.replayed.done += delivery.deleted;
    }

    /// Keeps what was read of inboxes on the way.
    pub fn keep(&mut self, received: Vec<(u32, Vec<String>)>) {
        for (number, bodies) in received {
            self.replayed.received.entry(number).or_default().extend(bodies);
        }
    }

    /// Lets all `processes` poll side by side until everything that was sent is done, or until nothing comes any more.
    /// Gives how many deliveries came back.
    ///
    /// # Errors
    /// [`DeploymentError`] when SQS refuses.
    pub async fn settle(&mut self, processes: &mut [Process]) -> Result<usize, DeploymentError> {
        let wanted = self.replayed.sent.len();
        let done = AtomicUsize::new(self.replayed.done);
        let count = processes.len().max(1);
        let runs = processes.iter_mut().map(|process| {
            let done = &done;
            async move {
                let mut returned = 0;
                while done.load(Ordering::SeqCst) < wanted {
                    let delivery = process.poll(SILENCE).await?;
                    done.fetch_add(delivery.deleted, Ordering::SeqCst);
                    returned += delivery.returned + delivery.undeleted;
                    if delivery.received == 0 {
                        break;
                    }
                }
                Ok::<usize, DeploymentError>(returned)
            }
        });
        let returned: Vec<_> = stream::iter(runs).buffer_unordered(count).collect().await;
        self.replayed.done = done.into_inner();
        returned.into_iter().sum()
    }

    /// What SQS moved to the dead-letter queue by itself is sent again under new ids; what our own code set aside is
    /// kept as evidence. Gives how many were sent again.
    ///
    /// # Errors
    /// [`DeploymentError`] when SQS refuses.
    pub async fn redrive(&mut self) -> Result<usize, DeploymentError> {
        let letters = self.deployment.drain_dead_letters().await?;
        let (moved, set_aside): (Vec<_>, Vec<_>) =
            letters.into_iter().partition(DeadLetter::was_moved_by_sqs);
        let fits = |letter: &DeadLetter| letter.envelope().is_ok_and(|envelope| envelope.fits());
        let (again, unfit): (Vec<_>, Vec<_>) = moved.into_iter().partition(fits);
        self.deployment.send_again(&again).await?;
        self.replayed.dead_letters.extend(set_aside);
        self.replayed.done += unfit.len();
        self.unfit.extend(unfit);
        Ok(again.len())
    }

    /// What SQS moved to the dead-letter queue and no envelope holds.
    #[must_use]
    pub fn unfit(&self) -> &[DeadLetter] {
        &self.unfit
    }

    /// Reads what is in the inboxes and the dead-letter queue, and judges everything.
    ///
    /// # Errors
    /// [`DeploymentError`] when something cannot be read.
    pub async fn judge(&mut self) -> Result<Judgement, DeploymentError> {
        read_inboxes(&self.deployment, &mut self.replayed).await?;
        let letters = self.deployment.drain_dead_letters().await?;
        self.replayed.dead_letters.extend(letters);
        let mut evidence = gather::evidence(&self.deployment, &self.replayed, now()).await?;
        // They are neither answered nor set aside by us: SQS itself keeps them, to the letter.
        let unfit: HashSet<&str> = self.unfit.iter().map(|letter| letter.body.as_str()).collect();
        evidence
            .unanswerable
            .retain(|body| !unfit.contains(body.as_str()));
        let mut verdicts = gather::verdicts(&evidence);
        let agree = if book_and_submissions_agree(&evidence) {
            HELD
        } else {
            "they differ"
        };
        verdicts.insert(BOOK_AND_SUBMISSIONS_AGREE.to_owned(), agree.to_owned());
        Ok(Judgement { evidence, verdicts })
    }

    /// Ends it; everything in it is gone.
    pub async fn end(self) {
        self.deployment.shut_down().await;
    }
}

/// Each entry is what its submission says, and no submission rests without one.
fn book_and_submissions_agree(evidence: &Evidence) -> bool {
    let mut said: Vec<Entry> = evidence
        .submissions
        .iter()
        .filter_map(Submission::entry)
        .collect();
    let mut entries = evidence.entries.clone();
    said.sort_by_key(Entry::key);
    entries.sort_by_key(Entry::key);
    said == entries
}
