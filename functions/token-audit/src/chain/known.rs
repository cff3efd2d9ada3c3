//! What is known of a chain: its end, its head, and its last objects. Nothing here is believed that the audit signing
//! key has not signed, or that does not hang on such by its links.

use futures::stream::{self, StreamExt, TryStreamExt};
use symbolon_shared::domain::audit::{
    Chain, Entry, EventId, Invariant, Link, LogRegion, Position, Refused, Sealed, head_name, object_name,
    split_sealed,
};
use symbolon_shared::domain::time::Timestamp;
use symbolon_shared::domain::token::MatchId;
use symbolon_shared::ports::PortError;
use symbolon_shared::ports::audit::{AuditPorts, Expected, Handle, Put};

use super::AppendError;
use super::recent::{Logged, Past, Recent};
use crate::telemetry::Tally;

/// Swaps of a head that may lose: each time somebody else has moved it.
const HEAD_ATTEMPTS: usize = 16;
/// Older objects read side by side at most.
const OLDER_AT_ONCE: u64 = 16;

/// A head as it was read, or left.
struct Head {
    /// What a swap expects.
    state: Expected,
    /// How far it points; 0 when there is none, or none that is genuine.
    sequence: u64,
}

/// What is known of a chain.
pub(super) struct Known {
    position: Position,
    /// The last object; without its lines when it comes from a head, and none before the first.
    tip: Option<Sealed>,
    head: Head,
    recent: Recent,
    /// What lies at the next name, when no writer of this log has put it there.
    squatter: Option<Handle>,
}

/// What an object is worth.
enum Worth {
    /// A writer of this log has signed it.
    Genuine(Box<Sealed>),
    /// It was made, moved or changed by somebody else.
    Foreign,
}

impl Known {
    /// Reads where a chain stands.
    pub(super) async fn load<P: AuditPorts>(
        ports: &P,
        region: &LogRegion,
        chain: Chain,
        tally: &mut Tally,
    ) -> Result<Self, AppendError> {
        let (head, tip) = read_head(ports, region, chain, tally).await?;
        let tip = match tip {
            Some(tip) => Some(tip),
            None => find_tip(ports, region, chain).await?,
        };
        let mut known = Self {
            position: tip.as_ref().map_or_else(
                || Position::genesis(region, chain),
                |tip| Position::from(&tip.statement),
            ),
            tip,
            head,
            recent: Recent::default(),
            squatter: None,
        };
        // Found without a head: it gets one, though there may be nothing to append.
        let moved = tally.heads;
        known.cover(ports, tally).await?;
        // Whoever moved it may have died before it could say so.
        if let Some(tip) = known.tip.as_ref().filter(|_| tally.heads == moved) {
            tally.tell_head(tip);
        }
        Ok(known)
    }

    pub(super) fn position(&self) -> &Position {
        &self.position
    }

    pub(super) fn take_squatter(&mut self) -> Option<Handle> {
        self.squatter.take()
    }

    pub(super) fn has(&self, event: &EventId) -> bool {
        self.recent.has(event)
    }

    pub(super) fn broken(&self, event: &EventId) -> Option<(u64, &[Invariant])> {
        self.recent.broken(event)
    }

    pub(super) fn has_minted(&self, match_id: &MatchId) -> bool {
        self.recent.has_minted(match_id)
    }

    /// Takes the next object as the position.
    pub(super) fn advance(&mut self, next: Sealed, entries: &[Entry]) {
        self.position = Position::from(&next.statement);
        self.recent.push_newer(Past {
            sequence: next.statement.sequence,
            horizon: next.statement.horizon,
            previous: Some(next.statement.previous),
            logged: Logged::of(entries),
        });
        self.tip = Some(next);
    }

