//! What each role may do is what the ports of its code say that they need: nothing missing, nothing spare.
//!
//! The ports say it in their doc comments (`IAM: …`), the template in its policies. What Lambda, DynamoDB and SQS need
//! of a role on their own account is no port's, and listed here with the reason.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_yaml_ng::Value;

/// Resource → actions.
type Grants = BTreeMap<String, BTreeSet<String>>;

/// A policy of the template, the traits whose ports its role works through, and what it allows besides.
struct Duty {
    policy: &'static str,
    traits: &'static [&'static str],
    /// Statements that no port asks for, with the reason.
    besides: &'static [(&'static str, &'static str)],
}

/// One for each function, and for the people whose work is code of this repository.
const DUTIES: [Duty; 5] = [
    Duty {
        policy: "MatcherPolicy",
        traits: &["MatcherPorts"],
        besides: &[
            (
                "Receive",
                "Lambda's poller receives and deletes in the role's name",
            ),
            ("UseTables", "DynamoDB opens tables in the caller's name"),
            (
                "UseQueues",
                "SQS encrypts in the sender's name and decrypts in the receiver's",
            ),
            ("Log", "Lambda writes the log in the role's name"),
            ("Trace", "Lambda writes traces in the role's name"),
        ],
    },
    Duty {
        policy: "TokenAuditPolicy",
        traits: &["AuditPorts"],
        besides: &[
            (
                "ReadStream",
                "Lambda's poller reads the stream in the role's name",
            ),
            ("UseTables", "DynamoDB opens tables in the caller's name"),
            ("UseBucket", "S3 encrypts and opens objects in the caller's name"),
            ("SetAside", "Lambda sets records aside in the role's name"),
            (
                "UseStreamRecords",
                "S3 encrypts and opens what is set aside in the role's name",
            ),
            ("Log", "Lambda writes the log in the role's name"),
            ("Trace", "Lambda writes traces in the role's name"),
        ],
    },
    Duty {
        policy: "DlqRedrivePolicy",
        traits: &["RedrivePorts"],
        besides: &[
            (
                "UseQueues",
                "SQS encrypts in the sender's name and decrypts in the receiver's",
            ),
            ("UseTables", "DynamoDB opens tables in the caller's name"),
            (
                "UseQuarantine",
                "S3 encrypts and opens objects in the caller's name",
            ),
            ("TellOfFailures", "Lambda tells in the role's name"),
            ("Log", "Lambda writes the log in the role's name"),
            ("Trace", "Lambda writes traces in the role's name"),
        ],
    },
    Duty {
        policy: "BackupCheckPolicy",
        traits: &["BackupPorts", "ExportPorts"],
        besides: &[
            ("UseBuckets", "S3 encrypts and opens objects in the caller's name"),
            ("TellOfFailures", "Lambda tells in the role's name"),
            ("UseQueues", "SQS encrypts in the sender's name"),
            ("Log", "Lambda writes the log in the role's name"),
            ("Trace", "Lambda writes traces in the role's name"),
        ],
    },
    Duty {
        policy: "OnboardingPolicy",
        traits: &[
            "Registry",
            "RegistryAdmin",
            "RegistryDirectory",
            "ParameterStore",
            "ParameterAdmin",
            "InboxAdmin",
        ],
        besides: &[
            ("OpenTables", "DynamoDB opens tables in the caller's name"),
            ("FindResources", "the tool looks for the stack's outputs"),
            ("CreateCounterpartyRoles", "done by hand"),
            ("TagCounterpartyRoles", "done by hand"),
            ("AttachTheirPolicy", "done by hand"),
            ("SeeCounterpartyRoles", "done by hand"),
        ],
    },
];

fn root() -> PathBuf {
    // Cargo sets it for a test that it runs; the mutation run names a folder with another template.
    PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").unwrap()).join("..")
}

