use super::*;

fn small(batch_size: usize, concurrency: usize) -> Configuration {
    Configuration {
        batch_size,
        concurrency,
        messages: 800,
        ..Configuration::default()
    }
}

#[test]
fn every_mix_keeps_every_invariant_with_32_handlers_at_one_symbol() {
    for mix in Mix::ALL {
        let row = run(&Configuration {
            mix,
            messages: 1_500,
            aws: AwsModel {
                first_pollers: 32,
                ..AwsModel::default()
            },
            ..small(10, 32)
        })
        .unwrap();
        assert_eq!(row.invariants, HELD, "{}", mix.name);
        assert!(row.handlers >= 32, "{} handlers", row.handlers);
        assert!(row.matches > 0 || mix == Mix::RESTING);
    }
}

#[test]
fn one_seed_gives_one_row() {
    let row = |seed| {
        run(&Configuration {
            seed,
            ..small(50, 10)
        })
        .unwrap()
    };
    assert_eq!(row(7), row(7));
    assert_ne!(row(7), row(8));
}

/// What the decision on the mapping's defaults stands on.
#[test]
fn more_handlers_at_one_symbol_lose_more_and_do_no_more() {
    let row = |concurrency| {
        run(&Configuration {
            messages: 3_000,
            ..small(250, concurrency)
        })
        .unwrap()
    };
    let (few, many) = (row(2), row(20));
    assert!(
        few.interests_per_second > many.interests_per_second,
        "{} against {}",
        few.interests_per_second,
        many.interests_per_second
    );
    let lost = |row: &Row| row.lost + row.conflicts;
    assert!(lost(&few) < lost(&many), "{} against {}", lost(&few), lost(&many));
    assert!(few.given_back <= many.given_back);
}

#[test]
fn bigger_batches_need_fewer_requests() {
    let row = |batch_size| run(&small(batch_size, 2)).unwrap();
    let (one, many) = (row(1), row(250));
    assert!(one.requests_per_message > 4.0 * many.requests_per_message);
    assert!(many.messages_per_send > 3.0 * one.messages_per_send);
}

/// A message that is received too often may be the last that is left: the pollers end all the same.
#[test]
fn a_message_that_dies_last_leaves_nobody_waiting() {
    let aws = AwsModel {
        max_receive_count: 0,
        ..AwsModel::default()
    };
    let configuration = Configuration {
        aws,
        messages: 30,
        ..small(10, 4)
    };
    let row = run(&configuration).unwrap();
    assert_eq!((row.messages, row.dead), (0, 30));
}
