//! What is stored, asked, answered and announced.

use serde_json::json;

use super::*;

// ---- Quarantine ---------------------------------------------------------------------------------------------------

#[test]
fn an_object_is_written_as_it_always_was_and_reads_back() {
    let letter = open(read(COUNTERPARTY, "no JSON"));
    let now = SENT.plus_millis(1);
    let object = QuarantineObject::of(&letter, &source(), PoisonReason::Malformed, now);
    let hash = letter.identity.encode();
    assert_eq!(
        String::from_utf8(object.to_json()).unwrap(),
        format!(
            r#"{{"v":1,"hash":"{hash}","source":"intake","reason":"malformed","firstSeen":1796140800123,"quarantinedAt":1796140800124,"attempts":{{"cycles":0,"receives":11}},"envelope":{{"type":"envelope","v":1,"sender":"AROACOUNTERPARTY:desk","sentAt":"1796140800123","cycles":0,"body":"no JSON"}}}}"#
        )
    );
    assert!(QuarantineObject::parse(&object.to_json()) == Ok(object.clone()));
    assert_eq!(
        object.name().encode(),
        format!("v1/intake/malformed/2026-12-01/{hash}.json")
    );
    assert_eq!(
        ObjectName::of(&letter, &source(), PoisonReason::Malformed),
        object.name()
    );
    assert_eq!(ObjectName::parse(&object.name().encode()), Ok(object.name()));
}

#[test]
fn what_bears_no_stamps_is_kept_as_it_is() {
    let letter = open(LetterAsRead {
        sender: None,
        ..read("", INTEREST)
    });
    let object = QuarantineObject::of(&letter, &source(), PoisonReason::Unstamped, SENT);
    let read = QuarantineObject::parse(&object.to_json()).unwrap();
    assert!(read == object && read.content == Content::Unstamped(INTEREST.to_owned()));
}

#[test]
fn what_is_no_object_is_refused() {
    let letter = open(read(COUNTERPARTY, "x"));
    let object = QuarantineObject::of(&letter, &source(), PoisonReason::Malformed, SENT);
    let good: serde_json::Value = serde_json::from_slice(&object.to_json()).unwrap();
    for (field, value) in [
        ("v", json!(2)),
        ("hash", json!(Identity::of_unstamped("x"))),
        ("reason", json!("bored")),
        ("source", json!("In Take")),
        ("attempts", json!({"cycles": 0, "receives": 1, "more": 1})),
        ("envelope", json!({})),
        ("body", json!("x")),
        ("more", json!(1)),
    ] {
        let mut wrong = good.clone();
        wrong[field] = value;
        assert_eq!(
            QuarantineObject::parse(wrong.to_string().as_bytes()),
            Err(InvalidObject),
            "{field}"
        );
    }
    assert_eq!(QuarantineObject::parse(b"no JSON"), Err(InvalidObject));
}

#[test]
fn what_is_no_name_is_refused() {
    let hash = Identity::of_unstamped("x").encode();
    assert!(ObjectName::parse(&format!("v1/intake/stale/2026-12-01/{hash}.json")).is_ok());
    for wrong in [
        String::new(),
        format!("v2/intake/stale/2026-12-01/{hash}.json"),
        format!("v1/intake/bored/2026-12-01/{hash}.json"),
        format!("v1/INTAKE/stale/2026-12-01/{hash}.json"),
        format!("v1/intake/stale/2026-1201/{hash}.json"),
        format!("v1/intake/stale/2026-12-01/{hash}"),
        format!("v1/intake/stale/2026-12-01/{hash}.json/"),
        format!("v1/intake/stale/2026-12-01/x{hash}.json"),
    ] {
        assert!(ObjectName::parse(&wrong).is_err(), "{wrong}");
    }
    assert_eq!(ObjectName::prefix(None, Some(PoisonReason::Stale)), "v1/");
    assert_eq!(ObjectName::prefix(Some(&source()), None), "v1/intake/");
    assert_eq!(
        ObjectName::prefix(Some(&source()), Some(PoisonReason::Stale)),
        "v1/intake/stale/"
    );
}

// ---- Requests and events ------------------------------------------------------------------------------------------

#[test]
fn a_request_is_strict() {
    let asked = |queue: Option<&str>, dry_run| {
        let queue = queue.map(|name| SourceName::new(name).unwrap());
        Ok(Request::Redrive(RedriveRequest { queue, dry_run }))
    };
    assert_eq!(Request::parse(json!({})), asked(None, false));
    assert_eq!(Request::parse(json!({"redrive": {}})), asked(None, false));
    assert_eq!(
        Request::parse(json!({"redrive": {"queue": "intake", "dryRun": true}})),
        asked(Some("intake"), true)
    );
    for wrong in [
        json!(null),
        json!([]),
        json!("redrive"),
        json!({"redrive": null}),
        json!({"redrive": {"dryrun": true}}),
        json!({"redrive": {"dryRun": "true"}}),
        json!({"redrive": {"queue": null}}),
        json!({"redrive": {"queue": "In Take"}}),
        json!({"redrive": {}, "more": 1}),
        json!({"Records": []}),
    ] {
        assert_eq!(Request::parse(wrong.clone()), Err(NotUnderstood), "{wrong}");
    }
}

#[test]
fn an_answer_reads_back() {
    let mut report = QueueReport::new(source(), false);
    report.quarantined.insert(PoisonReason::Stale, 2);
    report.stopped = Some(StopReason::CanaryRelapsed);
    let answer = Answer::Redrive(RedriveReport { queues: vec![report] });
    let text = serde_json::to_value(&answer).unwrap();
    assert_eq!(
        text,
        json!({"redrive": {"queues": [{
            "source": "intake", "dryRun": false, "received": 0, "sentBack": 0, "canaries": 0,
            "quarantined": {"stale": 2}, "relapsed": 0, "left": 0, "stopped": "canary_relapsed", "unfinished": false
        }]}})
    );
    assert_eq!(serde_json::from_value::<Answer>(text).unwrap(), answer);
    let refused = serde_json::to_value(Answer::Refused(Refusal::UnknownQueue)).unwrap();
    assert_eq!(refused, json!({"refused": "unknown_queue"}));
}

#[test]
fn events_name_codes_and_hashes() {
    let region = LogRegion::new("us-east-1".to_owned()).unwrap();
    let stopped = Announcement::Stopped {
        region: region.clone(),
        source: source(),
        why: StopReason::ConsumerFailing,
    };
    assert_eq!(stopped.detail_type(), "Redrive Stopped");
    assert_eq!(
        stopped.detail(),
        r#"{"queue":"intake","region":"us-east-1","why":"consumer_failing"}"#
    );
    let identity = Identity::of_unstamped("x");
    let act = Announcement::Act {
        region,
        act: QuarantineAct::Quarantined,
        identity,
        reason: PoisonReason::Malformed,
        source: source(),
    };
    assert_eq!(act.detail_type(), "Quarantine Act");
    assert_eq!(
        act.detail(),
        format!(
            r#"{{"act":"quarantined","hash":"{}","reason":"malformed","region":"us-east-1","source":"intake"}}"#,
            identity.encode()
        )
    );
}
