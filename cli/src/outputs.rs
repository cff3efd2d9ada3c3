//! The outputs of a stack: what the tool knows of a deployment.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use crate::failure::Failure;

/// Name → value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Outputs {
    values: BTreeMap<String, String>,
    /// Where they are from, for messages.
    source: String,
}

impl Outputs {
    pub(crate) fn new(values: BTreeMap<String, String>, source: String) -> Self {
        Self { values, source }
    }

    pub(crate) fn read(file: &Path) -> Result<Self, Failure> {
        let name = file.display();
        let text = std::fs::read_to_string(file).map_err(|error| {
            Failure::new(format!("cannot read the stack's outputs from {name}"))
                .because(error.to_string())
                .advice("name the right file with --outputs, or the stack with --stack")
        })?;
        let object: BTreeMap<String, Value> = serde_json::from_str(&text).map_err(|error| {
            Failure::new(format!("{name} is no JSON object of stack outputs"))
                .because(error.to_string())
                .advice("the object is {\"IntakeQueueUrl\": \"…\", …}; `cargo run -- serve` writes one")
        })?;
        // What is no text is an output of nobody's: it is missed when it is asked for.
        let texts = object.into_iter().filter_map(|(name, value)| match value {
            Value::String(text) => Some((name, text)),
            _ => None,
        });
        Ok(Self::new(texts.collect(), name.to_string()))
    }

    /// The output of this name.
    pub(crate) fn get(&self, name: &str) -> Result<&str, Failure> {
        self.find(name).ok_or_else(|| {
            Failure::new(format!("{} has no output {name}", self.source))
                .advice("is this the stack of Symbolon, deployed to its last step, and the right region?")
        })
    }

    pub(crate) fn find(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    /// The stack's name: what every name of its resources begins with.
    pub(crate) fn stack(&self) -> Option<&str> {
        let of_table = self
            .find("RegistryTable")
            .and_then(|table| table.strip_suffix("-registry"));
        let of_queue = self.find("IntakeQueueUrl").and_then(|url| url.rsplit('/').next());
        of_table.or_else(|| of_queue.and_then(|queue| queue.strip_suffix("-intake")))
    }

    /// The region that these outputs speak of: that of an ARN, or of a queue on AWS.
    pub(crate) fn region(&self) -> Option<&str> {
        let of_arn = |value: &'_ String| {
            let mut parts = value.split(':');
            let arn = parts.next() == Some("arn");
            arn.then(|| value.split(':').nth(3)).flatten().map(str::len)
        };
        let arn = self
            .values
            .values()
            .find(|value| of_arn(value).is_some_and(|length| length > 0));
        let of_queue = || {
            let host = self.find("IntakeQueueUrl")?.strip_prefix("https://sqs.")?;
            host.split_once(".amazonaws.com").map(|(region, _)| region)
        };
        arn.and_then(|value| value.split(':').nth(3)).or_else(of_queue)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outputs(values: &[(&str, &str)]) -> Outputs {
        let values = values
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Outputs::new(values.collect(), "the test".to_owned())
    }

    #[test]
    fn stack_and_region_follow_from_names() {
        let url = "https://sqs.eu-west-1.amazonaws.com/123456789012/symbolon-intake";
        let of_a_counterparty = outputs(&[("IntakeQueueUrl", url)]);
        assert_eq!(of_a_counterparty.stack(), Some("symbolon"));
        assert_eq!(of_a_counterparty.region(), Some("eu-west-1"));
        let local = outputs(&[
            (
                "IntakeQueueUrl",
                "http://127.0.0.1:4566/123456789012/symbolon-intake",
            ),
            ("MatcherRoleArn", "arn:aws:iam::123456789012:role/matcher"),
            ("RegistryTable", "desk-registry"),
            ("TokenKeyArn", "arn:aws:kms:us-east-1:123456789012:key/k"),
        ]);
        assert_eq!((local.stack(), local.region()), (Some("desk"), Some("us-east-1")));
        let bare = outputs(&[("MatcherRoleArn", "arn:aws:iam::123456789012:role/matcher")]);
        assert_eq!((bare.stack(), bare.region()), (None, None));
    }

    #[test]
    fn a_file_that_cannot_be_used_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("outputs.json");
        let said = |text: Option<&str>| {
            if let Some(text) = text {
                std::fs::write(&file, text).unwrap();
            }
            let failure = Outputs::read(&file).unwrap_err();
            failure.render(crate::arguments::Output::Table)
        };
        for text in [None, Some("{"), Some("[]"), Some("")] {
            assert!(said(text).contains("outputs.json"), "{text:?}");
        }
        std::fs::write(&file, r#"{"IntakeQueueUrl":"u","Other":1}"#).unwrap();
        let read = Outputs::read(&file).unwrap();
        assert_eq!(read.get("IntakeQueueUrl"), Ok("u"));
        let missing = read
            .get("Other")
            .unwrap_err()
            .render(crate::arguments::Output::Table);
        assert!(missing.contains("outputs.json has no output Other"), "{missing}");
    }
}
