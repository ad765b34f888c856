//! What we show a master that wants to know who we are.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustls::client::ResolvesClientCert;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use rustls::{Error, InconsistentKeys, SignatureScheme};

use super::roots::read;
use crate::link::endpoint::Tls;
use crate::link::tls_error::TlsError;

/// Our certificate, if we have one, and whether the master has asked for it.
pub struct Identity {
    key: Option<Arc<CertifiedKey>>,
    asked: AtomicBool,
}

impl Identity {
    /// Reads certificate and key.
    pub fn load(tls: &Tls, provider: &CryptoProvider) -> Result<Identity, TlsError> {
        let key = match &tls.certificate {
            None => None,
            Some(certificate) => {
                let key = tls.private_key.as_ref().unwrap_or(certificate);
                Some(Arc::new(pair(certificate, key, provider)?))
            }
        };
        Ok(Identity {
            key,
            asked: AtomicBool::new(false),
        })
    }

    /// Whether the master wants a certificate that we do not have.
    pub fn is_missed(&self) -> bool {
        self.key.is_none() && self.asked.load(Ordering::Relaxed)
    }

    /// Whether we have shown our certificate.
    pub fn was_shown(&self) -> bool {
        self.key.is_some() && self.asked.load(Ordering::Relaxed)
    }
}

fn pair(
    certificate: &Path,
    key: &Path,
    provider: &CryptoProvider,
) -> Result<CertifiedKey, TlsError> {
    let what = "the certificate";
    let bytes = read(what, certificate)?;
    let chain: Result<Vec<CertificateDer<'static>>, _> =
        CertificateDer::pem_slice_iter(&bytes).collect();
    let wrong = |why: String| TlsError::File {
        what,
        path: certificate.to_owned(),
        why,
    };
    let chain = chain.map_err(|error| wrong(error.to_string()))?;
    if chain.is_empty() {
        return Err(wrong("there is no certificate in it (PEM)".to_owned()));
    }
    let key = private_key(key)?;
    CertifiedKey::from_der(chain, key, provider).map_err(|error| {
        TlsError::OwnCertificate(match error {
            Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => {
                format!("the private key is not that of {}", certificate.display())
            }
            other => format!("{}: {other}", certificate.display()),
        })
    })
}

fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    let what = "the private key";
    let bytes = read(what, path)?;
    let wrong = |why: &str| TlsError::File {
        what,
        path: path.to_owned(),
        why: why.to_owned(),
    };
    let has = |text: &[u8]| bytes.windows(text.len()).any(|window| window == text);
    if has(b"BEGIN ENCRYPTED PRIVATE KEY") || has(b"Proc-Type: 4,ENCRYPTED") {
        return Err(wrong(
            "it is encrypted; write it without a passphrase (openssl pkey -in FILE -out FILE2) and \
             keep that file readable by the worker's user only",
        ));
    }
    PrivateKeyDer::from_pem_slice(&bytes).map_err(|_| wrong("there is no private key in it (PEM)"))
}

impl ResolvesClientCert for Identity {
    fn resolve(
        &self,
        _issuers: &[&[u8]],
        _schemes: &[SignatureScheme],
    ) -> Option<Arc<CertifiedKey>> {
        self.asked.store(true, Ordering::Relaxed);
        self.key.clone()
    }

    /// Always yes, so that we are asked, and know.
    fn has_certs(&self) -> bool {
        true
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Identity(...)")
    }
}
