//! Several invocations at one log.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::hooked::Hooked;
use crate::world::{assert_minted_once, audit, bucket, deadline, event, failed, minted};

/// One invocation, until it is done.
type Run<'a> = Option<Pin<Box<dyn Future<Output = Option<String>> + 'a>>>;

/// Polls the two in an order drawn from the seed, until both are done. Each call of a port yields, so every order of
/// their calls can come.
fn interleave(seed: u64) {
    let bucket = bucket();
    let mut draw = StdRng::seed_from_u64(seed);
    // The same batch twice, overlapping ones, or different ones.
    let ranges = [[0..12, 0..12], [0..12, 6..18], [0..9, 9..18]][draw.random_range(0..3)].clone();
    let until = ranges[1].end;
    let bias = draw.random_range(0.02..0.98);
    let audits = ranges.clone().map(|_| audit(Hooked::new(&bucket, None)));
    let mut runs: Vec<Run<'_>> = audits
        .iter()
        .zip(ranges)
        .map(|(audit, range)| {
            let handled = async move { failed(&audit.handle(event(range.map(minted)), deadline()).await) };
            Some(Box::pin(handled) as Pin<Box<dyn Future<Output = _>>>)
        })
        .collect();
    let mut context = Context::from_waker(Waker::noop());
    while runs.iter().any(Option::is_some) {
        let which = usize::from(draw.random_bool(bias));
        if let Some(run) = &mut runs[which]
            && let Poll::Ready(answer) = run.as_mut().poll(&mut context)
        {
            assert_eq!(answer, None, "seed {seed}");
            runs[which] = None;
        }
    }
    assert_minted_once(&bucket, 0..until);
}

#[test]
fn two_invocations_in_any_order_of_their_calls_write_one_log() {
    for seed in 0..600 {
        interleave(seed);
    }
}

/// Eight at once, each with its own share and everybody's first records; some are given back and come again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn eight_invocations_on_threads_write_one_log() {
    let bucket = bucket();
    let runs: Vec<_> = (0..8_u32)
        .map(|n| {
            let bucket = bucket.clone();
            tokio::spawn(async move {
                let audit = audit(Hooked::new(&bucket, None));
                let records = || event((0..10).chain(10 + n * 10..20 + n * 10).map(minted));
                let mut deliveries = 1;
                while failed(&audit.handle(records(), deadline()).await).is_some() {
                    deliveries += 1;
                    assert!(deliveries < 20);
                }
            })
        })
        .collect();
    for run in runs {
        run.await.unwrap();
    }
    assert_minted_once(&bucket, 0..90);
}
