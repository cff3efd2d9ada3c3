//! An entry as an analyst gets it: flat, under the names that the format's page gives, with its place.

use audit_verifier::format::Event;
use audit_verifier::lookup::Found;
use serde::Serialize;

/// A row. Times are milliseconds of Unix time.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::audit) struct Row<'a> {
    /// Whose log.
    pub(in crate::audit) log_region: &'a str,
    pub(in crate::audit) chain: u8,
    pub(in crate::audit) sequence: u64,
    /// Which entry of its object, from 1 on.
    pub(in crate::audit) line: u64,
    /// Which entry of its chain, from 1 on.
    pub(in crate::audit) number: u64,
    pub(in crate::audit) event: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::audit) invariant: Option<&'a str>,
    pub(in crate::audit) event_id: &'a str,
    pub(in crate::audit) recorded_at: i64,
    pub(in crate::audit) match_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::audit) commitment: Option<&'a str>,
    /// The region that made the match.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::audit) region: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::audit) key_epoch: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::audit) parameter_version: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::audit) matched_at: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::audit) expires_at: Option<i64>,
}

impl<'a> From<&'a Found> for Row<'a> {
    fn from(found: &'a Found) -> Self {
        let entry = &found.entry;
        Self {
            log_region: &found.log_region,
            chain: found.chain,
            sequence: found.sequence,
            line: found.line,
            number: found.number,
            event: word(entry.event),
            invariant: entry.invariant.as_deref(),
            event_id: &entry.event_id,
            recorded_at: entry.recorded_at,
            match_id: &entry.match_id,
            commitment: entry.commitment.as_deref(),
            region: entry.region.as_deref(),
            key_epoch: entry.key_epoch.as_deref(),
            parameter_version: entry.parameter_version,
            matched_at: entry.matched_at,
            expires_at: entry.expires_at,
        }
    }
}

fn word(event: Event) -> &'static str {
    match event {
        Event::Minted => "minted",
        Event::Changed => "changed",
        Event::Expired => "expired",
        Event::Deleted => "deleted",
        Event::Broken => "broken",
    }
}
