//! The run on ports in memory: what it copies, what it keeps, and what faults at any call leave behind.

mod faults;
mod runs;

use std::collections::BTreeMap;

use serde_json::json;

use super::*;
use crate::domain::export::{
    Configuration, Digest, Manifest, Mapping, MappingsDocument, StackParameter, StackSettings,
};
use crate::ports::export::ExportPorts;
use crate::testing::MemoryExport;

const NOW: Timestamp = Timestamp::from_millis(1_796_140_800_000);
const RETENTION_DAYS: i64 = 400;

fn name(name: &str) -> FunctionName {
    FunctionName::new(name).unwrap()
}

fn plan(functions: &[&str]) -> ExportPlan {
    ExportPlan {
        scope: Scope::new("symbolon", "us-east-1").unwrap(),
        functions: functions.iter().map(|function| name(function)).collect(),
        renew_after: RenewAfter::half_of(RETENTION_DAYS),
    }
}

fn configuration(function: &str, memory: i32) -> Configuration {
    serde_json::from_value(json!({
        "FunctionName": function,
        "Role": "arn:aws:iam::000000000000:role/r",
        "Runtime": "provided.al2023",
        "Handler": "bootstrap",
        "Timeout": 30,
        "MemorySize": memory,
        "Architectures": ["arm64"],
    }))
    .unwrap()
}

fn mapping(function: &str, batch: i32) -> Mapping {
    serde_json::from_value(json!({
        "EventSourceArn": "arn:aws:sqs:us-east-1:000000000000:q",
        "FunctionName": function,
        "Enabled": true,
        "BatchSize": batch,
    }))
    .unwrap()
}

fn deploy(world: &MemoryExport, function: &str, version: u8) {
    let package = format!("{function} {version}").into_bytes();
    let mappings = vec![mapping(function, i32::from(version) + 1)];
    world.deploy(
        configuration(function, 128 + i32::from(version)),
        package,
        mappings,
    );
}

fn deploy_stack(world: &MemoryExport, version: u8) {
    let settings = StackSettings {
        stack_name: "symbolon".to_owned(),
        parameters: vec![StackParameter {
            parameter_key: "Version".to_owned(),
            parameter_value: version.to_string(),
        }],
        ..StackSettings::default()
    };
    world.deploy_stack(&format!("{{\"Resources\":{version}}}"), settings);
}

/// Two functions and a stack, all of version 1.
fn world() -> MemoryExport {
    let world = MemoryExport::default();
    world.set_now(NOW);
    deploy(&world, "matcher", 1);
    deploy(&world, "token-audit", 1);
    deploy_stack(&world, 1);
    world
}

/// A run at `at` with all the time it wants.
async fn run_at<P: ExportPorts>(ports: &P, at: Timestamp) -> Result<ExportOutcome, PortError> {
    let plan = plan(&["matcher", "token-audit"]);
    export(ports, &plan, &|| at, at.plus_millis(10 * PART_MILLIS)).await
}

fn latest(world: &MemoryExport) -> Option<Manifest> {
    let scope = plan(&[]).scope;
    let body = world.objects().remove(&scope.latest_key())?;
    Some(Manifest::read(&scope, &body).unwrap())
}

// ---- Invariants ---------------------------------------------------------------------------------------------------

/// Whatever happened, the manifest that holds names only objects that are there and are what it says.
fn invariant_latest_names_only_what_is_there(world: &MemoryExport) {
    let (scope, objects) = (plan(&[]).scope, world.objects());
    for digest in latest(world).iter().flat_map(Manifest::digests) {
        let body = objects
            .get(&scope.object_key(digest))
            .unwrap_or_else(|| panic!("{digest:?} is named and not there"));
        assert_eq!(Digest::of(body), digest, "another content under the name");
    }
}

/// Everything in the bucket lies under this export's prefix, and every object under the name of its content.
fn invariant_objects_are_named_by_their_content(world: &MemoryExport) {
    let scope = plan(&[]).scope;
    let objects = format!("{}objects/", scope.prefix());
    for (key, body) in world.objects() {
        assert!(key.starts_with(&scope.prefix()), "{key}");
        if key.starts_with(&objects) {
            assert_eq!(key, scope.object_key(Digest::of(&body)));
        }
    }
}

/// Dated manifests are whole as well: each was kept only after all that it names.
fn invariant_kept_manifests_are_whole(world: &MemoryExport) {
    let (scope, objects) = (plan(&[]).scope, world.objects());
    let dated = format!("{}manifests/", scope.prefix());
    for (key, body) in objects.iter().filter(|(key, _)| key.starts_with(&dated)) {
        let manifest = Manifest::read(&scope, body).unwrap();
        for digest in manifest.digests() {
            assert!(
                objects.contains_key(&scope.object_key(digest)),
                "{key}: {digest:?}"
            );
        }
    }
}

/// A function that could once be restored still can be, by its own or by a newer package.
fn invariant_nothing_restorable_is_forgotten(before: Option<&Manifest>, after: Option<&Manifest>) {
    for function in before.iter().flat_map(|manifest| manifest.functions.keys()) {
        let kept = after.is_some_and(|manifest| manifest.functions.contains_key(function));
        assert!(kept, "{function} is forgotten");
    }
}

/// The mappings that the manifest names are those of the functions that it names.
fn invariant_mappings_are_of_the_same_functions(world: &MemoryExport) {
    let Some(manifest) = latest(world) else { return };
    let body = world
        .objects()
        .remove(&plan(&[]).scope.object_key(manifest.mappings));
    let mappings = MappingsDocument::read(&body.unwrap()).unwrap().mappings;
    let of: Vec<_> = mappings.keys().collect();
    assert_eq!(of, manifest.functions.keys().collect::<Vec<_>>());
}

fn check_invariants(world: &MemoryExport) {
    invariant_latest_names_only_what_is_there(world);
    invariant_objects_are_named_by_their_content(world);
    invariant_kept_manifests_are_whole(world);
    invariant_mappings_are_of_the_same_functions(world);
}

/// What the bucket says is deployed is what is deployed.
fn assert_up_to_date(world: &MemoryExport, versions: &BTreeMap<&str, u8>) {
    let (manifest, objects) = (latest(world).unwrap(), world.objects());
    assert_eq!(manifest.functions.len(), versions.len());
    for (function, version) in versions {
        let entry = manifest.functions[&name(function)];
        let package = &objects[&plan(&[]).scope.object_key(entry.package)];
        assert_eq!(*package, format!("{function} {version}").into_bytes());
        assert_eq!(entry.stale, None, "{function}");
        let document = configuration(function, 128 + i32::from(*version)).document();
        assert_eq!(entry.configuration, Digest::of(&document));
    }
}
