//! The table `interests`.

use std::cmp::Ordering;

use super::{entry_key, from_items, number, text};
use crate::aws::AwsPorts;
use crate::aws::error::{held, port_error, unreadable};
use crate::domain::book::{BookKey, Entry, EntryKey, Rank, RankBound, Version};
use crate::domain::limits::BOOK_PAGE_ENTRIES;
use crate::ports::{Books, Page, PortError};

const QUERY: &str = "dynamodb:Query";
const DELETE: &str = "dynamodb:DeleteItem";

/// `~` sorts behind every character of a rank, and all ranks are equally long: between a rank, or the end of a
/// price, and the same with a `~` behind it there is no other rank.
fn just_after(start: &RankBound) -> String {
    format!("{}~", start.as_str())
}

impl Books for AwsPorts {
    async fn read_page(
        &self,
        book: &BookKey,
        after: &RankBound,
        bound: &RankBound,
    ) -> Result<Page, PortError> {
        if after >= bound {
            return Ok(Page {
                entries: Vec::new(),
                known_to: bound.clone(),
            });
        }
        let query = self
            .dynamodb
            .query()
            .table_name(&self.settings.tables.interests)
            .consistent_read(true)
            .limit(i32::try_from(BOOK_PAGE_ENTRIES).unwrap_or(i32::MAX))
            .expression_attribute_names("#book", "book")
            .expression_attribute_names("#rank", "rank")
            .expression_attribute_values(":book", text(book.clone()))
            .expression_attribute_values(":bound", text(bound.as_str()));
        let query = match after.cmp(&RankBound::nothing()) {
            Ordering::Equal => query.key_condition_expression("#book = :book AND #rank <= :bound"),
            _ => query
                .key_condition_expression("#book = :book AND #rank BETWEEN :after AND :bound")
                .expression_attribute_values(":after", text(just_after(after))),
        };
        let answer = query.send().await.map_err(|error| port_error(QUERY, &error))?;
        let entries: Vec<Entry> = from_items(QUERY, answer.items.unwrap_or_default())?;
        let known_to = match answer.last_evaluated_key {
            None => bound.clone(),
            Some(last) => {
                let rank = last.get("rank").and_then(|rank| rank.as_s().ok());
                let rank = rank.and_then(|rank| Rank::try_from(rank.clone()).ok());
                RankBound::up_to(&rank.ok_or_else(|| unreadable(QUERY))?)
            }
        };
        Ok(Page { entries, known_to })
    }

    async fn remove_entry(&self, key: &EntryKey, version: Version) -> Result<bool, PortError> {
        let delete = self
            .dynamodb
            .delete_item()
            .table_name(&self.settings.tables.interests)
            .set_key(Some(entry_key(key)))
            .condition_expression("#version = :version")
            .expression_attribute_names("#version", "version")
            .expression_attribute_values(":version", number(version.0));
        held(DELETE, delete.send().await)
    }
}
