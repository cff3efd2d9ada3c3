//! Empties an inbox, each message once: `consume INBOX_URL SEEN SECONDS`.
//!
//! Region, endpoint and credentials are the SDK's own. SEEN is a file with the ids of
//! messages that have been dealt with. Ends when nothing has come for SECONDS.

use std::collections::HashSet;
use std::error::Error;
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::time::Duration;

use aws_config::BehaviorVersion;
use serde_json::Value;
use tokio::time::Instant;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(inbox), Some(seen_file), Some(seconds)) =
        (arguments.next(), arguments.next(), arguments.next())
    else {
        return Err("usage: consume INBOX_URL SEEN SECONDS".into());
    };
    let patience = Duration::from_secs(seconds.parse()?);
    let config = aws_config::load_defaults(BehaviorVersion::v2026_01_12()).await;
    let sqs = aws_sdk_sqs::Client::new(&config);
    let mut seen = remembered(&seen_file)?;
    let mut memory = OpenOptions::new().create(true).append(true).open(&seen_file)?;
    let mut last = Instant::now();
    while last.elapsed() < patience {
        let wait = i32::try_from(patience.as_secs().min(20))?;
        let receive = sqs.receive_message().queue_url(&inbox).max_number_of_messages(10);
        for received in receive
            .wait_time_seconds(wait)
            .send()
            .await?
            .messages
            .unwrap_or_default()
        {
            last = Instant::now();
            let message: Value = serde_json::from_str(received.body().unwrap_or_default())?;
            let id = message["messageId"].as_str().ok_or("a message without an id")?;
            if seen.insert(id.to_owned()) {
                handle(&message);
                // First remembered, then deleted: a crash in between makes a copy, and copies are dropped.
                writeln!(memory, "{id}")?;
                memory.sync_data()?;
            }
            let receipt = received.receipt_handle.unwrap_or_default();
            sqs.delete_message()
                .queue_url(&inbox)
                .receipt_handle(receipt)
                .send()
                .await?;
        }
    }
    Ok(())
}

fn remembered(file: &str) -> std::io::Result<HashSet<String>> {
    let mut text = String::new();
    if let Ok(mut file) = File::open(file) {
        file.read_to_string(&mut text)?;
    }
    Ok(text.lines().map(str::to_owned).collect())
}

fn handle(message: &Value) {
    let field = |name: &str| message[name].as_str().unwrap_or_default();
    match field("type") {
        "match" => println!(
            "match {} {} {} {}",
            field("clOrdId"),
            field("lastQty"),
            field("lastPx"),
            field("token")
        ),
        "rejected" => println!("rejected {} {}", field("clOrdId"), field("reason")),
        // A type that this program does not know is no error.
        kind => println!("{kind} {}", field("clOrdId")),
    }
}
