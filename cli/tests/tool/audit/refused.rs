//! What is refused is said, and is never a verdict.

use std::fs;

use super::{AUDITOR, Kept, public_key, traded};
use crate::proxy::Fault;

#[test]
fn who_may_not_read_the_bucket_or_names_none_is_told_so_and_never_that_all_is_well() {
    let stand = traded();
    for (operation, says) in [
        ("ListObjectsV2", "read the audit log in symbolon-audit-"),
        ("GetObject", "read the audit log in symbolon-audit-"),
        ("GetPublicKey", "ask KMS for the public key"),
    ] {
        stand
            .faults()
            .set(move |called, _| (called == operation).then_some(Fault::Denied));
        for words in [
            "audit verify",
            "audit export --format jsonl",
            "audit show aaaaaaaaaaaaaaaaaaaaaaaaaa",
        ] {
            let ran = stand.run(AUDITOR, words);
            let ran = ran.says(
                1,
                &[
                    "these credentials may not",
                    says,
                    "AccessDenied",
                    "kms:GetPublicKey",
                ],
            );
            assert_eq!(ran.out, "", "{operation} {words}");
            assert!(!ran.err.contains("SECRET-OF-THE-SERVICE"), "{ran:?}");
            assert!(stand.faults().requests(operation) > 0, "{operation} {words}");
        }
        stand.faults().cease();
    }
    let ran = stand.run(AUDITOR, "audit verify --bucket nobodys-bucket");
    let ran = ran.says(
        1,
        &[
            "cannot read the audit log in nobodys-bucket: it does not exist",
            "NoSuchBucket",
        ],
    );
    assert_eq!(ran.out, "");
    let ran = stand.run(AUDITOR, "audit verify --log eu-west-1");
    ran.says(
        2,
        &[
            "the public key of the log of eu-west-1 is not known",
            "--public-key",
        ],
    );
    fs::write(stand.folder().join("key.der"), public_key(&stand)).unwrap();
    let ran = stand.run(AUDITOR, "audit verify --log eu-west-1 --public-key key.der");
    let ran = ran.says(1, &["the log of eu-west-1 is not whole"]);
    assert!(ran.out.contains("there is no log of eu-west-1"), "{}", ran.out);
    stand.file("bad.pem", "no key");
    let ran = stand.run(AUDITOR, "audit verify --public-key bad.pem");
    ran.says(1, &["bad.pem is no public key", "P-256"]);
    let kept = Kept::of_the_format();
    kept.run("audit verify --dir nowhere --public-key key.der")
        .says(1, &["cannot read nowhere"]);
    kept.run("audit verify --dir nowhere --log us-east-1 --public-key key.der")
        .says(1, &["us-east-1/ in nowhere"]);
    kept.run("audit verify --dir log")
        .says(2, &["the public key of the log of us-east-1 is not known"]);
    kept.run("audit verify").says(2, &["no log is named", "--dir"]);
}

#[test]
fn what_lies_in_the_archive_is_said_to_lie_there() {
    let stand = traded();
    stand
        .faults()
        .set(|called, _| (called == "GetObject").then_some(Fault::Archived));
    let ran = stand.run(AUDITOR, "audit verify");
    ran.says(
        1,
        &[
            "it lies in the archive",
            "InvalidObjectState",
            "restored",
            "--dir",
        ],
    );
}
