//! What is asked of AWS, of which region, and what is made of answers of the documented shapes.

mod line;
mod metrics;
mod recovery;
mod state;

use line::{Line, Reply};

use crate::domain::backup::{Moment, Observed};
use crate::domain::time::Timestamp;
use crate::ports::backup::{Answer, unseen};

const TABLE_ARN: &str = "arn:aws:dynamodb:us-east-1:123456789012:table/symbolon-registry";
const PLAN: &str = "arn:aws:backup:us-east-1:123456789012:restore-testing-plan:symbolon-0a1b";

fn at(text: &str) -> Moment {
    Moment(Timestamp::parse_rfc3339(text).unwrap())
}

/// What an error says is not known, and why.
fn denied(answer: Answer, operation: &str) {
    let observed = unseen(&answer.unwrap_err());
    assert_eq!(
        observed,
        Observed::Denied {
            operation: operation.to_owned()
        }
    );
}

fn failed(answer: Answer, operation: &str, code: &str) {
    let observed = unseen(&answer.unwrap_err());
    assert_eq!(
        observed,
        Observed::Failed {
            operation: operation.to_owned(),
            code: code.to_owned()
        }
    );
}
