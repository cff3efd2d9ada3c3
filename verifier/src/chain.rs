//! One chain, object by object.

use std::collections::{BTreeMap, HashMap, HashSet};

use futures::stream::{self, StreamExt};
use sha2::{Digest, Sha256};

use crate::bucket::{Bucket, BucketError};
use crate::finding::{Finding, Place};
use crate::format::{
    Entry, Event, Malformed, Object, Signed, Statement, chain_of, genesis, head_name, hex, link, object_name,
};
use crate::head::RememberedHead;
use crate::key::PublicKeys;
use crate::listed::Listed;
use crate::lookup::Found;
use crate::verify::Progress;

/// What a log says of the minting of one match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Minting {
    /// A hash over commitment, region, key epoch, parameter version and time.
    pub(crate) says: [u8; 16],
    pub(crate) recorded_at: i64,
    pub(crate) sequence: u64,
    pub(crate) line: u64,
}

/// What was found in one chain.
#[derive(Debug, Default)]
pub(crate) struct ChainReport {
    pub(crate) findings: Vec<Finding>,
    /// The last object that there is.
    pub(crate) last: u64,
    pub(crate) objects: u64,
    pub(crate) entries: u64,
    pub(crate) bytes: u64,
    /// Broken invariants that the log itself says.
    pub(crate) broken: BTreeMap<String, u64>,
    pub(crate) horizon: i64,
    pub(crate) head: Option<Signed>,
    pub(crate) mintings: HashMap<u128, Minting>,
}

/// What to verify.
pub(crate) struct Task<'a> {
    pub(crate) region: &'a str,
    pub(crate) chain: u8,
    pub(crate) keys: &'a PublicKeys,
    pub(crate) listed: &'a Listed,
    pub(crate) remembered: &'a [RememberedHead],
    /// Objects asked for before they are needed.
    pub(crate) read_ahead: usize,
    pub(crate) progress: &'a (dyn Fn(Progress) + Send + Sync),
    /// Is told every entry that can be read, in order.
    pub(crate) each: Option<&'a (dyn Fn(Found) + Send + Sync)>,
}

/// What the next object has to continue; none of it after one that cannot be trusted.
struct Due {
    link: String,
    entries: u64,
    horizon: i64,
}

struct Walk<'a> {
    task: Task<'a>,
    report: ChainReport,
    due: Option<Due>,
    /// The object before was there, or is said to be missing already.
    reached: u64,
    events: HashMap<u128, u64>,
    commitments: HashMap<u128, u64>,
    /// Statements that a head or somebody's memory asks for.
    wanted: BTreeMap<u64, Option<Statement>>,
}

pub(crate) async fn verify_chain<B: Bucket>(bucket: &B, task: Task<'_>) -> Result<ChainReport, BucketError> {
    let (region, chain) = (task.region, task.chain);
    let mut report = ChainReport::default();
    let head = read_head(bucket, &task, &mut report).await?;
    let covered = head.as_ref().map_or(0, |head| head.statement.sequence);
    let sequences = (1..=covered).chain(task.listed.beyond(covered));
    (task.progress)(Progress {
        due: covered + task.listed.count_beyond(covered),
        ..Progress::default()
    });
    let asked = task.remembered.iter().map(|known| known.head.statement.sequence);
    let wanted = asked.chain([covered]).map(|sequence| (sequence, None)).collect();
    let mut walk = Walk {
        due: Some(Due {
            link: hex(&genesis(region, chain)),
            entries: 0,
            horizon: 0,
        }),
        reached: 0,
        task,
        report,
        events: HashMap::new(),
        commitments: HashMap::new(),
        wanted,
    };
    let read_ahead = walk.task.read_ahead;
    let mut objects = stream::iter(sequences)
        .map(|sequence| async move {
            let read = bucket.read(&object_name(region, chain, sequence)).await;
            read.map(|bytes| (sequence, bytes))
        })
        .buffered(read_ahead);
    while let Some(read) = objects.next().await {
        let (sequence, bytes) = read?;
        walk.take(sequence, bytes.as_deref());
    }
    drop(objects);
    walk.conclude(head);
    Ok(walk.report)
}

async fn read_head<B: Bucket>(
    bucket: &B,
    task: &Task<'_>,
    report: &mut ChainReport,
) -> Result<Option<Signed>, BucketError> {
    let at = place(task, None, None);
    let Some(bytes) = bucket.read(&head_name(task.region, task.chain)).await? else {
        if !task.listed.is_empty() {
            report.findings.push(Finding::HeadMissing { at });
        }
        return Ok(None);
    };
    let wrong = match Object::parse_head(&bytes) {
        Err(reason) => Finding::Malformed { at, reason },
        Ok(head) if !task.keys.made(&head) => Finding::SignatureWrong { at },
        Ok(head) if !belongs(task, &head.statement) => Finding::Elsewhere {
            at,
            says: says(&head.statement),
        },
        Ok(head) => return Ok(Some(head)),
    };
    report.findings.push(wrong);
    Ok(None)
}

