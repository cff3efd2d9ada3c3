use super::world::{NOW, all_good, policy, report, store};
use crate::domain::backup::{
    Change, Fact, Observed, Report, ReportNames, Told, UnreadableReport, Verdict, changes,
};

#[test]
fn a_first_report_changes_from_unknown() {
    let mut observations = all_good(&policy());
    observations
        .get_mut(&store("table/keys").id)
        .unwrap()
        .insert(Fact::Copy, Observed::NeverRan);
    observations
        .get_mut(&store("key/token").id)
        .unwrap()
        .insert(Fact::KeyState, Observed::NotAsked);
    let report = report(observations);
    let changes = changes(&Told::new(), &report);
    assert_eq!(
        changes.len(),
        policy().stores().len() - 1,
        "what is unknown was unknown"
    );
    assert!(
        changes
            .iter()
            .all(|change| change.from == Verdict::Unknown && change.region == "us-east-1")
    );
    let bad: Vec<&Change> = changes
        .iter()
        .filter(|change| change.to == Verdict::Bad)
        .collect();
    assert_eq!(bad.len(), 1);
    assert_eq!(
        bad[0].detail(),
        r#"{"findings":["copy:neverRan"],"from":"unknown","region":"us-east-1","store":"table/keys","to":"bad"}"#
    );
}

#[test]
fn a_change_is_told_until_it_was_taken_and_then_no_more() {
    let mut first = report(all_good(&policy()));
    let due = changes(&Told::new(), &first);
    assert_eq!(due.len(), first.stores.len());
    // The bus took all but the last.
    for change in &due[1..] {
        first.tell(&change.store);
    }
    let second = report(all_good(&policy()));
    let left = changes(&first.told(), &second);
    assert_eq!(left, [due[0].clone()]);
    let mut second = Report::new(
        ("symbolon", "us-east-1"),
        &policy(),
        all_good(&policy()),
        &first.told(),
        NOW,
    );
    assert_eq!(second.told(), first.told(), "what was told is handed on");
    second.tell(&due[0].store);
    assert_eq!(changes(&second.told(), &report(all_good(&policy()))), []);
}

#[test]
fn a_store_that_is_bad_again_before_it_was_told_good_is_no_change() {
    let told = Told::from([(store("table/keys").id, Verdict::Bad)]);
    let mut observations = all_good(&policy());
    observations
        .get_mut(&store("table/keys").id)
        .unwrap()
        .insert(Fact::Copy, Observed::NeverRan);
    let changes = changes(&told, &report(observations));
    assert!(changes.iter().all(|change| change.store.as_str() != "table/keys"));
}

#[test]
fn a_report_is_read_strictly() {
    let good = report(all_good(&policy()));
    let json = String::from_utf8(good.to_json().unwrap()).unwrap();
    assert_eq!(Report::parse(json.as_bytes()), Ok(good));
    for wrong in [
        String::new(),
        "{}".to_owned(),
        json.replacen("\"v\": 1", "\"v\": 2", 1),
        json.replacen("\"v\": 1", "\"v\": 1, \"more\": 1", 1),
        json.replacen("\"good\"", "\"fine\"", 1),
        json.replacen("\"told\": \"unknown\",", "", 1),
        json.replacen("arrivedUntil", "arrived", 1),
    ] {
        assert_ne!(wrong, json);
        assert_eq!(Report::parse(wrong.as_bytes()), Err(UnreadableReport));
    }
}

#[test]
fn reports_have_a_newest_and_a_dated_name() {
    let names = ReportNames::new("us-east-1", NOW);
    assert_eq!(names.latest, "backup-check/us-east-1/latest.json");
    assert_eq!(names.latest_page, "backup-check/us-east-1/latest.html");
    assert_eq!(names.dated, "backup-check/us-east-1/2026/11/30/160007.json");
    assert_eq!(names.dated_page, "backup-check/us-east-1/2026/11/30/160007.html");
}
