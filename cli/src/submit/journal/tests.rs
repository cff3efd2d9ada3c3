use super::*;
use crate::arguments::Output;

fn key(input: &str) -> Key {
    Key::new(input.as_bytes(), "https://queue/intake", 100)
}

impl Journal {
    fn note_one(&mut self, stretch: Range<usize>) {
        self.note(std::slice::from_ref(&stretch)).unwrap();
    }
}

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("journal")
    }

    fn open(&self, key: &Key) -> Result<Journal, String> {
        Journal::open(&self.path(), key).map_err(|failure| failure.render(Output::Table))
    }

    fn bytes(&self) -> Vec<u8> {
        std::fs::read(self.path()).unwrap()
    }
}

#[test]
fn what_was_noted_is_found_again() {
    let folder = Folder::new();
    let mut journal = folder.open(&key("a")).unwrap();
    assert_eq!(journal.next_open(), Some(0..100));
    journal.note(&[0..10, 20..30]).unwrap();
    assert_eq!(journal.next_open(), Some(10..20));
    drop(journal);
    let mut journal = folder.open(&key("a")).unwrap();
    assert_eq!((journal.acknowledged(), journal.next_open()), (20, Some(10..20)));
    journal.note(&[10..20, 30..100]).unwrap();
    assert_eq!((journal.acknowledged(), journal.next_open()), (100, None));
}

#[test]
fn cut_off_anywhere_it_holds_what_was_whole_and_goes_on() {
    let folder = Folder::new();
    let mut journal = folder.open(&key("a")).unwrap();
    for start in (0..50).step_by(10) {
        journal.note_one(start..start + 10);
    }
    drop(journal);
    let whole = folder.bytes();
    let ends: Vec<usize> = (0..whole.len())
        .filter(|at| whole[*at] == b'\n')
        .map(|at| at + 1)
        .collect();
    for length in 0..=whole.len() {
        std::fs::write(folder.path(), &whole[..length]).unwrap();
        let mut journal = folder.open(&key("a")).unwrap();
        let lines = ends.iter().filter(|end| **end <= length).count();
        assert_eq!(journal.acknowledged(), lines.saturating_sub(1) * 10, "{length}");
        journal.note_one(90..100);
        drop(journal);
        let again = folder.open(&key("a")).unwrap();
        assert_eq!(
            again.acknowledged(),
            lines.saturating_sub(1) * 10 + 10,
            "{length}"
        );
    }
}

#[test]
fn a_line_that_was_altered_ends_it() {
    let folder = Folder::new();
    let mut journal = folder.open(&key("a")).unwrap();
    journal.note_one(0..10);
    journal.note_one(10..20);
    drop(journal);
    let text = String::from_utf8(folder.bytes()).unwrap();
    for (from, to) in [
        ("ack 10 20", "ack 10 99"),
        ("ack 10 20", "ack 10 20 "),
        ("ack 10 20", "bck 10 20"),
    ] {
        std::fs::write(folder.path(), text.replace(from, to)).unwrap();
        assert_eq!(folder.open(&key("a")).unwrap().acknowledged(), 10, "{to}");
    }
}

#[test]
fn a_line_of_another_journal_counts_for_nothing() {
    let folder = Folder::new();
    folder.open(&key("b")).unwrap().note_one(0..10);
    let theirs = String::from_utf8(folder.bytes()).unwrap();
    std::fs::remove_file(folder.path()).unwrap();
    drop(folder.open(&key("a")).unwrap());
    let mut mixed = folder.bytes();
    mixed.extend_from_slice(theirs.lines().nth(1).unwrap().as_bytes());
    mixed.push(b'\n');
    std::fs::write(folder.path(), mixed).unwrap();
    assert_eq!(folder.open(&key("a")).unwrap().acknowledged(), 0);
}

#[test]
fn an_unfinished_one_of_another_input_is_not_touched_and_a_finished_one_makes_room() {
    let folder = Folder::new();
    let mut journal = folder.open(&key("a")).unwrap();
    journal.note_one(0..99);
    drop(journal);
    let before = folder.bytes();
    for other in [key("b"), Key::new(b"a", "https://queue/other", 100)] {
        let refused = folder.open(&other).unwrap_err();
        assert!(refused.contains("99 of its 100 messages went out"), "{refused}");
        assert_eq!(folder.bytes(), before);
    }
    folder.open(&key("a")).unwrap().note_one(99..100);
    assert_eq!(folder.open(&key("b")).unwrap().acknowledged(), 0);
}

#[test]
fn what_is_no_journal_is_left_alone() {
    let folder = Folder::new();
    std::fs::write(folder.path(), "clOrdId,symbol\n").unwrap();
    let refused = folder.open(&key("a")).unwrap_err();
    assert!(refused.contains("is no journal"), "{refused}");
    assert_eq!(folder.bytes(), b"clOrdId,symbol\n");
}

#[test]
fn one_process_at_a_time() {
    let folder = Folder::new();
    let held = folder.open(&key("a")).unwrap();
    let refused = folder.open(&key("a")).unwrap_err();
    assert!(refused.contains("another symbolon"), "{refused}");
    drop(held);
    folder.open(&key("a")).unwrap();
}
