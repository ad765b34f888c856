//! Where systems keep the certificates that everybody trusts.

use crate::RootCertificates;

/// The places of all systems: what does not exist on one is passed over, and a new system most often
/// has one of these.
pub(crate) fn root_certificates() -> RootCertificates {
    RootCertificates {
        files: &[
            // Debian, Ubuntu, Arch, Gentoo, Slackware, Void; a link on many others.
            "/etc/ssl/certs/ca-certificates.crt",
            // Fedora, RHEL and its relatives.
            "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
            "/etc/pki/tls/certs/ca-bundle.crt",
            // openSUSE.
            "/etc/ssl/ca-bundle.pem",
            // Alpine, FreeBSD, OpenBSD, macOS, OpenWrt.
            "/etc/ssl/cert.pem",
            // FreeBSD and DragonFly with the port ca_root_nss.
            "/usr/local/share/certs/ca-root-nss.crt",
            "/usr/local/etc/ssl/cert.pem",
            // NetBSD 10, and pkgsrc with mozilla-rootcerts.
            "/etc/openssl/certs/ca-certificates.crt",
            "/usr/pkg/etc/openssl/certs/ca-certificates.crt",
            // OpenIndiana, OmniOS, SmartOS.
            "/etc/certs/ca-certificates.crt",
            "/etc/ssl/cacert.pem",
            "/opt/local/etc/openssl/certs/ca-certificates.crt",
            // Haiku.
            "/boot/system/data/ssl/CARootCertificates.pem",
            // Termux.
            "/data/data/com.termux/files/usr/etc/tls/cert.pem",
            // NixOS.
            "/etc/ssl/certs/ca-bundle.crt",
        ],
        directories: &[
            "/etc/ssl/certs",
            "/etc/openssl/certs",
            "/etc/certs/CA",
            "/system/etc/security/cacerts",
        ],
    }
}