fn text(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

// ---- What the ports say -------------------------------------------------------------------------------------------

/// The traits of a source: name → (doc comment, supertraits).
fn traits(source: &str) -> BTreeMap<String, (String, Vec<String>)> {
    let mut found = BTreeMap::new();
    let mut doc = String::new();
    let mut lines = source.lines();
    while let Some(line) = lines.next() {
        if let Some(comment) = line.strip_prefix("///") {
            doc.push_str(comment);
        } else if let Some(declared) = line.strip_prefix("pub trait ") {
            let mut head = declared.to_owned();
            while !head.contains('{') {
                head.push_str(lines.next().expect("a trait has a body"));
            }
            let (name, supers) = head.split_once(['{', ':']).expect("a trait has a body");
            let supers = supers
                .split(['+', '{', '}'])
                .map(|name| name.trim().to_owned())
                .filter(|name| !name.is_empty());
            found.insert(
                name.trim().to_owned(),
                (std::mem::take(&mut doc), supers.collect()),
            );
        } else {
            doc.clear();
        }
    }
    found
}

/// Every trait that says what it needs, of the ports and of onboarding.
fn all_traits() -> BTreeMap<String, (String, Vec<String>)> {
    let mut all = traits(&text("shared/src/ports.rs"));
    for part in ["audit", "backup", "export", "redrive"] {
        all.extend(traits(&text(&format!("shared/src/ports/{part}.rs"))));
    }
    all.extend(traits(&text("shared/src/onboarding.rs")));
    all.extend(traits(&text("shared/src/onboarding/directory.rs")));
    all
}

/// The grants of a doc comment: `IAM: ACTIONS on RESOURCES; ACTIONS on RESOURCES.`
fn needs(doc: &str) -> Grants {
    let mut grants = Grants::new();
    let (_, said) = doc
        .split_once("IAM: ")
        .unwrap_or_else(|| panic!("no IAM line in: {doc}"));
    let said = said.split('.').next().unwrap_or_default();
    for clause in said.split(';') {
        let (actions, resource) = clause
            .split_once(" on ")
            .unwrap_or_else(|| panic!("no resource in: {clause}"));
        let actions = actions.split('`').skip(1).step_by(2).map(str::to_owned);
        let resource = resource.split(", for ").next().unwrap_or_default();
        grants
            .entry(resource.trim().trim_matches('`').to_owned())
            .or_default()
            .extend(actions);
    }
    grants
}

/// What a trait needs, with all that it stands on.
fn needed(name: &str, all: &BTreeMap<String, (String, Vec<String>)>) -> Grants {
    let (doc, supers) = all.get(name).unwrap_or_else(|| panic!("no trait {name}"));
    let supers: Vec<&String> = supers.iter().filter(|name| *name != "Sync").collect();
    if supers.is_empty() {
        return needs(doc);
    }
    supers.into_iter().fold(Grants::new(), |mut grants, part| {
        for (resource, actions) in needed(part, all) {
            grants.entry(resource).or_default().extend(actions);
        }
        grants
    })
}

// ---- What the template grants -------------------------------------------------------------------------------------

fn template() -> Value {
    serde_yaml_ng::from_str(&text("template.yaml")).unwrap()
}

/// The value behind a tag such as `!Sub`, or the value itself.
fn untagged(value: &Value) -> &Value {
    match value {
        Value::Tagged(tagged) => untagged(&tagged.value),
        other => other,
    }
}

fn listed(value: &Value) -> Vec<&Value> {
    match value {
        Value::Sequence(items) => items.iter().collect(),
        one => vec![one],
    }
}

/// A resource by the word that the ports have for it.
fn word(resource: &Value) -> String {
    let text = serde_yaml_ng::to_string(untagged(resource)).unwrap();
    if text.trim() == "'*'" {
        return "everything".to_owned();
    }
    let words = [
        ("table/${AWS::StackName}-*", "every table"),
        ("table/${AWS::StackName}-", ""),
        (":backup-vault:", "both vaults"),
        (":function:", "the exported functions"),
        (":stack/", "the stack"),
        ("-backup-${AWS::AccountId}-${PeerRegion}", "the peer backup"),
        ("BackupBucket.Arn", "backup"),
        ("-${AWS::AccountId}-${AWS::Region}", "every bucket"),
        ("QuarantineBucket.Arn", "quarantine"),
        ("IntakeQueue.Arn", "the source queues"),
        (":${AWS::StackName}-inbox-*", "<stack>-inbox-*"),
        ("IntakeDlq.Arn", "the dead-letter queue"),
        ("TokenKey.Arn", "the token key"),
        ("AuditBucket.Arn", "audit"),
        ("StreamRecordsBucket.Arn", "stream-records"),
        (":event-bus/default", "the event bus"),
        ("AuditSigningKey.Arn", "the audit signing key"),
    ];
    for (mark, word) in words {
        if let Some((_, rest)) = text.split_once(mark) {
            return if word.is_empty() {
                rest.trim().to_owned()
            } else {
                word.to_owned()
            };
        }
    }
    text.trim().to_owned()
}

fn granted(template: &Value, duty: &Duty) -> Grants {
    let statements = &template["Resources"][duty.policy]["Properties"]["PolicyDocument"]["Statement"];
    let mut grants = Grants::new();
    let mut besides: BTreeSet<&str> = duty.besides.iter().map(|(sid, _)| *sid).collect();
    for statement in statements.as_sequence().expect("statements") {
        let sid = statement["Sid"].as_str().expect("every statement has a name");
        if besides.remove(sid) {
            continue;
        }
        assert_eq!(
            statement["Effect"].as_str(),
            Some("Allow"),
            "{}: {sid}",
            duty.policy
        );
        for resource in listed(&statement["Resource"]) {
            let actions = listed(&statement["Action"]);
            let actions: Vec<&str> = actions.iter().map(|action| action.as_str().unwrap()).collect();
            // Who only looks at keys looks at all of them; who uses one, uses that one.
            let looks = ["kms:DescribeKey", "kms:GetKeyRotationStatus"];
            let resource = if actions.iter().all(|action| looks.contains(action)) {
                "every key".to_owned()
            } else {
                word(resource)
            };
            let actions = actions.into_iter().map(str::to_owned);
            grants.entry(resource).or_default().extend(actions);
        }
    }
    assert!(besides.is_empty(), "{}: there is no {besides:?}", duty.policy);
    grants
}

// ---- The comparison -----------------------------------------------------------------------------------------------

#[test]
fn each_role_may_do_what_its_ports_need_and_nothing_else() {
    let (template, all) = (template(), all_traits());
    for duty in &DUTIES {
        let mut wanted = Grants::new();
        for name in duty.traits {
            for (resource, actions) in needed(name, &all) {
                wanted.entry(resource).or_default().extend(actions);
            }
        }
        assert!(!wanted.is_empty());
        assert_eq!(
            granted(&template, duty),
            wanted,
            "{}: granted, and needed",
            duty.policy
        );
    }
}

#[test]
fn every_function_has_its_duty() {
    let template = template();
    for (name, resource) in template["Resources"].as_mapping().expect("resources") {
        if resource["Type"].as_str() == Some("AWS::Serverless::Function") {
            let policy = name.as_str().unwrap().replace("Function", "Policy");
            assert!(
                DUTIES.iter().any(|duty| duty.policy == policy),
                "{policy} is not compared"
            );
        }
    }
}

#[test]
fn every_trait_of_a_port_says_what_it_needs() {
    for (name, (doc, supers)) in all_traits() {
        if supers.is_empty() {
            assert!(!needs(&doc).is_empty(), "{name}");
        }
    }
}

/// The adapters name each operation that they call; a transaction needs the permissions of its items.
#[test]
fn what_the_adapters_call_is_what_the_ports_say() {
    let all = all_traits();
    let said: BTreeSet<String> = all
        .values()
        .filter(|(_, supers)| supers.is_empty())
        .flat_map(|(doc, _)| needs(doc).into_values().flatten())
        .collect();
    let mut called = BTreeSet::new();
    operations(&root().join("shared/src/aws"), &mut called);
    called.remove("dynamodb:TransactWriteItems");
    called.remove("sqs:SendMessageBatch"); // permitted as SendMessage
    assert_eq!(
        called.difference(&said).collect::<Vec<_>>(),
        Vec::<&String>::new()
    );
    assert!(called.len() > 8, "{called:?}");
}

/// Every `"service:Operation"` in the sources below a folder, tests left out.
fn operations(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("tests") {
            operations(&path, found);
        } else if path.extension().is_some() && !path.ends_with("tests.rs") {
            let source = std::fs::read_to_string(&path).unwrap();
            let literals = source.split('"').skip(1).step_by(2).filter(|literal| {
                [
                    "backup:",
                    "cloudformation:",
                    "cloudwatch:",
                    "dynamodb:",
                    "events:",
                    "kms:",
                    "lambda:",
                    "s3:",
                    "sqs:",
                ]
                .iter()
                .any(|service| literal.starts_with(service) && literal.len() > service.len())
            });
            found.extend(literals.map(str::to_owned));
        }
    }
}