    /// Takes what others have appended as the position, and moves the head over it.
    pub(super) async fn catch_up<P: AuditPorts>(
        &mut self,
        ports: &P,
        tally: &mut Tally,
    ) -> Result<(), AppendError> {
        while let Some((body, handle)) = ports.read_object(&self.position.next_name()).await? {
            match worth_of(ports, &body, |sealed| self.position.check_next(sealed)).await? {
                Worth::Genuine(next) => {
                    tally.adopted += 1;
                    let entries = next.entries().unwrap_or_default();
                    self.advance(*next, &entries);
                }
                Worth::Foreign => {
                    let sequence = self.position.sequence + 1;
                    tally.count_foreign(&self.position.region, self.position.chain, Some(sequence));
                    let Position { region, chain, .. } = &self.position;
                    // Where the chain goes on behind it, the object was genuine once: what is left of it stays, for
                    // a verifier to name, and the log goes on at its end.
                    let Some(beyond) = genuine_at(ports, region, *chain, sequence + 1).await? else {
                        self.squatter = Some(handle);
                        break;
                    };
                    self.position = Position::from(&beyond.statement);
                    self.tip = Some(beyond);
                    self.recent = Recent::default();
                }
            }
        }
        self.cover(ports, tally).await
    }

    /// Moves the head to the position, unless it is there or further.
    pub(super) async fn cover<P: AuditPorts>(
        &mut self,
        ports: &P,
        tally: &mut Tally,
    ) -> Result<(), AppendError> {
        let Some(tip) = &self.tip else { return Ok(()) };
        let Position { region, chain, .. } = &self.position;
        for _ in 0..HEAD_ATTEMPTS {
            if self.head.sequence >= self.position.sequence {
                return Ok(());
            }
            let name = head_name(region, *chain);
            let body = tip.head();
            match ports.put_object(&name, body.as_bytes(), &self.head.state).await? {
                Put::Done(handle) => {
                    self.head = Head {
                        state: Expected::Is(handle),
                        sequence: self.position.sequence,
                    };
                    tally.count_head(tip);
                }
                Put::Lost => {
                    let found;
                    (self.head, found) = read_head(ports, region, *chain, tally).await?;
                    // Moved by this very put, perhaps, whose response was lost: then nobody has said so.
                    if found.is_some_and(|found| found.statement == tip.statement) {
                        tally.tell_head(tip);
                    }
                }
            }
        }
        Err(AppendError::Contended)
    }

    /// Reads back to where nothing can be of `earliest` or later, so that duplicates can be told.
    pub(super) async fn reach_back<P: AuditPorts>(
        &mut self,
        ports: &P,
        earliest: Timestamp,
        in_time: &(dyn Fn() -> bool + Sync),
        tally: &mut Tally,
    ) -> Result<(), AppendError> {
        let mut width = 1;
        loop {
            if !in_time() {
                return Err(AppendError::OutOfTime);
            }
            let (known_from, horizon) = match self.recent.oldest() {
                Some(oldest) => (oldest.sequence, oldest.horizon),
                None => (self.position.sequence + 1, self.position.horizon),
            };
            if known_from <= 1 || horizon < earliest {
                return Ok(());
            }
            let until = known_from.saturating_sub(width).max(1);
            let Position { region, chain, .. } = &self.position;
            let older: Vec<_> = stream::iter((until..known_from).rev())
                .map(|sequence| async move {
                    let read = ports.read_object(&object_name(region, *chain, sequence)).await?;
                    Ok::<_, PortError>((sequence, read))
                })
                .buffered(usize::try_from(OLDER_AT_ONCE).unwrap_or(1))
                .try_collect()
                .await?;
            for (sequence, read) in older {
                self.add_older(sequence, read.map(|(body, _)| body), tally);
            }
            width = (width * 2).min(OLDER_AT_ONCE);
        }
    }

    /// Remembers the object before those that are remembered. It must end with the link that the one after it names.
    fn add_older(&mut self, sequence: u64, body: Option<Vec<u8>>, tally: &mut Tally) {
        let (due, horizon) = match self.recent.oldest() {
            Some(after) => (after.previous, after.horizon),
            None => (Some(self.position.link), self.position.horizon),
        };
        let sealed = body.and_then(|body| Sealed::parse(&body)).filter(|sealed| {
            due.is_none_or(|due: Link| sealed.statement.link == due)
                && alone(&self.position.region, self.position.chain, sequence, sealed).is_ok()
        });
        let past = if let Some(sealed) = sealed {
            Past {
                sequence,
                horizon: sealed.statement.horizon,
                previous: Some(sealed.statement.previous),
                logged: Logged::of(&sealed.entries().unwrap_or_default()),
            }
        } else {
            // Gone, or changed. Nothing can be told from it; the log goes on, and a verifier will name it.
            tally.count_foreign(&self.position.region, self.position.chain, Some(sequence));
            Past {
                sequence,
                horizon,
                previous: None,
                logged: Logged::default(),
            }
        };
        self.recent.push_older(past);
    }
}

