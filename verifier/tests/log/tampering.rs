//! Random tamperings, each of which must be named; the untouched log verifies before each.
//!
//! `TAMPERINGS=N` makes N of them (default 1,200), `TAMPERING_SEED=S` begins with seed S. `KEPT` lists the
//! seeds that were worth keeping.

use std::collections::{BTreeMap, BTreeSet};

use audit_verifier::format::Entry;
use audit_verifier::{Finding, RememberedHead, Report};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use symbolon_shared::domain::audit::{Entry as WrittenEntry, Position, Sealed};
use symbolon_shared::ports::audit::AuditSigner as _;
use symbolon_shared::testing::MemoryAudit;

use crate::world::{Objects, REGION, append, check, heads, keys, minted, signer};

/// The first seed of every way in which a tampering was named so far: what it does, and what it is called.
const KEPT: &[(u64, Kind, &str)] = &[
    (0, Kind::SwapEntries, "entries_changed"),
    (1, Kind::AddStray, "stray"),
    (2, Kind::FlipBitOfHead, "malformed"),
    (3, Kind::ChangeEntry, "entries_changed"),
    (4, Kind::DropEntry, "entries_changed numbers_wrong"),
    (5, Kind::DropObject, "object_missing tail_cut"),
    (6, Kind::FlipBitOfHead, "signature_wrong"),
    (7, Kind::ReplayOldHead, "head_behind"),
    (8, Kind::ChangeEntry, "entries_changed wrong_chain"),
    (9, Kind::CopyElsewhere, "elsewhere head_behind"),
    (11, Kind::DropHead, "head_missing"),
    (16, Kind::Truncate, "malformed"),
    (17, Kind::AppendForged, "event_twice minted_twice signature_wrong"),
    (18, Kind::SwapTwo, "elsewhere"),
    (20, Kind::SignAgain, "signature_wrong"),
    (22, Kind::MoveToOtherChain, "elsewhere"),
    (30, Kind::CutTail, "tail_cut"),
    (37, Kind::FlipBit, "entries_changed no_entry"),
    (42, Kind::DropObject, "object_missing"),
    (49, Kind::FlipBit, "malformed"),
    (
        84,
        Kind::AppendForged,
        "event_twice head_behind minted_twice signature_wrong",
    ),
    (103, Kind::SwapTwo, "malformed"),
    (191, Kind::ChangeEntry, "entries_changed numbers_wrong"),
    (
        322,
        Kind::FlipBit,
        "chain_broken entries_changed head_differs signature_wrong",
    ),
    (334, Kind::FlipBit, "signature_wrong"),
    (343, Kind::FlipBit, "entries_changed wrong_chain"),
    (408, Kind::FlipBit, "entries_changed"),
    (916, Kind::FlipBit, "chain_broken entries_changed signature_wrong"),
];

/// What somebody may do who can write to the bucket, and cannot sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    FlipBit,
    FlipBitOfHead,
    DropObject,
    DropHead,
    SwapTwo,
    CutTail,
    ReplayOldHead,
    SignAgain,
    AppendForged,
    CopyElsewhere,
    ChangeEntry,
    DropEntry,
    SwapEntries,
    AddStray,
    Truncate,
    MoveToOtherChain,
}

const KINDS: [Kind; 16] = [
    Kind::FlipBit,
    Kind::FlipBitOfHead,
    Kind::DropObject,
    Kind::DropHead,
    Kind::SwapTwo,
    Kind::CutTail,
    Kind::ReplayOldHead,
    Kind::SignAgain,
    Kind::AppendForged,
    Kind::CopyElsewhere,
    Kind::ChangeEntry,
    Kind::DropEntry,
    Kind::SwapEntries,
    Kind::AddStray,
    Kind::Truncate,
    Kind::MoveToOtherChain,
];

struct Log {
    signer: MemoryAudit,
    /// The log after each batch.
    history: Vec<Objects>,
    remembered: Vec<RememberedHead>,
}

impl Log {
    async fn written() -> Self {
        let signer = signer(7);
        let mut history = Vec::new();
        for batch in 0..3 {
            append(
                &signer,
                REGION,
                (batch * 40..(batch + 1) * 40).map(minted).collect(),
            )
            .await;
            history.push(signer.objects());
        }
        let remembered = heads(&history[2]);
        Self {
            signer,
            history,
            remembered,
        }
    }

