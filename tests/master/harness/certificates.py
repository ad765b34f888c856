"""A certificate authority of one run, and a certificate for the masters on this machine."""

import datetime
import ipaddress

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

VALID_DAYS = 2


def make(directory):
    """Makes `roots/ca.pem` for workers, and `master.pem` and `master.key` for masters."""
    roots = directory / "roots"
    roots.mkdir(parents=True)
    authority_key, master_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    authority = _named("coracle tests", authority_key.public_key())
    authority = authority.issuer_name(_name("coracle tests"))
    authority = authority.add_extension(x509.BasicConstraints(ca=True, path_length=0), True)
    master = _named("localhost", master_key.public_key()).issuer_name(_name("coracle tests"))
    places = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    master = master.add_extension(x509.SubjectAlternativeName(places), False)
    master = master.add_extension(x509.BasicConstraints(ca=False, path_length=None), True)
    purposes = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
    master = master.add_extension(purposes, False)
    _write(roots / "ca.pem", authority.sign(authority_key, hashes.SHA256()))
    _write(directory / "master.pem", master.sign(authority_key, hashes.SHA256()))
    secret = master_key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    (directory / "master.key").write_bytes(secret)
    (directory / "master.key").chmod(0o600)


def _name(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _named(text, key):
    now = datetime.datetime.now(datetime.timezone.utc)
    return (
        x509.CertificateBuilder()
        .subject_name(_name(text))
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=VALID_DAYS))
    )


def _write(path, certificate):
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    path.chmod(0o644)
