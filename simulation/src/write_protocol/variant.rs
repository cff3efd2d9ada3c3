//! The protocol as it is designed, and seven that differ from it in one thing each.

/// Which protocol is checked. Each faulty one is switched on in one place of the module, and nowhere else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Variant {
    /// Design §5.
    AsDesigned,
    /// An interest that was put into the book does not look at the other side again.
    NoSecondLook,
    /// A message that is known and rests does not look again.
    NoLookOnRedelivery,
    /// A replace that kept its place in the book does not look.
    NoLookAfterReplaceInPlace,
    /// What is published after a lost response is what the handler remembers from before.
    PublishFromMemory,
    /// A remainder below its order's minimum stays in the book, with what is left as its minimum.
    ShrinkingMinimum,
    /// The mark of an early cancel is an item of its own beside the submission.
    MarkUnderOwnKey,
    /// A book entry is changed on condition that enough is left of it, whatever its version.
    GuardOnLeaves,
    /// A look that finds nothing is done, although nobody knows whether an earlier one will be written yet. Not among
    /// design §5's seven: this model found it.
    DoneWhileUnsure,
    /// A book entry is changed on condition that exactly what was read is left of it. No fault as long as what is left
    /// only shrinks at one place of the book: it is here to show that.
    GuardOnEqualLeaves,
}

impl Variant {
    /// Every faulty one: the seven of design §5 in its order, then the one that was found.
    pub const FAULTY: [Self; 8] = [
        Self::NoSecondLook,
        Self::NoLookOnRedelivery,
        Self::NoLookAfterReplaceInPlace,
        Self::PublishFromMemory,
        Self::ShrinkingMinimum,
        Self::MarkUnderOwnKey,
        Self::GuardOnLeaves,
        Self::DoneWhileUnsure,
    ];
}
