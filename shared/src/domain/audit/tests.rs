//! The format against vectors that were computed without this code, and what is logged of what.

use std::collections::BTreeMap;

use data_encoding::BASE64;
use p256::ecdsa::signature::Verifier as _;
use p256::ecdsa::{Signature, VerifyingKey};
use p256::pkcs8::DecodePublicKey as _;
use proptest::prelude::*;
use serde::Deserialize;

use super::*;
use crate::domain::match_record::MatchRecord;
use crate::domain::time::Timestamp;
use crate::domain::token::{Commitment, MatchId, Token};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Vectors {
    public_key: String,
    chains: BTreeMap<String, u8>,
    event_ids: BTreeMap<String, String>,
    region: LogRegion,
    chain: Chain,
    genesis: BTreeMap<u8, String>,
    objects: BTreeMap<String, String>,
}

fn vectors() -> Vectors {
    serde_json::from_str(include_str!("../../../tests/vectors/audit_v1.json")).unwrap()
}

fn sequences(vectors: &Vectors) -> impl Iterator<Item = (u64, &str)> {
    (1..vectors.objects.len() as u64).map(|sequence| {
        let name = object_name(&vectors.region, vectors.chain, sequence);
        (sequence, vectors.objects[&name].as_str())
    })
}

#[test]
fn constants_are_those_of_the_vectors() {
    let vectors = vectors();
    for (match_id, chain) in &vectors.chains {
        assert_eq!(Chain::of(&MatchId::parse(match_id).unwrap()).number(), *chain);
    }
    for (text, id) in &vectors.event_ids {
        assert_eq!(String::from(EventId::of(text)), *id);
    }
    for (chain, link) in &vectors.genesis {
        let chain = Chain::try_from(*chain).unwrap();
        assert_eq!(Link::genesis(&vectors.region, chain).encode(), *link);
    }
    assert_eq!(vectors.genesis.len(), usize::from(CHAINS));
    assert!(Chain::try_from(CHAINS).is_err());
}

#[test]
fn the_kept_log_is_written_again_byte_by_byte() {
    let vectors = vectors();
    let mut position = Position::genesis(&vectors.region, vectors.chain);
    let mut last = None;
    for (_, body) in sequences(&vectors) {
        let sealed = Sealed::parse(body.as_bytes()).unwrap();
        position.check_next(&sealed).unwrap();
        let entries = sealed.entries().unwrap();
        let draft = position.next(&entries).unwrap();
        let again = draft.clone().sealed(sealed.signature().to_vec());
        assert_eq!(String::from_utf8(again.body()).unwrap(), body);
        assert_eq!(draft.message(), sealed.message());
        position = Position::from(&sealed.statement);
        last = Some(again);
    }
    let head = &vectors.objects[&head_name(&vectors.region, vectors.chain)];
    assert_eq!(last.unwrap().head(), *head);
    assert_eq!((position.sequence, position.entries), (3, 8));
}

#[test]
fn the_kept_signatures_are_good_for_what_this_code_would_sign() {
    let vectors = vectors();
    let key = BASE64.decode(vectors.public_key.as_bytes()).unwrap();
    let key = VerifyingKey::from_public_key_der(&key).unwrap();
    for body in vectors.objects.values() {
        let (message, signature) = split_sealed(body.as_bytes()).unwrap();
        let sealed = Sealed::parse(body.as_bytes()).unwrap();
        assert_eq!(
            (&sealed.message(), sealed.signature()),
            (&message, &signature[..])
        );
        key.verify(&message, &Signature::from_der(&signature).unwrap())
            .unwrap();
    }
}

