//! The scenarios: three or four messages each, chosen so that every rule of design §5 matters in one of them, with
//! the faults that may happen.

use super::message::{Message, Moment, buy, cancel, replace, sell};
use super::sights as see;
use super::sights::Sight;

/// How many faults of each kind may happen on one path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Faults {
    /// Handlers that die; their messages come back.
    pub crashes: u8,
    /// Deliveries of a message beside or after its first.
    pub duplicates: u8,
    /// Transactions that are written without their sender learning of it.
    pub lost_responses: u8,
    /// Transactions that arrive after their sender has given them up.
    pub late_writes: u8,
}

/// What a handler deletes when it is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deletion {
    /// Its own copy: a message that was sent twice, redriven, or came through the other region.
    OfItsOwnCopy,
    /// Every copy: a message that the queue itself delivered twice.
    OfEveryCopy,
}

/// A set of messages, and what may go wrong.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// What it is called.
    pub name: &'static str,
    /// The messages, in the order of their acceptance; they arrive in any.
    pub messages: Vec<Message>,
    /// How many of them, from the first on, were done with before anything else arrives.
    pub done_before: usize,
    /// What may go wrong.
    pub faults: Faults,
    /// How often the clock may move on.
    pub ticks: Moment,
    /// Entries in one page of a book.
    pub page: usize,
    /// What is deleted.
    pub deletion: Deletion,
    /// What must be seen.
    pub sees: Vec<Sight>,
}

impl Scenario {
    fn of(name: &'static str, messages: impl IntoIterator<Item = Message>) -> Self {
        Self {
            name,
            messages: messages.into_iter().collect(),
            done_before: 0,
            faults: Faults::default(),
            ticks: 0,
            page: usize::MAX,
            deletion: Deletion::OfItsOwnCopy,
            sees: Vec::new(),
        }
    }

    fn done_before(self, done_before: usize) -> Self {
        Self { done_before, ..self }
    }

    /// The same with other faults.
    #[must_use]
    pub fn with(self, faults: Faults) -> Self {
        Self { faults, ..self }
    }

    fn seeing(self, sees: impl IntoIterator<Item = Sight>) -> Self {
        let sees = sees.into_iter().collect();
        Self { sees, ..self }
    }
}

/// At most so many crashes, duplicates, lost responses and late writes.
fn at_most(crashes: u8, duplicates: u8, lost_responses: u8, late_writes: u8) -> Faults {
    Faults {
        crashes,
        duplicates,
        lost_responses,
        late_writes,
    }
}

/// Two that cross arrive together, so that each may see an empty book before it writes. With every kind of fault.
#[must_use]
pub fn two_that_cross() -> Scenario {
    Scenario::of("two that cross", [sell('A', "S", 3, 100), buy('B', "B", 2, 101)])
        .with(at_most(1, 1, 1, 1))
        .seeing([
            see::A_MATCH,
            see::A_CROSSED_BOOK,
            see::A_LOOK_FINDS,
            see::A_LOST_CONDITION,
            see::GIVEN_BACK,
            see::FIRST_RESPONSE_LOST,
            see::LOOK_RESPONSE_LOST,
            see::A_LATE_WRITE,
            see::TOO_LATE_A_WRITE,
            see::CRASHED_BETWEEN_INBOXES,
            see::SIDE_BY_SIDE,
        ])
}

/// Three takers of one resting order, which has enough for two of them.
#[must_use]
pub fn three_over_one() -> Scenario {
    let messages = [
        sell('A', "S", 5, 100),
        buy('B', "B", 2, 101),
        buy('C', "C", 2, 100),
        buy('D', "D", 3, 102),
    ];
    Scenario::of("three over one", messages)
        .done_before(1)
        .with(at_most(1, 0, 1, 0))
        .seeing([
            see::TWO_MATCHES,
            see::A_LOST_CONDITION,
            see::GIVEN_BACK,
            see::FIRST_RESPONSE_LOST,
            see::CRASHED_BETWEEN_INBOXES,
        ])
}

/// A seller and two buyers arrive together: what one look leaves, another finds.
#[must_use]
pub fn three_together() -> Scenario {
    let messages = [
        sell('A', "S", 4, 100),
        buy('B', "B", 2, 101),
        buy('C', "C", 2, 100),
    ];
    Scenario::of("three together", messages)
        .with(at_most(0, 1, 0, 0))
        .seeing([
            see::TWO_MATCHES,
            see::A_LOOK_FINDS,
            see::A_LIST_GROWS,
            see::GIVEN_BACK,
            see::SIDE_BY_SIDE,
        ])
}

/// One order with a minimum, one that is too small for it, and one that leaves less than it, all together.
#[must_use]
pub fn a_minimum() -> Scenario {
    let messages = [
        sell('A', "S", 5, 100).at_least(3),
        buy('B', "B", 1, 100),
        buy('C', "C", 4, 100),
    ];
    Scenario::of("a minimum", messages)
        .with(at_most(1, 1, 0, 0))
        .seeing([see::A_MATCH, see::A_LOOK_FINDS, see::A_REMAINDER_CANCELLED])
}

