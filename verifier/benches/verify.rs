//! How fast a log is verified, beside plain SHA-256 over the same bytes: `cargo bench -p audit-verifier`.

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a bench that cannot begin ends"
)]

use std::collections::BTreeMap;
use std::sync::Arc;

use audit_verifier::{Bucket, BucketError, PublicKeys, verify};
use divan::Bencher;
use divan::counter::{BytesCount, ItemsCount};
use sha2::{Digest, Sha256};
use symbolon_shared::domain::audit::{Chain, Entry, LogRegion, Position, head_name};
use symbolon_shared::domain::token::MatchId;
use symbolon_shared::ports::audit::AuditSigner;
use symbolon_shared::testing::MemoryAudit;

const REGION: &str = "us-east-1";
const ENTRIES: u32 = 100_000;
/// Entries of an object: what a batch of a thousand leaves to each of eight chains.
const PER_OBJECT: usize = 125;

struct Bytes(BTreeMap<String, Vec<u8>>);

impl Bucket for Bytes {
    async fn list(&self, prefix: &str, each: &mut (dyn FnMut(&str) + Send)) -> Result<(), BucketError> {
        let names = self.0.keys().filter(|name| name.starts_with(prefix));
        names.for_each(|name| each(name));
        Ok(())
    }

    async fn read(&self, name: &str) -> Result<Option<Vec<u8>>, BucketError> {
        Ok(self.0.get(name).cloned())
    }
}

fn entry(n: u32) -> Entry {
    let hash: [u8; 32] = Sha256::digest(n.to_be_bytes()).into();
    let match_id = MatchId::from_random(*hash.first_chunk().unwrap());
    let text = format!(
        "{{\"event\":\"minted\",\"eventId\":\"{n:032x}\",\"recordedAt\":1795428931000,\"matchId\":\"{}\",\
         \"commitment\":\"{}\",\"region\":\"{REGION}\",\"keyEpoch\":\"2026-11-23.g1\",\"parameterVersion\":1,\
         \"matchedAt\":1795428930000,\"expiresAt\":1829988931000}}",
        match_id.encode(),
        data_encoding::HEXLOWER.encode(&hash),
    );
    Entry::parse(&text).expect("an entry")
}

fn log(runtime: &tokio::runtime::Runtime) -> (Arc<Bytes>, PublicKeys, u64) {
    let signer = MemoryAudit::new([7; 32]).expect("a key");
    let region = LogRegion::new(REGION).expect("a region");
    let mut chains: BTreeMap<Chain, Vec<Entry>> = BTreeMap::new();
    for entry in (0..ENTRIES).map(entry) {
        chains.entry(Chain::of(&entry.match_id)).or_default().push(entry);
    }
    let mut objects = BTreeMap::new();
    for (chain, entries) in chains {
        let mut position = Position::genesis(&region, chain);
        for batch in entries.chunks(PER_OBJECT) {
            let draft = position.next(batch).expect("entries");
            let signature = runtime
                .block_on(signer.sign(&draft.message()))
                .expect("a signature");
            let sealed = draft.sealed(signature);
            objects.insert(position.next_name(), sealed.body());
            objects.insert(head_name(&region, chain), sealed.head().into_bytes());
            position = Position::from(&sealed.statement);
        }
    }
    let bytes = objects.values().map(|body| body.len() as u64).sum();
    (
        Arc::new(Bytes(objects)),
        PublicKeys::one(&signer.public_key()).expect("a key"),
        bytes,
    )
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .build()
        .expect("a runtime")
}

#[divan::bench(sample_count = 10, sample_size = 1)]
fn log_of_a_hundred_thousand(bencher: Bencher) {
    let runtime = runtime();
    let (objects, keys, bytes) = log(&runtime);
    bencher
        .counter(ItemsCount::new(ENTRIES))
        .counter(BytesCount::new(bytes))
        .bench(|| {
            let verified = verify(Arc::clone(&objects), REGION, &keys, &[], Arc::new(|_| ()));
            let report = runtime.block_on(verified).expect("it reads");
            assert!(report.is_good() && report.entries == u64::from(ENTRIES));
        });
}

#[divan::bench(sample_count = 10, sample_size = 1)]
fn plain_sha_256_over_the_same_bytes(bencher: Bencher) {
    let runtime = runtime();
    let (objects, _, bytes) = log(&runtime);
    bencher
        .counter(ItemsCount::new(ENTRIES))
        .counter(BytesCount::new(bytes))
        .bench(|| {
            let mut hash = Sha256::new();
            objects.0.values().for_each(|body| hash.update(body));
            hash.finalize()
        });
}

fn main() {
    divan::main();
}