#[test]
fn any_flipped_bit_of_an_object_is_refused_or_changes_what_was_signed() {
    let vectors = vectors();
    let mut position = Position::genesis(&vectors.region, vectors.chain);
    for (_, body) in sequences(&vectors) {
        let whole = Sealed::parse(body.as_bytes()).unwrap();
        for bit in 0..body.len() * 8 {
            let mut flipped = body.as_bytes().to_vec();
            flipped[bit / 8] ^= 1 << (bit % 8);
            let passes = Sealed::parse(&flipped).is_some_and(|sealed| {
                position.check_next(&sealed).is_ok()
                    && (sealed.message(), sealed.signature()) == (whole.message(), whole.signature())
            });
            assert!(!passes, "bit {bit}");
        }
        position = Position::from(&whole.statement);
    }
}

#[test]
fn what_belongs_elsewhere_does_not_follow() {
    let vectors = vectors();
    let all: Vec<Sealed> = sequences(&vectors)
        .map(|(_, body)| Sealed::parse(body.as_bytes()).unwrap())
        .collect();
    let genesis = Position::genesis(&vectors.region, vectors.chain);
    assert_eq!(genesis.check_next(&all[1]), Err(Refused::Elsewhere));
    let elsewhere = Position::genesis(&LogRegion::new("us-west-2").unwrap(), vectors.chain);
    assert_eq!(elsewhere.check_next(&all[0]), Err(Refused::Elsewhere));
    let mut forked = Position::from(&all[0].statement);
    forked.link = forked.link.then("another");
    assert_eq!(forked.check_next(&all[1]), Err(Refused::Fork));
}

fn item() -> MatchRecord {
    serde_json::from_str(include_str!("../../../tests/stored/match.json")).unwrap()
}

fn observed(change: Change, image: Option<MatchRecord>) -> Observation {
    Observation {
        event_id: EventId::of("1"),
        recorded_at: Timestamp::from_millis(1_795_428_931_000),
        match_id: item().match_id,
        change,
        image,
    }
}

const FINE: Surroundings = Surroundings {
    epoch_has_key: true,
    minted_before: false,
};

fn broken(observation: &Observation, surroundings: Surroundings) -> Vec<Invariant> {
    let entries = observation.entries(surroundings);
    assert!(entries[0].invariant.is_none() && entries[0].event != Event::Broken);
    let broken = entries[1..].iter();
    broken
        .map(|entry| {
            assert_eq!(entry.event, Event::Broken);
            entry.invariant.unwrap()
        })
        .collect()
}

fn other_match() -> MatchId {
    MatchId::from_random([9; 16])
}

fn token_of(match_id: MatchId) -> Token {
    Token::parse(&(match_id.encode() + &match_id.encode())).unwrap()
}

#[test]
fn a_match_as_it_should_be_breaks_nothing() {
    let minted = observed(Change::Inserted, Some(item()));
    assert_eq!(broken(&minted, FINE), []);
    let line = minted.entries(FINE)[0].line();
    assert_eq!(
        line,
        "{\"event\":\"minted\",\"eventId\":\"183d1ef31b322f4cb6440fc2a55a4b55\",\"recordedAt\":1795428931000,\
         \"matchId\":\"ibaueq2eivdeoscjjjfuytkoj4\",\
         \"commitment\":\"ef63704d5c1808c6af03950be3fe407ac5a5ea5cab75c20d70d174b9a3c783c1\",\
         \"region\":\"us-east-1\",\"keyEpoch\":\"2026-11-23.g7\",\"parameterVersion\":3,\
         \"matchedAt\":1795428930123,\"expiresAt\":1829988931000}"
    );
}

