//! What the machine can reach outside: the table of the devguide (new-buildbot-worker.rst,
//! "Required ports"). Only when asked for.

use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream, ToSocketAddrs};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::check::Check;
use ports::words_of;

/// How long one host may take, name look-up and connection together.
const LIMIT: Duration = Duration::from_secs(10);

/// How far a clock may be off.
const CLOCK_LIMIT: u64 = 300;

/// A port that must be open on the way out.
struct Outbound {
    host: &'static str,
    port: u16,
    /// Whose need it is.
    why: &'static str,
    /// Whether a worker is of no use without.
    needed: bool,
}

const fn outbound(host: &'static str, port: u16, needed: bool, why: &'static str) -> Outbound {
    Outbound {
        host,
        port,
        why,
        needed,
    }
}

const TABLE: &[Outbound] = &[
    outbound(
        "buildbot-api.python.org",
        9020,
        true,
        "the master of CPython's fleet",
    ),
    outbound(
        "github.com",
        443,
        true,
        "builds fetch the source from there",
    ),
    outbound("www.python.org", 80, false, "several tests fetch pages"),
    outbound("www.python.org", 443, false, "test_ssl and others"),
    outbound("www.pythontest.net", 21, false, "test_urllib2net"),
    outbound("smtp.gmail.com", 465, false, "test_smtpnet"),
    outbound("smtp.gmail.com", 587, false, "test_smtpnet"),
];

/// Tries the whole table at once.
pub fn look() -> Vec<Check> {
    let tries: Vec<_> = TABLE
        .iter()
        .map(|row| thread::spawn(|| try_row(row)))
        .collect();
    let clock = thread::spawn(clock);
    let mut checks: Vec<Check> = tries
        .into_iter()
        .filter_map(|row| row.join().ok())
        .collect();
    checks.extend(clock.join().ok().flatten());
    checks
}

fn try_row(row: &Outbound) -> Check {
    let Outbound {
        host, port, why, ..
    } = row;
    let name = format!("port {port}");
    let begun = Instant::now();
    let saw = match connect(host, *port, LIMIT) {
        Ok(_) => {
            let taken = begun.elapsed().as_millis();
            return Check::ok(name, format!("{host} answers after {taken} ms"));
        }
        Err(saw) => format!("{host}: {saw}"),
    };
    let remedy = format!("let this machine connect to {host}:{port}");
    let check = Check::missing(name, saw, why, remedy);
    if row.needed {
        check
    } else {
        check.at_most_warning()
    }
}

/// Connects, in this time altogether; or what is wrong: no such name, refused, no route, no answer.
fn connect(host: &str, port: u16, limit: Duration) -> Result<TcpStream, String> {
    let deadline = Instant::now() + limit;
    let addresses = resolve(host, limit).map_err(|why| format!("no address: {why}"))?;
    let mut last = "no address".to_owned();
    for (at, address) in addresses.iter().enumerate() {
        let rest = u32::try_from(addresses.len() - at).unwrap_or(1);
        let share = deadline.saturating_duration_since(Instant::now()) / rest;
        if share.is_zero() {
            break;
        }
        match TcpStream::connect_timeout(&SocketAddr::new(*address, port), share) {
            Ok(stream) => return Ok(stream),
            Err(error) if error.kind() == std::io::ErrorKind::TimedOut => {
                last = format!("no answer within {} s, perhaps a firewall", limit.as_secs());
            }
            Err(error) => last = words_of(&error),
        }
    }
    Err(last)
}

/// The addresses of a name. The system's look-up has no limit of its own, so a thread waits for it.
///
/// # Errors
/// What the resolver said, or that it did not answer in time.
pub fn resolve(name: &str, limit: Duration) -> Result<Vec<IpAddr>, String> {
    let (sender, receiver) = mpsc::channel();
    let question = (name.to_owned(), 0);
    thread::spawn(move || {
        let answer = question.to_socket_addrs();
        let answer = answer.map(|all| all.map(|one| one.ip()).collect::<Vec<_>>());
        // Nobody listens any more if it took too long.
        let _ = sender.send(answer);
    });
    match receiver.recv_timeout(limit) {
        Ok(Ok(addresses)) => Ok(addresses),
        Ok(Err(error)) => Err(resolver_words(&error.to_string())),
        Err(_) => Err(format!(
            "the resolver does not answer within {} s",
            limit.as_secs()
        )),
    }
}

