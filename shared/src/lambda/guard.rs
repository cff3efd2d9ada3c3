//! Panics, kept where they happen: what was under way comes back, and everything else goes on.

use std::panic::AssertUnwindSafe;

use futures::FutureExt;

/// What `work` gives, or nothing when it panicked. Whatever it was doing must be left as a repetition finds it: every
/// write conditional, and nothing in the process believed after a failure.
pub async fn survive<T>(work: impl Future<Output = T>) -> Option<T> {
    AssertUnwindSafe(work).catch_unwind().await.ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_gives_nothing() {
        assert_eq!(survive(async { 7 }).await, Some(7));
        assert_eq!(
            survive(async { panic!("as the test wants it") }).await,
            None::<u8>
        );
    }
}
