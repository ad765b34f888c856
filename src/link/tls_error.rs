//! Why there is no TLS with a master, in one line each. Also for a program that was built without TLS.

use std::fmt;
use std::path::PathBuf;

use super::endpoint::Pin;

/// Before this moment no clock of a machine that runs this program is right: the beginning of 2025,
/// in seconds since 1970.
const NO_CLOCK_BEFORE: u64 = 1_735_689_600;

/// How many of a certificate's names are shown.
const NAMES: usize = 5;

/// Why there is no TLS, or none that we may trust.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TlsError {
    /// This program was built without the feature `tls`.
    LeftOut,
    /// A file that the settings name is of no use.
    File {
        /// What it is for.
        what: &'static str,
        /// Which one.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// A name that no certificate can have.
    Name(String),
    /// Our certificate and our key do not make a pair, or are of a kind that nobody uses.
    OwnCertificate(String),
    /// The master's certificate was good until then; seconds since 1970.
    Expired {
        /// The end.
        not_after: u64,
        /// Our clock.
        now: u64,
    },
    /// The master's certificate is good from then on; seconds since 1970.
    NotYetValid {
        /// The beginning.
        not_before: u64,
        /// Our clock.
        now: u64,
    },
    /// The master's certificate is for somebody else.
    WrongName {
        /// Whom we wanted.
        expected: String,
        /// Whom it is for.
        names: Vec<String>,
    },
    /// Nobody whom we trust has signed the master's certificate.
    UnknownIssuer {
        /// Who has.
        issuer: Option<String>,
        /// Whether that is the certificate itself.
        own: bool,
        /// Whom we trust.
        trusted: String,
        /// The key of the certificate.
        pin: Pin,
    },
    /// The master's key is none of those that `tls_pin_sha256` names.
    PinMismatch {
        /// What it is.
        seen: Pin,
    },
    /// The master's certificate is of no use, for another reason.
    BadCertificate(String),
    /// What answers there does not speak TLS.
    PlainText,
    /// The master closed the connection before TLS was agreed on.
    Closed,
    /// TLS was not agreed on in time; seconds.
    Timeout(u64),
    /// The master wants a certificate from us, and we have none.
    WantsCertificate,
    /// The master does not like our certificate; its word for it.
    RefusesCertificate(String),
    /// The master refuses; its word for it.
    Refused(String),
    /// The connection was cut without the end mark of TLS.
    CutOff,
    /// The master broke the rules of TLS.
    Fault(String),
    /// The connection is lost; the system's words.
    Lost(String),
    /// Our clock is before 1970, which no check can use.
    NoClock,
}

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TlsError::LeftOut => f.write_str(
                "this program was built without TLS (cargo feature `tls`); use another build, or a \
                 connection without TLS",
            ),
            TlsError::File { what, path, why } => {
                write!(f, "cannot use {what} {}: {why}", path.display())
            }
            TlsError::Name(name) => write!(
                f,
                "{name} is no name that a certificate can have; write a name beyond ASCII as xn--..."
            ),
            TlsError::OwnCertificate(why) => write!(f, "our own certificate: {why}"),
            TlsError::Expired { not_after, now } => write!(
                f,
                "the master's certificate has expired: it was valid until {}, and this machine's \
                 clock says {}",
                Moment(*not_after),
                Moment(*now)
            ),
            TlsError::NotYetValid { not_before, now } if *now < NO_CLOCK_BEFORE => write!(
                f,
                "this machine's clock is not set: it says {}, and the master's certificate is valid \
                 from {}; set the clock (NTP), or name the master's key in tls_pin_sha256",
                Moment(*now),
                Moment(*not_before)
            ),
            TlsError::NotYetValid { not_before, now } => write!(
                f,
                "the master's certificate is not valid yet: it is from {}, and this machine's clock \
                 says {}; is the clock right?",
                Moment(*not_before),
                Moment(*now)
            ),
            TlsError::WrongName { expected, names } => wrong_name(f, expected, names),
            TlsError::UnknownIssuer {
                issuer,
                own,
                trusted,
                pin,
            } => {
                match (own, issuer) {
                    (true, _) => f.write_str("the master's certificate is signed by itself"),
                    (false, Some(issuer)) => {
                        write!(f, "the master's certificate is signed by \"{issuer}\"")
                    }
                    (false, None) => f.write_str("the master's certificate has a nameless issuer"),
                }?;
                write!(
                    f,
                    ", which is not among {trusted}; set tls_ca_file, or if its key is the right one, \
                     tls_pin_sha256 = '{pin}'"
                )
            }
            TlsError::PinMismatch { seen } => write!(
                f,
                "its key is not the one in tls_pin_sha256; the key seen is {seen}: it was changed, or \
                 somebody is between us"
            ),
            TlsError::BadCertificate(why) => {
                write!(f, "the master's certificate is of no use: {why}")
            }
            TlsError::PlainText => f.write_str(
                "what answers there does not speak TLS; is this the port for plain text?",
            ),
            TlsError::Closed => f.write_str(
                "it closed the connection before TLS was agreed on; is this the port for TLS?",
            ),
            TlsError::Timeout(seconds) => write!(
                f,
                "it did not agree on TLS within {seconds} s; is this the port for TLS?"
            ),
            TlsError::WantsCertificate => f.write_str(
                "it wants a certificate from us: give certificate= and privateKey= in \
                 connection_string",
            ),
            TlsError::RefusesCertificate(word) => {
                write!(f, "it does not accept our certificate ({word})")
            }
            TlsError::Refused(word) => write!(f, "it refuses ({word})"),
            TlsError::CutOff => {
                f.write_str("the connection was cut off, without the end mark of TLS")
            }
            TlsError::Fault(why) => write!(f, "it broke the rules of TLS: {why}"),
            TlsError::Lost(words) => write!(f, "lost the connection: {words}"),
            TlsError::NoClock => {
                f.write_str("this machine's clock is before 1970; set the clock (NTP)")
            }
        }
    }
}