/// The resolver's words, without those that Rust puts before them.
fn resolver_words(text: &str) -> String {
    let words = text.rsplit(": ").next().unwrap_or(text);
    words.to_owned()
}

/// Compares the clock with that of a web server (the `Date` of RFC 9110). None if it does not tell.
fn clock() -> Option<Check> {
    let mut stream = connect("www.python.org", 80, LIMIT).ok()?;
    stream.set_read_timeout(Some(LIMIT)).ok()?;
    stream.set_write_timeout(Some(LIMIT)).ok()?;
    let question = b"HEAD / HTTP/1.1\r\nHost: www.python.org\r\nConnection: close\r\n\r\n";
    stream.write_all(question).ok()?;
    let mut answer = Vec::new();
    stream.take(8192).read_to_end(&mut answer).ok()?;
    let theirs = date(&String::from_utf8_lossy(&answer))?;
    let ours = SystemTime::now().duration_since(UNIX_EPOCH).ok()?.as_secs();
    let off = ours.abs_diff(theirs);
    let saw = format!("{off} s off www.python.org");
    Some(if off <= CLOCK_LIMIT {
        Check::ok("clock outside", saw)
    } else {
        let why = "certificates count as expired, or not valid yet";
        Check::missing(
            "clock outside",
            saw,
            why,
            "set the clock, and start a time service (NTP)",
        )
    })
}

const MONTHS: &[&str] = &[
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// Seconds since 1970 in the `Date` of an answer (`Sun, 06 Nov 1994 08:49:37 GMT`).
fn date(answer: &str) -> Option<u64> {
    let line = answer.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("date").then_some(value)
    })?;
    let words: Vec<&str> = line.split_whitespace().collect();
    let [_, day, month, year, time, _] = words[..] else {
        return None;
    };
    let number = |text: &str| text.parse::<u64>().ok().filter(|number| *number < 10_000);
    let (day, year) = (number(day)?, number(year)?);
    let month = MONTHS.iter().position(|name| *name == month)? as u64;
    let parts: Vec<&str> = time.split(':').collect();
    let [hour, minute, second] = parts[..] else {
        return None;
    };
    // Years begin in March here, so that the leap day is the last of its year.
    let (year, month) = if month < 2 {
        (year.checked_sub(1)?, month + 10)
    } else {
        (year, month - 2)
    };
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + day;
    let days = days.checked_sub(719_469)?;
    Some(days * 86_400 + number(hour)? * 3_600 + number(minute)? * 60 + number(second)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_date_of_an_answer_is_read() {
        let at = |date: &str| super::date(&format!("HTTP/1.1 200 OK\r\ndate: {date}\r\n\r\n"));
        assert_eq!(at("Sun, 06 Nov 1994 08:49:37 GMT"), Some(784_111_777));
        assert_eq!(at("Thu, 01 Jan 1970 00:00:00 GMT"), Some(0));
        assert_eq!(at("Thu, 29 Feb 2024 23:59:59 GMT"), Some(1_709_251_199));
        assert_eq!(at("Sun, 06 Nov 99999999 08:49:37 GMT"), None);
        assert_eq!(at("yesterday"), None);
        assert_eq!(super::date("nothing"), None);
    }

    #[test]
    fn a_closed_port_and_an_unknown_name_are_told_apart() {
        let limit = Duration::from_secs(10);
        let refused = connect("127.0.0.1", 1, limit).err();
        assert_eq!(refused.as_deref(), Some("Connection refused"));
        let unknown = connect("no-such-host.invalid", 1, limit).err();
        assert!(unknown.is_some_and(|why| why.starts_with("no address")));
    }
}