fn place(task: &Task<'_>, sequence: Option<u64>, line: Option<u64>) -> Place {
    Place {
        region: task.region.to_owned(),
        chain: task.chain,
        sequence,
        line,
    }
}

fn belongs(task: &Task<'_>, statement: &Statement) -> bool {
    (statement.region.as_str(), statement.chain) == (task.region, task.chain)
}

fn says(statement: &Statement) -> Place {
    Place {
        region: statement.region.clone(),
        chain: statement.chain,
        sequence: Some(statement.sequence),
        line: None,
    }
}

impl Walk<'_> {
    fn at(&self, sequence: u64, line: Option<u64>) -> Place {
        place(&self.task, Some(sequence), line)
    }

    fn find(&mut self, finding: Finding) {
        self.report.findings.push(finding);
    }

    fn take(&mut self, sequence: u64, bytes: Option<&[u8]>) {
        if sequence > self.reached + 1 {
            // Beyond the head only what was listed is visited: the first of a gap stands for it.
            let at = self.at(self.reached + 1, None);
            self.find(Finding::ObjectMissing { at });
            self.due = None;
        }
        self.reached = sequence;
        let at = self.at(sequence, None);
        let due = self.due.take();
        let Some(bytes) = bytes else {
            self.find(Finding::ObjectMissing { at });
            return;
        };
        self.report.last = sequence;
        self.report.objects += 1;
        self.report.bytes += bytes.len() as u64;
        (self.task.progress)(Progress {
            objects: 1,
            bytes: bytes.len() as u64,
            ..Progress::default()
        });
        match Object::parse(bytes) {
            Err(reason) => self.find(Finding::Malformed { at, reason }),
            Ok(object) if object.lines.is_empty() => self.find(Finding::Malformed {
                at,
                reason: Malformed::Entries,
            }),
            Ok(object) => {
                let statement = &object.signed.statement;
                if belongs(&self.task, statement) && statement.sequence == sequence {
                    self.object(sequence, &object, due.as_ref());
                } else {
                    let says = says(statement);
                    self.find(Finding::Elsewhere { at, says });
                }
            }
        }
    }

    fn object(&mut self, sequence: u64, object: &Object<'_>, due: Option<&Due>) {
        let statement = &object.signed.statement;
        let at = || self.at(sequence, None);
        let mut findings = Vec::new();
        let genuine = self.task.keys.made(&object.signed);
        if !genuine {
            findings.push(Finding::SignatureWrong { at: at() });
        }
        if due.is_some_and(|due| due.link != statement.previous) {
            findings.push(Finding::ChainBroken { at: at() });
        }
        if hex(&end_of(&statement.previous, &object.lines)) != statement.link {
            findings.push(Finding::EntriesChanged { at: at() });
        }
        let count = object.lines.len() as u64;
        let before = statement.entries.saturating_sub(count);
        let entries = self.entries(sequence, before, &object.lines, &mut findings);
        let latest = entries
            .iter()
            .map(|entry| entry.recorded_at)
            .max()
            .unwrap_or_default();
        let all_read = entries.len() == object.lines.len();
        let numbers = due.map_or(statement.count == count, |due| {
            let due = (count, due.entries + count, due.horizon.max(latest));
            due == (statement.count, statement.entries, statement.horizon)
        });
        if !numbers && all_read {
            findings.push(Finding::NumbersWrong {
                at: self.at(sequence, None),
            });
        }
        self.report.findings.append(&mut findings);
        self.report.entries += count;
        (self.task.progress)(Progress {
            entries: count,
            ..Progress::default()
        });
        if genuine {
            self.report.horizon = self.report.horizon.max(statement.horizon);
            self.due = Some(Due {
                link: statement.link.clone(),
                entries: statement.entries,
                horizon: statement.horizon,
            });
        }
        if let Some(wanted) = self.wanted.get_mut(&sequence) {
            *wanted = Some(statement.clone());
        }
    }

    /// Reads the entries of an object; `before` of the chain stand before it.
    fn entries(
        &mut self,
        sequence: u64,
        before: u64,
        lines: &[&str],
        findings: &mut Vec<Finding>,
    ) -> Vec<Entry> {
        let read: Vec<Option<Entry>> = lines.iter().map(|line| Entry::parse(line)).collect();
        let said_twice: HashSet<String> = read
            .iter()
            .flatten()
            .filter(|entry| entry.invariant.as_deref() == Some("minted_once"))
            .map(|entry| entry.event_id.clone())
            .collect();
        let mut entries: Vec<Entry> = Vec::with_capacity(read.len());
        for (line, entry) in (1..).zip(read) {
            let at = self.at(sequence, Some(line));
            // A broken invariant is said right after the event of which it is said.
            let follows = |entry: &Entry| {
                let of = |before: &Entry| {
                    (&before.event_id, &before.match_id) == (&entry.event_id, &entry.match_id)
                };
                entry.event != Event::Broken || entries.last().is_some_and(of)
            };
            let Some(entry) = entry.filter(follows) else {
                findings.push(Finding::NoEntry { at });
                continue;
            };
            let due = chain_of(&entry.match_id);
            if due != self.task.chain {
                findings.push(Finding::WrongChain { at: at.clone(), due });
            }
            if let Some(invariant) = &entry.invariant {
                *self.report.broken.entry(invariant.clone()).or_default() += 1;
            } else {
                let twice = said_twice.contains(&entry.event_id);
                self.event(&at, sequence, line, &entry, twice, findings);
            }
            if let Some(each) = self.task.each {
                each(Found {
                    log_region: self.task.region.to_owned(),
                    chain: self.task.chain,
                    sequence,
                    line,
                    number: before.saturating_add(line),
                    entry: entry.clone(),
                });
            }
            entries.push(entry);
        }
        entries
    }

    fn event(
        &mut self,
        at: &Place,
        sequence: u64,
        line: u64,
        entry: &Entry,
        said_twice: bool,
        findings: &mut Vec<Finding>,
    ) {
        if let Some(first) = self.events.insert(digest(&[&entry.event_id]), sequence) {
            findings.push(Finding::EventTwice {
                at: at.clone(),
                first,
            });
        }
        if entry.event != Event::Minted {
            return;
        }
        let minting = Minting {
            says: says_of(entry),
            recorded_at: entry.recorded_at,
            sequence,
            line,
        };
        let before = self.report.mintings.insert(digest(&[&entry.match_id]), minting);
        if let Some(before) = before {
            let first = before.sequence;
            if !said_twice {
                findings.push(Finding::MintedTwice {
                    at: at.clone(),
                    first,
                });
            }
        } else if let Some(commitment) = &entry.commitment
            && let Some(first) = self.commitments.insert(digest(&[commitment]), sequence)
        {
            findings.push(Finding::CommitmentTwice {
                at: at.clone(),
                first,
            });
        }
    }

    fn conclude(&mut self, head: Option<Signed>) {
        let last = self.report.last;
        if let Some(head) = &head {
            let sequence = head.statement.sequence;
            let at = place(&self.task, None, None);
            let same = |statement: &Statement| *statement == head.statement;
            // An object that is missing or cannot be read has been named already.
            if self
                .wanted
                .get(&sequence)
                .is_some_and(|object| object.as_ref().is_some_and(|object| !same(object)))
            {
                self.find(Finding::HeadDiffers { at: at.clone() });
            }
            if last > sequence {
                self.find(Finding::HeadBehind {
                    at,
                    head: sequence,
                    last,
                });
            }
        }
        for remembered in self.task.remembered {
            let Statement { sequence, link, .. } = &remembered.head.statement;
            let at = self.at(*sequence, None);
            if *sequence > last {
                self.report.findings.push(Finding::TailCut {
                    at,
                    remembered: *sequence,
                    last,
                });
            } else if let Some(Some(object)) = self.wanted.get(sequence)
                && object.link != *link
            {
                self.report.findings.push(Finding::RememberedDiffers { at });
            }
        }
        self.report.head = head;
    }
}

