//! What is sent: interests, cancels and replaces, in small integers.

/// FIX quantities, in lots.
pub type Quantity = u8;
/// FIX `Price`, in ticks.
pub type Price = u8;
/// A moment of the clock that expiry is measured by.
pub type Moment = u8;
/// A counterparty.
pub type Owner = char;
/// FIX `ClOrdID`. No two owners of a scenario use the same, so that it names an order alone.
pub type Id = &'static str;
/// The place of a message in its scenario: its body hash, and when it was accepted.
pub type Sent = u8;

/// FIX `Side`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// Wants to buy at its limit or below.
    Buy,
    /// Wants to sell at its limit or above.
    Sell,
}

impl Side {
    /// The side that this one trades with.
    #[must_use]
    pub fn opposite(self) -> Self {
        match self {
            Self::Buy => Self::Sell,
            Self::Sell => Self::Buy,
        }
    }

    /// Whether a limit of this side crosses one of the other.
    #[must_use]
    pub fn crosses(self, price: Price, other: Price) -> bool {
        match self {
            Self::Buy => price >= other,
            Self::Sell => price <= other,
        }
    }
}

/// What an order wants. One symbol: messages of different symbols share no item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Terms {
    /// Which side of the book.
    pub side: Side,
    /// FIX `OrderQty`: the total.
    pub quantity: Quantity,
    /// FIX `Price`: the limit.
    pub price: Price,
    /// FIX `MinQty`; zero for any.
    pub minimum: Quantity,
    /// From when on it matches no more; `None` for longer than the scenario.
    pub expires_at: Option<Moment>,
}

impl Terms {
    /// Whether it matches no more at `now`.
    #[must_use]
    pub fn expired(&self, now: Moment) -> bool {
        self.expires_at.is_some_and(|expires_at| expires_at <= now)
    }
}

/// What a message asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Request {
    /// A new order.
    Interest(Terms),
    /// The end of an order.
    Cancel(Id),
    /// New terms under a new id.
    Replace {
        /// The order.
        original: Id,
        /// The new total.
        quantity: Quantity,
        /// The new limit; the old one stays when left out.
        price: Option<Price>,
    },
}

/// One message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Message {
    /// Who sent it.
    pub owner: Owner,
    /// What its owner calls it.
    pub id: Id,
    /// What it asks for.
    pub request: Request,
}

impl Message {
    /// The other order that it names.
    #[must_use]
    pub fn original(&self) -> Option<Id> {
        match self.request {
            Request::Interest(_) => None,
            Request::Cancel(original) | Request::Replace { original, .. } => Some(original),
        }
    }
}

fn interest(owner: Owner, id: Id, side: Side, quantity: Quantity, price: Price) -> Message {
    let request = Request::Interest(Terms {
        side,
        quantity,
        price,
        minimum: 0,
        expires_at: None,
    });
    Message { owner, id, request }
}

/// An interest in buying.
#[must_use]
pub fn buy(owner: Owner, id: Id, quantity: Quantity, price: Price) -> Message {
    interest(owner, id, Side::Buy, quantity, price)
}

/// An interest in selling.
#[must_use]
pub fn sell(owner: Owner, id: Id, quantity: Quantity, price: Price) -> Message {
    interest(owner, id, Side::Sell, quantity, price)
}

/// The end of `original`.
#[must_use]
pub fn cancel(owner: Owner, id: Id, original: Id) -> Message {
    let request = Request::Cancel(original);
    Message { owner, id, request }
}

/// New terms for `original`.
#[must_use]
pub fn replace(owner: Owner, id: Id, original: Id, quantity: Quantity, price: Option<Price>) -> Message {
    let request = Request::Replace {
        original,
        quantity,
        price,
    };
    Message { owner, id, request }
}

impl Message {
    /// The same interest with a minimum.
    #[must_use]
    pub fn at_least(self, minimum: Quantity) -> Self {
        self.with(|terms| Terms { minimum, ..terms })
    }

    /// The same interest with a time.
    #[must_use]
    pub fn until(self, moment: Moment) -> Self {
        let expires_at = Some(moment);
        self.with(|terms| Terms { expires_at, ..terms })
    }

    fn with(self, change: impl Fn(Terms) -> Terms) -> Self {
        let request = match self.request {
            Request::Interest(terms) => Request::Interest(change(terms)),
            other => other,
        };
        Self { request, ..self }
    }
}
