//! Cases of the port `Books`.

use super::fixtures::{NOON, Stage, price};
use super::{Arrange, EveryPort, Unmet, Verdict, ensure};
use crate::domain::book::{BookKey, Entry, EntryKey, Rank, RankBound, Version};
use crate::domain::change_set::ChangeSet;
use crate::domain::identifiers::{Side, Symbol};

/// Above every price of these cases on the side that sells, and below them on the side that buys.
fn everything(side: Side) -> Result<RankBound, Unmet> {
    let worst = match side {
        Side::Buy => "0.01",
        Side::Sell => "999999",
    };
    Ok(Rank::bound(side, price(worst)?))
}

/// All entries of a book, however many pages it has.
pub(super) async fn whole_book<P: EveryPort, A: Arrange>(
    on: &Stage<'_, P, A>,
    symbol: Symbol,
    side: Side,
) -> Result<Vec<Entry>, Unmet> {
    read_to(on, &BookKey { symbol, side }, &everything(side)?).await
}

/// All entries of a book within a bound, however many pages they take.
async fn read_to<P: EveryPort, A: Arrange>(
    on: &Stage<'_, P, A>,
    book: &BookKey,
    bound: &RankBound,
) -> Result<Vec<Entry>, Unmet> {
    let (mut entries, mut known_to) = (Vec::new(), RankBound::nothing());
    while known_to < *bound {
        let page = on.ports.read_page(book, &known_to, bound).await?;
        ensure(page.known_to > known_to, "a page leads nowhere")?;
        let within = |entry: &Entry| page.known_to.covers(&entry.rank) && !known_to.covers(&entry.rank);
        ensure(page.entries.iter().all(within), "an entry lies outside its page")?;
        entries.extend(page.entries);
        known_to = page.known_to;
    }
    Ok(entries)
}

/// An entry of a book at this price, the `n`th to be accepted.
fn entry<P: EveryPort, A: Arrange>(
    on: &Stage<'_, P, A>,
    n: u32,
    symbol: u32,
    side: Side,
    limit: &str,
) -> Result<Entry, Unmet> {
    let limit = price(limit)?;
    Ok(Entry {
        book: BookKey {
            symbol: on.symbol(symbol)?,
            side,
        },
        rank: Rank::new(side, limit, NOON.plus_millis(i64::from(n)), &on.order(n)?),
        price: limit,
        ..on.entry(n)?
    })
}

/// Puts entries into the book, with request tokens from `first` on.
async fn put<P: EveryPort, A: Arrange>(on: &Stage<'_, P, A>, first: u32, entries: &[Entry]) -> Verdict {
    for (n, part) in (first..).zip(entries.chunks(100)) {
        let mut changes = ChangeSet::default();
        for entry in part {
            changes.insert_entry(entry.clone());
        }
        on.write(&changes, n).await?;
    }
    Ok(())
}

pub(super) async fn a_book_is_read_best_first_page_by_page<P: EveryPort, A: Arrange>(
    on: &Stage<'_, P, A>,
) -> Verdict {
    for (side, first_request) in [(Side::Buy, 0), (Side::Sell, 10)] {
        let mut entries = Vec::new();
        for n in 0..230_u32 {
            // 23 prices in a scattered order, ten entries each.
            let limit = format!("{}.5", 100 + (n * 7) % 23);
            entries.push(entry(on, n, 1, side, &limit)?);
        }
        put(on, first_request, &entries).await?;
        entries.sort_by(|a, b| {
            let by_price = a.price.cmp(&b.price);
            let best_first = if side == Side::Buy {
                by_price.reverse()
            } else {
                by_price
            };
            best_first.then(a.rank.accepted_at().cmp(&b.rank.accepted_at()))
        });
        ensure(
            whole_book(on, on.symbol(1)?, side).await? == entries,
            "another order, or not each once",
        )?;
    }
    Ok(())
}

pub(super) async fn a_page_ends_at_its_bound<P: EveryPort, A: Arrange>(on: &Stage<'_, P, A>) -> Verdict {
    for (side, limits, first) in [
        (Side::Sell, ["10", "10.5", "11"], 0),
        (Side::Buy, ["11", "10.5", "10"], 10),
    ] {
        let entries = (first..)
            .zip(limits)
            .map(|(n, limit)| entry(on, n, 1, side, limit));
        let entries: Vec<Entry> = entries.collect::<Result<_, Unmet>>()?;
        put(on, first, &entries).await?;
        let book = &entries[0].book;
        let of_price = Rank::bound(side, price("10.5")?);
        let within = read_to(on, book, &of_price).await?;
        ensure(within == entries[..2], "not exactly what crosses")?;
        // A bound that is a rank has that rank within.
        let of_rank = RankBound::up_to(&entries[1].rank);
        let within = read_to(on, book, &of_rank).await?;
        ensure(within == entries[..2], "not exactly up to the rank")?;
        let after = RankBound::up_to(&entries[0].rank);
        let page = on.ports.read_page(book, &after, &of_rank).await?;
        ensure(page.entries == entries[1..2], "not exactly from rank to rank")?;
    }
    Ok(())
}

