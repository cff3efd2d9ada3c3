//! Many matchers at once over one book, and over each other's interests: what must hold, holds at the end.

use std::collections::VecDeque;
use std::sync::Arc;

use futures::FutureExt;
use futures::stream::{self, StreamExt};
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};
use symbolon_shared::testing::MemoryPorts;
use tokio::sync::Mutex;

use crate::checks::check;
use crate::hooked::{Call, HookedPorts};
use crate::records::{
    buy, cancel, id, interest, received, record_at, replace, sell, sent_again, status, with,
};
use crate::world::{COUNTERPARTIES, World};

const MATCHERS: usize = 8;
const BATCH: usize = 10;

/// Gives way to the others a few times at each call, as often as the dice say.
fn yielding(world: &World, seed: u64) -> HookedPorts<MemoryPorts> {
    let dice = Arc::new(std::sync::Mutex::new(StdRng::seed_from_u64(seed)));
    let give_way = move |_: Call| {
        let times = dice.lock().unwrap().random_range(0..4);
        async move {
            for _ in 0..times {
                tokio::task::yield_now().await;
            }
            Ok(())
        }
        .boxed()
    };
    world.hooked().before(give_way.clone()).after(give_way)
}

/// Orders of everybody in a narrow range of prices, some cancelled, some replaced, some asked for; a fifth is sent
/// twice, and the queue keeps no order.
fn flow(count: usize, seed: u64) -> Vec<Value> {
    let mut dice = StdRng::seed_from_u64(seed);
    let mut records = Vec::new();
    for n in 0..count {
        let owner = 1 + dice.random_range(0..COUNTERPARTIES);
        let at = i64::try_from(n).unwrap();
        let name = format!("O-{n}");
        let side = if dice.random_bool(0.5) { "buy" } else { "sell" };
        let qty = dice.random_range(1..9).to_string();
        let price = dice.random_range(98..103).to_string();
        let body = interest(&name, side, &qty, &price);
        let min = json!({"minQty": dice.random_range(1..=3).to_string()});
        let small = qty.parse::<u32>().unwrap() < 3 || dice.random_bool(0.7);
        records.push(record_at(owner, at, &if small { body } else { with(body, &min) }));
        let more = match dice.random_range(0..6) {
            0 => Some(cancel(&format!("C-{n}"), &name)),
            1 => Some(replace(
                &format!("R-{n}"),
                &name,
                &dice.random_range(1..9).to_string(),
            )),
            2 => Some(with(
                replace(&format!("R-{n}"), &name, "4"),
                &json!({"price": "100"}),
            )),
            3 => Some(status(&format!("S-{n}"), &name)),
            _ => None,
        };
        records.extend(more.map(|body| record_at(owner, at, &body)));
    }
    let twice: Vec<Value> = records
        .iter()
        .filter(|_| dice.random_bool(0.2))
        .map(sent_again)
        .collect();
    records.extend(twice);
    records.shuffle(&mut dice);
    records
}

/// What is still to be delivered, each with how often it has been.
type Queue = Mutex<VecDeque<(Value, u32)>>;

/// One process: takes batches until there is nothing left.
async fn work(world: World, ports: HookedPorts<MemoryPorts>, queue: Arc<Queue>) {
    let matcher = world.matcher_over(ports);
    loop {
        let batch: Vec<(Value, u32)> = {
            let mut queue = queue.lock().await;
            let size = BATCH.min(queue.len());
            queue.drain(..size).collect()
        };
        if batch.is_empty() {
            return;
        }
        let records = batch
            .iter()
            .map(|(record, count)| received(record.clone(), *count));
        let failed = world.deliver(&matcher, records.collect::<Vec<_>>()).await;
        let back = batch
            .into_iter()
            .filter(|(record, _)| failed.contains(&id(record)));
        let back: Vec<_> = back.map(|(record, count)| (record, count + 1)).collect();
        assert!(back.iter().all(|(_, count)| *count < 20), "it never ends");
        queue.lock().await.extend(back);
    }
}

