//! A stack on loopback, and the real binary run against it.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Duration;

use local::deployment::Deployment;
use local::platform::clients::Endpoints;
use local::serve::Served;
use local::tables::Tables;
use tempfile::TempDir;
use tokio::sync::oneshot;

use crate::proxy::{Faults, Proxy};

/// How often in a row, five times a second, the queue has to be found empty: a message may be in none of its counts for
/// about a second.
const EMPTY_IN_A_ROW: u32 = 15;

/// The tool.
pub(crate) const SYMBOLON: &str = env!("CARGO_BIN_EXE_symbolon");

type Ask = Box<dyn FnOnce(&Deployment, &tokio::runtime::Handle) + Send>;

/// A stack that is up, with one counterparty that the tests do not use, and a folder to work in.
pub(crate) struct Stand {
    folder: TempDir,
    environment: BTreeMap<String, String>,
    faults: Faults,
    endpoints: Endpoints,
    intake_url: String,
    ended: Option<oneshot::Sender<()>>,
    asked: mpsc::Sender<Ask>,
    threads: Vec<JoinHandle<()>>,
}

/// The tool with these words, where no deployment is known.
pub(crate) fn symbolon(words: &str) -> Command {
    let mut command = Command::new(SYMBOLON);
    command
        .env_clear()
        .args(words.split_whitespace())
        .stdin(Stdio::null());
    command
}

/// Interrupts a run, as Ctrl-C does, and says how it ended.
pub(crate) fn interrupted(child: Child) -> Ran {
    let id = child.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-INT", &id])
            .status()
            .unwrap()
            .success()
    );
    Ran::of(child.wait_with_output().unwrap())
}

/// How a run of the tool ended.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    pub(crate) fn of(output: Output) -> Self {
        Self {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// The one JSON object on standard output.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    #[track_caller]
    pub(crate) fn done(self) -> Self {
        assert_eq!(self.code, Some(0), "{self:?}");
        self
    }

    /// Refused or failed, and said so.
    #[track_caller]
    pub(crate) fn says(self, code: i32, what: &[&str]) -> Self {
        assert_eq!(self.code, Some(code), "{self:?}");
        for text in what {
            assert!(self.err.contains(text), "no {text:?} in {}", self.err);
        }
        assert!(!self.err.contains("panicked"), "{}", self.err);
        self
    }
}

impl Stand {
    /// A stack whose matcher works.
    pub(crate) fn start() -> Self {
        Self::up(true)
    }

    /// A stack whose intake nobody takes anything from.
    pub(crate) fn without_matcher() -> Self {
        Self::up(false)
    }