pub(super) async fn a_page_starts_after_its_start<P: EveryPort, A: Arrange>(on: &Stage<'_, P, A>) -> Verdict {
    let entries: Vec<Entry> = (1..4)
        .map(|n| entry(on, n, 1, Side::Sell, "10"))
        .collect::<Result<_, Unmet>>()?;
    put(on, 1, &entries).await?;
    let bound = everything(Side::Sell)?;
    for start in 0..3 {
        let after = RankBound::up_to(&entries[start].rank);
        let page = on.ports.read_page(&entries[0].book, &after, &bound).await?;
        ensure(
            page.entries.first() == entries.get(start + 1),
            "another entry comes next",
        )?;
    }
    // A start that is no rank: the end of a price that has been read.
    let after = Rank::bound(Side::Sell, price("9")?);
    let page = on.ports.read_page(&entries[0].book, &after, &bound).await?;
    ensure(
        page.entries.first() == entries.first(),
        "a start between ranks hides an entry",
    )?;
    let after = Rank::bound(Side::Sell, price("10")?);
    let page = on.ports.read_page(&entries[0].book, &after, &bound).await?;
    ensure(
        page.entries.is_empty() && page.known_to == bound,
        "a start past all ranks finds one",
    )
}

pub(super) async fn an_empty_book_is_known_to_the_bound<P: EveryPort, A: Arrange>(
    on: &Stage<'_, P, A>,
) -> Verdict {
    let book = BookKey {
        symbol: on.symbol(1)?,
        side: Side::Buy,
    };
    let bound = Rank::bound(Side::Buy, price("10")?);
    let page = on.ports.read_page(&book, &RankBound::nothing(), &bound).await?;
    ensure(
        page.entries.is_empty() && page.known_to == bound,
        "not known to the bound",
    )
}

pub(super) async fn a_page_from_its_own_bound_is_empty<P: EveryPort, A: Arrange>(
    on: &Stage<'_, P, A>,
) -> Verdict {
    let entries = [
        entry(on, 1, 1, Side::Sell, "10")?,
        entry(on, 2, 1, Side::Sell, "12")?,
    ];
    put(on, 1, &entries).await?;
    let (near, far) = (
        Rank::bound(Side::Sell, price("9")?),
        Rank::bound(Side::Sell, price("11")?),
    );
    for (after, bound) in [(&far, &far), (&far, &near)] {
        let page = on.ports.read_page(&entries[0].book, after, bound).await?;
        ensure(page.entries.is_empty() && page.known_to == *bound, "not empty")?;
    }
    Ok(())
}

pub(super) async fn books_do_not_mix<P: EveryPort, A: Arrange>(on: &Stage<'_, P, A>) -> Verdict {
    let entries = [
        entry(on, 1, 1, Side::Sell, "10")?,
        entry(on, 2, 1, Side::Buy, "10")?,
        entry(on, 3, 2, Side::Sell, "10")?,
    ];
    put(on, 1, &entries).await?;
    for entry in entries {
        let whole = whole_book(on, entry.book.symbol.clone(), entry.book.side).await?;
        ensure(whole == [entry], "another book's entries")?;
    }
    Ok(())
}

pub(super) async fn an_expired_entry_is_removed_under_its_version<P: EveryPort, A: Arrange>(
    on: &Stage<'_, P, A>,
) -> Verdict {
    let entry = entry(on, 1, 1, Side::Sell, "10")?;
    put(on, 1, std::slice::from_ref(&entry)).await?;
    let removed = async |version: Version| on.ports.remove_entry(&entry.key(), version).await;
    ensure(
        !removed(entry.version.next()).await?,
        "removed under another version",
    )?;
    ensure(removed(entry.version).await?, "not removed")?;
    ensure(!removed(entry.version).await?, "removed twice")?;
    let gone = whole_book(on, on.symbol(1)?, Side::Sell).await?;
    ensure(gone.is_empty(), "still there")?;
    let never = EntryKey {
        rank: on.entry(9)?.rank,
        ..entry.key()
    };
    ensure(
        !on.ports.remove_entry(&never, Version::FIRST).await?,
        "removed what never was",
    )
}
