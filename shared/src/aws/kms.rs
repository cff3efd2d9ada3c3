//! Epoch keys: made and unwrapped by KMS, bound to purpose and epoch by the encryption context.

use std::collections::HashMap;

use aws_sdk_kms::primitives::Blob;
use aws_sdk_kms::types::DataKeySpec;

use super::AwsPorts;
use super::error::{of, port_error};
use crate::domain::token::{DataKey, EpochId};
use crate::ports::{Fault, KeyService, PortError, WrappedKey};

const GENERATE: &str = "kms:GenerateDataKeyWithoutPlaintext";
const DECRYPT: &str = "kms:Decrypt";

/// KMS authenticates it with the ciphertext, key policies can demand it, and CloudTrail shows it.
fn context(epoch: EpochId) -> HashMap<String, String> {
    HashMap::from([
        ("purpose".to_owned(), "symbolon/token".to_owned()),
        ("epoch".to_owned(), epoch.encode()),
    ])
}

impl KeyService for AwsPorts {
    async fn generate_key(&self, epoch: EpochId) -> Result<WrappedKey, PortError> {
        let call = self
            .kms
            .generate_data_key_without_plaintext()
            .key_id(&self.settings.token_key_arn)
            .key_spec(DataKeySpec::Aes256)
            .set_encryption_context(Some(context(epoch)));
        let answer = call.send().await.map_err(|error| port_error(GENERATE, &error))?;
        let wrapped = answer
            .ciphertext_blob
            .map(Blob::into_inner)
            .filter(|bytes| !bytes.is_empty());
        wrapped
            .map(WrappedKey)
            .ok_or_else(|| of(GENERATE, Fault::Corrupt, "NoCiphertext"))
    }

    async fn unwrap_key(&self, epoch: EpochId, key: &WrappedKey) -> Result<DataKey, PortError> {
        let call = self
            .kms
            .decrypt()
            // Named, though the ciphertext names it too: no other key of the account may stand in.
            .key_id(&self.settings.token_key_arn)
            .ciphertext_blob(Blob::new(key.0.clone()))
            .set_encryption_context(Some(context(epoch)));
        let answer = call.send().await.map_err(|error| port_error(DECRYPT, &error))?;
        // The SDK's own buffer is taken over, and wiped by the conversion; the HTTP body that it was parsed from is
        // out of reach.
        let plaintext = answer.plaintext.map(Blob::into_inner).unwrap_or_default();
        DataKey::try_from(plaintext).map_err(|_| of(DECRYPT, Fault::Corrupt, "InvalidDataKey"))
    }
}

#[cfg(test)]
mod tests {
    use data_encoding::BASE64;
    use serde_json::json;

    use super::*;
    use crate::aws::wire::{Answer, Wire};

    fn epoch() -> EpochId {
        EpochId::parse("2026-11-23.g7").unwrap()
    }

    #[tokio::test]
    async fn the_context_names_purpose_and_epoch() {
        let wire = Wire::answering([
            Answer::json(200, r#"{"CiphertextBlob":"AQID"}"#),
            Answer::json(200, &format!(r#"{{"Plaintext":"{}"}}"#, BASE64.encode(&[7; 32]))),
        ]);
        let wrapped = wire.ports().generate_key(epoch()).await.unwrap();
        assert_eq!(wrapped, WrappedKey(vec![1, 2, 3]));
        wire.ports().unwrap_key(epoch(), &wrapped).await.unwrap();
        let context = json!({ "purpose": "symbolon/token", "epoch": "2026-11-23.g7" });
        let key = "arn:aws:kms:us-east-1:000000000000:key/k";
        let asked = wire.asked();
        assert_eq!(asked[0].operation, "GenerateDataKeyWithoutPlaintext");
        assert_eq!(
            asked[0].body,
            json!({ "KeyId": key, "KeySpec": "AES_256", "EncryptionContext": context })
        );
        assert_eq!(asked[1].operation, "Decrypt");
        assert_eq!(
            asked[1].body,
            json!({ "KeyId": key, "CiphertextBlob": "AQID", "EncryptionContext": context })
        );
    }

    #[tokio::test]
    async fn a_key_of_another_length_is_corrupt() {
        for plaintext in [BASE64.encode(&[7; 31]), BASE64.encode(&[7; 33]), String::new()] {
            let answer = Answer::json(200, &format!(r#"{{"Plaintext":"{plaintext}"}}"#));
            let wire = Wire::answering([answer, Answer::json(200, "{}")]);
            for _missing_the_second_time in 0..2 {
                let error = wire
                    .ports()
                    .unwrap_key(epoch(), &WrappedKey(vec![1]))
                    .await
                    .unwrap_err();
                assert_eq!(error.fault, Fault::Corrupt);
            }
        }
        let wire = Wire::answering([Answer::json(200, "{}")]);
        assert_eq!(
            wire.ports().generate_key(epoch()).await.unwrap_err().fault,
            Fault::Corrupt
        );
    }
}
