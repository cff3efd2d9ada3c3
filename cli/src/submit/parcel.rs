//! What goes into one SQS message, and what into one call.

use std::ops::Range;

use symbolon_shared::domain::limits::{MAX_BATCH_ENTRIES, MAX_MESSAGE_BYTES};

use super::rows::Line;

const HEAD: &str = r#"{"type":"bundle","messages":["#;
const TAIL: &str = "]}";

/// One SQS message: a line alone, or a bundle of some that follow each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Parcel {
    /// Which lines, by index.
    pub(super) lines: Range<usize>,
    pub(super) body: String,
}

/// The next call: parcels from the lines of `open` on, ten at most, a mebibyte at most. `bundle` is how many lines go
/// into one parcel.
pub(super) fn next_call(lines: &[Line], open: Range<usize>, bundle: Option<usize>) -> Vec<Parcel> {
    let mut parcels: Vec<Parcel> = Vec::new();
    let mut room = MAX_MESSAGE_BYTES;
    let mut at = open.start;
    while at < open.end && parcels.len() < MAX_BATCH_ENTRIES {
        let parcel = parcel(lines, at..open.end, bundle);
        if parcel.body.len() > room && !parcels.is_empty() {
            break;
        }
        room = room.saturating_sub(parcel.body.len());
        at = parcel.lines.end;
        parcels.push(parcel);
    }
    parcels
}

fn parcel(lines: &[Line], open: Range<usize>, bundle: Option<usize>) -> Parcel {
    let first = open.start;
    let taken = bundle.map_or(1, |most| fitting(lines, open, most));
    match lines.get(first..first + taken) {
        // One alone needs no bundle, and may be too long for one.
        Some([line]) => Parcel {
            lines: first..first + 1,
            body: line.body.clone(),
        },
        members => {
            let members: Vec<&str> = members
                .unwrap_or_default()
                .iter()
                .map(|line| line.body.as_str())
                .collect();
            Parcel {
                lines: first..first + taken,
                body: format!("{HEAD}{}{TAIL}", members.join(",")),
            }
        }
    }
}

/// How many lines fit into one bundle: at least one.
fn fitting(lines: &[Line], open: Range<usize>, most: usize) -> usize {
    let mut bytes = HEAD.len() + TAIL.len();
    let members = lines.get(open).unwrap_or_default().iter().take(most);
    let fit = members.take_while(|line| {
        bytes += line.body.len() + 1;
        bytes <= MAX_MESSAGE_BYTES
    });
    fit.count().max(1)
}

#[cfg(test)]
mod tests {
    use symbolon_shared::domain::intake::parse_body;

    use super::*;

    fn lines(sizes: &[usize]) -> Vec<Line> {
        let line = |bytes: &usize| Line {
            number: 1,
            body: "x".repeat(*bytes),
        };
        sizes.iter().map(line).collect()
    }

    fn call(sizes: &[usize], bundle: Option<usize>) -> Vec<(usize, usize)> {
        let lines = lines(sizes);
        let parcels = next_call(&lines, 0..lines.len(), bundle);
        assert!(parcels.iter().map(|parcel| parcel.body.len()).sum::<usize>() <= MAX_MESSAGE_BYTES);
        let ends = |parcel: Parcel| (parcel.lines.start, parcel.lines.end);
        parcels.into_iter().map(ends).collect()
    }

    #[test]
    fn a_call_has_ten_messages_and_a_mebibyte() {
        let whole = MAX_MESSAGE_BYTES;
        assert_eq!(call(&[5; 12], None).last(), Some(&(9, 10)));
        assert_eq!(call(&[whole, 1], None), [(0, 1)]);
        assert_eq!(call(&[whole - 1, 1, 1], None), [(0, 1), (1, 2)]);
    }

    #[test]
    fn bundles_keep_to_their_number_and_to_a_mebibyte() {
        assert_eq!(call(&[5; 12], Some(5)), [(0, 5), (5, 10), (10, 12)]);
        let half = MAX_MESSAGE_BYTES / 2;
        assert_eq!(call(&[half, half, 1], Some(500)), [(0, 1)]);
        assert_eq!(call(&[1, half, 1, half], Some(500)), [(0, 3)]);
        assert_eq!(call(&[MAX_MESSAGE_BYTES, 1], Some(500)), [(0, 1)]);
    }

    #[test]
    fn a_bundle_is_one_to_the_matcher() {
        let line = |n: u64| Line {
            number: n,
            body: format!(r#"{{"type":"cancel","clOrdId":"c{n}","origClOrdId":"{n}"}}"#),
        };
        let lines: Vec<Line> = (0..500).map(line).collect();
        let parcels = next_call(&lines, 0..500, Some(500));
        assert_eq!(parcels.len(), 1);
        assert_eq!(parse_body(&parcels[0].body).unwrap().len(), 500);
        let alone = next_call(&lines, 0..1, Some(500));
        assert_eq!(alone[0].body, lines[0].body);
    }
}
