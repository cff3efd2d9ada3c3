//! A model of the write protocol of design §5, small enough to be searched whole: every interleaving of three or four
//! messages, with duplicates, crashes, lost responses and late writes.
//!
//! It follows `functions/matcher` and `domain::decision` step by step: what is read when, under which conditions one
//! transaction writes, the look after it, what is published and from what, `toldAt`, and only then the deletion. Each
//! call to the outside is a step of its own, and every step of a handler interleaves with those of all others.
//! [`scenario`] holds the messages, [`invariants`] what must hold, [`sights`] what must be seen so that nothing holds
//! in vain, and [`variant`] the protocols that differ in one thing and are caught.
//!
//! What it abstracts: quantities and prices are small integers, one symbol, one inbox message per side of a match and
//! one answer, ids without secrets, steps that end in a known time. A reading is one step, as strongly consistent as
//! the real one; a message's own and its original's submission are read in two, and a book in pages where a scenario
//! says so. Fewer tries, waits and rounds than in production, since each further one does the same again.
//!
//! What it is **not**: the code. It shows that the rules are right, not that the code keeps them; the tests of
//! `functions/matcher` show that. It knows nothing of two regions and their lease, of batches (several messages in one
//! transaction, its 100 actions, the 32 matches of a decision), of registry and parameters that change meanwhile, of
//! bundles and status questions, of keys, and of the dead-letter queue. Nothing in it takes time: what the length of a
//! time-out decides is decided in all ways, but for one: a write in flight has an end before its message, given back,
//! is received again.

pub mod decision;
pub mod delivery;
pub mod invariants;
pub mod message;
pub mod pairing;
pub mod records;
pub mod scenario;
pub mod sights;
pub mod state;
pub mod tables;
pub mod variant;

#[cfg(test)]
mod tests;
