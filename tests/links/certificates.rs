//! Certificates of all kinds, made for one test.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, SupportedProtocolVersion};

use crate::support::scratch::Scratch;

/// An issuer, and a directory for what it issues.
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    scratch: Scratch,
}

/// A certificate and its key, as PEM.
pub struct Pair {
    pub certificate: String,
    pub key: String,
}

impl Authority {
    pub fn new(name: &str) -> Authority {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        Authority {
            issuer: CertifiedIssuer::self_signed(params, key).unwrap(),
            scratch: Scratch::new("links"),
        }
    }

    pub fn pem(&self) -> String {
        self.issuer.pem()
    }

    /// A file with our certificate.
    pub fn file(&self) -> PathBuf {
        self.write("ca.pem", &self.pem())
    }

    pub fn directory(&self) -> &Path {
        self.scratch.path()
    }

    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.scratch.path().join(name);
        fs::write(&path, text).unwrap();
        path
    }

    /// A certificate for these names, good today.
    pub fn issue(&self, names: &[&str]) -> Pair {
        self.issue_for_years(names, 2020, 2100)
    }

    /// Good from the first day of one year to that of another.
    pub fn issue_for_years(&self, names: &[&str], from: i32, to: i32) -> Pair {
        let key = KeyPair::generate().unwrap();
        let certificate = params(names, from, to)
            .signed_by(&key, &self.issuer)
            .unwrap();
        Pair {
            certificate: certificate.pem(),
            key: key.serialize_pem(),
        }
    }
}

/// A certificate that nobody else has signed.
pub fn self_signed(names: &[&str], is_issuer: bool, from: i32, to: i32) -> Pair {
    let key = KeyPair::generate().unwrap();
    let mut params = params(names, from, to);
    if is_issuer {
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    }
    Pair {
        certificate: params.self_signed(&key).unwrap().pem(),
        key: key.serialize_pem(),
    }
}

fn params(names: &[&str], from: i32, to: i32) -> CertificateParams {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names).unwrap();
    params.distinguished_name.push(DnType::CommonName, "box");
    params.not_before = date_time_ymd(from, 1, 1);
    params.not_after = date_time_ymd(to, 1, 1);
    params
}

impl Pair {
    fn chain(&self) -> Vec<CertificateDer<'static>> {
        vec![CertificateDer::from_pem_slice(self.certificate.as_bytes()).unwrap()]
    }

    /// For a master that wants no certificate.
    pub fn server(&self) -> Arc<ServerConfig> {
        self.server_with(None, rustls::ALL_VERSIONS)
    }

    /// For a master that wants certificates of an issuer, in these versions of TLS.
    pub fn server_with(
        &self,
        clients: Option<&Authority>,
        versions: &[&'static SupportedProtocolVersion],
    ) -> Arc<ServerConfig> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(versions)
            .unwrap();
        let builder = match clients {
            None => builder.with_no_client_auth(),
            Some(authority) => {
                let mut roots = RootCertStore::empty();
                let pem = authority.pem();
                let issuer = CertificateDer::from_pem_slice(pem.as_bytes()).unwrap();
                roots.add(issuer).unwrap();
                let verifier =
                    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
                builder.with_client_cert_verifier(verifier.build().unwrap())
            }
        };
        let key = PrivateKeyDer::from_pem_slice(self.key.as_bytes()).unwrap();
        Arc::new(builder.with_single_cert(self.chain(), key).unwrap())
    }
}
