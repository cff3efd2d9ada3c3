//! Every case of design §12's budget, one message alone: nothing is shared with others of its batch, so this is what
//! it costs at most.

use serde_json::json;
use symbolon_shared::domain::identifiers::Side;

use super::BenchError;
use super::budget;
use super::floor::{Floor, Interest};
use super::report::{Counted, Figure, Row, Unit, as_f64};

/// Who buys, and who sells.
const BUYER: u32 = 1;
const SELLER: u32 = 2;

/// A message of the case, and what must lie in the tables before it.
struct Case {
    name: &'static str,
    /// What rests, each with its owner.
    resting: Vec<(u32, Interest<'static>)>,
    /// What is taken before anything is counted.
    before: Vec<(u32, String)>,
    /// What is counted.
    message: (u32, String),
    /// How many matches it must make, so that what is counted is what is meant.
    matches: u64,
    /// Write units, where there is a budget.
    write_units: Option<f64>,
    /// Queries, where there is a budget: then nothing but its submission is read beside them.
    queries: Option<f64>,
}

/// Each case has a symbol of its own, so that none finds what another left.
const SYMBOLS: [&str; 11] = ["S0", "S1", "S2", "S3", "S4", "S5", "S6", "S7", "S8", "S9", "S10"];

fn interest(
    symbol: &'static str,
    side: Side,
    name: &str,
    order_qty: &'static str,
    price: &str,
) -> Interest<'static> {
    Interest {
        name: format!("{symbol}-{name}"),
        symbol,
        side,
        order_qty,
        price: price.to_owned(),
    }
}

fn buy(symbol: &'static str, order_qty: &'static str, price: &str) -> Interest<'static> {
    interest(symbol, Side::Buy, "buy", order_qty, price)
}

