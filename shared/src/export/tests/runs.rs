//! Runs without faults of the outside.

use super::*;
use crate::domain::export::{MAX_PACKAGE_BYTES, Stored};
use crate::ports::export::{
    DeployedFunction, DeployedFunctions, DeployedMappings, DeployedStack, DeployedStacks, Expected,
    ExportBucket, Handle, PackageLink, Put, Seen,
};

const EXPORTED: Part = Part::Exported { copied: true };
const UNCHANGED: Part = Part::Exported { copied: false };

fn objects_put(world: &MemoryExport) -> usize {
    let puts = world.puts();
    puts.iter().filter(|key| key.contains("/objects/")).count()
}

#[tokio::test]
async fn everything_that_a_restore_needs_is_exported() {
    let world = world();
    let outcome = run_at(&world, NOW).await.unwrap();
    assert!(outcome.is_whole());
    assert_eq!(outcome.functions[&name("matcher")], EXPORTED);
    assert_eq!(outcome.stack, EXPORTED);
    assert_eq!(outcome.manifest, ManifestOutcome::Written { changed: true });
    check_invariants(&world);
    assert_up_to_date(&world, &BTreeMap::from([("matcher", 1), ("token-audit", 1)]));
    let manifest = latest(&world).unwrap();
    let objects = world.objects();
    let scope = plan(&[]).scope;
    let mappings = MappingsDocument::read(&objects[&scope.object_key(manifest.mappings)]).unwrap();
    assert_eq!(mappings.mappings[&name("matcher")], [mapping("matcher", 2)]);
    let stack = manifest.stack.unwrap();
    assert_eq!(objects[&scope.object_key(stack.template)], b"{\"Resources\":1}");
    // Two packages, two configurations, mappings, template, parameters; then the manifest, last.
    assert_eq!(objects_put(&world), 7);
    assert_eq!(
        world.puts()[7..],
        [scope.dated_key(NOW), scope.latest_key()],
        "the manifest that holds is the last thing written"
    );
}

#[tokio::test]
async fn what_is_unchanged_is_not_copied_again() {
    let world = world();
    run_at(&world, NOW).await.unwrap();
    let hour = NOW.plus_millis(3_600_000);
    let outcome = run_at(&world, hour).await.unwrap();
    assert_eq!(outcome.functions[&name("matcher")], UNCHANGED);
    assert_eq!(outcome.manifest, ManifestOutcome::Written { changed: false });
    assert_eq!(objects_put(&world), 7);
    assert_eq!(
        latest(&world).unwrap().exported_at,
        hour,
        "it says that it looked"
    );
    // One that is deployed anew is copied, and nothing else.
    deploy(&world, "matcher", 2);
    let later = hour.plus_millis(3_600_000);
    let outcome = run_at(&world, later).await.unwrap();
    assert_eq!(outcome.functions[&name("matcher")], EXPORTED);
    assert_eq!(outcome.functions[&name("token-audit")], UNCHANGED);
    assert_eq!(outcome.manifest, ManifestOutcome::Written { changed: true });
    assert_eq!(
        objects_put(&world),
        10,
        "a package, a configuration, the mappings"
    );
    check_invariants(&world);
}

#[tokio::test]
async fn a_function_that_is_gone_stays_in_the_export() {
    let world = world();
    run_at(&world, NOW).await.unwrap();
    world.delete(&name("matcher"));
    let mut at = NOW;
    for _ in 0..3 {
        at = at.plus_days(1);
        let outcome = run_at(&world, at).await.unwrap();
        let stale = Stale {
            exported_at: NOW,
            reason: Reason::Missing,
        };
        assert_eq!(outcome.functions[&name("matcher")], Part::Stale(stale));
        assert_eq!(outcome.functions[&name("token-audit")], UNCHANGED);
        assert!(!outcome.is_whole());
        assert_eq!(
            latest(&world).unwrap().functions[&name("matcher")].stale,
            Some(stale)
        );
        check_invariants(&world);
    }
}