fn queue_of(records: Vec<Value>) -> Arc<Queue> {
    Arc::new(Mutex::new(
        records.into_iter().map(|record| (record, 1)).collect(),
    ))
}

#[tokio::test(start_paused = true)]
async fn eight_matchers_over_one_book_keep_every_invariant() {
    for seed in 0..6 {
        let world = World::new();
        let queue = queue_of(flow(250, seed));
        let matchers = (0..).take(MATCHERS).map(|n| {
            work(
                world.clone(),
                yielding(&world, seed * 100 + n),
                Arc::clone(&queue),
            )
        });
        stream::iter(matchers)
            .buffer_unordered(MATCHERS)
            .collect::<Vec<()>>()
            .await;
        assert!(world.memory.matches().len() > 50, "{seed}");
        check(&world);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn eight_matchers_on_threads_keep_every_invariant() {
    let world = World::new();
    let queue = queue_of(flow(400, 77));
    let tasks: Vec<_> = (0..)
        .take(MATCHERS)
        .map(|n| tokio::spawn(work(world.clone(), yielding(&world, n), Arc::clone(&queue))))
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert!(world.memory.matches().len() > 50);
    check(&world);
}

/// The same records to every matcher, side by side.
async fn side_by_side(world: &World, records: &[Value], seed: u64) {
    let deliveries = (0..).take(MATCHERS).map(|n| async move {
        let matcher = world.matcher_over(yielding(world, seed * 100 + n));
        let mut left = records.to_vec();
        for count in 1..20 {
            let again = left.iter().map(|record| received(record.clone(), count));
            let failed = world.deliver(&matcher, again.collect::<Vec<_>>()).await;
            left.retain(|record| failed.contains(&id(record)));
            if left.is_empty() {
                return;
            }
        }
        panic!("it never ends");
    });
    stream::iter(deliveries)
        .buffer_unordered(MATCHERS)
        .collect::<Vec<()>>()
        .await;
}

#[tokio::test(start_paused = true)]
async fn the_same_batch_to_eight_matchers_at_once_is_done_once() {
    for seed in 0..12 {
        let world = World::new();
        let records: Vec<Value> = (0..20_i64)
            .map(|n| {
                let name = format!("O-{n}");
                let body = if n % 2 == 0 {
                    sell(&name, "3", "100")
                } else {
                    buy(&name, "3", "100")
                };
                record_at(1 + usize::from(n % 3 == 0), n, &body)
            })
            .collect();
        side_by_side(&world, &records, seed).await;
        let orders = world.memory.submissions().len();
        assert_eq!(orders, 20, "{seed}");
        check(&world);
    }
}

#[tokio::test(start_paused = true)]
async fn a_cancel_and_a_replace_that_race_each_other_and_a_match_end_one_way() {
    for seed in 0..40 {
        let world = World::new();
        assert!(
            world
                .deliver(&world.matcher(), [record_at(1, 0, &sell("A-1", "4", "100"))])
                .await
                .is_empty()
        );
        let racing = [
            record_at(1, 1, &cancel("A-2", "A-1")),
            record_at(1, 1, &replace("A-3", "A-1", "2")),
            record_at(2, 1, &buy("B-1", "3", "100")),
        ];
        let deliveries = (0..).zip(&racing).map(|(n, record)| {
            let (world, seed) = (&world, seed * 10 + n);
            async move {
                world
                    .deliver(&world.matcher_over(yielding(world, seed)), [record.clone()])
                    .await
            }
        });
        let failed: Vec<_> = stream::iter(deliveries).buffer_unordered(3).collect().await;
        assert!(failed.iter().all(Vec::is_empty), "{seed}");
        // Of cancel and replace at most one was in time.
        let in_time = world
            .kinds(1)
            .iter()
            .filter(|kind| ["cancelled", "replaced"].contains(&kind.as_str()))
            .count();
        assert!(in_time <= 1, "{seed}");
        check(&world);
    }
}