#[test]
fn every_invariant_can_be_broken() {
    let minted = |change: &dyn Fn(&mut MatchRecord)| {
        let mut item = item();
        change(&mut item);
        observed(Change::Inserted, Some(item))
    };
    for (name, observation) in [
        (
            "one token twice",
            minted(&|item| item.buy_token = item.sell_token.clone()),
        ),
        (
            "sides changed",
            minted(&|item| std::mem::swap(&mut item.buy_token, &mut item.sell_token)),
        ),
        (
            "another match's token",
            minted(&|item| item.sell_token = token_of(other_match())),
        ),
        (
            "both tokens of another match, and fitting",
            minted(&|item| {
                item.buy_token = token_of(other_match());
                item.sell_token = token_of(other_match());
                item.commitment = Commitment::of(&item.buy_token, &item.sell_token);
            }),
        ),
        (
            "another commitment",
            minted(&|item| item.commitment = Commitment::parse(&"0".repeat(64)).unwrap()),
        ),
    ] {
        assert_eq!(
            broken(&observation, FINE),
            [Invariant::TokensFitCommitment],
            "{name}"
        );
    }
    for at in [-1_i64, 1] {
        let observation = minted(&|item| item.matched_at = item.matched_at.plus_days(at));
        assert_eq!(broken(&observation, FINE), [Invariant::WithinKeyEpoch]);
    }
    let fine = minted(&|_| ());
    let unknown = Surroundings {
        epoch_has_key: false,
        ..FINE
    };
    assert_eq!(broken(&fine, unknown), [Invariant::KeyEpochKnown]);
    let twice = Surroundings {
        minted_before: true,
        ..FINE
    };
    assert_eq!(broken(&fine, twice), [Invariant::MintedOnce]);
    let changed = observed(Change::Modified, Some(item()));
    assert_eq!(broken(&changed, FINE), [Invariant::UnchangedAfterMinting]);
}

#[test]
fn an_item_that_cannot_be_read_is_logged_by_its_key() {
    for image in [
        None,
        Some(MatchRecord {
            match_id: other_match(),
            ..item()
        }),
        Some(MatchRecord {
            region: "cp-somebody or other".to_owned(),
            ..item()
        }),
    ] {
        let unreadable = observed(Change::Inserted, image.clone());
        assert_eq!(broken(&unreadable, FINE), [Invariant::ItemReadable]);
        let entries = unreadable.entries(FINE);
        assert!(entries.iter().all(|entry| entry.match_id == item().match_id));
        assert!(!entries.iter().any(|entry| entry.line().contains("somebody")));
        let changed = observed(Change::Modified, image);
        assert!(broken(&changed, FINE).contains(&Invariant::UnchangedAfterMinting));
    }
}

#[test]
fn a_match_goes_at_its_time_and_not_before() {
    let expiry = item().expires_at * 1_000;
    for by_ttl in [true, false] {
        let gone = |at| Observation {
            recorded_at: Timestamp::from_millis(at),
            ..observed(Change::Removed { by_ttl }, Some(item()))
        };
        assert_eq!(broken(&gone(expiry), FINE), []);
        assert_eq!(
            broken(&gone(expiry - 1), FINE),
            [Invariant::UnchangedAfterMinting]
        );
        let event = if by_ttl { Event::Expired } else { Event::Deleted };
        assert_eq!(gone(expiry).entries(FINE)[0].event, event);
    }
}

#[test]
fn an_entry_has_one_spelling() {
    let line = observed(Change::Inserted, Some(item())).entries(FINE)[0].line();
    assert!(Entry::parse(&line).is_some());
    for other in [
        line.replace(':', ": "),
        line.replace("\"region\":\"us-east-1\"", "\"region\":\"us\\u002deast-1\""),
        line.replace("{\"event\":\"minted\",", "{")
            .replace('}', ",\"event\":\"minted\"}"),
        line.replace("\"region\":\"us-east-1\"", "\"region\":null"),
        line.replace('}', ",\"owner\":\"cp-a\"}"),
        line.replace("minted", "broke"),
    ] {
        assert_ne!(other, line);
        assert_eq!(Entry::parse(&other), None, "{other}");
    }
}

proptest! {
    /// Whatever lies at a place, reading it ends.
    #[test]
    fn any_bytes_are_read_without_a_panic(body: Vec<u8>, text in "(\\{[ -~]{0,40}\\}\n){0,3}([A-Za-z0-9+/=]{0,12}\n?)?") {
        for body in [&body[..], text.as_bytes()] {
            if let Some(sealed) = Sealed::parse(body) {
                prop_assert_eq!(sealed.body(), body);
            }
            let _ = split_sealed(body);
        }
    }
}