/// Whether an object is in order by itself, at the place that it was read from: what came before is taken as it says.
fn alone(region: &LogRegion, chain: Chain, sequence: u64, sealed: &Sealed) -> Result<(), Refused> {
    let statement = &sealed.statement;
    let before = Position {
        region: region.clone(),
        chain,
        sequence: sequence.saturating_sub(1),
        entries: statement.entries.saturating_sub(statement.count),
        horizon: statement.horizon,
        link: statement.previous,
    };
    before.check_next(sealed)
}

/// Whether an object or a head is genuine: signed by the audit signing key, and where it belongs.
async fn worth_of<P: AuditPorts>(
    ports: &P,
    body: &[u8],
    check: impl Fn(&Sealed) -> Result<(), Refused>,
) -> Result<Worth, AppendError> {
    let Some((message, signature)) = split_sealed(body) else {
        return Ok(Worth::Foreign);
    };
    if !ports.verify(&message, &signature).await? {
        return Ok(Worth::Foreign);
    }
    // Signed, and yet not readable: by a program that knows more.
    let sealed = Sealed::parse(body).ok_or(AppendError::UnknownForm)?;
    match check(&sealed) {
        Ok(()) => Ok(Worth::Genuine(Box::new(sealed))),
        Err(Refused::Elsewhere | Refused::Entries) => Ok(Worth::Foreign),
        Err(Refused::Fork) => Err(AppendError::Forked),
    }
}

async fn read_head<P: AuditPorts>(
    ports: &P,
    region: &LogRegion,
    chain: Chain,
    tally: &mut Tally,
) -> Result<(Head, Option<Sealed>), AppendError> {
    let head = |state, sequence| Head { state, sequence };
    let Some((body, handle)) = ports.read_object(&head_name(region, chain)).await? else {
        return Ok((head(Expected::Absent, 0), None));
    };
    let here = |sealed: &Sealed| {
        let of_this = (&sealed.statement.region, sealed.statement.chain) == (region, chain);
        if of_this { Ok(()) } else { Err(Refused::Elsewhere) }
    };
    let state = Expected::Is(handle);
    match worth_of(ports, &body, here).await? {
        Worth::Genuine(tip) => Ok((head(state, tip.statement.sequence), Some(*tip))),
        Worth::Foreign => {
            tally.count_foreign(region, chain, None);
            Ok((head(state, 0), None))
        }
    }
}

/// The genuine object of a place, if there is one.
async fn genuine_at<P: AuditPorts>(
    ports: &P,
    region: &LogRegion,
    chain: Chain,
    sequence: u64,
) -> Result<Option<Sealed>, AppendError> {
    let name = object_name(region, chain, sequence);
    let Some((body, _)) = ports.read_object(&name).await? else {
        return Ok(None);
    };
    let worth = worth_of(ports, &body, |sealed| alone(region, chain, sequence, sealed)).await?;
    Ok(match worth {
        Worth::Genuine(sealed) => Some(*sealed),
        Worth::Foreign => None,
    })
}

/// The last object of a chain whose head does not say. Sequences have no gaps, so a search by halves finds the end.
async fn find_tip<P: AuditPorts>(
    ports: &P,
    region: &LogRegion,
    chain: Chain,
) -> Result<Option<Sealed>, AppendError> {
    let exists = async |sequence| -> Result<bool, PortError> {
        let read = ports.read_object(&object_name(region, chain, sequence)).await?;
        Ok(read.is_some())
    };
    let (mut there, mut absent) = (0, 1);
    while exists(absent).await? {
        (there, absent) = (absent, absent * 2);
    }
    while absent - there > 1 {
        let middle = there + (absent - there) / 2;
        if exists(middle).await? {
            there = middle;
        } else {
            absent = middle;
        }
    }
    // What lies last may not be genuine; what lies before it is looked at until something is.
    while there > 0 {
        if let Some(tip) = genuine_at(ports, region, chain, there).await? {
            return Ok(Some(tip));
        }
        there -= 1;
    }
    Ok(None)
}