#[tokio::test]
async fn one_function_that_fails_does_not_stop_the_others() {
    for reason in [Reason::Missing, Reason::Changing, Reason::NotRestorable] {
        let world = world();
        world.hide(&name("matcher"), Some(reason));
        let outcome = run_at(&world, NOW).await.unwrap();
        assert_eq!(outcome.functions[&name("matcher")], Part::Absent(reason));
        assert_eq!(outcome.functions[&name("token-audit")], EXPORTED);
        assert!(!latest(&world).unwrap().functions.contains_key(&name("matcher")));
        check_invariants(&world);
    }
}

#[tokio::test]
async fn a_package_that_is_not_what_runs_is_refused() {
    let world = world();
    run_at(&world, NOW).await.unwrap();
    let before = world.objects();
    deploy(&world, "matcher", 2);
    // As many bytes, and others.
    world.serve(&name("matcher"), b"matcher 3".to_vec());
    let outcome = run_at(&world, NOW.plus_days(1)).await.unwrap();
    let stale = Stale {
        exported_at: NOW,
        reason: Reason::HashMismatch,
    };
    assert_eq!(outcome.functions[&name("matcher")], Part::Stale(stale));
    let old = Digest::of(b"matcher 1");
    assert_eq!(latest(&world).unwrap().functions[&name("matcher")].package, old);
    let key = plan(&[]).scope.object_key(Digest::of(b"matcher 3"));
    assert!(!world.objects().contains_key(&key) && !before.contains_key(&key));
    check_invariants(&world);
}

#[tokio::test]
async fn what_lies_under_a_name_with_another_content_is_replaced() {
    let world = world();
    run_at(&world, NOW).await.unwrap();
    let manifest = latest(&world).unwrap();
    let scope = plan(&[]).scope;
    for digest in manifest.digests() {
        world.overwrite(&scope.object_key(digest), b"forged".to_vec());
        let outcome = run_at(&world, NOW.plus_days(1)).await.unwrap();
        assert_eq!(outcome.repaired, 1);
        check_invariants(&world);
        world.remove(&scope.object_key(digest));
        assert_eq!(run_at(&world, NOW.plus_days(1)).await.unwrap().repaired, 0);
        check_invariants(&world);
    }
}

#[tokio::test]
async fn a_stale_entry_whose_objects_are_gone_is_given_up_and_said() {
    let world = world();
    run_at(&world, NOW).await.unwrap();
    world.delete(&name("matcher"));
    let scope = plan(&[]).scope;
    world.remove(&scope.object_key(Digest::of(b"matcher 1")));
    let outcome = run_at(&world, NOW.plus_days(1)).await.unwrap();
    assert_eq!(outcome.functions[&name("matcher")], Part::Absent(Reason::Missing));
    check_latest_is_whole(&world);
}

/// The lifecycle counts from the put: what is still named is put again before it expires.
#[tokio::test]
async fn what_is_still_named_does_not_expire() {
    let world = world();
    for day in 0..=3 * RETENTION_DAYS {
        let at = NOW.plus_days(day);
        world.set_now(at);
        world.expire(RETENTION_DAYS);
        check_latest_is_whole(&world);
        assert!(run_at(&world, at).await.unwrap().is_whole());
    }
    assert_eq!(objects_put(&world), 7 * 7, "once in two hundred days");
}

/// A function that nobody puts back for years can still be put back.
#[tokio::test]
async fn what_is_stale_does_not_expire_either() {
    let world = world();
    for day in 0..=3 * RETENTION_DAYS {
        let at = NOW.plus_days(day);
        world.set_now(at);
        world.expire(RETENTION_DAYS);
        check_latest_is_whole(&world);
        run_at(&world, at).await.unwrap();
        world.delete(&name("matcher"));
    }
    let manifest = latest(&world).unwrap();
    assert_eq!(
        manifest.functions[&name("matcher")].stale.unwrap().exported_at,
        NOW
    );
    assert_eq!(
        objects_put(&world),
        7 * 7,
        "the package of what is gone comes from the bucket itself"
    );
}