    fn whole(&self) -> &Objects {
        self.history.last().unwrap()
    }
}

fn is_head(name: &str) -> bool {
    name.ends_with("/head")
}

fn chain(name: &str) -> &str {
    name.rsplit_once('/').unwrap().0
}

fn pick(draw: &mut StdRng, objects: &Objects, wanted: impl Fn(&str) -> bool) -> String {
    let names: Vec<&String> = objects.keys().filter(|name| wanted(name)).collect();
    (*names.choose(draw).unwrap()).clone()
}

/// The objects of a chain in order, without its head.
fn objects_of(objects: &Objects, of: &str) -> Vec<String> {
    let names = objects.keys().filter(|name| chain(name) == of && !is_head(name));
    names.cloned().collect()
}

fn flip(draw: &mut StdRng, body: &mut [u8]) {
    let bit = draw.random_range(0..body.len() * 8);
    body[bit / 8] ^= 1 << (bit % 8);
}

/// The lines of an object, its entries, and how many of them there are.
fn lines(body: &[u8]) -> (Vec<String>, usize) {
    let text = String::from_utf8(body.to_vec()).unwrap();
    let lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let entries = lines.len() - 2;
    (lines, entries)
}

fn body(lines: &[String]) -> Vec<u8> {
    (lines.join("\n") + "\n").into_bytes()
}

/// What a writer with another key makes of these entries after a position.
async fn signed_by_another(position: &Position, entries: &[WrittenEntry]) -> Sealed {
    let draft = position.next(entries).unwrap();
    let signature = signer(8).sign(&draft.message()).await.unwrap();
    draft.sealed(signature)
}

/// An object with entries that are not those that were signed.
fn change_entries(draw: &mut StdRng, kind: Kind, object: &[u8]) -> Vec<u8> {
    let (mut lines, entries) = lines(object);
    match kind {
        Kind::DropEntry => _ = lines.remove(draw.random_range(0..entries)),
        // Two entries, or the only one and the statement.
        Kind::SwapEntries => lines.swap(0, draw.random_range(1..entries.max(2))),
        _ => {
            let at = draw.random_range(0..entries);
            let mut entry = Entry::parse(&lines[at]).unwrap();
            match draw.random_range(0..4) {
                0 => entry.recorded_at += 1_000,
                1 => entry.parameter_version = Some(9),
                2 => entry.commitment = None,
                _ => entry.match_id = entry.match_id.chars().rev().collect(),
            }
            lines[at] = entry.line();
        }
    }
    body(&lines)
}

