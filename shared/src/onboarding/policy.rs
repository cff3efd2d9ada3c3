//! Who may do what with an inbox queue.

use std::fmt;

use serde_json::{Value, json};

/// The ARN of one IAM role or user, without wildcards.
#[derive(Clone, PartialEq, Eq)]
pub struct PrincipalArn(String);

/// Not the ARN of one IAM role or user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not the ARN of an IAM role or user")]
pub struct InvalidArn;

impl PrincipalArn {
    /// Checks and takes the ARN.
    ///
    /// A whole account is refused: the callers that are denied are told apart by `aws:PrincipalArn`, and that is
    /// never an account's. Wildcards are refused: ARN conditions would obey them.
    ///
    /// # Errors
    /// [`InvalidArn`] unless it is `arn:PARTITION:iam::ACCOUNT:role/…` or `user/…`.
    pub fn parse(text: &str) -> Result<Self, InvalidArn> {
        let parts: Vec<&str> = text.splitn(6, ':').collect();
        let &["arn", partition, "iam", "", account, resource] = parts.as_slice() else {
            return Err(InvalidArn);
        };
        let name = resource
            .strip_prefix("role/")
            .or_else(|| resource.strip_prefix("user/"));
        // The characters of IAM names and paths.
        let of_name = |b: u8| b.is_ascii_alphanumeric() || b"+=,.@_/-".contains(&b);
        let well_formed = matches!(partition, "aws" | "aws-cn" | "aws-us-gov")
            && account.len() == 12
            && account.bytes().all(|b| b.is_ascii_digit())
            && name.is_some_and(|name| !name.is_empty() && name.bytes().all(of_name));
        if well_formed {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidArn)
        }
    }

    /// The ARN as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The role of a counterparty of `stack` in this principal's partition and account: the path is the one that
    /// the intake queue's policy lets send.
    ///
    /// # Errors
    /// [`InvalidArn`] when `name` cannot be a role's.
    pub fn counterparty_role(&self, stack: &str, name: &str) -> Result<Self, InvalidArn> {
        if name.is_empty() || name.contains('/') {
            return Err(InvalidArn);
        }
        let part = |index: usize| self.0.split(':').nth(index).unwrap_or_default();
        Self::parse(&format!(
            "arn:{}:iam::{}:role/{stack}/counterparty/{name}",
            part(1),
            part(4)
        ))
    }

    /// The ARN of a queue in this principal's partition and account.
    #[must_use]
    pub fn queue_arn(&self, region: &str, queue: &str) -> String {
        let part = |index: usize| self.0.split(':').nth(index).unwrap_or_default();
        format!("arn:{}:sqs:{region}:{}:{queue}", part(1), part(4))
    }
}

// A counterparty's role may bear its name.
impl fmt::Debug for PrincipalArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrincipalArn")
    }
}

