//! What was acknowledged, noted so that a run which is killed at any moment can be taken up.
//!
//! A text file: a header that says of which input and which queue it speaks, then a line for each stretch of messages
//! that SQS acknowledged. Every line ends in a check over the header and itself, so a line that was cut off, or that
//! is another journal's, is told from a whole one. Only whole lines count, up to the first that is not: what is lost
//! of a journal is sent again, which is harmless, and nothing is ever taken for sent that was not.
//!
//! That is also why no line is forced to the disk: a machine that goes down loses some, and sends a little twice.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::ops::Range;
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use sha2::{Digest as _, Sha256};

use crate::failure::Failure;

const MAGIC: &str = "symbolon-journal 1 ";

/// What a journal is of: the input's content, the queue, the number of messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Key {
    header: String,
    messages: usize,
}

impl Key {
    pub(super) fn new(input: &[u8], queue_url: &str, messages: usize) -> Self {
        let (input, queue) = (hex(&[input], 64), hex(&[queue_url.as_bytes()], 16));
        Self {
            header: format!("{MAGIC}{input} {queue} {messages}"),
            messages,
        }
    }

    /// From the first line of a journal, without its check.
    fn read(header: &str) -> Option<Self> {
        let fields: Vec<&str> = header.strip_prefix(MAGIC)?.split(' ').collect();
        let [_, _, messages] = fields.as_slice() else {
            return None;
        };
        Some(Self {
            messages: messages.parse().ok()?,
            header: header.to_owned(),
        })
    }

    /// A whole line of the journal.
    fn line(&self, text: &str) -> String {
        format!("{text} {}\n", self.check(text))
    }

    fn check(&self, text: &str) -> String {
        hex(
            &[
                b"symbolon/journal/v1\n",
                self.header.as_bytes(),
                b"\n",
                text.as_bytes(),
            ],
            16,
        )
    }
}

/// So many digits of the SHA-256 of all parts.
fn hex(parts: &[&[u8]], digits: usize) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part);
    }
    let mut text = HEXLOWER.encode(&hash.finalize());
    text.truncate(digits);
    text
}

/// Which messages were acknowledged.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Acknowledged {
    flags: Vec<bool>,
    count: usize,
    /// Everything before it is acknowledged.
    low: usize,
}

impl Acknowledged {
    fn none_of(messages: usize) -> Self {
        Self {
            flags: vec![false; messages],
            count: 0,
            low: 0,
        }
    }

    /// `false` when there are no such messages.
    fn add(&mut self, stretch: Range<usize>) -> bool {
        let Some(flags) = self.flags.get_mut(stretch) else {
            return false;
        };
        for flag in flags.iter_mut().filter(|flag| !**flag) {
            *flag = true;
            self.count += 1;
        }
        true
    }

    fn next_open(&mut self) -> Option<Range<usize>> {
        while self.flags.get(self.low) == Some(&true) {
            self.low += 1;
        }
        let open = self
            .flags
            .get(self.low..)?
            .iter()
            .take_while(|flag| !**flag)
            .count();
        (open > 0).then(|| self.low..self.low + open)
    }
}

/// The journal of one submission, held for this process alone.
#[derive(Debug)]
pub(super) struct Journal {
    key: Key,
    acknowledged: Acknowledged,
    file: Option<(PathBuf, File)>,
}

/// What a file holds of a journal.
struct Kept {
    key: Key,
    acknowledged: Acknowledged,
    /// Bytes up to the last whole line.
    whole: usize,
}

impl Journal {
    /// One that notes nothing.
    pub(super) fn none(key: &Key) -> Self {
        Self {
            acknowledged: Acknowledged::none_of(key.messages),
            key: key.clone(),
            file: None,
        }
    }

