//! The conditional writes of a change set, each fit for a transaction and for a request of its own.

use std::collections::HashMap;

use aws_sdk_dynamodb::error::BuildError;
use aws_sdk_dynamodb::types::{AttributeValue, Delete, Put, TransactWriteItem, Update};

use super::{Item, entry_key, number, submission_key, to_attribute, to_item};
use crate::aws::TableNames;
use crate::domain::book::{EntryKey, Version};
use crate::domain::change_set::{ChangeSet, EntryWrite, Progress, SubmissionWrite};
use crate::domain::identifiers::OrderKey;
use crate::domain::match_record::MatchRecord;
use crate::ports::{LostItem, PortError};

/// What the errors of building a write name: nothing has been sent yet.
pub(super) const OPERATION: &str = "dynamodb:TransactWriteItems";

/// What happens to one item.
pub(super) enum Action {
    /// It is put, whatever it was.
    Put(Item),
    /// Some of its attributes change.
    Update { key: Item, expression: String },
    /// It goes.
    Delete { key: Item },
}

/// One action with its condition.
pub(super) struct Write {
    /// What is lost when the condition does not hold.
    pub(super) target: LostItem,
    pub(super) table: String,
    pub(super) action: Action,
    pub(super) condition: &'static str,
    pub(super) names: HashMap<String, String>,
    pub(super) values: HashMap<String, AttributeValue>,
}

/// The writes of a change set: submissions, entries, matches.
pub(super) fn of(tables: &TableNames, changes: &ChangeSet) -> Result<Vec<Write>, PortError> {
    let submissions = changes
        .submissions
        .iter()
        .map(|(key, write)| submission(tables, key, write));
    let entries = changes
        .entries
        .iter()
        .map(|(key, write)| entry(tables, key, write));
    let matches = changes.matches.iter().map(|record| match_record(tables, record));
    submissions.chain(entries).chain(matches).collect()
}

fn submission(tables: &TableNames, key: &OrderKey, write: &SubmissionWrite) -> Result<Write, PortError> {
    let target = LostItem::Submission(key.clone());
    let write = match write {
        SubmissionWrite::Insert(submission) => Write::put(
            target,
            &tables.submissions,
            to_item(OPERATION, submission)?,
            "attribute_not_exists(#owner)",
        )
        .naming("owner"),
        SubmissionWrite::ClaimMark(submission) => {
            let condition = "attribute_exists(#owner) AND attribute_not_exists(#bodyHash)";
            Write::put(
                target,
                &tables.submissions,
                to_item(OPERATION, submission)?,
                condition,
            )
            .naming("owner")
            .naming("bodyHash")
        }
        SubmissionWrite::Advance(progress) => advance(target, &tables.submissions, key, progress)?,
    };
    Ok(write)
}

/// Sets what a [`Progress`] sets, appends what it appends, and takes away what it takes away; nothing else.
fn advance(target: LostItem, table: &str, key: &OrderKey, progress: &Progress) -> Result<Write, PortError> {
    let mut change = Change::default();
    change.set("ordStatus", to_attribute(OPERATION, &progress.ord_status)?);
    change.set("cumQty", to_attribute(OPERATION, &progress.cum_qty)?);
    change.set("leavesQty", to_attribute(OPERATION, &progress.leaves_qty)?);
    change.set("generation", number(progress.generation));
    match &progress.rests {
        Some(rests) => change.set("rests", to_attribute(OPERATION, rests)?),
        None => change.remove("rests"),
    }
    if !progress.tokens.is_empty() {
        change.append("tokens", to_attribute(OPERATION, &progress.tokens)?);
    }
    if !progress.matches.is_empty() {
        change.append("matches", to_attribute(OPERATION, &progress.matches)?);
        change.remove("toldAt");
    }
    if let Some(ended_by) = &progress.ended_by {
        change.set("endedBy", to_attribute(OPERATION, ended_by)?);
    }
    let action = Action::Update {
        key: submission_key(key),
        expression: change.expression(),
    };
    let write = Write {
        target,
        table: table.to_owned(),
        action,
        condition: "attribute_exists(#owner)",
        names: change.names,
        values: change.values,
    };
    Ok(write.naming("owner"))
}

