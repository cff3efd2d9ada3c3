use std::cell::RefCell;
use std::collections::VecDeque;
use std::io::Write;
use std::rc::Rc;

use symbolon_shared::ports::PortError;

use super::*;
use crate::arguments::Output;

/// What happened, in its order.
type Log = Rc<RefCell<Vec<String>>>;

struct Fake {
    batches: RefCell<VecDeque<Result<Vec<Received>, Fault>>>,
    undeletable: RefCell<usize>,
    log: Log,
}

fn error(fault: Fault) -> PortError {
    PortError {
        operation: "sqs:ReceiveMessage",
        fault,
        code: "Code".to_owned(),
    }
}

impl Mailbox for Fake {
    async fn receive(&self, _: u8) -> Result<Vec<Received>, PortError> {
        let next = self.batches.borrow_mut().pop_front();
        next.unwrap_or_else(|| Ok(Vec::new())).map_err(error)
    }

    async fn delete(&self, receipts: &[String]) -> Result<usize, PortError> {
        self.log
            .borrow_mut()
            .push(format!("deleted {}", receipts.join(" ")));
        let mut left = self.undeletable.borrow_mut();
        let failed = usize::from(*left > 0);
        *left = left.saturating_sub(1);
        Ok(failed)
    }
}

/// Notes what is written, until it is full.
struct Out {
    log: Log,
    room: usize,
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.room < bytes.len() {
            return Err(std::io::ErrorKind::StorageFull.into());
        }
        self.room -= bytes.len();
        self.log.borrow_mut().push(format!("wrote {}", bytes.len()));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.log.borrow_mut().push("flushed".to_owned());
        Ok(())
    }
}

fn received(id: &str, receipt: &str) -> Received {
    Received {
        body: format!(r#"{{"type":"accepted","messageId":"{id}"}}"#),
        receipt: receipt.to_owned(),
    }
}

async fn read(
    batches: Vec<Result<Vec<Received>, Fault>>,
    room: usize,
    undeletable: usize,
) -> (Result<(), Failure>, usize, Vec<String>) {
    let log = Log::default();
    let mut reader = Reader {
        mailbox: Fake {
            batches: RefCell::new(batches.into()),
            undeletable: RefCell::new(undeletable),
            log: Rc::clone(&log),
        },
        seen: Seen::new(10),
        undeleted: 0,
        begun: false,
    };
    let out = Out {
        log: Rc::clone(&log),
        room,
    };
    let mut printer = Printer::to(Box::new(out), Output::Json);
    let wanted = Inbox {
        whose: String::new(),
        follow: false,
        wait: 1,
    };
    let explain = |error: PortError| Failure::new(error.to_string());
    let outcome = reader.read(&wanted, &mut printer, &explain).await;
    let undeleted = reader.undeleted;
    let log = log.borrow().clone();
    (outcome, undeleted, log)
}

#[tokio::test]
async fn what_was_written_and_flushed_is_deleted_then() {
    let (outcome, undeleted, log) =
        read(vec![Ok(vec![received("a", "1"), received("b", "2")])], 1_000, 0).await;
    assert_eq!((outcome, undeleted), (Ok(()), 0));
    assert_eq!(log, ["wrote 72", "flushed", "deleted 1 2"]);
}

#[tokio::test]
async fn nothing_is_deleted_that_could_not_be_written() {
    let batches = vec![Ok(vec![received("a", "1")]), Ok(vec![received("b", "2")])];
    let (outcome, _, log) = read(batches, 50, 0).await;
    let said = outcome.unwrap_err().render(Output::Table);
    assert!(
        said.contains("cannot write to standard output") && said.contains("comes again"),
        "{said}"
    );
    assert_eq!(log, ["wrote 36", "flushed", "deleted 1"]);
}

#[tokio::test]
async fn copies_are_shown_once_and_deleted_all() {
    let batches = vec![
        Ok(vec![received("a", "1"), received("a", "2")]),
        Ok(vec![received("a", "3")]),
    ];
    let (_, _, log) = read(batches, 1_000, 0).await;
    assert_eq!(log, ["wrote 36", "flushed", "deleted 1 2", "deleted 3"]);
}

#[tokio::test]
async fn a_deletion_is_tried_again_and_what_stays_is_counted() {
    let batch = || vec![Ok(vec![received("a", "1")])];
    let (_, undeleted, log) = read(batch(), 1_000, 2).await;
    assert_eq!((undeleted, log.len()), (0, 5));
    let (_, undeleted, _) = read(batch(), 1_000, 9).await;
    assert_eq!(undeleted, 1);
}

#[tokio::test]
async fn a_refusal_ends_it() {
    let (outcome, _, _) = read(vec![Err(Fault::Refused)], 1_000, 0).await;
    assert!(outcome.is_err());
}
