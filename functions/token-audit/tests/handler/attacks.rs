//! Somebody who may write to the bucket, but not sign. The log goes on, and nothing of his is signed.

use symbolon_shared::domain::audit::{Entry, LogRegion, Position, Sealed, head_name, object_name};
use symbolon_shared::ports::audit::AuditSigner as _;
use symbolon_shared::testing::MemoryAudit;

use crate::world::{
    assert_minted_once, audit, bucket, deadline, entries, event, failed, minted, region, secrets,
};

async fn log(bucket: &MemoryAudit, range: std::ops::Range<u32>) -> Option<String> {
    failed(
        &audit(bucket.clone())
            .handle(event(range.map(minted)), deadline())
            .await,
    )
}

/// A log of three objects in the chain of match 0, and that chain's position.
async fn three() -> (MemoryAudit, Vec<Sealed>) {
    let bucket = bucket();
    for range in [0..40, 40..80, 80..120] {
        assert_eq!(log(&bucket, range).await, None);
    }
    let chain = symbolon_shared::domain::audit::Chain::of(&secrets(0).match_id);
    let objects = bucket.objects();
    let sealed = (1..=3).map(|n| Sealed::parse(&objects[&object_name(&region(), chain, n)]).unwrap());
    let sealed = sealed.collect();
    (bucket, sealed)
}

fn name(sealed: &Sealed) -> String {
    object_name(&region(), sealed.statement.chain, sealed.statement.sequence)
}

fn head(sealed: &Sealed) -> String {
    head_name(&region(), sealed.statement.chain)
}

#[tokio::test]
async fn an_old_head_that_is_put_back_is_moved_on() {
    let (bucket, objects) = three().await;
    for old in &objects[..2] {
        bucket.overwrite(&head(old), old.head().into_bytes());
        assert_eq!(
            log(&bucket, 0..120).await,
            None,
            "duplicates, seen from the old head"
        );
        assert_eq!(log(&bucket, 80..160).await, None);
        assert_minted_once(&bucket, 0..160);
    }
}

#[tokio::test]
async fn a_head_that_is_gone_or_forged_is_found_again() {
    let (bucket, objects) = three().await;
    let head = head(&objects[0]);
    bucket.remove(&head);
    assert_eq!(log(&bucket, 80..130).await, None);
    assert_minted_once(&bucket, 0..130);
    let mut far = objects[2].head();
    far = far.replace("\"sequence\":3", "\"sequence\":9999999");
    for forged in [b"nothing".to_vec(), far.into_bytes(), vec![0xff; 9], Vec::new()] {
        bucket.overwrite(&head, forged);
        assert_eq!(log(&bucket, 80..140).await, None);
        assert_minted_once(&bucket, 0..140);
    }
}

/// The next object, made as a writer would make it, signed by somebody else's key.
async fn forged_next(sealed: &Sealed) -> Vec<u8> {
    let position = Position::from(&sealed.statement);
    let entry: Entry = sealed.entries().unwrap().remove(0);
    let draft = position.next(&[entry]).unwrap();
    let other = MemoryAudit::new([8; 32]).unwrap();
    let signature = other.sign(&draft.message()).await.unwrap();
    draft.sealed(signature).body()
}

#[tokio::test]
async fn an_object_that_nobody_signed_is_not_adopted_and_stops_nothing() {
    let (_, objects) = three().await;
    let forged = forged_next(&objects[2]).await;
    let moved = objects[1].body();
    for squatter in [forged, moved, b"x".to_vec(), Vec::new()] {
        let (bucket, objects) = three().await;
        let next = object_name(&region(), objects[2].statement.chain, 4);
        bucket.overwrite(&next, squatter.clone());
        assert_eq!(log(&bucket, 120..200).await, None);
        assert_minted_once(&bucket, 0..200);
        assert_ne!(bucket.objects()[&next], squatter);
    }
}

#[tokio::test]
async fn what_was_changed_in_the_past_stays_as_it_is_and_the_log_goes_on() {
    let (bucket, objects) = three().await;
    let changed = objects[1].body().iter().map(|b| b ^ 1).collect::<Vec<u8>>();
    bucket.overwrite(&name(&objects[1]), changed.clone());
    // With the head, and without: then the end has to be found behind what was changed.
    for remove in [false, true] {
        if remove {
            bucket.remove(&head(&objects[0]));
        }
        assert_eq!(log(&bucket, 120..200).await, None);
        assert_eq!(bucket.objects()[&name(&objects[1])], changed);
    }
    bucket.overwrite(&name(&objects[1]), objects[1].body());
    assert_minted_once(&bucket, 0..200);
}

#[tokio::test]
async fn an_old_head_over_a_changed_object_does_not_lead_to_a_second_history() {
    let (bucket, objects) = three().await;
    bucket.overwrite(&head(&objects[0]), objects[0].head().into_bytes());
    bucket.overwrite(&name(&objects[1]), b"changed".to_vec());
    assert_eq!(log(&bucket, 120..200).await, None);
    bucket.overwrite(&name(&objects[1]), objects[1].body());
    assert_minted_once(&bucket, 0..200);
}

#[tokio::test]
async fn another_history_that_is_genuine_stops_the_chain() {
    let (bucket, objects) = three().await;
    // Only who holds the key can make one: here, out of a second bucket.
    let (other, _) = three().await;
    let rewritten = Position::from(&objects[0].statement);
    let entry = objects[2].entries().unwrap().remove(0);
    let draft = rewritten.next(&[entry]).unwrap();
    let signature = other.sign(&draft.message()).await.unwrap();
    let second = draft.sealed(signature);
    bucket.remove(&name(&objects[2]));
    bucket.overwrite(&name(&second), second.body());
    bucket.overwrite(&head(&second), objects[1].head().into_bytes());
    let third = Position::from(&second.statement);
    let entry = objects[2].entries().unwrap().remove(1);
    let draft = third.next(&[entry]).unwrap();
    let signature = other.sign(&draft.message()).await.unwrap();
    let third = draft.sealed(signature);
    bucket.overwrite(&name(&third), third.body());
    assert!(log(&bucket, 120..200).await.is_some());
}

#[tokio::test]
async fn a_later_form_is_left_alone() {
    let (bucket, objects) = three().await;
    let statement = objects[2].statement.line().replace("\"v\":1", "\"v\":2");
    let message = ["symbolon/audit/statement", &statement].concat();
    let signature = bucket.sign(message.as_bytes()).await.unwrap();
    let head_of_later = format!("{statement}\n{}\n", data_encoding::BASE64.encode(&signature));
    bucket.overwrite(&head(&objects[2]), head_of_later.clone().into_bytes());
    assert!(log(&bucket, 120..200).await.is_some());
    assert_eq!(bucket.objects()[&head(&objects[2])], head_of_later.into_bytes());
}

#[tokio::test]
async fn regions_write_beside_each_other() {
    let bucket = bucket();
    let west = LogRegion::new("us-west-2").unwrap();
    let of_west = token_audit::TokenAudit::new(bucket.clone(), &west, crate::world::later());
    assert_eq!(
        failed(&of_west.handle(event((0..20).map(minted)), deadline()).await),
        None
    );
    let of_west = bucket.objects();
    assert!(of_west.keys().all(|name| name.starts_with("us-west-2/")));
    assert_eq!(log(&bucket, 0..20).await, None);
    for name in of_west.keys() {
        assert_eq!(bucket.objects()[name], of_west[name]);
        bucket.remove(name);
    }
    assert_eq!(entries(&bucket).len(), 20);
}
