//! `audit show`.

use std::fs;

use serde_json::json;

use super::{AUDITOR, Kept, traded};

#[test]
fn a_match_is_shown_by_its_id_and_its_commitment_with_its_proven_place() {
    let stand = traded();
    let made = stand.tables().matches;
    let (record, _) = made.first().expect("a match");
    let (id, commitment) = (record.match_id.encode(), record.commitment.encode());
    for wanted in [&id, &commitment] {
        let shown = stand.run(AUDITOR, &format!("audit show {wanted}")).done().out;
        for says in [
            "minted",
            &id,
            &commitment,
            "us-east-1/",
            " of it, ",
            "Proven: the chain in which this stands is whole.",
        ] {
            assert!(shown.contains(says), "no {says:?} in {shown}");
        }
        let shown = stand.run(AUDITOR, &format!("audit show {wanted} --output json"));
        let shown = shown.done().json();
        assert_eq!(shown["proven"], true);
        let [entry] = shown["entries"].as_array().unwrap().as_slice() else {
            panic!("{shown}")
        };
        assert_eq!(
            (&entry["event"], &entry["matchId"]),
            (&json!("minted"), &json!(id))
        );
    }
    for unknown in ["a".repeat(26), "0".repeat(64)] {
        stand
            .run(AUDITOR, &format!("audit show {unknown}"))
            .says(1, &["the log of us-east-1 says nothing of this match"]);
    }
    let token = record.buy_token.encode();
    let ran = stand
        .run(AUDITOR, &format!("audit show {token}"))
        .says(2, &["first 26 characters"]);
    assert!(
        !format!("{}{}", ran.out, ran.err).contains(token.as_str()),
        "a token is not repeated"
    );
}

#[test]
fn what_a_broken_chain_says_is_shown_and_not_called_proven() {
    let kept = Kept::of_the_format();
    let path = kept.object("us-east-1/0/0000000000000003");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replacen("1829988932000", "1829988932001", 1)).unwrap();
    let id = "a".repeat(26);
    let words = format!("audit show {id} --dir log --public-key key.der");
    let ran = kept.run(&words).says(1, &["what is shown is not proven"]);
    assert!(
        ran.out.contains("minted") && ran.out.contains("expired") && !ran.out.contains("Proven"),
        "{}",
        ran.out
    );
    assert!(
        ran.out.contains("0000000000000003: the entries are not those"),
        "{}",
        ran.out
    );
    let shown = kept.run(&format!("{words} --output json")).says(1, &[]).json();
    assert_eq!(shown["proven"], false);
}