fn check_latest_is_whole(world: &MemoryExport) {
    invariant_latest_names_only_what_is_there(world);
    invariant_mappings_are_of_the_same_functions(world);
}

#[tokio::test]
async fn a_manifest_that_is_none_of_ours_is_replaced_and_said() {
    let world = world();
    let key = plan(&[]).scope.latest_key();
    for forged in [&b"{}"[..], b"not json", b"{\"v\":2}"] {
        world.overwrite(&key, forged.to_vec());
        let outcome = run_at(&world, NOW).await.unwrap();
        assert!(outcome.unreadable_before && outcome.is_whole());
        check_invariants(&world);
    }
    assert!(!run_at(&world, NOW).await.unwrap().unreadable_before);
}

#[tokio::test]
async fn where_nothing_can_be_exported_nothing_changes() {
    let world = world();
    run_at(&world, NOW).await.unwrap();
    let before = world.objects();
    let plan = plan(&["matcher", "token-audit"]);
    // No time for a single part.
    let deadline = NOW.plus_days(1).plus_millis(PART_MILLIS - 1);
    let outcome = export(&world, &plan, &|| NOW.plus_days(1), deadline)
        .await
        .unwrap();
    assert_eq!(outcome.manifest, ManifestOutcome::Kept);
    assert!(!outcome.is_whole());
    let stale = Stale {
        exported_at: NOW,
        reason: Reason::NoTime,
    };
    assert_eq!(outcome.functions[&name("matcher")], Part::Stale(stale));
    assert_eq!(world.objects(), before);
}

#[tokio::test]
async fn what_there_is_no_time_for_is_left_as_it_was() {
    let world = world();
    run_at(&world, NOW).await.unwrap();
    deploy(&world, "matcher", 2);
    deploy(&world, "token-audit", 2);
    // Each look at the clock takes a second: the stack and one function are begun.
    let at = std::sync::atomic::AtomicI64::new(NOW.plus_days(1).as_millis());
    let clock = || Timestamp::from_millis(at.fetch_add(1_000, std::sync::atomic::Ordering::Relaxed));
    let deadline = NOW.plus_days(1).plus_millis(PART_MILLIS + 2_500);
    let plan = plan(&["matcher", "token-audit"]);
    let outcome = export(&world, &plan, &clock, deadline).await.unwrap();
    assert_eq!(outcome.functions[&name("matcher")], EXPORTED);
    assert!(matches!(
        outcome.functions[&name("token-audit")],
        Part::Stale(Stale {
            reason: Reason::NoTime,
            ..
        })
    ));
    check_invariants(&world);
    run_at(&world, NOW.plus_days(2)).await.unwrap();
    assert_up_to_date(&world, &BTreeMap::from([("matcher", 2), ("token-audit", 2)]));
}

#[tokio::test]
async fn a_function_that_is_no_longer_to_be_exported_is_left_out() {
    let world = world();
    run_at(&world, NOW).await.unwrap();
    let plan = plan(&["matcher"]);
    let outcome = export(&world, &plan, &|| NOW, NOW.plus_days(1)).await.unwrap();
    assert_eq!(outcome.manifest, ManifestOutcome::Written { changed: true });
    let functions = latest(&world).unwrap().functions;
    assert_eq!(functions.into_keys().collect::<Vec<_>>(), [name("matcher")]);
}

/// Somebody beside the run.
struct Beside {
    world: MemoryExport,
    does: Does,
}

enum Does {
    /// Runs too, and ends in the moment in which ours puts its manifest.
    Run,
    /// Says another size of each package.
    Say(u64),
    /// Puts something of his own under each name just before we do.
    Forge,
}

impl DeployedFunctions for Beside {
    async fn describe_function(&self, name: &FunctionName) -> Result<Seen<DeployedFunction>, PortError> {
        let mut described = self.world.describe_function(name).await?;
        if let (Ok(deployed), Does::Say(bytes)) = (&mut described, &self.does) {
            deployed.bytes = *bytes;
        }
        Ok(described)
    }