/// An order with a minimum and one that is too small for it rest; a third leaves less than the minimum.
#[must_use]
pub fn too_small_and_resting() -> Scenario {
    let messages = [
        sell('A', "S", 5, 100).at_least(3),
        buy('B', "B", 1, 100),
        buy('C', "C", 4, 100),
    ];
    Scenario::of("too small and resting", messages)
        .done_before(2)
        .with(at_most(1, 1, 1, 1))
        .seeing([see::A_CROSSED_BOOK, see::A_REMAINDER_CANCELLED, see::SIDE_BY_SIDE])
}

/// A cancel and a match of one resting order.
#[must_use]
pub fn a_cancel_against_a_match() -> Scenario {
    let messages = [
        sell('A', "S", 3, 100),
        buy('B', "B", 2, 101),
        cancel('A', "X", "S"),
    ];
    Scenario::of("a cancel against a match", messages)
        .done_before(1)
        .with(at_most(1, 1, 1, 1))
        .seeing([
            see::A_MATCH,
            see::A_CANCEL,
            see::A_LOST_CONDITION,
            see::FIRST_RESPONSE_LOST,
            see::A_LATE_WRITE,
            see::TOO_LATE_A_WRITE,
        ])
}

/// An order, its cancel and one that it crosses, in any order.
#[must_use]
pub fn a_cancel_before_its_order() -> Scenario {
    let messages = [
        sell('A', "S", 2, 100),
        cancel('A', "X", "S"),
        buy('B', "B", 2, 101),
    ];
    Scenario::of("a cancel before its order", messages)
        .with(at_most(1, 0, 1, 0))
        .seeing([
            see::A_MATCH,
            see::A_MARK,
            see::BORN_CANCELLED,
            see::A_CANCEL,
            see::TOO_LATE,
            see::A_LOST_CONDITION,
        ])
}

/// Two cancels of an order that comes last.
#[must_use]
pub fn two_cancels() -> Scenario {
    let messages = [
        sell('A', "S", 2, 100),
        cancel('A', "X", "S"),
        cancel('A', "Y", "S"),
    ];
    Scenario::of("two cancels", messages)
        .with(at_most(1, 1, 0, 0))
        .seeing([see::A_MARK, see::BORN_CANCELLED, see::A_CANCEL, see::TOO_LATE])
}

/// An order, what cuts it, and one that it crosses, in any order.
#[must_use]
pub fn a_cut_in_any_order() -> Scenario {
    let messages = [
        sell('A', "S", 5, 100),
        replace('A', "R", "S", 3, None),
        buy('B', "B", 2, 101),
    ];
    Scenario::of("a cut in any order", messages)
        .with(at_most(1, 0, 1, 0))
        .seeing([
            see::A_MATCH,
            see::A_LOOK_FINDS,
            see::REPLACED_IN_PLACE,
            see::A_REPLACE_WAITS,
            see::NEVER_CAME,
        ])
}

/// A resting order is cut while somebody takes from it.
#[must_use]
pub fn a_cut_against_a_match() -> Scenario {
    let messages = [
        sell('A', "S", 5, 100),
        replace('A', "R", "S", 4, None),
        buy('B', "B", 2, 101),
    ];
    Scenario::of("a cut against a match", messages)
        .done_before(1)
        .with(at_most(1, 1, 1, 0))
        .seeing([see::A_MATCH, see::REPLACED_IN_PLACE, see::A_LOST_CONDITION])
}

/// A resting order gets a price that crosses one that arrives.
#[must_use]
pub fn a_new_price() -> Scenario {
    let messages = [
        sell('A', "S", 3, 103),
        replace('A', "R", "S", 3, Some(100)),
        buy('B', "B", 2, 101),
    ];
    Scenario::of("a new price", messages)
        .done_before(1)
        .with(at_most(1, 1, 1, 0))
        .seeing([
            see::A_MATCH,
            see::A_LOOK_FINDS,
            see::REPLACED_ANEW,
            see::LOOK_RESPONSE_LOST,
        ])
}

/// A partly filled order is replaced twice, one by one or side by side, and somebody takes from it.
#[must_use]
pub fn two_replaces() -> Scenario {
    let messages = [
        sell('A', "S", 4, 100),
        replace('A', "R", "S", 3, None),
        replace('A', "Q", "S", 5, Some(101)),
        buy('B', "B", 2, 101),
    ];
    Scenario::of("two replaces", messages)
        .done_before(1)
        .with(at_most(1, 0, 1, 0))
        .seeing([
            see::A_MATCH,
            see::REPLACED_IN_PLACE,
            see::REPLACED_ANEW,
            see::TOO_LATE,
            see::A_LOST_CONDITION,
        ])
}

