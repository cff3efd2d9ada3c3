//! What the KMS emulator does not do: signatures that are ones. Its own are a keyed hash that nobody else can verify.
//!
//! Who may sign what with which key, the emulator still decides: it is asked first.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use axum::body::Bytes;
use data_encoding::BASE64;
use p256::ecdsa::signature::{Signer as _, Verifier as _};
use p256::ecdsa::{DerSignature, Signature, SigningKey, VerifyingKey};
use p256::pkcs8::EncodePublicKey as _;
use serde_json::{Value, json};
use winterbaume_core::MockRequest;

/// An error of KMS: its type and what it says.
type Refusal = (&'static str, &'static str);

/// Private keys by the ARN of the KMS key, made when they are first needed.
#[derive(Default)]
pub(super) struct Signatures(Mutex<BTreeMap<String, SigningKey>>);

/// What the emulator is asked instead: whether it may be verified is whether it could be signed.
pub(super) fn asked_of_emulator(operation: &str, mut request: MockRequest) -> MockRequest {
    if operation == "Verify" {
        let mut body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        if let Some(fields) = body.as_object_mut() {
            fields.remove("Signature");
        }
        request.body = body.to_string().into();
        let target = axum::http::HeaderValue::from_static("TrentService.Sign");
        request.headers.insert("x-amz-target", target);
    }
    request
}

impl Signatures {
    /// The answer to a request that the emulator has granted with `granted`; `None` when its own will do.
    pub(super) fn answer(
        &self,
        operation: &str,
        asked: &[u8],
        granted: &[u8],
    ) -> Option<Result<Bytes, Refusal>> {
        if !["Sign", "Verify", "GetPublicKey"].contains(&operation) {
            return None;
        }
        let asked: Value = serde_json::from_slice(asked).ok()?;
        let mut answer: Value = serde_json::from_slice(granted).ok()?;
        let key = self.key(answer["KeyId"].as_str()?);
        let bytes = |field: &str| BASE64.decode(asked[field].as_str().unwrap_or_default().as_bytes());
        let of_ours = asked["MessageType"].as_str().unwrap_or("RAW") == "RAW"
            && asked["SigningAlgorithm"] == "ECDSA_SHA_256";
        if operation != "GetPublicKey" && !of_ours {
            return Some(Err((
                "UnsupportedOperationException",
                "here messages are signed whole, by ECDSA over P-256 with SHA-256",
            )));
        }
        match operation {
            "GetPublicKey" => {
                let public = VerifyingKey::from(&key).to_public_key_der().ok()?;
                answer["PublicKey"] = BASE64.encode(public.as_bytes()).into();
            }
            "Sign" => {
                let signature: DerSignature = key.sign(&bytes("Message").ok()?);
                answer["Signature"] = BASE64.encode(signature.as_bytes()).into();
            }
            _ => {
                let signature = bytes("Signature")
                    .ok()
                    .and_then(|der| Signature::from_der(&der).ok());
                let message = bytes("Message").ok()?;
                let valid = |signature| VerifyingKey::from(&key).verify(&message, &signature).is_ok();
                if !signature.is_some_and(valid) {
                    return Some(Err(("KMSInvalidSignatureException", "")));
                }
                answer = json!({
                    "KeyId": answer["KeyId"], "SignatureValid": true, "SigningAlgorithm": asked["SigningAlgorithm"],
                });
            }
        }
        Some(Ok(answer.to_string().into()))
    }

    fn key(&self, arn: &str) -> SigningKey {
        let mut keys = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(key) = keys.get(arn) {
            return key.clone();
        }
        // One number in 2³² is none of the curve's: then the next.
        let key = loop {
            if let Ok(key) = SigningKey::from_slice(&rand::random::<[u8; 32]>()) {
                break key;
            }
        };
        keys.insert(arn.to_owned(), key.clone());
        key
    }
}