async fn tamper(draw: &mut StdRng, kind: Kind, log: &Log) -> Objects {
    let mut objects = log.whole().clone();
    let object = pick(draw, &objects, |name| !is_head(name));
    let head = format!("{}/head", chain(&object));
    match kind {
        Kind::FlipBit => flip(draw, objects.get_mut(&object).unwrap()),
        Kind::FlipBitOfHead => flip(draw, objects.get_mut(&head).unwrap()),
        Kind::DropObject => _ = objects.remove(&object),
        Kind::DropHead => _ = objects.remove(&head),
        Kind::SwapTwo => {
            let other = pick(draw, &objects, |name| name != object);
            let (one, two) = (objects[&object].clone(), objects[&other].clone());
            objects.insert(object, two);
            objects.insert(other, one);
        }
        Kind::CutTail => {
            let names = objects_of(&objects, chain(&object));
            let keep = draw.random_range(0..names.len());
            for name in &names[keep..] {
                objects.remove(name);
            }
            // As the chain was when its end was there: in good order, only shorter.
            if keep == 0 {
                objects.remove(&head);
            } else {
                objects.insert(head.clone(), log.history[keep - 1][&head].clone());
            }
        }
        Kind::ReplayOldHead => {
            let old = &log.history[draw.random_range(0..log.history.len() - 1)];
            objects.insert(head.clone(), old[&head].clone());
        }
        Kind::SignAgain => {
            // One object, or it and the head.
            let sealed = Sealed::parse(&objects[&object]).unwrap();
            let signature = signer(8).sign(&sealed.message()).await.unwrap();
            let (mut lines, entries) = lines(&objects[&object]);
            lines[entries + 1] = data_encoding::BASE64.encode(&signature);
            objects.insert(object.clone(), body(&lines));
            if draw.random_bool(0.5) {
                objects.insert(head, body(&lines[entries..]));
            }
        }
        Kind::AppendForged => {
            let last = Sealed::parse(&objects[objects_of(&objects, chain(&object)).last().unwrap()]).unwrap();
            let position = Position::from(&last.statement);
            let entry = last.entries().unwrap().remove(0);
            let forged = signed_by_another(&position, &[entry]).await;
            objects.insert(position.next_name(), forged.body());
            if draw.random_bool(0.5) {
                objects.insert(head, forged.head().into_bytes());
            }
        }
        Kind::CopyElsewhere => {
            let next = Sealed::parse(&objects[objects_of(&objects, chain(&object)).last().unwrap()]).unwrap();
            let next = Position::from(&next.statement).next_name();
            let copy = objects[&object].clone();
            objects.insert(next, copy);
        }
        Kind::ChangeEntry | Kind::DropEntry | Kind::SwapEntries => {
            let changed = change_entries(draw, kind, &objects[&object]);
            objects.insert(object, changed);
        }
        Kind::AddStray => {
            let name = [
                "us-east-1/8/0000000000000001",
                "us-east-1/0/1",
                "us-east-1/x",
                "us-east-1/0/head2",
            ];
            objects.insert((*name.choose(draw).unwrap()).to_owned(), objects[&object].clone());
        }
        Kind::Truncate => {
            let body = objects.get_mut(&object).unwrap();
            body.truncate(draw.random_range(0..body.len()));
        }
        Kind::MoveToOtherChain => {
            let other = pick(draw, &objects, |name| {
                chain(name) != chain(&object) && !is_head(name)
            });
            let from = objects[&other].clone();
            objects.insert(object, from);
        }
    }
    objects
}

/// Whether the findings name the fault: not only that something is wrong, but what, and in the chain where it is.
fn is_named(kind: Kind, changed: &[String], findings: &[Finding]) -> bool {
    let of = |finding: &Finding| -> bool {
        use Finding as F;
        match kind {
            Kind::FlipBit | Kind::ChangeEntry | Kind::DropEntry | Kind::SwapEntries | Kind::Truncate => {
                matches!(
                    finding,
                    F::Malformed { .. }
                        | F::EntriesChanged { .. }
                        | F::SignatureWrong { .. }
                        | F::NoEntry { .. }
                )
            }
            Kind::FlipBitOfHead => matches!(finding, F::Malformed { .. } | F::SignatureWrong { .. }),
            Kind::DropObject => matches!(finding, F::ObjectMissing { .. }),
            Kind::DropHead => matches!(finding, F::HeadMissing { .. }),
            Kind::SwapTwo => matches!(finding, F::Elsewhere { .. } | F::Malformed { .. }),
            Kind::CopyElsewhere | Kind::MoveToOtherChain => matches!(finding, F::Elsewhere { .. }),
            Kind::CutTail => matches!(finding, F::TailCut { .. }),
            Kind::ReplayOldHead => matches!(finding, F::HeadBehind { .. }),
            Kind::SignAgain | Kind::AppendForged => matches!(finding, F::SignatureWrong { .. }),
            Kind::AddStray => matches!(finding, F::Stray { .. }),
        }
    };
    let at_the_place = |finding: &Finding| {
        let text = finding.to_string();
        changed.iter().any(|name| text.starts_with(name.as_str()))
    };
    // A tail is cut where the remembered head is.
    let place = |finding: &Finding| kind == Kind::CutTail || at_the_place(finding);
    findings.iter().any(|finding| of(finding) && place(finding))
}