/// A replace of a resting order, and a cancel of that order, against each other.
#[must_use]
pub fn a_cancel_against_a_replace() -> Scenario {
    let messages = [
        sell('A', "S", 3, 100),
        replace('A', "R", "S", 2, None),
        cancel('A', "X", "S"),
    ];
    Scenario::of("a cancel against a replace", messages)
        .done_before(1)
        .with(at_most(1, 1, 1, 1))
        .seeing([
            see::A_CANCEL,
            see::REPLACED_IN_PLACE,
            see::TOO_LATE,
            see::A_LOST_CONDITION,
        ])
}

/// A replace of a resting order, a cancel of the replace, and a taker, in any order: the cancel's mark may lie under
/// the id of the replace.
#[must_use]
pub fn a_cancel_of_a_replace() -> Scenario {
    let messages = [
        sell('A', "S", 3, 100),
        replace('A', "R", "S", 2, Some(99)),
        cancel('A', "X", "R"),
        buy('B', "B", 1, 101),
    ];
    Scenario::of("a cancel of a replace", messages)
        .done_before(1)
        .with(at_most(1, 0, 1, 0))
        .seeing([
            see::A_MATCH,
            see::A_MARK,
            see::BORN_CANCELLED,
            see::A_CANCEL,
            see::REPLACED_ANEW,
        ])
}

/// Two messages with one id, and one that crosses both.
#[must_use]
pub fn one_id_for_two() -> Scenario {
    let messages = [
        buy('B', "B", 2, 101),
        buy('B', "B", 1, 102),
        sell('A', "S", 2, 100),
    ];
    Scenario::of("one id for two", messages)
        .with(at_most(1, 0, 1, 0))
        .seeing([see::A_MATCH, see::AN_ID_TAKEN, see::A_LOST_CONDITION])
}

/// Two messages with one id, and a cancel of that id: its mark is claimed once.
#[must_use]
pub fn one_id_and_a_mark() -> Scenario {
    let messages = [
        buy('B', "B", 2, 101),
        buy('B', "B", 1, 102),
        cancel('B', "X", "B"),
    ];
    Scenario::of("one id and a mark", messages)
        .with(at_most(1, 1, 0, 0))
        .seeing([see::A_MARK, see::BORN_CANCELLED, see::A_CANCEL, see::AN_ID_TAKEN])
}

/// Two that cross, of which one expires meanwhile.
#[must_use]
pub fn one_that_expires() -> Scenario {
    let messages = [sell('A', "S", 3, 100).until(1), buy('B', "B", 2, 101)];
    let scenario = Scenario::of("one that expires", messages)
        .with(at_most(1, 1, 0, 1))
        .seeing([
            see::A_MATCH,
            see::A_LOOK_FINDS,
            see::AN_EXPIRED_ENTRY,
            see::A_LATE_WRITE,
        ]);
    Scenario { ticks: 1, ..scenario }
}

/// Somebody's own orders cross each other and somebody else's.
#[must_use]
pub fn own_orders_cross() -> Scenario {
    let messages = [
        sell('A', "S", 2, 100),
        buy('A', "T", 2, 102),
        buy('B', "B", 2, 101),
    ];
    Scenario::of("own orders cross", messages)
        .with(at_most(1, 1, 0, 0))
        .seeing([see::A_MATCH, see::A_LOOK_FINDS])
}

/// A taker of two resting orders, one of which is cancelled, reads the book an entry at a time.
#[must_use]
pub fn page_by_page() -> Scenario {
    let messages = [
        sell('A', "S", 2, 100),
        sell('C', "T", 2, 101),
        cancel('A', "X", "S"),
        buy('B', "B", 3, 101),
    ];
    let scenario = Scenario::of("page by page", messages)
        .done_before(2)
        .with(at_most(1, 1, 1, 0))
        .seeing([see::TWO_MATCHES, see::A_CANCEL, see::A_LOST_CONDITION]);
    Scenario { page: 1, ..scenario }
}

/// Two that cross, delivered by a queue that deletes both deliveries of a message when one of them is done.
#[must_use]
pub fn two_that_cross_deleted_together() -> Scenario {
    let scenario = two_that_cross().with(at_most(1, 1, 0, 0)).seeing([]);
    Scenario {
        name: "two that cross, deleted together",
        deletion: Deletion::OfEveryCopy,
        ..scenario
    }
}

/// Every scenario in which all invariants must hold.
#[must_use]
pub fn all() -> Vec<Scenario> {
    vec![
        two_that_cross(),
        three_over_one(),
        three_together(),
        a_minimum(),
        too_small_and_resting(),
        a_cancel_against_a_match(),
        a_cancel_before_its_order(),
        two_cancels(),
        a_cut_in_any_order(),
        a_cut_against_a_match(),
        a_new_price(),
        two_replaces(),
        a_cancel_against_a_replace(),
        a_cancel_of_a_replace(),
        one_id_for_two(),
        one_id_and_a_mark(),
        one_that_expires(),
        own_orders_cross(),
        page_by_page(),
    ]
}
