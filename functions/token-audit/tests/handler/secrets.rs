//! The log holds no owner and no token, and tokens cannot be computed from what it holds.

use symbolon_shared::domain::identifiers::{CounterpartyId, Side};
use symbolon_shared::domain::token::{Commitment, DataKey, EpochKey, MatchId, Token};

use crate::world::{
    audit, bucket, changed, deadline, entries, epoch, event, item, key, minted, removed, secrets,
};

#[tokio::test]
async fn no_owner_token_or_sealed_party_is_in_the_log() {
    let bucket = bucket();
    let records = (0..50).map(minted);
    let rest = [
        changed(1, 900),
        removed(2, 901, 1, false),
        removed(3, 902, 401, true),
    ];
    audit(bucket.clone())
        .handle(event(records.chain(rest)), deadline())
        .await;
    let log: String = bucket
        .objects()
        .into_values()
        .map(|body| String::from_utf8(body).unwrap())
        .collect();
    for n in 0..50 {
        let secrets = secrets(n);
        assert!(
            log.contains(&secrets.match_id.encode()),
            "the search finds what is there"
        );
        for owner in &secrets.owners {
            assert!(!log.contains(owner.as_str()));
        }
        for token in &secrets.tokens {
            // The first half is the match id; the second is what a token is.
            assert!(!log.contains(&token.encode()[26..]));
        }
        for hidden in ["parties", "lastQty", "lastPx", "symbol"] {
            let text = item(n)[hidden]["S"].as_str().unwrap().to_owned();
            assert!(!log.contains(&text), "{hidden}");
        }
    }
}

/// Whoever has the log and knows every counterparty, but not the key of the epoch, tries them all.
#[tokio::test]
async fn tokens_cannot_be_computed_from_the_log() {
    let bucket = bucket();
    audit(bucket.clone())
        .handle(event((0..8).map(minted)), deadline())
        .await;
    let everybody: Vec<CounterpartyId> = (0..8).flat_map(|n| secrets(n).owners).collect();
    let fits = |key: &EpochKey, match_id: MatchId, commitment: &Commitment| {
        let tokens = |side| {
            everybody
                .iter()
                .map(move |owner| key.token(match_id, side, owner))
        };
        let sellers: Vec<Token> = tokens(Side::Sell).collect();
        tokens(Side::Buy).any(|buyer| sellers.iter().any(|seller| commitment.fits(&buyer, seller)))
    };
    for entry in entries(&bucket) {
        let commitment = entry.commitment.unwrap();
        assert!(
            fits(&key(), entry.match_id, &commitment),
            "with the key it is found: the trial is a real one"
        );
        // Keys that a reader could make of what is written: nothing, the epoch, the match, the commitment.
        let hashed = |text: &str| EpochKey::derive(epoch(), derived(text));
        for known in [
            "",
            &epoch().encode(),
            &entry.match_id.encode(),
            &commitment.encode(),
            &entry.line(),
        ] {
            assert!(!fits(&hashed(known), entry.match_id, &commitment));
        }
        // A mac that is guessed: none of these, and the chance of one is 2⁻¹²⁸.
        let guess = |n: u32| {
            let mac = MatchId::from_random([n.to_be_bytes()[3]; 16]).encode();
            Token::parse(&(entry.match_id.encode() + &mac)).unwrap()
        };
        assert!(!(0..256).any(|n| commitment.fits(&guess(n), &guess(255 - n))));
    }
}

fn derived(text: &str) -> DataKey {
    let mut key = text.as_bytes().to_vec();
    key.resize(32, 0);
    DataKey::try_from(key).unwrap()
}
