//! `audit export`.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Stdio;

use parquet::file::reader::{FileReader as _, SerializedFileReader};
use parquet::record::{Field, Row};
use serde_json::{Value, json};

use super::{AUDITOR, Kept, MATCHES, traded};
use crate::proxy::Fault;
use crate::stand::{Ran, interrupted, symbolon};

/// The rows of a Parquet file as the lines of the other form.
fn parquet_rows(file: &Path) -> Vec<Value> {
    let reader = SerializedFileReader::new(fs::File::open(file).unwrap()).unwrap();
    let value = |field: &Field| match field {
        Field::Null => Value::Null,
        Field::Str(text) => json!(text),
        Field::Long(number) | Field::TimestampMillis(number) => json!(number),
        other => panic!("{other:?}"),
    };
    let row = |row: Row| {
        let columns = row
            .get_column_iter()
            .map(|(name, field)| (name.clone(), value(field)));
        columns.filter(|(_, value)| !value.is_null()).collect::<Value>()
    };
    reader
        .get_row_iter(None)
        .unwrap()
        .map(|read| row(read.unwrap()))
        .collect()
}

#[test]
fn both_exports_hold_every_entry_of_a_real_log() {
    let stand = traded();
    let lines = stand.run(AUDITOR, "audit export --format jsonl").done().out;
    let rows: Vec<Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(rows.len(), MATCHES as usize);
    let made = stand.tables().matches;
    for (record, _) in made {
        let row = rows
            .iter()
            .find(|row| row["matchId"] == record.match_id.encode())
            .expect("each match");
        assert_eq!(row["commitment"], record.commitment.encode());
        assert_eq!(row["matchedAt"], record.matched_at.as_millis());
    }
    let ran = stand
        .run(AUDITOR, "audit export --format parquet --out log.parquet")
        .done();
    assert!(
        ran.out
            .starts_with("12 entries of the log of us-east-1 are in log.parquet"),
        "{}",
        ran.out
    );
    assert_eq!(parquet_rows(&stand.folder().join("log.parquet")), rows);
    let ran = stand
        .run(
            AUDITOR,
            "audit export --format jsonl --out log.jsonl --output json",
        )
        .done();
    assert_eq!(
        ran.json(),
        json!({ "file": "log.jsonl", "format": "jsonl", "region": "us-east-1", "entries": 12 })
    );
    assert_eq!(
        fs::read_to_string(stand.folder().join("log.jsonl")).unwrap(),
        lines
    );
}

#[test]
fn every_kind_of_entry_is_exported_alike_and_with_its_type() {
    let kept = Kept::of_the_format();
    let export = "audit export --dir log --public-key key.der --format";
    let lines = kept.run(&format!("{export} jsonl")).done().out;
    let rows: Vec<Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(rows.len(), 8);
    kept.run(&format!("{export} parquet --out log.parquet")).done();
    assert_eq!(parquet_rows(&kept.path("log.parquet")), rows);
    let reader = SerializedFileReader::new(fs::File::open(kept.path("log.parquet")).unwrap()).unwrap();
    let schema = reader.metadata().file_metadata().schema_descr();
    let kinds: BTreeMap<&str, String> = schema
        .columns()
        .iter()
        .map(|column| {
            (
                column.name(),
                format!("{:?} {:?}", column.physical_type(), column.logical_type_ref()),
            )
        })
        .collect();
    for time in ["recordedAt", "matchedAt", "expiresAt"] {
        let kind = &kinds[time];
        assert!(
            kind.starts_with("INT64") && kind.contains("MILLIS") && kind.contains("true"),
            "{kind}"
        );
    }
    assert!(
        kinds["sequence"].starts_with("INT64") && kinds["matchId"].contains("String"),
        "{kinds:?}"
    );
}

#[test]
fn a_log_that_is_not_whole_is_not_exported_and_nothing_is_left_behind() {
    let kept = Kept::of_the_format();
    let export = "audit export --dir log --public-key key.der --format";
    let before = fs::read_dir(kept.0.path()).unwrap().count();
    fs::write(kept.path("log.jsonl"), "of yesterday").unwrap();
    let path = kept.object("us-east-1/0/0000000000000003");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replacen("1829988932000", "1829988932001", 1)).unwrap();
    for words in ["jsonl", "jsonl --out log.jsonl", "parquet --out log.parquet"] {
        let ran = kept.run(&format!("{export} {words}"));
        let ran = ran.says(
            1,
            &["not whole: 1 fault; nothing was written", "0000000000000003"],
        );
        assert_eq!(ran.out, "", "{words}");
    }
    assert_eq!(
        fs::read_to_string(kept.path("log.jsonl")).unwrap(),
        "of yesterday"
    );
    assert_eq!(
        fs::read_dir(kept.0.path()).unwrap().count(),
        before + 1,
        "no draft is left"
    );
    fs::write(&path, text).unwrap();
    kept.run(&format!("{export} jsonl --out nowhere/log.jsonl"))
        .says(1, &["cannot write the export to nowhere/log.jsonl"]);
    kept.run(&format!("{export} parquet"))
        .says(2, &["Parquet goes to a file", "--out FILE"]);
    kept.run(&format!("{export} jsonl --log eu-west-1"))
        .says(1, &["there is no log of eu-west-1"]);
    kept.run(&format!("{export} jsonl --out log.jsonl")).done();
    assert_eq!(
        fs::read_to_string(kept.path("log.jsonl"))
            .unwrap()
            .lines()
            .count(),
        8
    );
}

#[test]
fn an_export_that_is_interrupted_leaves_nothing_behind() {
    let stand = traded();
    stand
        .faults()
        .set(|called, count| (called == "GetObject" && count > 2).then_some(Fault::Silent));
    let before = fs::read_dir(stand.folder()).unwrap().count();
    let child = stand
        .symbolon(AUDITOR, "audit export --format parquet --out log.parquet")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let files = || fs::read_dir(stand.folder()).unwrap().count();
    while files() == before || stand.faults().requests("GetObject") < 3 {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    interrupted(child).says(1, &["interrupted: nothing was written"]);
    assert_eq!(files(), before);
}

#[test]
fn a_pipe_gets_every_row_and_one_that_closes_early_is_no_error_to_speak_of() {
    let kept = Kept::of_the_format();
    let words = "audit export --dir log --public-key key.der --format jsonl";
    let mut child = symbolon(words)
        .current_dir(kept.0.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let ran = Ran::of(child.wait_with_output().unwrap());
    assert_eq!(ran.err, "", "quietly");
    let ran = kept.verify("").done();
    assert!(
        !ran.out.contains('\u{1b}') && !ran.err.contains('\u{1b}'),
        "{ran:?}"
    );
}