    async fn download_package(&self, link: &PackageLink, bytes: u64) -> Result<Vec<u8>, PortError> {
        self.world.download_package(link, bytes).await
    }
}

impl DeployedMappings for Beside {
    async fn list_mappings(&self, name: &FunctionName) -> Result<Seen<Vec<Mapping>>, PortError> {
        self.world.list_mappings(name).await
    }
}

impl DeployedStacks for Beside {
    async fn describe_stack(&self) -> Result<Seen<DeployedStack>, PortError> {
        self.world.describe_stack().await
    }
}

impl ExportBucket for Beside {
    async fn find_exported(&self, key: &str) -> Result<Option<(Stored, Handle)>, PortError> {
        self.world.find_exported(key).await
    }

    async fn read_exported(&self, key: &str) -> Result<Option<(Vec<u8>, Handle)>, PortError> {
        self.world.read_exported(key).await
    }

    async fn put_exported(&self, key: &str, body: Vec<u8>, expected: &Expected) -> Result<Put, PortError> {
        match self.does {
            Does::Run if key.ends_with("latest.json") => {
                Box::pin(run_at(&self.world, NOW.plus_millis(7))).await?;
            }
            Does::Forge if *expected == Expected::Absent => self.world.overwrite(key, b"forged".to_vec()),
            _ => {}
        }
        self.world.put_exported(key, body, expected).await
    }
}

#[tokio::test]
async fn of_two_runs_side_by_side_one_moves_the_manifest() {
    let world = world();
    let beside = Beside {
        world: world.clone(),
        does: Does::Run,
    };
    let outcome = run_at(&beside, NOW).await.unwrap();
    assert_eq!(outcome.manifest, ManifestOutcome::Overtaken);
    assert_eq!(latest(&world).unwrap().exported_at, NOW.plus_millis(7));
    check_invariants(&world);
}

#[tokio::test]
async fn a_package_that_could_not_be_put_back_is_not_begun() {
    let world = world();
    run_at(&world, NOW).await.unwrap();
    deploy(&world, "matcher", 2);
    let large = |bytes| Beside {
        world: world.clone(),
        does: Does::Say(bytes),
    };
    for (bytes, reason) in [
        (MAX_PACKAGE_BYTES + 1, Reason::TooLarge),
        // The download is of as many bytes as were said, or fails.
        (MAX_PACKAGE_BYTES, Reason::NotDownloaded),
    ] {
        let outcome = run_at(&large(bytes), NOW.plus_days(1)).await.unwrap();
        let stale = Stale {
            exported_at: NOW,
            reason,
        };
        assert_eq!(outcome.functions[&name("matcher")], Part::Stale(stale));
        check_invariants(&world);
    }
}

#[tokio::test]
async fn what_somebody_else_puts_under_our_names_is_not_taken_for_ours() {
    let world = world();
    run_at(&world, NOW).await.unwrap();
    let before = latest(&world);
    deploy(&world, "matcher", 2);
    deploy_stack(&world, 2);
    let beside = Beside {
        world: world.clone(),
        does: Does::Forge,
    };
    let outcome = run_at(&beside, NOW.plus_days(1)).await.unwrap();
    let stale = Part::Stale(Stale {
        exported_at: NOW,
        reason: Reason::NotStored,
    });
    assert_eq!(
        (outcome.functions[&name("matcher")], outcome.stack),
        (stale, stale)
    );
    assert_eq!(outcome.errors[0].code, "OtherContent");
    assert!(latest(&world).unwrap().names_the_same(&before.unwrap()));
    invariant_latest_names_only_what_is_there(&world);
    let outcome = run_at(&world, NOW.plus_days(2)).await.unwrap();
    assert!(outcome.is_whole() && outcome.repaired > 0);
    check_latest_is_whole(&world);
}
