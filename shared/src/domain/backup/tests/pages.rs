use std::collections::{BTreeMap, BTreeSet};

use super::super::words;
use super::world::{NOW, all_good, minutes_ago, policy, report, store};
use crate::domain::backup::{Code, Fact, Figure, Finding, Observed, RestoreTest, Seen, Verdict, page};

#[test]
fn every_finding_has_a_sentence_and_an_advice() {
    for fact in Fact::ALL {
        for code in Code::ALL {
            let finding = Finding::new(*fact, *code)
                .part("part")
                .word("WORD")
                .figures(Figure::Minutes(605), Figure::Minutes(600));
            for text in [words::sentence(&finding), words::advice(&finding).to_owned()] {
                assert!(
                    text.len() > 15 && text.ends_with('.'),
                    "{fact:?} {code:?}: {text}"
                );
                assert!(
                    !text.contains('?') && text.starts_with(char::is_uppercase),
                    "{text}"
                );
            }
        }
    }
}

#[test]
fn what_a_rule_leaves_out_is_said() {
    let sentence = |word| {
        let finding = Finding::new(Fact::ReplicationRule, Code::Differs)
            .part("one")
            .word(word);
        words::sentence(&finding)
    };
    assert!(sentence("Filter").contains("rule one") && sentence("Filter").contains("its filter"));
    assert!(sentence("SseKmsEncryptedObjects").contains("under a key of KMS"));
}

#[test]
fn failed_operations_are_to_be_mended_by_hand() {
    let count = Figure::Count;
    let finding = Finding::new(Fact::FailedOperations, Code::Failing).figures(count(3), count(0));
    let said = words::sentence(&finding);
    assert!(
        said.contains("In the last 90 days 3 operations") && said.contains("S3 does not try again by itself")
    );
    let advice = words::advice(&finding);
    assert!(advice.contains("S3 Batch Replication") && advice.contains("90 days"));
    assert_eq!(
        crate::domain::backup::FAILED_OPERATIONS_DAYS,
        90,
        "as the advice says"
    );
}

/// AWS Backup refuses to list a vault that does not exist, as if it were the permission that is missing.
#[test]
fn a_refused_vault_may_be_a_lost_one() {
    for fact in Fact::ALL {
        let advice = words::advice(&Finding::new(*fact, Code::Denied));
        let of_vault = [Fact::RecoveryPoint, Fact::Copy].contains(fact);
        assert_eq!(advice.contains("a vault that is not there"), of_vault, "{fact:?}");
        assert!(advice.contains("this permission"), "{fact:?}");
    }
}

/// Neither `put_parameters` nor `DynamoDB` writes what is there already.
#[test]
fn a_silent_replica_is_woken_by_a_value_that_changes() {
    let advice = words::advice(&Finding::new(Fact::TableLag, Code::Silent));
    for said in [
        "change it back",
        "halt a symbol",
        "suspend a test counterparty",
        "writes nothing",
    ] {
        assert!(advice.contains(said), "{said}");
    }
    assert!(
        !advice.contains("lagMinutes"),
        "no parameter of the template is called so"
    );
    let advice = words::advice(&Finding::new(Fact::TableLag, Code::Lagging));
    assert!(advice.contains("Requests that changed nothing count as writes"));
}

#[test]
fn a_test_that_names_no_table_is_counted_and_explained() {
    let finding = Finding::new(Fact::RestoreTests, Code::Incomplete).part("matches");
    assert!(words::sentence(&finding).ends_with("one may be the newest of matches."));
    assert!(words::advice(&finding).contains("the recovery point of each"));
    let test = RestoreTest {
        ended: minutes_ago(60),
        status: "COMPLETED".to_owned(),
        validation: None,
    };
    let seen = Seen::RestoreTestsInPart {
        tests: BTreeMap::from([("arn:table/matches".to_owned(), test.clone())]),
        unnamed: vec![test; 2],
    };
    assert_eq!(
        words::seen(&seen, NOW),
        "matches COMPLETED 60 minutes ago, 2 tests of a table not named"
    );
}

#[test]
fn spans_are_said_in_two_units() {
    for (minutes, said) in [
        (0, "0 minutes"),
        (1, "1 minute"),
        (119, "119 minutes"),
        (120, "2 hours"),
        (605, "10 hours 5 minutes"),
        (2_879, "47 hours 59 minutes"),
        (2_880, "2 days"),
        (2_881, "2 days"),
        (50_400, "35 days"),
        (50_460, "35 days 1 hour"),
    ] {
        assert_eq!(words::span(minutes), said);
    }
    assert_eq!(words::figure(Figure::Days(1)), "1 day");
    assert_eq!(words::figure(Figure::Count(3)), "3");
    assert!(words::span(u64::MAX).ends_with("hours"));
}

fn mixed() -> crate::domain::backup::Report {
    let mut observations = all_good(&policy());
    let denied = Observed::Denied {
        operation: "kms:DescribeKey".to_owned(),
    };
    observations
        .get_mut(&store("key/token").id)
        .unwrap()
        .insert(Fact::KeyReplica, denied);
    observations
        .get_mut(&store("table/matches").id)
        .unwrap()
        .insert(Fact::Copy, Observed::NeverRan);
    report(observations)
}

#[test]
fn a_page_has_a_row_for_each_store_the_worst_first() {
    let page = page(&mixed());
    let rows: Vec<&str> = page.split("<li class=\"store ").skip(1).collect();
    assert_eq!(rows.len(), policy().stores().len());
    assert!(rows[0].starts_with("bad\" id=\"table/matches\""));
    assert!(rows[1].starts_with("unknown\" id=\"key/token\""));
    assert!(rows[2..].iter().all(|row| row.starts_with("good")));
    assert!(rows[0].contains("has no complete copy") && rows[0].contains("copy jobs"));
    assert!(rows[1].contains("kms:DescribeKey is not allowed"));
    assert!(
        page.contains(
            "1 store could not be put back as demanded, and 1 store could not be seen well enough."
        )
    );
    assert!(page.contains("2026-11-30 16:00:07 UTC"));
    let ids: BTreeSet<&str> = rows.iter().filter_map(|row| row.split('"').nth(2)).collect();
    assert_eq!(ids.len(), rows.len(), "each row can be linked to");
}

#[test]
fn a_page_needs_neither_script_nor_network_and_escapes_what_it_is_given() {
    let mut report = mixed();
    report.stack = "<script>alert(1)</script>".to_owned();
    let page = page(&report);
    assert!(!page.contains("<script"));
    for needed in ["http://", "https://", "src=", "url(", "@import"] {
        assert!(!page.contains(needed), "{needed}");
    }
    assert!(page.contains("default-src 'none'"));
    for kept in [
        "prefers-color-scheme: dark",
        "@media print",
        "width=device-width",
        "lang=\"en\"",
    ] {
        assert!(page.contains(kept), "{kept}");
    }
}

#[test]
fn a_page_of_good_stores_says_so() {
    let good = report(all_good(&policy()));
    assert_eq!(good.verdict, Verdict::Good);
    let page = page(&good);
    assert!(page.contains("All 23 stores are as they must be."));
    assert!(page.contains("<title>Good: backups of symbolon in us-east-1</title>"));
    assert!(!page.contains("data-finding"));
}
