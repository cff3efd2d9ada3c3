//! `audit` on logs that the real functions wrote, on the kept one, and on both after somebody was at them.

mod export;
mod refused;
mod show;
mod verify;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use aws_sdk_s3::primitives::ByteStream;
use data_encoding::BASE64;
use local::deployment::Deployment;
use serde_json::Value;
use tempfile::TempDir;

use crate::stand::{Ran, Stand, symbolon};

const AUDITOR: &str = "AROAAUDITOR";
const VECTORS: &str = include_str!("../../../shared/tests/vectors/audit_v1.json");
const MATCHES: u32 = 12;

/// A log in a folder, with its public key beside it.
struct Kept(TempDir);

impl Kept {
    /// The one that was computed without any of this code.
    fn of_the_format() -> Self {
        let vectors: Value = serde_json::from_str(VECTORS).unwrap();
        let objects = vectors["objects"].as_object().unwrap();
        let text = |value: &Value| value.as_str().unwrap().as_bytes().to_vec();
        let objects = objects.iter().map(|(name, body)| (name.clone(), text(body)));
        let key = BASE64.decode(&text(&vectors["publicKey"])).unwrap();
        Self::of(objects.collect(), &key)
    }

    fn of(objects: BTreeMap<String, Vec<u8>>, key: &[u8]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (name, body) in objects {
            let path = folder.path().join("log").join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, body).unwrap();
        }
        fs::write(folder.path().join("key.der"), key).unwrap();
        Self(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn object(&self, name: &str) -> PathBuf {
        self.path("log").join(name)
    }

    /// The tool in this folder, with no deployment, no network and no credentials.
    fn run(&self, words: &str) -> Ran {
        Ran::of(symbolon(words).current_dir(self.0.path()).output().unwrap())
    }

    fn verify(&self, more: &str) -> Ran {
        self.run(&format!("audit verify --dir log --public-key key.der {more}"))
    }

    /// The names of its objects and heads, without the folder's.
    fn names(&self) -> Vec<String> {
        let mut names = Vec::new();
        for region in subfolders(&self.path("log")) {
            for chain in subfolders(&region) {
                for entry in fs::read_dir(chain).unwrap() {
                    let path = entry.unwrap().path();
                    let name = path.strip_prefix(self.path("log")).unwrap();
                    names.push(name.to_str().unwrap().to_owned());
                }
            }
        }
        names.sort();
        names
    }
}

fn subfolders(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.is_dir()).collect()
}

/// What a verdict says is wrong, by kind.
fn kinds(ran: &Ran) -> Vec<String> {
    let verdict = ran.json();
    let findings = verdict["logs"][0]["findings"].as_array().unwrap();
    let kind = |finding: &Value| finding["finding"].as_str().unwrap().to_owned();
    findings.iter().map(kind).collect()
}

/// A stack on which so many matches were made and logged.
fn traded() -> Stand {
    let stand = Stand::start();
    stand.onboard("acme", "AROAACME");
    stand.onboard("globex", "AROAGLOBEX");
    trade(&stand, 0..MATCHES);
    stand
}

/// Makes these matches, and waits until they are logged.
fn trade(stand: &Stand, which: std::ops::Range<u32>) {
    let lines = |prefix: &str, side: &str| {
        let line = |n| {
            format!(
                r#"{{"type":"interest","clOrdId":"{prefix}-{n}","symbol":"BTCUSD","side":"{side}","orderQty":"1","price":"100"}}"#
            ) + "\n"
        };
        which.clone().map(line).collect::<String>()
    };
    for (who, text) in [
        ("AROAACME", lines("A", "buy")),
        ("AROAGLOBEX", lines("G", "sell")),
    ] {
        stand.run_with(who, "submit -", &text).done();
        stand.settle();
    }
    let logged = || {
        let ran = stand.run(AUDITOR, "audit verify --output json");
        // A log that is being written is not whole at every moment, and before its first entry it is none.
        ran.json()["logs"][0]["minted"].as_u64().unwrap()
    };
    let made = stand.tables().matches.len() as u64;
    assert_eq!(made, u64::from(which.end), "every pair meets");
    (0..100)
        .find(|_| {
            std::thread::sleep(std::time::Duration::from_millis(100));
            logged() == made
        })
        .expect("the function logs every match");
}

/// Everything that the audit bucket holds.
fn bucket(stand: &Stand) -> BTreeMap<String, Vec<u8>> {
    stand.ask(async |deployment: &Deployment| {
        let (s3, bucket) = of(deployment);
        let listed = s3.list_objects_v2().bucket(&bucket).send().await.unwrap();
        let mut objects = BTreeMap::new();
        for name in listed.contents().iter().filter_map(|object| object.key()) {
            let object = s3.get_object().bucket(&bucket).key(name).send().await.unwrap();
            let body = object.body.collect().await.unwrap().to_vec();
            objects.insert(name.to_owned(), body);
        }
        objects
    })
}

fn of(deployment: &Deployment) -> (aws_sdk_s3::Client, String) {
    let stack = deployment.stack();
    (stack.clients(AUDITOR).s3, stack.outputs()["AuditBucket"].clone())
}

fn put(stand: &Stand, name: &str, body: Option<Vec<u8>>) {
    let name = name.to_owned();
    stand.ask(async move |deployment: &Deployment| {
        let (s3, bucket) = of(deployment);
        if let Some(body) = body {
            let put = s3.put_object().bucket(&bucket).key(name);
            put.body(ByteStream::from(body)).send().await.unwrap();
        } else {
            let delete = s3.delete_object().bucket(&bucket).key(name);
            delete.send().await.unwrap();
        }
    });
}

fn public_key(stand: &Stand) -> Vec<u8> {
    stand.ask(async |deployment: &Deployment| {
        let arn = deployment.stack().outputs()["AuditSigningKeyArn"].clone();
        let kms = deployment.stack().clients(AUDITOR).kms;
        let answer = kms.get_public_key().key_id(arn).send().await.unwrap();
        answer.public_key.unwrap().into_inner()
    })
}
