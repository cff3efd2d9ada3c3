//! Cases of the export's bucket.

use super::fixtures::together;
use super::{Nonconformance, Unmet, Verdict, ensure};
use crate::domain::export::Digest;
use crate::ports::export::{Expected, ExportBucket, Handle, Put};

/// What a case needs: the bucket, and a key of its own.
struct Stage<'a, P> {
    ports: &'a P,
    key: String,
}

macro_rules! suite {
    ($($case:ident)+) => {
        /// The names of the export's cases.
        pub const EXPORT_CASES: &[&str] = &[$(stringify!($case),)+];

        /// Runs every case of the export's bucket and gives those that were not passed. `seed` must be another for each
        /// run on the same bucket.
        pub async fn run_export<P: ExportBucket + Sync>(ports: &P, seed: &str) -> Vec<Nonconformance> {
            let mut failed = Vec::new();
            $({
                let key = format!("conformance/{seed}/{}", stringify!($case));
                if let Err(Unmet(found)) = Box::pin($case(&Stage { ports, key })).await {
                    failed.push(Nonconformance { case: stringify!($case), found });
                }
            })+
            failed
        }
    };
}

suite! {
    what_was_put_is_found_with_its_hash
    what_was_put_reads_back
    what_was_never_put_is_none
    a_put_where_something_is_loses
    a_put_over_the_state_that_was_found_is_done
    a_put_over_a_state_that_has_passed_loses
    a_put_over_nothing_with_a_state_loses
    of_many_first_puts_one_is_done
}

impl<P: ExportBucket + Sync> Stage<'_, P> {
    async fn put(&self, body: &[u8], expected: &Expected) -> Result<Put, Unmet> {
        Ok(self
            .ports
            .put_exported(&self.key, body.to_vec(), expected)
            .await?)
    }

    async fn first(&self, body: &[u8]) -> Result<Handle, Unmet> {
        match self.put(body, &Expected::Absent).await? {
            Put::Done(state) => Ok(state),
            Put::Lost => Err(Unmet("the put lost to nobody".to_owned())),
        }
    }

    async fn lies_there(&self, body: &[u8]) -> Verdict {
        let read = self.ports.read_exported(&self.key).await?;
        let found = self.ports.find_exported(&self.key).await?;
        let digest = found.as_ref().and_then(|(stored, _)| stored.digest);
        ensure(digest == Some(Digest::of(body)), "the hash is not the content's")?;
        let states = found.map(|(_, state)| state) == read.as_ref().map(|(_, state)| state.clone());
        ensure(states, "finding and reading give other states")?;
        ensure(
            read.is_some_and(|(read, _)| read == body),
            "another content lies there",
        )
    }
}

async fn what_was_put_is_found_with_its_hash<P: ExportBucket + Sync>(on: &Stage<'_, P>) -> Verdict {
    let state = on.first(b"package").await?;
    let (stored, found) = on
        .ports
        .find_exported(&on.key)
        .await?
        .ok_or(Unmet("nothing was found".to_owned()))?;
    ensure(found == state, "the state is not the put's")?;
    ensure(
        stored.digest == Some(Digest::of(b"package")),
        "the hash is not the content's",
    )
}

async fn what_was_put_reads_back<P: ExportBucket + Sync>(on: &Stage<'_, P>) -> Verdict {
    // More than one piece of a stream, and no text.
    let body: Vec<u8> = (0..300_000_u32)
        .map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes()[0])
        .collect();
    on.first(&body).await?;
    on.lies_there(&body).await
}

async fn what_was_never_put_is_none<P: ExportBucket + Sync>(on: &Stage<'_, P>) -> Verdict {
    let found = on.ports.find_exported(&on.key).await?;
    let read = on.ports.read_exported(&on.key).await?;
    ensure(found.is_none() && read.is_none(), "something is there")
}

async fn a_put_where_something_is_loses<P: ExportBucket + Sync>(on: &Stage<'_, P>) -> Verdict {
    on.first(b"first").await?;
    let put = on.put(b"second", &Expected::Absent).await?;
    ensure(put == Put::Lost, "it was done")?;
    on.lies_there(b"first").await
}

async fn a_put_over_the_state_that_was_found_is_done<P: ExportBucket + Sync>(on: &Stage<'_, P>) -> Verdict {
    on.first(b"first").await?;
    let found = on.ports.find_exported(&on.key).await?;
    let (_, state) = found.ok_or(Unmet("nothing was found".to_owned()))?;
    let put = on.put(b"second", &Expected::Is(state)).await?;
    ensure(put != Put::Lost, "it lost")?;
    on.lies_there(b"second").await
}

async fn a_put_over_a_state_that_has_passed_loses<P: ExportBucket + Sync>(on: &Stage<'_, P>) -> Verdict {
    let passed = Expected::Is(on.first(b"first").await?);
    on.put(b"second", &passed).await?;
    let put = on.put(b"third", &passed).await?;
    ensure(put == Put::Lost, "it was done")?;
    on.lies_there(b"second").await
}

async fn a_put_over_nothing_with_a_state_loses<P: ExportBucket + Sync>(on: &Stage<'_, P>) -> Verdict {
    let nobodys = Expected::Is(Handle("\"00000000000000000000000000000000\"".to_owned()));
    let put = on.put(b"body", &nobodys).await?;
    ensure(put == Put::Lost, "it was done")?;
    what_was_never_put_is_none(on).await
}

async fn of_many_first_puts_one_is_done<P: ExportBucket + Sync>(on: &Stage<'_, P>) -> Verdict {
    let bodies: Vec<Vec<u8>> = (0..8_u8).map(|n| vec![n; 100]).collect();
    let puts = bodies.iter().map(|body| on.put(body, &Expected::Absent));
    let mut done = Vec::new();
    for (body, put) in bodies.iter().zip(together(puts).await) {
        if put? != Put::Lost {
            done.push(body);
        }
    }
    let [winner] = done[..] else {
        return Err(Unmet(format!("{} were done", done.len())));
    };
    on.lies_there(winner).await
}
