//! Faults at every call, and at random ones: whatever is left behind is whole, and the next run makes it good.

use proptest::prelude::*;

use super::*;
use crate::testing::{ExportCall, FaultyExport, Injection};

const VERSION_2: [(&str, u8); 2] = [("matcher", 2), ("token-audit", 2)];

/// Version 1 exported, version 2 deployed.
async fn changed_world() -> MemoryExport {
    let world = world();
    run_at(&world, NOW).await.unwrap();
    deploy(&world, "matcher", 2);
    deploy(&world, "token-audit", 2);
    deploy_stack(&world, 2);
    world
}

fn injections() -> [Injection; 3] {
    [
        Injection::RequestLost,
        Injection::ResponseLost,
        Injection::Throttled,
    ]
}

/// Each call of a run, and what may go wrong with it: once, or with it and all after it, as for a process that dies or a
/// region that is lost.
#[tokio::test]
async fn a_fault_at_any_call_is_repaired_by_the_next_run() {
    let whole = FaultyExport::new(changed_world().await, |_, _| None);
    run_at(&whole, NOW.plus_days(1)).await.unwrap();
    let calls = whole.calls();
    assert!(calls > 20, "{calls}");
    for nth in 1..=calls {
        for injection in injections() {
            for to_the_end in [false, true] {
                let world = changed_world().await;
                let before = latest(&world);
                let injected = injection.clone();
                let faulty = FaultyExport::new(world.clone(), move |_, call| {
                    (call == nth || to_the_end && call > nth).then(|| injected.clone())
                });
                let _ = run_at(&faulty, NOW.plus_days(1)).await;
                check_invariants(&world);
                invariant_nothing_restorable_is_forgotten(before.as_ref(), latest(&world).as_ref());
                let outcome = run_at(&world, NOW.plus_days(2)).await.unwrap();
                assert!(outcome.is_whole(), "{injection:?} at {nth}: {outcome:?}");
                check_invariants(&world);
                assert_up_to_date(&world, &VERSION_2.into());
            }
        }
    }
}

/// The first run has nothing to fall back to.
#[tokio::test]
async fn a_first_run_that_dies_leaves_no_manifest_that_lies() {
    for nth in 1..40 {
        let world = world();
        let faulty = FaultyExport::new(world.clone(), move |_, call| {
            (call >= nth).then_some(Injection::RequestLost)
        });
        let _ = run_at(&faulty, NOW).await;
        check_invariants(&world);
        assert!(run_at(&world, NOW.plus_days(1)).await.unwrap().is_whole());
        check_invariants(&world);
    }
}

#[tokio::test]
async fn a_bucket_that_is_not_reached_changes_nothing() {
    for injection in injections() {
        for lost in [ExportCall::Find, ExportCall::Read, ExportCall::Put] {
            let world = changed_world().await;
            let before = world.objects();
            let injected = injection.clone();
            let faulty = FaultyExport::new(world.clone(), move |call, _| {
                (call == lost).then(|| injected.clone())
            });
            let ended = run_at(&faulty, NOW.plus_days(1)).await;
            assert_eq!(latest(&world), latest_of(&before), "{lost:?}");
            let kept = matches!(&ended, Ok(outcome) if outcome.manifest == ManifestOutcome::Kept);
            assert!(ended.is_err() || kept, "{lost:?}: {ended:?}");
            check_invariants(&world);
        }
    }
}

fn latest_of(objects: &BTreeMap<String, Vec<u8>>) -> Option<Manifest> {
    let scope = plan(&[]).scope;
    Manifest::read(&scope, &objects[&scope.latest_key()]).ok()
}

/// Services that refuse take the function that was asked about with them, and no other.
#[tokio::test]
async fn a_service_that_refuses_leaves_the_last_good_entry() {
    for (call, reason) in [
        (ExportCall::DescribeFunction, Reason::NotRead),
        (ExportCall::ListMappings, Reason::NotRead),
        (ExportCall::DownloadPackage, Reason::NotDownloaded),
    ] {
        let world = changed_world().await;
        let mut met = 0;
        let faulty = FaultyExport::new(world.clone(), move |made, _| {
            met += u32::from(made == call);
            (made == call && met == 1).then_some(Injection::Throttled)
        });
        let outcome = run_at(&faulty, NOW.plus_days(1)).await.unwrap();
        let stale = Stale {
            exported_at: NOW,
            reason,
        };
        assert_eq!(outcome.functions[&name("matcher")], Part::Stale(stale));
        assert_eq!(
            outcome.functions[&name("token-audit")],
            Part::Exported { copied: true }
        );
        assert_eq!(outcome.errors.len(), 1);
        check_invariants(&world);
    }
}

/// What happens to the deployment between two runs.
#[derive(Debug, Clone)]
enum Turn {
    Deploy(&'static str, u8),
    DeployStack(u8),
    Delete(&'static str),
    Days(i64),
    Faults(Vec<(u64, Injection)>),
}

fn turns() -> impl Strategy<Value = Vec<Turn>> {
    let function = || prop_oneof![Just("matcher"), Just("token-audit")];
    let injection = prop_oneof![
        Just(Injection::RequestLost),
        Just(Injection::ResponseLost),
        Just(Injection::Throttled)
    ];
    let turn = prop_oneof![
        (function(), 0..4_u8).prop_map(|(function, version)| Turn::Deploy(function, version)),
        (0..4_u8).prop_map(Turn::DeployStack),
        function().prop_map(Turn::Delete),
        (0..RETENTION_DAYS / 2).prop_map(Turn::Days),
        proptest::collection::vec((1..40_u64, injection), 0..6).prop_map(Turn::Faults),
    ];
    proptest::collection::vec(turn, 1..12)
}

proptest! {
    #[test]
    fn after_any_history_the_export_is_whole_and_a_clean_run_brings_it_up_to_date(turns in turns()) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let world = world();
            let mut versions = BTreeMap::from([("matcher", 1), ("token-audit", 1)]);
            let mut at = NOW;
            for turn in turns {
                let mut faults = BTreeMap::new();
                match turn {
                    Turn::Deploy(function, version) => {
                        deploy(&world, function, version);
                        versions.insert(function, version);
                    }
                    Turn::DeployStack(version) => deploy_stack(&world, version),
                    Turn::Delete(function) => {
                        world.delete(&name(function));
                        versions.remove(function);
                    }
                    Turn::Days(days) => at = at.plus_days(days),
                    Turn::Faults(calls) => faults = calls.into_iter().collect(),
                }
                world.set_now(at);
                let before = latest(&world);
                let ports = FaultyExport::new(world.clone(), move |_, call| faults.get(&call).cloned());
                let _ = run_at(&ports, at).await;
                invariant_nothing_restorable_is_forgotten(before.as_ref(), latest(&world).as_ref());
                check_invariants(&world);
            }
            // Whatever was deleted is back.
            for function in ["matcher", "token-audit"] {
                versions.entry(function).or_insert_with(|| {
                    deploy(&world, function, 9);
                    9
                });
            }
            assert!(run_at(&world, at.plus_days(1)).await.unwrap().is_whole());
            check_invariants(&world);
            assert_up_to_date(&world, &versions);
        });
    }
}
