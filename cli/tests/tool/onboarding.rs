//! Onboarding and parameters.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::proxy::Fault;
use crate::stand::Stand;

const STAFF: &str = "AROAOPERATOR";

/// Everybody but the counterparty that the local deployment onboards by itself.
fn listed(stand: &Stand) -> Vec<Value> {
    let lines = stand.run(STAFF, "counterparty list --output json").done().out;
    let all = lines.lines().map(|line| serde_json::from_str(line).unwrap());
    all.filter(|one: &Value| one["principal"] != "AROACOUNTERPARTY00001")
        .collect()
}

#[test]
fn counterparties_are_onboarded_suspended_resumed_and_kept_apart() {
    let stand = Stand::start();
    let acme = stand.onboard("acme", "AROAACME");
    let globex = stand.onboard("globex", "AROAGLOBEX");
    assert_eq!(
        stand.onboard("acme", "AROAACME"),
        acme,
        "a repetition changes nothing"
    );

    stand
        .run(STAFF, &format!("counterparty exclude {acme} {globex}"))
        .done();
    stand.run(STAFF, &format!("counterparty suspend {acme}")).done();
    let all = listed(&stand);
    assert_eq!(all.len(), 2, "{all:?}");
    assert_eq!(
        (&all[0]["name"], &all[0]["standing"]),
        (&json!("acme"), &json!("suspended"))
    );
    assert_eq!(
        (&all[0]["exclusions"], &all[1]["exclusions"]),
        (&json!([globex]), &json!([]))
    );
    assert_eq!(
        (&all[1]["name"], &all[1]["standing"]),
        (&json!("globex"), &json!("active"))
    );

    // A repeated onboarding is no way out of a suspension.
    assert_eq!(stand.onboard("acme", "AROAACME"), acme);
    assert_eq!(listed(&stand)[0]["standing"], "suspended");
    stand.run(STAFF, &format!("counterparty resume {acme}")).done();
    assert_eq!(listed(&stand)[0]["standing"], "active");

    let table = stand.run(STAFF, "counterparty list").done().out;
    assert!(table.lines().all(|line| line.chars().count() <= 80), "{table}");
    assert!(table.contains(&acme) && table.contains("globex"), "{table}");
}

#[test]
fn what_is_wrong_with_a_counterparty_is_said() {
    let stand = Stand::without_matcher();
    let acme = stand.onboard("acme", "AROAACME");
    for (words, code, says) in [
        (
            "counterparty suspend cp-nobody".to_owned(),
            1,
            "no such counterparty",
        ),
        (
            format!("counterparty exclude {acme} cp-nobody"),
            1,
            "no such counterparty",
        ),
        (
            format!("counterparty exclude {acme} {acme}"),
            2,
            "one and the same",
        ),
        (
            "counterparty add initech --principal AROAACME".to_owned(),
            1,
            "under another name",
        ),
        (
            "counterparty add a/b --principal AROAX".to_owned(),
            2,
            "name of a role",
        ),
        (
            "counterparty add initech --principal AROAX --exclude cp-nobody".to_owned(),
            1,
            "no such counterparty",
        ),
        ("counterparty suspend acme".to_owned(), 2, "counterparty list"),
    ] {
        stand.run(STAFF, &words).says(code, &[says]);
    }
    assert_eq!(listed(&stand).len(), 1, "nothing came of it");
}

/// The outputs of the primary, and those of a peer in another region with a matcher's role of its own.
fn outputs(stand: &Stand) -> (BTreeMap<String, String>, BTreeMap<String, String>) {
    let text = std::fs::read_to_string(&stand.environment()["SYMBOLON_OUTPUTS"]).unwrap();
    let primary: BTreeMap<String, String> = serde_json::from_str(&text).unwrap();
    let mut peer = primary.clone();
    for value in peer.values_mut() {
        *value = value.replace("us-east-1", "us-west-2");
    }
    peer.insert(
        "MatcherRoleArn".to_owned(),
        "arn:aws:iam::123456789012:role/matcher-west".to_owned(),
    );
    (primary, peer)
}

