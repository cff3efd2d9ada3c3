//! Pages and folders that must agree with the code.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use symbolon_shared::domain::intake::{Member, parse_body};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn text(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn files(folder: &Path, ending: &str, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && name != "target" && !name.starts_with('.') {
            files(&path, ending, found);
        } else if name.ends_with(ending) {
            found.push(path);
        }
    }
}

/// What stands between back quotes.
fn quoted(page: &str) -> impl Iterator<Item = &str> {
    page.split('`').skip(1).step_by(2)
}

#[test]
fn every_test_that_the_failure_table_names_exists() {
    let architecture = text("ARCHITECTURE.md");
    let (_, failures) = architecture.split_once("## When something fails").unwrap();
    let mut sources = Vec::new();
    files(&root(), ".rs", &mut sources);
    let code: Vec<String> = sources
        .iter()
        .map(|path| std::fs::read_to_string(path).unwrap())
        .collect();
    let rows: Vec<&str> = failures
        .lines()
        .filter(|line| line.starts_with("| ") && !line.starts_with("| When |"))
        .collect();
    assert!(rows.len() >= 15, "{} rows", rows.len());
    for row in rows {
        let proof = row.trim_end_matches('|').rsplit('|').next().unwrap();
        let named: Vec<&str> = quoted(proof).collect();
        assert!(!named.is_empty(), "no test in: {row}");
        for test in named {
            let function = format!("fn {}(", test.rsplit("::").next().unwrap());
            assert!(
                code.iter().any(|file| file.contains(&function)),
                "no such test: {test}"
            );
        }
    }
}

#[test]
fn every_function_of_the_template_has_its_folder_and_the_other_way_round() {
    let template = text("template.yaml");
    let built: BTreeSet<&str> = template
        .lines()
        .filter_map(|line| line.trim().strip_prefix("Binary: "))
        .collect();
    let folders: BTreeSet<String> = std::fs::read_dir(root().join("functions"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    assert_eq!(built, folders.iter().map(String::as_str).collect());
}

#[test]
fn what_the_pages_point_at_exists() {
    for page in ["README.md", "ARCHITECTURE.md"] {
        let page_text = text(page);
        let links = page_text
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split(')').next());
        for link in links.filter(|link| !link.contains("://")) {
            assert!(root().join(link).exists(), "{page} points at {link}");
        }
        let words = page_text
            .split_whitespace()
            .map(|word| word.trim_matches(['`', ',', '.', ')', '(']));
        for event in words.filter(|word| word.starts_with("events/") && word.len() > "events/".len()) {
            assert!(root().join(event).exists(), "{page} names {event}");
        }
    }
}

#[test]
fn decisions_are_numbered_without_a_gap() {
    let mut names: Vec<String> = std::fs::read_dir(root().join("docs/decisions"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    for (index, name) in names.iter().enumerate() {
        assert!(name.starts_with(&format!("{:04}-", index + 1)), "{name}");
    }
}

/// Each row of the threat model names what shows it: tests, rows of the policy table, assertions over the template.
#[test]
fn what_the_threat_model_calls_shown_is_there() {
    let model = text("docs/threat-model.md");
    let (closed, _) = model.split_once("## What remains open").unwrap();
    let mut sources = Vec::new();
    files(&root(), ".rs", &mut sources);
    files(&root().join(".ci/assertions"), ".py", &mut sources);
    let code: Vec<String> = sources
        .iter()
        .map(|path| std::fs::read_to_string(path).unwrap())
        .collect();
    let policies = text(".ci/policies/table.yaml");
    let asked: BTreeSet<&str> = policies
        .lines()
        .filter_map(|line| line.strip_prefix("- row: "))
        .map(|row| row.trim_matches('"'))
        .collect();
    let rows: Vec<&str> = closed
        .lines()
        .filter(|line| line.starts_with("| ") && !line.starts_with("| Would like"))
        .collect();
    assert!(rows.len() >= 25, "{} rows", rows.len());
    for row in rows {
        let proof = row.trim_end_matches('|').rsplit('|').next().unwrap();
        let named: Vec<&str> = quoted(proof).collect();
        assert!(!named.is_empty(), "nothing shows: {row}");
        for name in named {
            let is_there = if name.contains(' ') {
                asked.contains(name)
            } else {
                let written = [format!("fn {name}("), format!("def {name}(")];
                code.iter()
                    .any(|file| written.iter().any(|head| file.contains(head)))
            };
            assert!(is_there, "nobody shows: {name}");
        }
    }
}

/// Every reason code of the contract is explained to those who get it.
#[test]
fn every_reason_is_explained_to_a_counterparty() {
    let page = text("docs/integration.md");
    let (_, table) = page.split_once("## Why a message was refused").unwrap();
    let explained: BTreeSet<&str> = quoted(table).collect();
    let code = text("shared/src/domain/reason.rs");
    let (_, reasons) = code.split_once(" Reason {").unwrap();
    let (reasons, _) = reasons.split_once("\n    }\n").unwrap();
    let codes: Vec<&str> = reasons.split('"').skip(1).step_by(2).collect();
    assert!(codes.len() >= 17, "{codes:?}");
    for code in codes {
        assert!(explained.contains(code), "{code} is not explained");
    }
}

/// The bodies that the page shows are bodies that the parser takes.
#[test]
fn what_the_page_for_counterparties_sends_is_taken() {
    let page = text("docs/integration.md");
    let shown: Vec<&str> = page
        .lines()
        .skip_while(|line| !line.starts_with("## Sending"))
        .skip_while(|line| !line.starts_with("```json"))
        .skip(1)
        .take_while(|line| !line.starts_with("```"))
        .collect();
    assert_eq!(shown.len(), 5);
    for body in shown {
        let members = parse_body(body).unwrap_or_else(|reason| panic!("{reason}: {body}"));
        for member in members {
            assert!(
                matches!(&member, Member::Message(message) if message.request.is_ok()),
                "{body}"
            );
        }
    }
}
