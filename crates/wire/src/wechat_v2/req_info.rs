//! `req_info`: text under AES-256 in ECB mode, padded after PKCS #7, in Base64.
//!
//! The AES key is the 32 characters of the API key's MD5 in lower-case hexadecimal, not its 16
//! bytes. ECB hides the text but does not seal it: whoever has old messages can put their blocks
//! together anew, and nobody would notice here. What is read is a hint to ask the platform.

use aes::Aes256;
use aes::cipher::block_padding::Pkcs7;
use aes::cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyInit};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest, Md5};
use zeroize::Zeroizing;

use super::sign::ApiKey;

const BLOCK: usize = 16;

/// Why a text cannot be opened.
///
/// For logs and counters only: a sender who learns which of the three it was can decrypt what
/// is not his, one question at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
#[error("{}", self.label())]
pub enum ReqInfoError {
    /// Not Base64 of the standard alphabet, padded, without line ends.
    Base64,
    /// No bytes, or not whole blocks.
    Length,
    /// The last block does not end in a padding: another key, or a changed text.
    Padding,
}

impl ReqInfoError {
    /// A stable word for counters and inbox rows.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Base64 => "req_info_base64",
            Self::Length => "req_info_length",
            Self::Padding => "req_info_padding",
        }
    }
}

/// What the sender encrypted. Any bytes: the padding of one foreign text in 256 fits by chance.
pub fn open(req_info: &str, key: &ApiKey) -> Result<Zeroizing<Vec<u8>>, ReqInfoError> {
    let mut bytes = STANDARD
        .decode(req_info)
        .map(Zeroizing::new)
        .map_err(|_| ReqInfoError::Base64)?;
    if bytes.is_empty() || bytes.len() % BLOCK != 0 {
        return Err(ReqInfoError::Length);
    }
    let cipher = ecb::Decryptor::<Aes256>::new((&*aes_key(key)).into());
    let len = cipher
        .decrypt_padded::<Pkcs7>(&mut bytes)
        .map_err(|_| ReqInfoError::Padding)?
        .len();
    bytes.truncate(len);
    Ok(bytes)
}

/// The platform's side.
#[expect(
    clippy::missing_panics_doc,
    reason = "the buffer has room for the padding"
)]
pub fn seal(text: &[u8], key: &ApiKey) -> String {
    let padded = (text.len() / BLOCK + 1) * BLOCK;
    let mut bytes = Zeroizing::new(vec![0; padded]);
    bytes[..text.len()].copy_from_slice(text);
    let cipher = ecb::Encryptor::<Aes256>::new((&*aes_key(key)).into());
    let sealed = cipher
        .encrypt_padded::<Pkcs7>(&mut bytes, text.len())
        .expect("the buffer has room for the padding");
    STANDARD.encode(sealed)
}

fn aes_key(key: &ApiKey) -> Zeroizing<[u8; 32]> {
    let mut digits = Zeroizing::new([0; 32]);
    hex::encode_to_slice(Md5::digest(key.as_bytes()), &mut *digits)
        .expect("16 bytes are 32 digits");
    digits
}
