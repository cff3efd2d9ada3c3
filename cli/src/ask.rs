//! `cancel` and `status`: one message to the intake, whose answer comes to the inbox.

use rand::Rng as _;
use serde_json::{Value, json};
use symbolon_shared::domain::identifiers::ClOrdId;

use crate::deployment::Deployment;
use crate::failure::Failure;
use crate::print::Printer;
use crate::queue::{Intake as _, Queue};
use crate::settings::Settings;

/// Who may send to the intake queue.
pub(crate) const SENDER: &str = "an onboarded counterparty's role (under the path /STACK/counterparty/)";

pub(crate) async fn cancel(
    original: &ClOrdId,
    new_id: &ClOrdId,
    settings: &Settings,
    printer: &mut Printer,
) -> Result<(), Failure> {
    if original == new_id {
        return Err(Failure::usage("--as names the order itself")
            .advice("a cancel needs a clOrdId of its own, not used before"));
    }
    let body = json!({ "type": "cancel", "clOrdId": new_id, "origClOrdId": original });
    send(&body, settings).await?;
    told(
        &body,
        printer,
        &[
            format!("Asked to cancel {}, as {}.", original.as_str(), new_id.as_str()),
            "It is not cancelled yet: your inbox will say cancelled, cancelPending (the order".to_owned(),
            "has not come yet) or rejected (too late).".to_owned(),
        ],
    )
}

pub(crate) async fn status(
    original: &ClOrdId,
    new_id: Option<&ClOrdId>,
    settings: &Settings,
    printer: &mut Printer,
) -> Result<(), Failure> {
    let drawn = drawn_id();
    let new_id = new_id.map_or(drawn.as_str(), ClOrdId::as_str);
    let body = json!({ "type": "status", "clOrdId": new_id, "origClOrdId": original });
    send(&body, settings).await?;
    told(
        &body,
        printer,
        &[
            format!("Asked how {} stands, as {new_id}.", original.as_str()),
            "Your inbox will say.".to_owned(),
        ],
    )
}

/// An id that nobody has used: the same question under the same id would be answered as the first time.
fn drawn_id() -> String {
    let mut bytes = [0; 8];
    rand::rng().fill_bytes(&mut bytes);
    let text = data_encoding::BASE32_NOPAD.encode(&bytes).to_ascii_lowercase();
    format!("s-{text}")
}

async fn send(body: &Value, settings: &Settings) -> Result<(), Failure> {
    let deployment = Deployment::primary(settings).await?;
    let queue = intake(&deployment)?;
    let doing = "send to the intake queue";
    let explain = |error| deployment.connection.explain(&error, doing, SENDER);
    match queue.send(&[body.to_string()]).await.map_err(explain)?.pop() {
        None => Ok(()),
        Some(left) => Err(explain(left.error)),
    }
}

/// The primary's intake.
pub(crate) fn intake(deployment: &Deployment) -> Result<Queue, Failure> {
    let url = deployment.outputs.get("IntakeQueueUrl")?;
    Ok(Queue::new(deployment.sqs(), url.to_owned()))
}

fn told(body: &Value, printer: &mut Printer, lines: &[String]) -> Result<(), Failure> {
    if printer.is_json() {
        return printer.json(&json!({ "sent": body }));
    }
    lines.iter().try_for_each(|line| printer.line(line))
}

#[cfg(test)]
mod tests {
    use symbolon_shared::domain::intake::{Member, Request, parse_body};

    use super::*;

    #[test]
    fn drawn_ids_are_ids_and_differ() {
        assert!(ClOrdId::new(drawn_id()).is_ok());
        assert_ne!(drawn_id(), drawn_id());
    }

    #[test]
    fn the_matcher_takes_what_is_sent() {
        let body = json!({ "type": "cancel", "clOrdId": "A-2", "origClOrdId": "A-1" }).to_string();
        let members = parse_body(&body).unwrap();
        assert!(matches!(
            members.as_slice(),
            [Member::Message(message)] if matches!(message.request, Ok(Request::Cancel { .. }))
        ));
    }
}