fn wrong_name(f: &mut fmt::Formatter<'_>, expected: &str, names: &[String]) -> fmt::Result {
    write!(f, "the master's certificate is not for {expected} but for ")?;
    match names {
        [] => f.write_str("nobody (it has no subjectAltName)"),
        names => {
            f.write_str(&names[..names.len().min(NAMES)].join(", "))?;
            match names.len().saturating_sub(NAMES) {
                0 => Ok(()),
                more => write!(f, " and {more} more"),
            }
        }
    }
}

impl std::error::Error for TlsError {}

/// A moment in seconds since 1970, as people write it.
struct Moment(u64);

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (days, seconds) = (self.0 / 86_400, self.0 % 86_400);
        // The calendar repeats every 400 years of 146097 days; years are counted from March, so that
        // the odd day comes last.
        let days = days + 719_468;
        let (era, day) = (days / 146_097, days % 146_097);
        let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
        let day = day - (365 * year + year / 4 - year / 100);
        let month = (5 * day + 2) / 153;
        let day = day - (153 * month + 2) / 5 + 1;
        let (month, carry) = if month < 10 {
            (month + 3, 0)
        } else {
            (month - 9, 1)
        };
        let year = era * 400 + year + carry;
        let (hour, minute) = (seconds / 3600, seconds % 3600 / 60);
        write!(f, "{year}-{month:02}-{day:02} {hour:02}:{minute:02} UTC")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_dates() {
        // From date(1).
        for (seconds, text) in [
            (0, "1970-01-01 00:00 UTC"),
            (68_169_600, "1972-02-29 00:00 UTC"),
            (951_782_399, "2000-02-28 23:59 UTC"),
            (951_868_800, "2000-03-01 00:00 UTC"),
            (1_735_689_600, "2025-01-01 00:00 UTC"),
            (4_107_542_399, "2100-02-28 23:59 UTC"),
            (4_107_542_400, "2100-03-01 00:00 UTC"),
            (253_402_300_799, "9999-12-31 23:59 UTC"),
        ] {
            assert_eq!(Moment(seconds).to_string(), text);
        }
    }

    #[test]
    fn a_board_without_a_clock_is_told_so() {
        let error = |now| TlsError::NotYetValid {
            not_before: 1_790_000_000,
            now,
        };
        let text = error(125).to_string();
        assert!(
            text.starts_with("this machine's clock is not set: it says 1970-01-01 00:02 UTC"),
            "{text}"
        );
        assert!(text.contains("valid from 2026-09-21"), "{text}");
        let text = error(1_780_000_000).to_string();
        assert!(
            text.starts_with("the master's certificate is not valid yet"),
            "{text}"
        );
    }

    #[test]
    fn a_long_list_of_names_is_cut() {
        let error = TlsError::WrongName {
            expected: "m.org".to_owned(),
            names: (0..7).map(|number| format!("n{number}.org")).collect(),
        };
        assert_eq!(
            error.to_string(),
            "the master's certificate is not for m.org but for n0.org, n1.org, n2.org, n3.org, \
             n4.org and 2 more"
        );
    }
}