async fn one(seed: u64, log: &Log, untouched: &Report) -> (Kind, String) {
    let mut draw = StdRng::seed_from_u64(seed);
    let kind = *KINDS.choose(&mut draw).unwrap();
    assert!(untouched.is_good());
    let objects = tamper(&mut draw, kind, log).await;
    let before = log.whole();
    let names = before.keys().chain(objects.keys());
    let mut changed: Vec<String> = names
        .filter(|name| before.get(*name) != objects.get(*name))
        .cloned()
        .collect();
    changed.dedup();
    assert!(!changed.is_empty(), "seed {seed}: {kind:?} did nothing");
    let report = check(&objects, &keys(&log.signer), &log.remembered).await;
    assert!(
        !report.is_good(),
        "seed {seed}: {kind:?} of {changed:?} is called good"
    );
    assert!(
        is_named(kind, &changed, &report.findings),
        "seed {seed}: {kind:?} of {changed:?} is called {:?}",
        report.findings
    );
    let found: BTreeSet<String> = report
        .findings
        .iter()
        .map(|finding| {
            serde_json::to_value(finding).unwrap()["finding"]
                .as_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    (kind, found.into_iter().collect::<Vec<_>>().join(" "))
}

fn number(variable: &str, otherwise: u64) -> u64 {
    let set = std::env::vars().find(|(name, _)| name == variable);
    set.and_then(|(_, value)| value.parse().ok()).unwrap_or(otherwise)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_tampering_is_called_good_and_each_is_named() {
    let log = Log::written().await;
    let (first, tamperings) = (number("TAMPERING_SEED", 0), number("TAMPERINGS", 1_200));
    let mut met: BTreeMap<Kind, u64> = BTreeMap::new();
    for seed in first..first + tamperings {
        let untouched = check(log.whole(), &keys(&log.signer), &log.remembered).await;
        let (kind, _) = one(seed, &log, &untouched).await;
        *met.entry(kind).or_default() += 1;
    }
    println!("{met:?}");
    if tamperings >= 1_000 {
        assert_eq!(met.len(), KINDS.len(), "every kind was met");
    }
}

#[tokio::test]
async fn kept_tamperings_are_still_called_what_they_are() {
    let log = Log::written().await;
    let untouched = check(log.whole(), &keys(&log.signer), &log.remembered).await;
    for (seed, kind, called) in KEPT {
        let (is, found) = one(*seed, &log, &untouched).await;
        assert_eq!((is, found.as_str()), (*kind, *called), "seed {seed}");
    }
}

/// Without anything remembered, a tail that is cut cleanly cannot be seen, and that is said.
#[tokio::test]
async fn a_cut_tail_without_memory_is_said_to_be_unproven() {
    let log = Log::written().await;
    let cut = &log.history[1];
    let report = check(cut, &keys(&log.signer), &[]).await;
    assert!(report.is_good());
    assert!(report.unproven[0].to_string().contains("cut off"));
    let report = check(cut, &keys(&log.signer), &log.remembered).await;
    let cuts = report
        .findings
        .iter()
        .filter(|finding| matches!(finding, Finding::TailCut { .. }));
    assert_eq!(cuts.count(), 8);
}

/// A remembered head that nobody signed proves nothing, and silence would look as if it did.
#[tokio::test]
async fn a_remembered_head_must_be_genuine() {
    let log = Log::written().await;
    let forged: Vec<RememberedHead> = {
        let other = signer(8);
        append(&other, REGION, (0..40).map(minted).collect()).await;
        heads(&other.objects())
    };
    let report = check(log.whole(), &keys(&log.signer), &forged).await;
    let invalid = report
        .findings
        .iter()
        .filter(|finding| matches!(finding, Finding::RememberedInvalid { .. }));
    assert_eq!(invalid.count(), 8);
}

/// The holder of the key itself writes another history: who remembers the first sees it.
#[tokio::test]
async fn another_history_by_the_same_key_differs_from_what_is_remembered() {
    let log = Log::written().await;
    let rewritten = signer(7);
    for batch in (0..3).rev() {
        append(
            &rewritten,
            REGION,
            (batch * 40..(batch + 1) * 40).map(minted).collect(),
        )
        .await;
    }
    let report = check(&rewritten.objects(), &keys(&log.signer), &[]).await;
    assert!(report.is_good(), "by itself it is whole");
    let report = check(&rewritten.objects(), &keys(&log.signer), &log.remembered).await;
    let differs = report
        .findings
        .iter()
        .filter(|finding| matches!(finding, Finding::RememberedDiffers { .. }));
    assert_eq!(differs.count(), 8);
}