    fn up(matcher: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let outputs = folder.path().join("outputs.json");
        let (ready, is_ready) = mpsc::channel();
        let (end, ended) = oneshot::channel();
        let (asked, asks) = mpsc::channel::<Ask>();
        let server = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(2)
                .enable_all()
                .build()
                .unwrap();
            let handle = runtime.handle().clone();
            runtime.block_on(async move {
                let served = Served::start(0, &outputs, NonZeroU32::MIN).await.unwrap();
                let faults = Faults::default();
                let stack = served.deployment().stack();
                let endpoints = stack.endpoints().clone();
                let intake_url = stack.outputs()["IntakeQueueUrl"].clone();
                let proxy = Proxy::start(&endpoints.front, faults.clone()).await;
                ready
                    .send((served.exports().unwrap(), proxy, faults, endpoints, intake_url))
                    .unwrap();
                let served = &served;
                let answering = async {
                    loop {
                        match asks.try_recv() {
                            Ok(ask) => tokio::task::block_in_place(|| ask(served.deployment(), &handle)),
                            Err(mpsc::TryRecvError::Empty) => {
                                tokio::time::sleep(Duration::from_millis(20)).await;
                            }
                            Err(mpsc::TryRecvError::Disconnected) => return,
                        }
                    }
                };
                let taking = async {
                    if matcher {
                        served.take_batches().await.unwrap();
                    } else {
                        std::future::pending::<()>().await;
                    }
                };
                tokio::select! {
                    () = taking => {}
                    () = answering => {}
                    _ended = ended => {}
                }
            });
        });
        let (exports, proxy, faults, endpoints, intake_url) = is_ready.recv().expect("the stack comes up");
        let mut environment = exported(&exports);
        environment.insert("AWS_ENDPOINT_URL".to_owned(), proxy);
        Self {
            folder,
            environment,
            faults,
            endpoints,
            intake_url,
            ended: Some(end),
            asked,
            threads: vec![server],
        }
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What goes wrong between the tool and the stack.
    pub(crate) fn faults(&self) -> &Faults {
        &self.faults
    }

    pub(crate) fn environment(&self) -> &BTreeMap<String, String> {
        &self.environment
    }

    /// A file in the folder.
    pub(crate) fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    /// A program in the folder, in the environment that `serve` says, as `principal`.
    pub(crate) fn program(&self, program: &str, principal: &str) -> Command {
        let mut command = Command::new(program);
        let folder = Path::new(SYMBOLON).parent().unwrap();
        let path = format!(
            "{}:{}",
            folder.display(),
            std::env::var_os("PATH").unwrap().display()
        );
        command
            .current_dir(self.folder())
            .env_clear()
            .envs(&self.environment)
            .env("PATH", path)
            .env("HOME", self.folder())
            .env("AWS_ACCESS_KEY_ID", principal);
        command
    }

    /// The tool with these words.
    pub(crate) fn symbolon(&self, principal: &str, words: &str) -> Command {
        let mut command = self.program(SYMBOLON, principal);
        command.args(words.split_whitespace());
        command
    }

    /// Runs the tool to its end.
    pub(crate) fn run(&self, principal: &str, words: &str) -> Ran {
        Ran::of(
            self.symbolon(principal, words)
                .stdin(Stdio::null())
                .output()
                .unwrap(),
        )
    }

    /// Runs the tool with this on its standard input.
    pub(crate) fn run_with(&self, principal: &str, words: &str, input: &str) -> Ran {
        let mut command = self.symbolon(principal, words);
        let command = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        Ran::of(child.wait_with_output().unwrap())
    }

    /// Onboards a counterparty and gives its id.
    pub(crate) fn onboard(&self, name: &str, principal: &str) -> String {
        let words = format!("counterparty add {name} --principal {principal} --output json");
        let added = self.run("AROAOPERATOR", &words).done();
        added.json()["id"].as_str().unwrap().to_owned()
    }

    /// What the deployment says to somebody who sees everything.
    pub(crate) fn ask<T, F>(&self, question: F) -> T
    where
        T: Send + 'static,
        F: AsyncFnOnce(&Deployment) -> T + Send + 'static,
    {
        let (answer, answered) = mpsc::channel();
        self.asked
            .send(Box::new(move |deployment, handle| {
                answer.send(handle.block_on(question(deployment))).unwrap();
            }))
            .unwrap();
        answered.recv().unwrap()
    }

    /// What was stored.
    pub(crate) fn tables(&self) -> Tables {
        self.ask(async |deployment: &Deployment| deployment.tables().await.unwrap())
    }

    /// How many messages lie in the intake queue or are being taken. Asked beside the matcher, which works on.
    pub(crate) fn at_the_intake(&self) -> u64 {
        use aws_sdk_sqs::types::QueueAttributeName as Name;

        let counts = [
            Name::ApproximateNumberOfMessages,
            Name::ApproximateNumberOfMessagesNotVisible,
        ];
        let sqs = self.endpoints.clients("AROAOPERATOR").sqs;
        let asked = sqs.get_queue_attributes().queue_url(&self.intake_url);
        let asked = asked.set_attribute_names(Some(counts.to_vec()));
        let answer = outside(asked.send()).unwrap();
        let attributes = answer.attributes.unwrap();
        counts
            .iter()
            .map(|name| attributes[name].parse::<u64>().unwrap())
            .sum()
    }

    /// The body of every message in the intake queue, copies included, none deleted.
    pub(crate) fn bodies_at_the_intake(&self) -> Vec<String> {
        let sqs = self.endpoints.clients("AROAOPERATOR").sqs;
        outside(async {
            let mut bodies = Vec::new();
            loop {
                // Hidden for longer than this takes: each is seen once.
                let receive = sqs.receive_message().queue_url(&self.intake_url);
                let receive = receive.max_number_of_messages(10).visibility_timeout(43_200);
                let received = receive.wait_time_seconds(0).send().await.unwrap().messages;
                let received = received.unwrap_or_default();
                if received.is_empty() {
                    return bodies;
                }
                bodies.extend(received.into_iter().map(|message| message.body.unwrap()));
            }
        })
    }

    /// Waits until the matcher has taken everything.
    pub(crate) fn settle(&self) {
        // The emulated queue counts a message that was given back in neither number once it is visible again. The
        // matcher takes it within a second, and then it is counted: so nothing has to be left for longer than that.
        let mut in_a_row = 0;
        while in_a_row < EMPTY_IN_A_ROW {
            in_a_row = if self.at_the_intake() > 0 { 0 } else { in_a_row + 1 };
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    /// Waits until no more than about so many messages are left to the matcher.
    pub(crate) fn settle_to(&self, most: u64) {
        while self.at_the_intake() > most {
            std::thread::sleep(Duration::from_millis(200));
        }
    }
}

impl Drop for Stand {
    fn drop(&mut self) {
        if let Some(end) = self.ended.take() {
            let _ended_before = end.send(());
        }
        for thread in self.threads.drain(..) {
            let _panicked = thread.join();
        }
    }
}

/// Runs something of the test's own, beside the stack.
fn outside<T>(work: impl Future<Output = T>) -> T {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_all().build().unwrap().block_on(work)
}

/// The variables of `export NAME='value'` lines.
fn exported(exports: &str) -> BTreeMap<String, String> {
    let lines = exports.lines().filter_map(|line| line.strip_prefix("export "));
    lines
        .map(|line| {
            let (name, value) = line.split_once('=').expect("a variable has a value");
            (name.to_owned(), value.trim_matches('\'').to_owned())
        })
        .collect()
}
