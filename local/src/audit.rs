//! The token audit of a run: Lambda's poller of the stream of `matches`, the function, and at the end the verifier.

use std::collections::HashMap;
use std::sync::Arc;

use audit_verifier::bucket::S3Bucket;
use audit_verifier::{PublicKeys, RememberedHead, Report as Verified, verify};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::Value;
use symbolon_shared::aws::{AwsAudit, EVENT_SOURCE};
use token_audit::settings::Settings;
use token_audit::{Surroundings, TokenAudit};

use crate::deployment::{DeploymentError, now};
use crate::order_flow::plan::Disorder;
use crate::platform::bus::Bus;
use crate::platform::clients::{Clients, PATIENT};
use crate::platform::faults::Faults;
use crate::platform::meter::Meter;
use crate::platform::stack::LocalStack;
use crate::platform::streams::StreamPoller;
use crate::report::{AuditReport, HELD};

/// The function that runs here.
const TOKEN_AUDIT: &str = "token-audit";

/// How long an invocation may take: nobody hurries it here.
const TIMEOUT_MILLIS: i64 = 60_000;

/// The function at its stream.
pub struct Audit {
    poller: StreamPoller,
    function: TokenAudit<AwsAudit>,
    settings: Settings,
    clients: Clients,
    /// Draws whether a batch is delivered once more.
    draw: StdRng,
    duplicates: f64,
    batches: u64,
    batches_again: u64,
}

impl Audit {
    /// A cold function at the beginning of the stream. `disorder` says what share of batches comes twice.
    ///
    /// # Errors
    /// [`DeploymentError`] when the template does not map the stream to it, or gives it no settings.
    pub fn start(stack: &LocalStack, disorder: &Disorder) -> Result<Self, DeploymentError> {
        let mut variables: HashMap<String, String> = stack.environment(TOKEN_AUDIT)?.into_iter().collect();
        variables.insert("AWS_REGION".to_owned(), stack.endpoints().region.clone());
        let settings = Settings::from_vars(&variables)?;
        // The report counts the matcher's side alone: this meter is nobody's.
        let (meter, wire) = (Meter::default(), Faults::none());
        let clients = stack.function_clients(TOKEN_AUDIT, &meter, &wire, &PATIENT)?;
        let ports = AwsAudit::new(
            clients.s3.clone(),
            clients.kms.clone(),
            clients.dynamodb.clone(),
            clients.events.clone(),
            settings.resources.clone(),
        );
        let surroundings = Surroundings { clock: Box::new(now) };
        Ok(Self {
            poller: stack.stream_poller(TOKEN_AUDIT)?,
            function: TokenAudit::new(ports, &settings.region, surroundings),
            settings,
            clients,
            draw: StdRng::seed_from_u64(disorder.seed),
            duplicates: disorder.stream_duplicates,
            batches: 0,
            batches_again: 0,
        })
    }

    /// Logs all that the stream holds by now.
    ///
    /// # Errors
    /// [`DeploymentError::Audit`] when the stream cannot be read, or does not go on.
    pub async fn drain(&mut self) -> Result<(), DeploymentError> {
        let function = &self.function;
        let handle = async |event: Value| {
            let answer = Box::pin(function.handle(event, now().plus_millis(TIMEOUT_MILLIS))).await;
            serde_json::to_value(answer).map_err(|error| error.to_string())
        };
        while self.poller.poll(handle).await? > 0 {
            self.batches += 1;
            if self.draw.random_bool(self.duplicates) {
                self.poller.again(handle).await?;
                self.batches_again += 1;
            }
        }
        Ok(())
    }

    /// Verifies the log from the bucket, the public key and the heads that were announced, and counts it against the
    /// `matches` that were made.
    ///
    /// # Errors
    /// [`DeploymentError::Audit`] when the key or the bucket cannot be read.
    pub async fn report(&self, bus: &Bus, matches: u64) -> Result<AuditReport, DeploymentError> {
        let resources = &self.settings.resources;
        let key = self
            .clients
            .kms
            .get_public_key()
            .key_id(&resources.signing_key_arn);
        let key = key.send().await.map_err(DeploymentError::audit)?.public_key;
        let keys = PublicKeys::one(key.unwrap_or_default().as_ref()).map_err(DeploymentError::audit)?;
        let bucket = Arc::new(S3Bucket::new(self.clients.s3.clone(), &resources.bucket));
        let region = self.settings.region.as_str();
        let remembered = announced_heads(bus)?;
        let verified = verify(bucket, region, &keys, &remembered, Arc::new(|_| ()));
        let verified = verified.await.map_err(DeploymentError::audit)?;
        Ok(AuditReport {
            minted: verified.minted,
            entries: verified.entries,
            objects: verified.objects,
            heads_announced: remembered.len() as u64,
            batches: self.batches,
            batches_again: self.batches_again,
            verdict: verdict(&verified, matches),
        })
    }
}

/// The heads that were said on the event bus, as somebody outside would remember them.
fn announced_heads(bus: &Bus) -> Result<Vec<RememberedHead>, DeploymentError> {
    let heads = bus.events().into_iter();
    let heads = heads.filter(|event| event.source == EVENT_SOURCE && event.detail["statement"].is_string());
    let lines: Vec<String> = heads.map(|event| event.detail.to_string()).collect();
    RememberedHead::parse_all(&lines.join("\n"), "the event bus").map_err(DeploymentError::audit)
}

/// `held`, or what is wrong first.
fn verdict(verified: &Verified, matches: u64) -> String {
    // Without a match there is no log, and that is as it should be.
    let nothing = verified.objects == 0 && matches == 0;
    if let Some(finding) = verified.findings.first().filter(|_| !nothing) {
        finding.to_string()
    } else if verified.entries != matches || verified.minted != matches {
        let (entries, minted) = (verified.entries, verified.minted);
        format!("{matches} matches, {minted} of them minted in the log, in {entries} entries")
    } else if let Some((invariant, times)) = verified.broken.first_key_value() {
        format!("the log says {times} times that {invariant} is broken")
    } else {
        HELD.to_owned()
    }
}