    /// Takes up the journal of this input, or begins one.
    pub(super) fn open(path: &Path, key: &Key) -> Result<Self, Failure> {
        let name = path.display();
        let failed = |error: std::io::Error| {
            Failure::new(format!("cannot write the journal {name}; nothing was sent"))
                .because(error.to_string())
                .advice("name another place with --journal FILE")
        };
        let opened = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path);
        let mut file = opened.map_err(failed)?;
        file.try_lock().map_err(|error| match error {
            TryLockError::Error(error) => failed(error),
            TryLockError::WouldBlock => Failure::new("another symbolon is submitting the same file")
                .because(format!("it holds the journal {name}"))
                .advice("let it end"),
        })?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(failed)?;
        let mut journal = Self {
            acknowledged: Acknowledged::none_of(key.messages),
            key: key.clone(),
            file: None,
        };
        match read(&bytes) {
            Some(kept) if kept.key == *key => {
                cut(&mut file, kept.whole).map_err(failed)?;
                journal.acknowledged = kept.acknowledged;
            }
            Some(kept) if kept.acknowledged.count < kept.key.messages => return Err(of_another(path, &kept)),
            // Finished, or cut off in its first line: nothing is lost with it.
            Some(_) => begin(&mut file, key).map_err(failed)?,
            None if MAGIC.as_bytes().starts_with(&bytes) || bytes.starts_with(MAGIC.as_bytes()) => {
                begin(&mut file, key).map_err(failed)?;
            }
            None => {
                return Err(Failure::new(format!("{name} is no journal; nothing was sent"))
                    .advice("name another file with --journal"));
            }
        }
        journal.file = Some((path.to_owned(), file));
        Ok(journal)
    }

    pub(super) fn file(&self) -> Option<&Path> {
        self.file.as_ref().map(|(path, _)| path.as_path())
    }

    /// How many messages were acknowledged.
    pub(super) fn acknowledged(&self) -> usize {
        self.acknowledged.count
    }

    /// The next stretch of messages that nobody acknowledged.
    pub(super) fn next_open(&mut self) -> Option<Range<usize>> {
        self.acknowledged.next_open()
    }

    /// Notes that SQS acknowledged these.
    pub(super) fn note(&mut self, stretches: &[Range<usize>]) -> std::io::Result<()> {
        let mut text = String::new();
        for stretch in stretches {
            self.acknowledged.add(stretch.clone());
            text.push_str(&self.key.line(&format!("ack {} {}", stretch.start, stretch.end)));
        }
        match &mut self.file {
            Some((_, file)) => file.write_all(text.as_bytes()),
            None => Ok(()),
        }
    }
}

fn of_another(path: &Path, kept: &Kept) -> Failure {
    let (count, all) = (kept.acknowledged.count, kept.key.messages);
    Failure::new(format!(
        "the journal {} is of another submission; nothing was sent",
        path.display()
    ))
    .because(format!(
        "the file or the queue has changed since; {count} of its {all} messages went out, the others did not"
    ))
    .advice("put the file back and finish, or remove the journal, or name another one with --journal")
}

fn begin(file: &mut File, key: &Key) -> std::io::Result<()> {
    cut(file, 0)?;
    file.write_all(key.line(&key.header).as_bytes())
}

fn cut(file: &mut File, length: usize) -> std::io::Result<()> {
    file.set_len(length as u64)?;
    file.seek(SeekFrom::End(0)).map(drop)
}

/// `None` when there is no whole header.
fn read(bytes: &[u8]) -> Option<Kept> {
    let mut lines = bytes.split_inclusive(|byte| *byte == b'\n');
    let first = lines.next()?;
    let (header, check) = whole(first)?;
    let key = Key::read(header)?;
    if key.check(header) != check {
        return None;
    }
    let mut kept = Kept {
        acknowledged: Acknowledged::none_of(key.messages),
        whole: first.len(),
        key,
    };
    for line in lines {
        if !whole(line).is_some_and(|(text, check)| kept.key.check(text) == check && kept.acknowledge(text)) {
            break;
        }
        kept.whole += line.len();
    }
    Some(kept)
}

/// Text and check of a line that has its end.
fn whole(line: &[u8]) -> Option<(&str, &str)> {
    std::str::from_utf8(line)
        .ok()?
        .strip_suffix('\n')?
        .rsplit_once(' ')
}

impl Kept {
    fn acknowledge(&mut self, text: &str) -> bool {
        let ends = text.strip_prefix("ack ").and_then(|ends| ends.split_once(' '));
        let parsed = ends.and_then(|(from, to)| Some(from.parse().ok()?..to.parse().ok()?));
        parsed.is_some_and(|stretch| self.acknowledged.add(stretch))
    }
}

#[cfg(test)]
mod tests;
