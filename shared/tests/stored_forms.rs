//! Every form that was ever stored still reads, and is written as it was. The files in `stored/` are kept: a form
//! that changes gets a new number and a new file beside the old one.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "what cannot be read fails the test"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use symbolon_shared::domain::book::Entry;
use symbolon_shared::domain::counterparty::Counterparty;
use symbolon_shared::domain::match_record::MatchRecord;
use symbolon_shared::domain::parameters::MatchParameters;
use symbolon_shared::domain::submission::Submission;
use symbolon_shared::records::{EpochKeyRecord, PrincipalRecord, ReservationRecord};

/// The kept files, by name.
fn kept() -> BTreeMap<String, Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/stored");
    let files = fs::read_dir(folder).expect("the folder is there");
    let read = |file: fs::DirEntry| {
        let name = file
            .file_name()
            .to_string_lossy()
            .trim_end_matches(".json")
            .to_owned();
        let text = fs::read_to_string(file.path()).expect("it reads");
        (name, serde_json::from_str(&text).expect("it is JSON"))
    };
    files.map(|file| read(file.expect("it is a file"))).collect()
}

/// The value once read into its record and written again; `None` when it does not read.
fn through<T: Serialize + DeserializeOwned>(value: &Value) -> Option<Value> {
    let record: T = serde_json::from_value(value.clone()).ok()?;
    Some(serde_json::to_value(record).expect("a record writes"))
}

/// What a file's name begins with says which record it is.
fn reread(name: &str, value: &Value) -> Option<Value> {
    match name.split('_').next().unwrap_or_default() {
        "submission" => through::<Submission>(value),
        "entry" => through::<Entry>(value),
        "match" => through::<MatchRecord>(value),
        "counterparty" => through::<Counterparty>(value),
        "parameters" => through::<MatchParameters>(value),
        "principal" => through::<PrincipalRecord>(value),
        "reservation" => through::<ReservationRecord>(value),
        "epoch" => through::<EpochKeyRecord>(value),
        _ => panic!("{name} is of no record"),
    }
}

#[test]
fn every_kept_form_reads_and_is_written_as_it_was() {
    let kept = kept();
    assert_eq!(kept.len(), 18);
    for (name, value) in kept {
        assert_eq!(reread(&name, &value), Some(value), "{name}");
    }
}

#[test]
fn an_unknown_form_is_refused() {
    for (name, mut value) in kept() {
        for unknown in [Value::from(0), Value::from(2), Value::Null] {
            value["v"] = unknown;
            assert_eq!(reread(&name, &value), None, "{name}");
        }
    }
}

#[test]
fn what_is_optional_may_be_missing_and_what_is_unknown_is_passed_over() {
    for (name, value) in kept() {
        let mut more = value.clone();
        more["pk"] = Value::from("a table's key");
        assert_eq!(reread(&name, &more), Some(value), "{name}");
    }
    let mut bare = kept().remove("counterparty").expect("it is kept");
    bare.as_object_mut().expect("an object").remove("exclusions");
    assert!(through::<Counterparty>(&bare).is_some());
}
