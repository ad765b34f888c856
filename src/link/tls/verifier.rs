//! Whether a certificate is the master's. Each reason against it is told apart.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::ring::cipher_suite::TLS13_AES_128_GCM_SHA256;
use rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature,
};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, Error, OtherError, SignatureScheme};
use webpki::{EndEntityCert, KeyUsage};

use super::roots::Trusted;
use crate::link::endpoint::Pin;
use crate::link::tls_error::TlsError;

/// Checks certificates.
#[derive(Debug)]
pub struct Verifier {
    pins: Vec<Pin>,
    /// None: the pins are all there is to check.
    trusted: Option<Trusted>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl Verifier {
    /// By these pins, these issuers, or both.
    pub fn new(pins: Vec<Pin>, trusted: Option<Trusted>, provider: &CryptoProvider) -> Verifier {
        Verifier {
            pins,
            trusted,
            algorithms: provider.signature_verification_algorithms,
        }
    }

    /// Whether this certificate may be taken for `name` at a moment.
    pub fn check(
        &self,
        der: &CertificateDer<'_>,
        between: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        now: UnixTime,
    ) -> Result<(), TlsError> {
        let certificate = EndEntityCert::try_from(der).map_err(|error| bad(&error))?;
        let pin = pin(&certificate);
        if !self.pins.is_empty() && !self.pins.contains(&pin) {
            return Err(TlsError::PinMismatch { seen: pin });
        }
        let Some(trusted) = &self.trusted else {
            return Ok(());
        };
        let signed = certificate.verify_for_usage(
            self.algorithms.all,
            &trusted.anchors,
            between,
            now,
            KeyUsage::server_auth(),
            None,
            None,
        );
        match signed {
            Ok(_) => {}
            // An issuer that is a master too, as small installations have it. That the dates are
            // right has been looked at before this.
            Err(webpki::Error::CaUsedAsEndEntity) if trusted.named.iter().any(|it| it == der) => {}
            // Signed by itself, so there is no other issuer to look for.
            Err(webpki::Error::UnknownIssuer | webpki::Error::CaUsedAsEndEntity) => {
                return Err(TlsError::UnknownIssuer {
                    issuer: common_name(certificate.issuer()),
                    own: certificate.issuer() == certificate.subject(),
                    trusted: trusted.source.clone(),
                    pin,
                });
            }
            Err(error) => return Err(bad(&error)),
        }
        certificate
            .verify_is_valid_for_subject_name(name)
            .map_err(|error| match error {
                webpki::Error::CertNotValidForName(context) => TlsError::WrongName {
                    expected: name.to_str().into_owned(),
                    names: context
                        .presented
                        .iter()
                        .filter_map(|name| presented(name))
                        .collect(),
                },
                other => bad(&other),
            })
    }
}

/// What is wrong with a certificate in itself.
fn bad(error: &webpki::Error) -> TlsError {
    match error {
        webpki::Error::CertExpired { time, not_after } => TlsError::Expired {
            not_after: not_after.as_secs(),
            now: time.as_secs(),
        },
        webpki::Error::CertNotValidYet { time, not_before } => TlsError::NotYetValid {
            not_before: not_before.as_secs(),
            now: time.as_secs(),
        },
        webpki::Error::UnsupportedCertVersion => {
            TlsError::BadCertificate("it is of X.509 version 1; make one of version 3".to_owned())
        }
        other => TlsError::BadCertificate(format!("{other}")),
    }
}

/// A name as webpki shows it, `DnsName("m.org")` or `IpAddress(10.0.0.1)`, without its wrapping; none
/// for names of other kinds.
fn presented(text: &str) -> Option<String> {
    let name = text
        .strip_prefix("DnsName(")
        .or_else(|| text.strip_prefix("IpAddress("))?;
    let name = name.strip_suffix(')')?;
    Some(plain(name.trim_matches('"')))
}

fn pin(certificate: &EndEntityCert<'_>) -> Pin {
    let suite = TLS13_AES_128_GCM_SHA256.tls13();
    let key = certificate.subject_public_key_info();
    let hash = suite.map(|suite| suite.common.hash_provider.hash(key.as_ref()));
    let hash = hash.as_ref().map_or(&[][..], AsRef::as_ref);
    Pin(hash.try_into().unwrap_or_default())
}

/// The common name in a distinguished name, else its organisation.
fn common_name(name: &[u8]) -> Option<String> {
    // The attribute types 2.5.4.3 and 2.5.4.10 as they are encoded (RFC 5280, appendix A.1).
    let value = |kind: u8| {
        let key = [0x06, 0x03, 0x55, 0x04, kind];
        let at = name.windows(key.len()).position(|window| window == key)?;
        let [_, length, rest @ ..] = name.get(at + key.len()..)? else {
            return None;
        };
        let text = rest.get(..usize::from(*length))?;
        Some(plain(&String::from_utf8_lossy(text)))
    };
    value(3).or_else(|| value(10))
}

/// Without what could do harm in a log or on a terminal, and not too long.
fn plain(text: &str) -> String {
    text.chars()
        .map(|sign| if sign.is_control() { '?' } else { sign })
        .take(64)
        .collect()
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        between: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        _ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        match self.check(certificate, between, name, now) {
            Ok(()) => Ok(ServerCertVerified::assertion()),
            Err(error) => Err(Error::InvalidCertificate(CertificateError::Other(
                OtherError(Arc::new(error)),
            ))),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