#[test]
fn both_regions_get_an_inbox_that_takes_messages_from_either() {
    let stand = Stand::without_matcher();
    let (_, peer) = outputs(&stand);
    stand.file("peer.json", &serde_json::to_string(&peer).unwrap());
    let add = "counterparty add acme --principal AROAACME";
    stand
        .run(STAFF, &format!("{add} --peer-region us-west-2"))
        .says(2, &["--peer-outputs"]);
    let both = format!("{add} --peer-outputs peer.json --output json");
    let added = stand.run(STAFF, &both).done().json();
    let regions: Vec<&String> = added["inboxUrls"].as_object().unwrap().keys().collect();
    assert_eq!(regions, ["us-east-1", "us-west-2"]);

    let queue = added["inboxQueue"].as_str().unwrap().to_owned();
    let policies = stand.ask(async move |deployment| {
        let mut policies = Vec::new();
        for region in ["us-east-1", "us-west-2"] {
            let config = deployment.stack().endpoints().sdk_config(STAFF);
            let region = aws_config::Region::new(region);
            let config = config.into_builder().region(region).build();
            let sqs = aws_sdk_sqs::Client::new(&config);
            let url = sqs
                .get_queue_url()
                .queue_name(&queue)
                .send()
                .await
                .unwrap()
                .queue_url
                .unwrap();
            let policy = aws_sdk_sqs::types::QueueAttributeName::Policy;
            let asked = sqs
                .get_queue_attributes()
                .queue_url(url)
                .attribute_names(policy.clone());
            policies.push(asked.send().await.unwrap().attributes.unwrap()[&policy].clone());
        }
        policies
    });
    for (region, policy) in ["us-east-1", "us-west-2"].iter().zip(policies) {
        assert!(
            policy.contains("role/matcher-west") && policy.contains("MatcherRole"),
            "{policy}"
        );
        assert!(
            policy.contains("role/symbolon/counterparty/acme") && policy.contains(region),
            "{policy}"
        );
    }
    // Alone, the primary's inbox would lose the peer's right to send.
    stand
        .run(STAFF, add)
        .says(2, &["its inbox in us-west-2 would be left out", "--peer-region"]);
}

#[test]
fn a_stack_is_found_by_its_name() {
    let stand = Stand::without_matcher();
    let (primary, _) = outputs(&stand);
    stand.faults().set_outputs(primary);
    stand.onboard("acme", "AROAACME");
    let run = |words: &str| {
        let mut command = stand.symbolon(STAFF, words);
        command.env_remove("SYMBOLON_OUTPUTS");
        crate::stand::Ran::of(command.output().unwrap())
    };
    let listed = run("--stack symbolon counterparty list").done();
    assert!(listed.out.contains("acme"), "{listed:?}");
    run("--stack other counterparty list").says(1, &["there is no stack other in us-east-1"]);
    run("counterparty list").says(2, &["no deployment is named", "--stack NAME"]);
    stand
        .faults()
        .set(|operation, _| (operation == "DescribeStacks").then_some(Fault::Denied));
    let denied =
        run("--stack symbolon counterparty list").says(1, &["cloudformation:DescribeStacks", "--outputs"]);
    assert!(!denied.err.contains("SECRET"), "{denied:?}");
}

#[test]
fn parameters_are_set_and_shown() {
    let stand = Stand::without_matcher();
    let set = "parameters set ETHUSD --tick 0.01 --lot 0.001 --currency USD";
    let shown = stand.run(STAFF, &format!("{set} --output json")).done().json();
    let expected = json!({"symbol":"ETHUSD","tick":"0.01","lot":"0.001","currency":"USD","pricePolicy":"resting",
        "tradable":true,"version":1});
    assert_eq!(shown, expected);
    assert_eq!(
        stand
            .run(STAFF, "parameters get ETHUSD --output json")
            .done()
            .json(),
        expected
    );
    let more = "--price-policy midpoint --security-id XX --security-id-source 4 --halt --output json";
    let shown = stand.run(STAFF, &format!("{set} {more}")).done().json();
    assert_eq!(
        (
            &shown["version"],
            &shown["tradable"],
            &shown["pricePolicy"],
            &shown["securityId"]
        ),
        (&json!(2), &json!(false), &json!("midpoint"), &json!("XX"))
    );
    let table = stand.run(STAFF, "parameters get ETHUSD").done().out;
    assert!(table.contains("halted"), "{table}");
    stand
        .run(STAFF, "parameters get DOGUSD")
        .says(1, &["DOGUSD has no parameters", "parameters set"]);
}
