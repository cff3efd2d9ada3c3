//! Logs of every version that was ever written stay readable.

use std::collections::BTreeMap;

use audit_verifier::format::{chain_of, genesis, hex};
use audit_verifier::{PublicKeys, RememberedHead};
use data_encoding::BASE64;
use serde::Deserialize;

use crate::world::{Objects, check};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Vectors {
    public_key: String,
    chains: BTreeMap<String, u8>,
    region: String,
    genesis: BTreeMap<u8, String>,
    objects: BTreeMap<String, String>,
}

#[tokio::test]
async fn version_1_is_verified_as_it_was_computed_without_this_code() {
    let vectors: Vectors =
        serde_json::from_str(include_str!("../../../shared/tests/vectors/audit_v1.json")).unwrap();
    for (match_id, chain) in &vectors.chains {
        assert_eq!(chain_of(match_id), *chain);
    }
    for (chain, link) in &vectors.genesis {
        assert_eq!(hex(&genesis(&vectors.region, *chain)), *link);
    }
    let keys = PublicKeys::one(&BASE64.decode(vectors.public_key.as_bytes()).unwrap()).unwrap();
    let objects: Objects = vectors
        .objects
        .into_iter()
        .map(|(name, body)| (name, body.into_bytes()))
        .collect();
    let head = objects.values().last().unwrap();
    let remembered = [RememberedHead::parse(head, "the vectors").unwrap()];
    let report = check(&objects, &keys, &remembered).await;
    assert!(report.is_good(), "{:?}", report.findings);
    assert_eq!((report.objects, report.entries, report.minted), (3, 8, 3));
    assert_eq!(report.broken.len(), 2);
}
