//! Envelopes: of who may not send them, of what they may not hold, and of other forms than the contract's.

use super::draft::quoted;
use super::maker::{Made, Maker, rejected, set_aside};
use super::{End, MARK};
use crate::domain::reason::{Reason, SetAsideReason};

/// A text as a JSON string. The texts here hold only ASCII without control characters.
fn escaped(text: &str) -> String {
    quoted(&text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// An envelope as the contract has it.
fn envelope(maker: &Maker, sender: &str, body: &str) -> String {
    let sent_at = maker.cast().first_sent_at.as_millis();
    format!(
        r#"{{"type":"envelope","v":1,"sender":"{sender}","sentAt":"{sent_at}","cycles":1,"reason":"malformed","body":{}}}"#,
        escaped(body)
    )
}

pub(super) fn unknown_sender(maker: &mut Maker, turn: usize) -> Made {
    let author = maker.author();
    let good = maker.interest(&author).text();
    let body = match turn % 6 {
        0 => good,
        1 => format!(r#"{{"type":"bundle","messages":[{good}]}}"#),
        2 => format!("not json {MARK}"),
        3 => envelope(maker, &maker.sender_id(author.counterparty), &good),
        4 => "[".repeat(1_000),
        _ => maker
            .interest(&author)
            .set("sender", quoted(&maker.sender_id(0)))
            .text(),
    };
    let stranger = maker.cast().stranger.clone();
    let end = set_aside(SetAsideReason::UnknownSender, stranger.clone(), None, &body);
    Made::new(body, stranger, vec![end])
}

pub(super) fn foreign(maker: &mut Maker, turn: usize) -> Made {
    let author = maker.author();
    let other = (author.counterparty + 1) % maker.cast().counterparties.len();
    let good = maker.interest(&author).text();
    let body = match turn % 5 {
        0 => envelope(maker, &maker.sender_id(other), &good),
        1 => envelope(maker, &maker.sender_id(author.counterparty), &good),
        2 => envelope(maker, &maker.cast().own_role, &good),
        3 => {
            let body = escaped(&good);
            format!(
                r#"{{"type":"envelope","v":1,"onBehalfOf":"cp-vqzxkwjy","sentAt":"1","cycles":0,"body":{body}}}"#
            )
        }
        _ => r#"{"type":"envelope"}"#.to_owned(),
    };
    maker.set_aside(&author, body)
}

/// What our own role sends of a counterparty, set aside: with that counterparty's sender, and the first time.
fn inside(maker: &Maker, reason: SetAsideReason, sender: &str, body: &str) -> Made {
    let whole = envelope(maker, sender, body);
    let end = set_aside(reason, sender.to_owned(), Some(maker.cast().first_sent_at), body);
    Made::new(whole, maker.cast().own_role.clone(), vec![end])
}

pub(super) fn nested(maker: &mut Maker, turn: usize) -> Made {
    let author = maker.author();
    let sender = maker.sender_id(author.counterparty);
    let good = maker.interest(&author).text();
    let mut body = envelope(maker, &sender, &good);
    for _ in 0..turn % 3 {
        body = envelope(maker, &sender, &body);
    }
    inside(maker, SetAsideReason::Malformed, &sender, &body)
}

pub(super) fn malformed_inside(maker: &mut Maker, turn: usize) -> Made {
    let author = maker.author();
    let sender = maker.sender_id(author.counterparty);
    let plain = maker.interest(&author);
    let (draft, reason) = match turn % 6 {
        0 => {
            return inside(
                maker,
                SetAsideReason::Malformed,
                &sender,
                &format!("not json {MARK}"),
            );
        }
        1 => return inside(maker, SetAsideReason::Malformed, &sender, ""),
        2 => {
            let stranger = maker.cast().stranger.clone();
            return inside(maker, SetAsideReason::UnknownSender, &stranger, &plain.text());
        }
        3 => (plain.set("price", "1e400"), Reason::Malformed),
        4 => (plain.set("orderQty", "\"-1\""), Reason::BadQuantity),
        _ => (plain.push("\"x\"", "{\"\":[]}"), Reason::Malformed),
    };
    let body = envelope(maker, &sender, &draft.text());
    let ends: Vec<End> = vec![rejected(&author, reason)];
    Made::new(body, maker.cast().own_role.clone(), ends)
}

pub(super) fn broken(maker: &mut Maker, turn: usize) -> Made {
    let author = maker.author();
    let sender = maker.sender_id(author.counterparty);
    let right = envelope(maker, &sender, &maker.interest(&author).text());
    let sent_at = format!("\"sentAt\":\"{}\"", maker.cast().first_sent_at.as_millis());
    let changed = |from: &str, to: &str| right.replacen(from, to, 1);
    let body = match turn % 18 {
        0 => maker.interest(&author).text(),
        1 => changed("\"v\":1", "\"v\":2"),
        2 => changed("\"v\":1", "\"v\":\"1\""),
        3 => changed("\"v\":1,", ""),
        4 => changed("\"v\":1", "\"v\":1,\"onBehalfOf\":\"cp-vqzxkwjy\""),
        // Only the bulk role sends on behalf of somebody.
        5 => changed(
            &format!("\"sender\":\"{sender}\""),
            "\"onBehalfOf\":\"cp-vqzxkwjy\"",
        ),
        6 => changed(&format!("\"sender\":\"{sender}\","), ""),
        7 => changed(&sent_at, "\"sentAt\":\"-1\""),
        8 => changed(&sent_at, "\"sentAt\":\"99999999999999999999\""),
        9 => changed(&sent_at, "\"sentAt\":1e400"),
        10 => changed(&sent_at, "\"sentAt\":[[[[]]]]"),
        11 => changed("\"cycles\":1", "\"cycles\":-1"),
        12 => changed("\"cycles\":1", "\"cycles\":4294967296"),
        13 => changed("\"cycles\":1", "\"cycles\":1,\"cycles\":1"),
        14 => changed("\"v\":1", "\"v\":1,\"x\":1"),
        15 => changed("\"body\":\"", "\"body\":7,\"x\":\""),
        16 => right[..right.len() - 1].to_owned(),
        _ => format!(r#"["envelope",1,"{sender}",null,"1",0,"malformed","{MARK}"]"#),
    };
    let own_role = maker.cast().own_role.clone();
    let end = set_aside(SetAsideReason::Malformed, own_role.clone(), None, &body);
    Made::new(body, own_role, vec![end])
}