fn entry(tables: &TableNames, key: &EntryKey, write: &EntryWrite) -> Result<Write, PortError> {
    let target = LostItem::Entry(key.clone());
    let table = &tables.interests;
    let write = match write {
        EntryWrite::Insert(entry) => Write::put(
            target,
            table,
            to_item(OPERATION, entry)?,
            "attribute_not_exists(#book)",
        )
        .naming("book"),
        EntryWrite::Update { entry, expected } => {
            Write::put(target, table, to_item(OPERATION, entry)?, "#version = :expected").expecting(*expected)
        }
        EntryWrite::Delete { expected } => {
            let action = Action::Delete { key: entry_key(key) };
            Write::new(target, table, action, "#version = :expected").expecting(*expected)
        }
    };
    Ok(write)
}

fn match_record(tables: &TableNames, record: &MatchRecord) -> Result<Write, PortError> {
    let item = to_item(OPERATION, record)?;
    let target = LostItem::Match(record.match_id);
    Ok(Write::put(target, &tables.matches, item, "attribute_not_exists(#matchId)").naming("matchId"))
}

/// An update expression, clause by clause. Every attribute goes by a placeholder: some are reserved words.
#[derive(Default)]
struct Change {
    sets: Vec<String>,
    removes: Vec<String>,
    names: HashMap<String, String>,
    values: HashMap<String, AttributeValue>,
}

impl Change {
    fn set(&mut self, attribute: &str, value: AttributeValue) {
        self.name(attribute);
        self.sets.push(format!("#{attribute} = :{attribute}"));
        self.values.insert(format!(":{attribute}"), value);
    }

    fn append(&mut self, attribute: &str, list: AttributeValue) {
        self.name(attribute);
        self.sets.push(format!(
            "#{attribute} = list_append(if_not_exists(#{attribute}, :none), :{attribute})"
        ));
        self.values.insert(format!(":{attribute}"), list);
        self.values
            .insert(":none".to_owned(), AttributeValue::L(Vec::new()));
    }

    fn remove(&mut self, attribute: &str) {
        self.name(attribute);
        self.removes.push(format!("#{attribute}"));
    }

    fn name(&mut self, attribute: &str) {
        self.names.insert(format!("#{attribute}"), attribute.to_owned());
    }

    fn expression(&self) -> String {
        let mut expression = format!("SET {}", self.sets.join(", "));
        if !self.removes.is_empty() {
            expression.push_str(" REMOVE ");
            expression.push_str(&self.removes.join(", "));
        }
        expression
    }
}

impl Write {
    fn new(target: LostItem, table: &str, action: Action, condition: &'static str) -> Self {
        Self {
            target,
            table: table.to_owned(),
            action,
            condition,
            names: HashMap::new(),
            values: HashMap::new(),
        }
    }

    fn put(target: LostItem, table: &str, item: Item, condition: &'static str) -> Self {
        Self::new(target, table, Action::Put(item), condition)
    }

    fn naming(mut self, attribute: &str) -> Self {
        self.names.insert(format!("#{attribute}"), attribute.to_owned());
        self
    }

    fn expecting(mut self, version: Version) -> Self {
        self.values.insert(":expected".to_owned(), number(version.0));
        self.naming("version")
    }

    /// The names and values of its expressions; DynamoDB refuses an empty map.
    pub(super) fn placeholders(&mut self) -> Placeholders {
        let some_names = Some(std::mem::take(&mut self.names)).filter(|names| !names.is_empty());
        let some_values = Some(std::mem::take(&mut self.values)).filter(|values| !values.is_empty());
        (some_names, some_values)
    }

    /// As one action of a transaction.
    pub(super) fn into_transact_item(mut self) -> Result<TransactWriteItem, BuildError> {
        let (names, values) = self.placeholders();
        let item = TransactWriteItem::builder();
        let item = match self.action {
            Action::Put(put) => item.put(
                Put::builder()
                    .table_name(self.table)
                    .set_item(Some(put))
                    .condition_expression(self.condition)
                    .set_expression_attribute_names(names)
                    .set_expression_attribute_values(values)
                    .build()?,
            ),
            Action::Update { key, expression } => item.update(
                Update::builder()
                    .table_name(self.table)
                    .set_key(Some(key))
                    .update_expression(expression)
                    .condition_expression(self.condition)
                    .set_expression_attribute_names(names)
                    .set_expression_attribute_values(values)
                    .build()?,
            ),
            Action::Delete { key } => item.delete(
                Delete::builder()
                    .table_name(self.table)
                    .set_key(Some(key))
                    .condition_expression(self.condition)
                    .set_expression_attribute_names(names)
                    .set_expression_attribute_values(values)
                    .build()?,
            ),
        };
        Ok(item.build())
    }
}

type Placeholders = (
    Option<HashMap<String, String>>,
    Option<HashMap<String, AttributeValue>>,
);
