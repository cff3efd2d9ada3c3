//! The quarantine's tools: list, show, release, purge. Each is told on the event bus before it is done; what cannot be
//! told is not done.

use symbolon_shared::domain::audit::LogRegion;
use symbolon_shared::domain::redrive::{
    Announcement, Listed, Listing, ObjectName, QuarantineAct, QuarantineAnswer, QuarantineObject,
    QuarantineRequest, ShelfRefusal, Shown, released,
};
use symbolon_shared::domain::time::Timestamp;
use symbolon_shared::lambda::survive;
use symbolon_shared::ports::PortError;
use symbolon_shared::ports::redrive::RedrivePorts;

use crate::acts::send_back;
use crate::settings::QueueSettings;

/// Names in one answer: far below Lambda's 6 MB.
const PAGE: usize = 1_000;

/// Milliseconds before the deadline after which nothing is begun: the calls of one act, with their repetitions.
const MARGIN_MILLIS: i64 = 40_000;

/// The quarantine of a process.
pub(crate) struct Shelf<'a, P> {
    pub(crate) ports: &'a P,
    pub(crate) region: &'a LogRegion,
    pub(crate) queues: &'a [QueueSettings],
    pub(crate) clock: &'a (dyn Fn() -> Timestamp + Send + Sync),
    pub(crate) deadline: Timestamp,
}

impl<P: RedrivePorts> Shelf<'_, P> {
    /// Does what is asked. A panic leaves the object where it is.
    pub(crate) async fn answer(&self, request: &QuarantineRequest) -> QuarantineAnswer {
        let done = survive(self.act(request)).await;
        let answer = done.unwrap_or(Err(ShelfRefusal::Unavailable));
        answer.unwrap_or_else(|why| {
            tracing::warn!(event = "quarantine_act_refused", reason = ?why);
            QuarantineAnswer::Refused(why)
        })
    }

    async fn act(&self, request: &QuarantineRequest) -> Result<QuarantineAnswer, ShelfRefusal> {
        self.time_is_left()?;
        match request {
            QuarantineRequest::List(listing) => self.list(listing).await,
            QuarantineRequest::Show(asked) => self.show(&asked.object).await,
            QuarantineRequest::Release(asked) => self.release(&asked.object).await,
            QuarantineRequest::Purge(asked) => self.purge(&asked.object).await,
        }
    }

    async fn list(&self, listing: &Listing) -> Result<QuarantineAnswer, ShelfRefusal> {
        // A later page is of the same act.
        if listing.after.is_none() {
            self.announce(Announcement::Listed {
                region: self.region.clone(),
                source: listing.source.clone(),
                reason: listing.reason,
            })
            .await?;
        }
        let prefix = listing.prefix();
        let mut after = listing.after.as_ref().map(ObjectName::encode);
        let mut objects = Vec::new();
        loop {
            let names = self.ports.list_quarantined(&prefix, after.as_deref()).await;
            let names = names.map_err(|error| unavailable(&error))?;
            let Some(last) = names.last().cloned() else {
                return Ok(QuarantineAnswer::Listed(Listed { objects, next: None }));
            };
            // What has another form is nothing that the redrive put there.
            let ours = names.iter().filter_map(|name| ObjectName::parse(name).ok());
            objects.extend(ours.filter(|name| listing.takes(name)));
            if objects.len() >= PAGE || self.time_is_left().is_err() {
                let next = names.iter().rev().find_map(|name| ObjectName::parse(name).ok());
                if next.is_some() {
                    return Ok(QuarantineAnswer::Listed(Listed { objects, next }));
                }
            }
            after = Some(last);
        }
    }

    async fn show(&self, name: &ObjectName) -> Result<QuarantineAnswer, ShelfRefusal> {
        let (body, _) = self.read(name).await?;
        self.announce_act(name, QuarantineAct::Shown).await?;
        let value = serde_json::from_slice(&body).map_err(|_| ShelfRefusal::Unreadable)?;
        Ok(QuarantineAnswer::Shown(Shown(value)))
    }

    async fn release(&self, name: &ObjectName) -> Result<QuarantineAnswer, ShelfRefusal> {
        let (_, object) = self.read(name).await?;
        let queue = self.queues.iter().find(|queue| queue.source == name.source);
        let queue = queue.ok_or(ShelfRefusal::UnknownQueue)?;
        let envelope = released(&object, (self.clock)())?;
        let enabled = self.ports.is_enabled(&queue.consumer, &queue.source_url).await;
        if enabled.map_err(|error| unavailable(&error))? != Some(true) {
            return Err(ShelfRefusal::ConsumerDisabled);
        }
        self.announce_act(name, QuarantineAct::Released).await?;
        let taken = send_back(self.ports, &queue.source_url, &[envelope.to_json()]).await;
        if taken != [true] {
            return Err(ShelfRefusal::Unavailable);
        }
        // It is on its queue now. What comes back from there has one cycle more than what lies here, so that the
        // redrive takes the one for the other at no moment.
        match self.ports.remove_quarantined(&name.encode()).await {
            Ok(()) => Ok(QuarantineAnswer::Released),
            Err(error) => {
                tracing::warn!(event = "quarantined_not_removed", reason = %error);
                Ok(QuarantineAnswer::ReleasedAndKept)
            }
        }
    }

    async fn purge(&self, name: &ObjectName) -> Result<QuarantineAnswer, ShelfRefusal> {
        // Whatever is there may go, readable or not; but what is not there was not purged.
        self.body(name).await?;
        self.announce_act(name, QuarantineAct::Purged).await?;
        let removed = self.ports.remove_quarantined(&name.encode()).await;
        removed.map_err(|error| unavailable(&error))?;
        Ok(QuarantineAnswer::Purged)
    }

    // ---- Steps ----------------------------------------------------------------------------------------------------

    async fn body(&self, name: &ObjectName) -> Result<Vec<u8>, ShelfRefusal> {
        let read = self.ports.read_quarantined(&name.encode()).await;
        let body = read.map_err(|error| unavailable(&error))?;
        body.ok_or(ShelfRefusal::NotThere)
    }

    async fn read(&self, name: &ObjectName) -> Result<(Vec<u8>, QuarantineObject), ShelfRefusal> {
        let body = self.body(name).await?;
        let object = QuarantineObject::parse(&body).map_err(|_| ShelfRefusal::Unreadable)?;
        if object.name() == *name {
            Ok((body, object))
        } else {
            Err(ShelfRefusal::Unreadable)
        }
    }

    async fn announce_act(&self, name: &ObjectName, act: QuarantineAct) -> Result<(), ShelfRefusal> {
        self.announce(Announcement::Act {
            region: self.region.clone(),
            act,
            identity: name.identity,
            reason: name.reason,
            source: name.source.clone(),
        })
        .await
    }

    async fn announce(&self, announcement: Announcement) -> Result<(), ShelfRefusal> {
        let told = self.ports.announce_redrive(&[announcement]).await;
        told.map_err(|error| {
            tracing::warn!(event = "not_announced", reason = %error);
            ShelfRefusal::NotAnnounced
        })
    }

    fn time_is_left(&self) -> Result<(), ShelfRefusal> {
        if (self.clock)().plus_millis(MARGIN_MILLIS) < self.deadline {
            Ok(())
        } else {
            Err(ShelfRefusal::Deadline)
        }
    }
}

fn unavailable(error: &PortError) -> ShelfRefusal {
    tracing::warn!(event = "quarantine_unavailable", reason = %error);
    ShelfRefusal::Unavailable
}