fn sell(symbol: &'static str, price: &str) -> Interest<'static> {
    interest(symbol, Side::Sell, "sell", "1", price)
}

fn replace(symbol: &str, order_qty: &str, price: &str) -> String {
    json!({
        "type": "replace",
        "clOrdId": format!("{symbol}-replace"),
        "origClOrdId": format!("{symbol}-buy"),
        "orderQty": order_qty,
        "price": price,
    })
    .to_string()
}

impl Case {
    /// A case in which nothing lies in the tables and nothing is matched.
    fn new(name: &'static str, sender: u32, body: String, write_units: f64) -> Self {
        Self {
            name,
            resting: Vec::new(),
            before: Vec::new(),
            message: (sender, body),
            matches: 0,
            write_units: Some(write_units),
            queries: None,
        }
    }

    fn resting(mut self, owner: u32, interest: Interest<'static>) -> Self {
        self.resting.push((owner, interest));
        self
    }

    fn after(mut self, sender: u32, interest: &Interest<'_>) -> Self {
        self.before.push((sender, interest.body()));
        self
    }

    fn making(self, matches: u64) -> Self {
        Self { matches, ..self }
    }

    fn asking(self, queries: f64) -> Self {
        Self {
            queries: Some(queries),
            ..self
        }
    }
}

/// The look alone, as a redelivery makes it: a crash between the first delivery's write and its look leaves the tables
/// so. With the insertion, which the first row counts, it is a match by second look.
const LOOK: &str = "a second look that finds a match";
const RESTS: &str = "an interest that rests";

/// An interest that is filled by `levels` others, each at a price of its own.
fn walk(name: &'static str, symbol: &'static str, levels: u32, order_qty: &'static str) -> Case {
    let write_units = 2.0 + budget::MATCH_ON_ARRIVAL * f64::from(levels) + 1.0;
    let buyer = buy(symbol, order_qty, "200");
    let mut case = Case::new(name, BUYER, buyer.body(), write_units);
    for level in 0..levels {
        let price = (100 + level).to_string();
        case = case.resting(
            SELLER,
            interest(symbol, Side::Sell, &format!("level-{level}"), "1", &price),
        );
    }
    case.making(levels.into()).asking(1.0)
}

fn cases() -> Vec<Case> {
    use budget::{CANCEL_OR_IN_PLACE, DUPLICATE, FILLED_BY_ONE, FOUND_BY_LOOK, REPLACE_ANEW};
    let [
        rests,
        fills,
        walks,
        strides,
        looks,
        cancels,
        cuts,
        moves,
        crosses,
        again,
        told,
    ] = SYMBOLS;
    let cancel = json!({ "type": "cancel", "clOrdId": "cancel", "origClOrdId": format!("{cancels}-buy") });
    vec![
        Case::new(RESTS, BUYER, buy(rests, "1", "90").body(), budget::RESTS).asking(2.0),
        Case::new(
            "an interest filled by one other",
            BUYER,
            buy(fills, "1", "100").body(),
            FILLED_BY_ONE,
        )
        .resting(SELLER, sell(fills, "100"))
        .making(1)
        .asking(1.0),
        walk("an interest filled by five others", walks, 5, "5"),
        Case {
            // Each match makes a submission 84 bytes longer: with ten it is above 1 KB, and costs one unit more
            // wherever it is written.
            write_units: None,
            ..walk(
                "an interest filled by ten others, its submission above 1 KB",
                strides,
                10,
                "10",
            )
        },
        Case::new(LOOK, BUYER, buy(looks, "1", "100").body(), FOUND_BY_LOOK)
            .resting(BUYER, buy(looks, "1", "100"))
            .resting(SELLER, sell(looks, "100"))
            .making(1)
            .asking(1.0),
        Case::new("a cancel", BUYER, cancel.to_string(), CANCEL_OR_IN_PLACE)
            .resting(BUYER, buy(cancels, "1", "90")),
        Case::new(
            "a replace in place",
            BUYER,
            replace(cuts, "1", "90"),
            CANCEL_OR_IN_PLACE,
        )
        .resting(BUYER, buy(cuts, "2", "90")),
        Case::new("a replace anew", BUYER, replace(moves, "1", "91"), REPLACE_ANEW)
            .resting(BUYER, buy(moves, "1", "90")),
        Case::new(
            "a replace anew whose look finds a match",
            BUYER,
            replace(crosses, "1", "100"),
            REPLACE_ANEW + FOUND_BY_LOOK,
        )
        .resting(BUYER, buy(crosses, "1", "90"))
        .resting(SELLER, sell(crosses, "100"))
        .making(1),
        Case::new(
            "a duplicate of what rests",
            BUYER,
            buy(again, "1", "90").body(),
            DUPLICATE,
        )
        .resting(BUYER, buy(again, "1", "90"))
        .asking(1.0),
        Case::new(
            "a duplicate of what is filled and told",
            BUYER,
            buy(told, "1", "100").body(),
            DUPLICATE,
        )
        .resting(SELLER, sell(told, "100"))
        .after(BUYER, &buy(told, "1", "100"))
        .asking(0.0),
    ]
}

/// Every case, each in a batch of its own.
pub(super) async fn rows() -> Result<Vec<Row>, BenchError> {
    let floor = Floor::start(2, &SYMBOLS).await?;
    let (mut rows, mut insertion) = (Vec::new(), 0.0);
    for (symbol, case) in SYMBOLS.iter().zip(cases()) {
        let name = case.name;
        let row = row(&floor, symbol, case).await?;
        let write_units = row
            .counted
            .as_ref()
            .map_or(0.0, |counted| counted.spent.write_units());
        match name {
            RESTS => insertion = write_units,
            LOOK => {
                let whole = Figure::new(
                    "write units with the insertion",
                    write_units + insertion,
                    Unit::Count,
                );
                rows.push(row.with([whole.at_most(budget::SECOND_LOOK)]));
                continue;
            }
            _ => {}
        }
        rows.push(row);
    }
    floor.deployment.shut_down().await;
    Ok(rows)
}

async fn row(floor: &Floor, symbol: &str, case: Case) -> Result<Row, BenchError> {
    floor.warm(symbol).await?;
    floor.fill(case.resting.into_iter()).await?;
    for message in case.before {
        floor.count(vec![message]).await?;
    }
    let counted = floor.count(vec![case.message]).await?;
    // A duplicate is told nothing again.
    if counted.matches != case.matches {
        let found = counted.matches;
        return Err(BenchError::Unexpected(format!("{}: {found} matches", case.name)));
    }
    let write_units = case.write_units.map(|most| budget::write_units(&counted, most));
    let mut figures: Vec<Figure> = write_units.into_iter().collect();
    if let Some(most) = case.queries {
        figures.push(budget::read_units(&counted));
        let queries = Figure::new("queries", as_f64(counted.spent.queries()), Unit::Count);
        figures.push(queries.at_most(most));
    }
    Ok(Row::counted(case.name, None, one(counted)).with(figures))
}

/// Whatever the message is, it is the one that is counted for.
fn one(counted: Counted) -> Counted {
    Counted {
        interests: 1,
        ..counted
    }
}