/// The policy of an inbox queue, as JSON.
///
/// In one account a permission of IAM alone is enough, so beside the two who are allowed everybody else is denied
/// whatever IAM lets them do, staff and administrators included. Reading a queue's attributes is denied to nobody:
/// onboarding repairs them, and the counts among them stand in CloudWatch too. Changing this policy is IAM's to
/// guard.
#[must_use]
pub fn inbox_policy(queue_arn: &str, senders: &[&PrincipalArn], receiver: &PrincipalArn) -> String {
    let senders: Vec<&str> = senders.iter().map(|arn| arn.as_str()).collect();
    let statement = |sid: &str, effect: &str, principal: Value, action: Value| json!({ "Sid": sid, "Effect": effect, "Principal": principal, "Action": action, "Resource": queue_arn });
    let mut plain = statement("TlsOnly", "Deny", json!("*"), json!("sqs:*"));
    plain["Condition"] = json!({ "Bool": { "aws:SecureTransport": "false" } });
    let send = statement(
        "Send",
        "Allow",
        json!({ "AWS": senders }),
        json!("sqs:SendMessage"),
    );
    let mut no_send = statement("NobodyElseSends", "Deny", json!("*"), json!("sqs:SendMessage"));
    no_send["Condition"] = json!({ "ArnNotEquals": { "aws:PrincipalArn": senders } });
    let of_receiver = json!([
        "sqs:ChangeMessageVisibility",
        "sqs:DeleteMessage",
        "sqs:GetQueueAttributes",
        "sqs:GetQueueUrl",
        "sqs:ReceiveMessage"
    ]);
    let receive = statement(
        "Receive",
        "Allow",
        json!({ "AWS": receiver.as_str() }),
        of_receiver,
    );
    let takes_away = json!([
        "sqs:ChangeMessageVisibility",
        "sqs:DeleteMessage",
        "sqs:PurgeQueue",
        "sqs:ReceiveMessage"
    ]);
    let mut no_receive = statement("NobodyElseReceives", "Deny", json!("*"), takes_away);
    no_receive["Condition"] = json!({ "ArnNotEquals": { "aws:PrincipalArn": receiver.as_str() } });
    json!({ "Version": "2012-10-17", "Statement": [plain, send, no_send, receive, no_receive] }).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUEUE: &str = "arn:aws:sqs:us-east-1:123456789012:symbolon-inbox-x";
    const MATCHER: &str = "arn:aws:iam::123456789012:role/matcher";
    const RELAY: &str = "arn:aws:iam::123456789012:role/relay";
    const RECEIVER: &str = "arn:aws:iam::123456789012:role/counterparties/acme";
    const ADMINISTRATOR: &str = "arn:aws:iam::123456789012:role/admin";

    fn arn(text: &str) -> PrincipalArn {
        PrincipalArn::parse(text).unwrap()
    }

    fn policy() -> Value {
        let text = inbox_policy(QUEUE, &[&arn(MATCHER), &arn(RELAY)], &arn(RECEIVER));
        serde_json::from_str(&text).unwrap()
    }

    fn lists(value: &Value, wanted: &str) -> bool {
        match value {
            Value::String(one) => one == "*" || one == "sqs:*" || one == wanted,
            Value::Array(many) => many.iter().any(|one| lists(one, wanted)),
            Value::Object(by_kind) => lists(&by_kind["AWS"], wanted),
            _ => false,
        }
    }

    /// What a statement's condition says of a caller. Any operator that is not known here fails the test.
    fn holds(condition: &Value, caller: &str, tls: bool) -> bool {
        condition
            .as_object()
            .into_iter()
            .flatten()
            .all(|(operator, keys)| match operator.as_str() {
                "Bool" => keys["aws:SecureTransport"] == Value::String(tls.to_string()),
                "ArnNotEquals" => !lists(&keys["aws:PrincipalArn"], caller),
                other => panic!("{other}"),
            })
    }

    /// `Some(true)` allowed by the policy itself, `Some(false)` denied, `None` left to IAM.
    fn verdict(caller: &str, action: &str, tls: bool) -> Option<bool> {
        let policy = policy();
        let applies = |statement: &&Value| {
            assert_eq!(statement["Resource"], QUEUE);
            lists(&statement["Principal"], caller)
                && lists(&statement["Action"], action)
                && holds(&statement["Condition"], caller, tls)
        };
        let effects: Vec<&str> = policy["Statement"]
            .as_array()
            .unwrap()
            .iter()
            .filter(applies)
            .map(|statement| statement["Effect"].as_str().unwrap())
            .collect();
        if effects.contains(&"Deny") {
            Some(false)
        } else {
            effects.contains(&"Allow").then_some(true)
        }
    }

    #[test]
    fn only_the_named_roles_send_and_only_the_counterparty_receives() {
        for (caller, sends, receives) in [
            (MATCHER, true, false),
            (RELAY, true, false),
            (RECEIVER, false, true),
            (ADMINISTRATOR, false, false),
            ("arn:aws:iam::999999999999:role/matcher", false, false),
            ("", false, false),
        ] {
            assert_eq!(verdict(caller, "sqs:SendMessage", true), Some(sends), "{caller}");
            for action in [
                "sqs:ReceiveMessage",
                "sqs:DeleteMessage",
                "sqs:ChangeMessageVisibility",
            ] {
                assert_eq!(verdict(caller, action, true), Some(receives), "{caller} {action}");
            }
        }
    }

    #[test]
    fn a_counterpartys_role_lies_under_the_path_of_the_stack() {
        let role = |name| arn(MATCHER).counterparty_role("symbolon", name);
        let expected = "arn:aws:iam::123456789012:role/symbolon/counterparty/acme";
        assert_eq!(role("acme").unwrap().as_str(), expected);
        for wrong in ["", "a/b", "a b", "*"] {
            assert_eq!(role(wrong), Err(InvalidArn), "{wrong}");
        }
    }

    #[test]
    fn nobody_purges_and_attributes_are_left_to_iam() {
        for caller in [MATCHER, ADMINISTRATOR] {
            assert_eq!(verdict(caller, "sqs:PurgeQueue", true), Some(false));
        }
        assert_eq!(verdict(RECEIVER, "sqs:PurgeQueue", true), None);
        assert_eq!(verdict(RECEIVER, "sqs:GetQueueAttributes", true), Some(true));
        assert_eq!(verdict(ADMINISTRATOR, "sqs:GetQueueAttributes", true), None);
        assert_eq!(verdict(ADMINISTRATOR, "sqs:SetQueueAttributes", true), None);
    }

    #[test]
    fn nothing_goes_without_tls() {
        for (caller, action) in [
            (MATCHER, "sqs:SendMessage"),
            (RECEIVER, "sqs:ReceiveMessage"),
            (ADMINISTRATOR, "sqs:GetQueueUrl"),
        ] {
            assert_eq!(verdict(caller, action, false), Some(false));
        }
    }

    #[test]
    fn it_stays_within_what_sqs_takes() {
        let long = arn(&format!(
            "arn:aws-us-gov:iam::123456789012:role/{}/{}",
            "p".repeat(510),
            "n".repeat(64)
        ));
        let queue = long.queue_arn("ap-southeast-99", &"q".repeat(80));
        assert!(inbox_policy(&queue, &[&long, &long, &long, &long], &long).len() <= 8_192);
        let statements = policy()["Statement"].as_array().unwrap().len();
        assert!(statements <= 20);
    }

    /// The template's policy tests ask what it allows beside the policies of the template.
    #[test]
    fn the_policy_tests_ask_the_policy_that_is_written() {
        let role = |name: &str| arn(&format!("arn:aws:iam::123456789012:role/{name}"));
        let (here, there) = (
            role("symbolon-MatcherRole-us-east-1"),
            role("symbolon-MatcherRole-us-west-2"),
        );
        let queue = here.queue_arn("us-east-1", "symbolon-inbox-a");
        let written = inbox_policy(&queue, &[&here, &there], &role("symbolon/counterparty/a"));
        let asked = include_str!("../../../.ci/policies/inbox-policy.json");
        assert_eq!(
            serde_json::from_str::<Value>(&written).unwrap(),
            serde_json::from_str::<Value>(asked).unwrap(),
            "{written}"
        );
    }

    #[test]
    fn an_arn_names_one_role_or_user() {
        for text in [MATCHER, RECEIVER, "arn:aws-cn:iam::123456789012:user/a.b@c"] {
            assert_eq!(PrincipalArn::parse(text).unwrap().as_str(), text);
        }
        for text in [
            "",
            "*",
            "arn:aws:iam::123456789012:root",
            "arn:aws:iam::123456789012:role/",
            "arn:aws:iam::123456789012:role/*",
            "arn:aws:iam::123456789012:role/a?",
            "arn:aws:iam::*:role/a",
            "arn:aws:iam::12345678901:role/a",
            "arn:aws:sts::123456789012:assumed-role/a/b",
            "arn:aws:iam::123456789012:role/a\"b",
            "arn:*:iam::123456789012:role/a",
        ] {
            assert_eq!(PrincipalArn::parse(text), Err(InvalidArn), "{text}");
        }
        assert_eq!(arn(MATCHER).queue_arn("us-east-1", "symbolon-inbox-x"), QUEUE);
    }
}
