//! The writes of one address, each conditional on what it stands on.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{AttributeValue, Delete, ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update};

use super::FORMAT;
use crate::{
    aws::{
        dynamo::{b, n, s},
        people::wrong,
    },
    domain::{
        id::RecipientId,
        recipient::{Marks, Suppression, SuppressionKind, Unusable},
    },
    flow::{api::suppressions::AddressRecord, port::PortError},
};

/// What a change of a person does to one of their addresses.
#[derive(Clone, Copy)]
pub(in crate::aws) enum Change {
    /// They are given it, and carry these marks. Refused if the address is another's, erased, or holds a mark that the
    /// person does not carry.
    Gain(Marks),
    /// It stays theirs, with other marks.
    Mark(Marks),
    /// They leave it, and these marks stay behind.
    Leave(Marks),
    /// They leave it, and nothing is to be remembered. Refused if it holds more than its owner.
    Drop,
}

/// The write of one address in a person's transaction.
pub(in crate::aws) fn member(
    table: &str,
    hash: &[u8],
    owner: &RecipientId,
    change: Change,
) -> Result<TransactWriteItem, PortError> {
    let owner = s(owner.as_str());
    let (mut set, condition) = match change {
        Change::Drop => {
            let delete = Delete::builder()
                .table_name(table)
                .key("h", b(hash))
                .condition_expression(
                    "o = :o AND attribute_not_exists(b) AND attribute_not_exists(u) AND attribute_not_exists(k)",
                )
                .expression_attribute_values(":o", owner)
                .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
            return Ok(TransactWriteItem::builder().delete(delete.build().map_err(wrong)?).build());
        }
        Change::Gain(marks) => {
            let mut set = Expression::of(marks);
            let free = "attribute_not_exists(z) AND (attribute_not_exists(o) OR o = :o)";
            let lighter = [set.no_heavier_suppression(marks), set.no_heavier_unusable(marks)];
            let condition = format!("{free} AND {}", lighter.join(" AND "));
            set.set.push("o = :o");
            (set, condition)
        }
        Change::Mark(marks) => {
            let mut set = Expression::of(marks);
            set.set.push("o = :o");
            (set, "attribute_not_exists(z) AND (attribute_not_exists(o) OR o = :o)".to_owned())
        }
        Change::Leave(marks) => {
            let mut set = if marks.is_empty() { Expression::default() } else { Expression::of(marks) };
            set.remove.push("o");
            (set, "o = :o".to_owned())
        }
    };
    set.put("f = :f", ":f", n(FORMAT));
    set.values.insert(":o".to_owned(), owner);
    let update = Update::builder()
        .table_name(table)
        .key("h", b(hash))
        .update_expression(set.text())
        .condition_expression(condition)
        .set_expression_attribute_values(Some(set.values))
        .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
    Ok(TransactWriteItem::builder().update(update.build().map_err(wrong)?).build())
}

/// An update that leaves alone what it does not name, such as the soft bounces beside the marks.
#[derive(Default)]
pub(super) struct Expression {
    set: Vec<&'static str>,
    remove: Vec<&'static str>,
    pub values: HashMap<String, AttributeValue>,
}

impl Expression {
    /// Writes the marks and the note of a record over what is there.
    pub fn of_record(record: &AddressRecord) -> Self {
        let mut of = Self::of(record.marks);
        of.put("f = :f", ":f", n(FORMAT));
        if !of.remove.contains(&"w") {
            match &record.note {
                Some(note) => of.put("w = :w", ":w", s(note)),
                None => of.remove.push("w"),
            }
        }
        of
    }

    /// Writes these marks over what is there. A note stays only beside a manual suppression.
    fn of(marks: Marks) -> Self {
        let mut of = Self::default();
        let Marks { unusable, suppression } = marks;
        match unusable {
            Some(unusable) => of.put("u = :u", ":u", s(unusable.as_str())),
            None => of.remove.push("u"),
        }
        match suppression {
            Some(Suppression { kind, since }) => {
                of.put("k = :k", ":k", s(kind.as_str()));
                of.put("t = :t", ":t", n(since.as_millisecond()));
            }
            None => of.remove.extend(["k", "t"]),
        }
        if suppression.is_none_or(|suppression| suppression.kind != SuppressionKind::Manual) {
            of.remove.push("w");
        }
        of
    }

    fn put(&mut self, set: &'static str, name: &str, value: AttributeValue) {
        self.set.push(set);
        self.values.insert(name.to_owned(), value);
    }

    fn no_heavier_suppression(&mut self, carried: Marks) -> String {
        let kinds = SuppressionKind::ALL.iter().copied();
        let fits = kinds.filter(|kind| carried.suppression.is_some_and(|carried| !kind.outweighs(carried.kind)));
        self.absent_or_one_of("k", fits.map(SuppressionKind::as_str).collect())
    }

    fn no_heavier_unusable(&mut self, carried: Marks) -> String {
        let kinds = Unusable::ALL.iter().copied();
        let fits = kinds.filter(|kind| carried.unusable.is_some_and(|carried| !kind.outweighs(carried)));
        self.absent_or_one_of("u", fits.map(Unusable::as_str).collect())
    }

    fn absent_or_one_of(&mut self, name: &str, words: Vec<&'static str>) -> String {
        if words.is_empty() {
            return format!("attribute_not_exists({name})");
        }
        let mut names = Vec::with_capacity(words.len());
        for (at, word) in words.into_iter().enumerate() {
            let value = format!(":{name}{at}");
            self.values.insert(value.clone(), s(word));
            names.push(value);
        }
        format!("(attribute_not_exists({name}) OR {name} IN ({}))", names.join(", "))
    }

    /// That owner, erasure and marks still are as they were read.
    pub fn unchanged(&mut self, before: &AddressRecord) -> String {
        let kind = before.marks.suppression.map(|suppression| s(suppression.kind.as_str()));
        let held = [
            ("o", before.owner.as_ref().map(|owner| s(owner.as_str()))),
            ("z", before.erased.map(|at| n(at.as_millisecond()))),
            ("u", before.marks.unusable.map(|unusable| s(unusable.as_str()))),
            ("k", kind),
        ];
        let mut parts = Vec::with_capacity(held.len());
        for (name, value) in held {
            match value {
                None => parts.push(format!("attribute_not_exists({name})")),
                Some(value) => {
                    let was = format!(":{name}_was");
                    parts.push(format!("{name} = {was}"));
                    self.values.insert(was, value);
                }
            }
        }
        parts.join(" AND ")
    }

    pub fn text(&self) -> String {
        let part = |word: &str, parts: &[&str]| {
            if parts.is_empty() { String::new() } else { format!("{word} {} ", parts.join(", ")) }
        };
        format!("{}{}", part("SET", &self.set), part("REMOVE", &self.remove)).trim_end().to_owned()
    }
}