/// The link at the end of lines that begin after `previous`, which is known to be hex.
fn end_of(previous: &str, lines: &[&str]) -> [u8; 32] {
    let mut at = [0; 32];
    if let Ok(bytes) = data_encoding::HEXLOWER.decode(previous.as_bytes())
        && bytes.len() == at.len()
    {
        at.copy_from_slice(&bytes);
    }
    lines.iter().fold(at, |at, line| link(&at, line))
}

/// 128 bits of a hash: what is remembered of each entry, so that a log of millions fits.
fn digest(parts: &[&str]) -> u128 {
    let mut half = [0; 16];
    half.copy_from_slice(&hash(parts)[..16]);
    u128::from_be_bytes(half)
}

fn hash(parts: &[&str]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

/// What both regions must say alike of a match.
fn says_of(entry: &Entry) -> [u8; 16] {
    let number = |number: Option<i64>| number.map(|number| number.to_string()).unwrap_or_default();
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let version = entry
        .parameter_version
        .map(|version| version.to_string())
        .unwrap_or_default();
    let parts = [
        text(&entry.commitment),
        text(&entry.region),
        text(&entry.key_epoch),
        version,
        number(entry.matched_at),
        number(entry.expires_at),
    ];
    digest(&parts.each_ref().map(String::as_str)).to_be_bytes()
}
