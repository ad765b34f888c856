//! Whom we trust: the issuers that the settings name, or those that come with the system, or those
//! that come with this program.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, TrustAnchor};

use crate::link::endpoint::{SystemRoots, Tls};
use crate::link::error::words;
use crate::link::tls_error::TlsError;

/// Longest file with certificates or a key, in bytes. The largest systems' bundles have a twentieth.
const LONGEST: u64 = 8 * 1024 * 1024;

/// Most files of a directory that are looked at.
const MOST_FILES: usize = 4096;

/// The issuers.
#[derive(Debug)]
pub struct Trusted {
    /// What is needed of each to check what it has signed.
    pub anchors: Vec<TrustAnchor<'static>>,
    /// Certificates that the administrator named: a master may have one of them itself.
    pub named: Vec<CertificateDer<'static>>,
    /// Where they come from, as it follows "not among".
    pub source: String,
}

impl Trusted {
    /// Reads them.
    ///
    /// # Errors
    /// The administrator named something that cannot be used.
    pub fn load(tls: &Tls) -> Result<Trusted, TlsError> {
        match &tls.trust {
            Some(path) => named(path),
            None => system(&tls.system),
        }
    }

    fn of(certificates: &[CertificateDer<'static>], place: &Path) -> Option<Trusted> {
        let anchors: Vec<TrustAnchor<'static>> = certificates
            .iter()
            .filter_map(|certificate| {
                let anchor = webpki::anchor_from_trusted_cert(certificate).ok()?;
                Some(anchor.to_owned())
            })
            .collect();
        let source = match anchors.len() {
            0 => return None,
            1 => format!("the one in {}", place.display()),
            count => format!("the {count} in {}", place.display()),
        };
        Some(Trusted {
            anchors,
            named: Vec::new(),
            source,
        })
    }
}

/// The file or directory that the administrator named. Of a directory, the files ending in `.pem`, as
/// Twisted does it; of each file, all certificates.
fn named(path: &Path) -> Result<Trusted, TlsError> {
    let what = "the trusted certificates in";
    let certificates = if path.is_dir() {
        let is_pem = |name: &Path| {
            let extension = name.extension().and_then(|extension| extension.to_str());
            extension.is_some_and(|extension| extension.eq_ignore_ascii_case("pem"))
        };
        let listed = directory(path, is_pem).map_err(|error| TlsError::File {
            what,
            path: path.to_owned(),
            why: words(&error),
        })?;
        from_files(&listed)
    } else {
        certificates_in(&read(what, path)?)
    };
    let trusted = Trusted::of(&certificates, path).ok_or_else(|| TlsError::File {
        what,
        path: path.to_owned(),
        why: if path.is_dir() {
            "there is no certificate in files ending in .pem there".to_owned()
        } else {
            "there is no certificate in it (PEM)".to_owned()
        },
    })?;
    Ok(Trusted {
        named: certificates,
        ..trusted
    })
}

fn system(places: &SystemRoots) -> Result<Trusted, TlsError> {
    for file in &places.files {
        let Ok(bytes) = read_file(file) else { continue };
        if let Some(trusted) = Trusted::of(&certificates_in(&bytes), file) {
            return Ok(trusted);
        }
    }
    for place in &places.directories {
        let Ok(listed) = directory(place, |_| true) else {
            continue;
        };
        if let Some(trusted) = Trusted::of(&from_files(&listed), place) {
            return Ok(trusted);
        }
    }
    if places.named {
        let named = places.files.iter().chain(&places.directories).next();
        return Err(TlsError::File {
            what: "the trusted certificates in",
            path: named.cloned().unwrap_or_default(),
            why: "SSL_CERT_FILE and SSL_CERT_DIR name nothing that has any".to_owned(),
        });
    }
    Ok(Trusted {
        anchors: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
        named: Vec::new(),
        source: format!(
            "the {} built in, as this system has none",
            webpki_roots::TLS_SERVER_ROOTS.len()
        ),
    })
}

fn directory(path: &Path, wanted: impl Fn(&Path) -> bool) -> io::Result<Vec<PathBuf>> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(path)?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| wanted(path) && path.is_file())
        .take(MOST_FILES)
        .collect();
    files.sort();
    Ok(files)
}

/// Certificates once each: a system's directory has links to its own files.
fn from_files(files: &[PathBuf]) -> Vec<CertificateDer<'static>> {
    let mut all: Vec<CertificateDer<'static>> = files
        .iter()
        .filter_map(|file| read_file(file).ok())
        .flat_map(|bytes| certificates_in(&bytes))
        .collect();
    all.sort_by(|one, other| one.as_ref().cmp(other.as_ref()));
    all.dedup();
    all
}

fn certificates_in(bytes: &[u8]) -> Vec<CertificateDer<'static>> {
    CertificateDer::pem_slice_iter(bytes)
        .filter_map(Result::ok)
        .collect()
}

/// Reads a file that the settings name.
pub fn read(what: &'static str, path: &Path) -> Result<Vec<u8>, TlsError> {
    read_file(path).map_err(|error| TlsError::File {
        what,
        path: path.to_owned(),
        why: words(&error),
    })
}

fn read_file(path: &Path) -> io::Result<Vec<u8>> {
    let file = File::open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("it is no file"));
    }
    let mut bytes = Vec::new();
    file.take(LONGEST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LONGEST {
        return Err(io::Error::other("it is too long"));
    }
    Ok(bytes)
}
