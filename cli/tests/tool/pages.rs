//! Completions, man pages, help, and what a pipe gets.

use crate::stand::{Ran, Stand, symbolon};

/// Every command of the tool, as a person types it.
const COMMANDS: [&str; 22] = [
    "audit export",
    "audit show",
    "audit verify",
    "counterparty add",
    "counterparty exclude",
    "counterparty list",
    "counterparty resume",
    "counterparty suspend",
    "parameters get",
    "parameters set",
    "quarantine list",
    "quarantine purge",
    "quarantine release",
    "quarantine show",
    "redrive",
    "submit",
    "cancel",
    "status",
    "inbox",
    "fit",
    "completions",
    "man",
];

fn run(words: &str) -> Ran {
    Ran::of(symbolon(words).output().unwrap())
}

#[test]
fn every_command_has_help_a_man_page_and_its_completions() {
    let folder = tempfile::tempdir().unwrap();
    run(&format!("man --directory {}", folder.path().display())).done();
    for command in COMMANDS {
        let help = run(&format!("{command} --help")).done().out;
        assert!(help.contains(&format!("symbolon {command}")), "{help}");
        // clap breaks every line but that of the usage.
        let mut lines = help.lines().filter(|line| !line.starts_with("Usage: "));
        assert!(lines.all(|line| line.chars().count() <= 80), "{help}");
        let page = folder
            .path()
            .join(format!("symbolon-{}.1", command.replace(' ', "-")));
        let page = std::fs::read_to_string(page).unwrap();
        assert!(page.contains(".SH SYNOPSIS"), "{command}: {page}");
    }
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = run(&format!("completions {shell}")).done().out;
        for word in COMMANDS.iter().flat_map(|command| command.split(' ')) {
            assert!(script.contains(word), "{shell}: {word}");
        }
    }
    let page = run("man").done().out;
    assert!(
        page.contains(".TH symbolon 1") && page.contains("SYMBOLON_OUTPUTS"),
        "{page}"
    );
}

#[test]
fn bash_takes_the_completions() {
    let script = run("completions bash").done().out;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("symbolon.bash");
    std::fs::write(&file, script).unwrap();
    let asked = "source $0; COMP_WORDS=(symbolon counterparty su); COMP_CWORD=2; \
                 _symbolon symbolon su counterparty; echo ${COMPREPLY[@]}";
    let mut bash = std::process::Command::new("bash");
    let answered = Ran::of(bash.args(["-c", asked]).arg(&file).output().unwrap());
    assert_eq!(answered.out.trim(), "suspend", "{answered:?}");
}

#[test]
fn a_pipe_gets_no_colours_and_machines_get_json_only() {
    let stand = Stand::without_matcher();
    let acme = stand.onboard("acme", "AROAACME");
    for words in [
        "counterparty list",
        "parameters get BTCUSD",
        "counterparty --help",
        "nonsense",
        "parameters get DOGUSD",
    ] {
        let ran = stand.run("AROAOPERATOR", words);
        assert!(
            !ran.out.contains('\u{1b}') && !ran.err.contains('\u{1b}'),
            "{ran:?}"
        );
    }
    for words in [
        "counterparty list".to_owned(),
        format!("counterparty suspend {acme}"),
        format!(
            "counterparty exclude {acme} {}",
            stand.onboard("globex", "AROAGLOBEX")
        ),
        "parameters get BTCUSD".to_owned(),
        "parameters get DOGUSD".to_owned(),
        "cancel A-1 --as A-2".to_owned(),
        "status A-1".to_owned(),
        "submit nowhere.jsonl".to_owned(),
    ] {
        let ran = stand.run("AROAACME", &format!("{words} --output json"));
        let lines: Vec<&str> = ran.out.lines().chain(ran.err.lines()).collect();
        assert!(!lines.is_empty(), "{words}");
        for line in lines {
            let parsed: serde_json::Value =
                serde_json::from_str(line).unwrap_or_else(|_| panic!("{words}: {line}"));
            assert!(parsed.is_object(), "{line}");
        }
    }
}
