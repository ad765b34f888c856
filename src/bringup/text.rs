//! Texts from logs, made fit to be shown.

/// On one line, without control characters, at most so many characters (and three dots).
pub fn plain(text: &str, most: usize) -> String {
    let mut line = String::new();
    let mut count = 0;
    for word in text.split_whitespace() {
        if !line.is_empty() {
            line.push(' ');
            count += 1;
        }
        for character in word.chars() {
            if count >= most {
                line.push_str("...");
                return line;
            }
            line.push(if character.is_control() {
                char::REPLACEMENT_CHARACTER
            } else {
                character
            });
            count += 1;
        }
    }
    line
}

/// Seconds as people say them: `42 s`, `3 min 20 s`, `2 h 5 min`.
pub fn duration(seconds: f64) -> String {
    let whole = seconds.max(0.0).round();
    if seconds < 10.0 {
        return format!("{:.1} s", seconds.max(0.0));
    }
    // Fits: more than any build takes is shown as that.
    let whole = if whole < 1e9 {
        whole as u64
    } else {
        999_999_999
    };
    match (whole / 3600, whole / 60 % 60, whole % 60) {
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, 0) => format!("{minutes} min"),
        (0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (hours, minutes, _) => format!("{hours} h {minutes} min"),
    }
}

/// A point in time in UTC, to the minute: `2026-11-22 19:40` (proleptic Gregorian calendar).
pub fn utc(seconds: u64) -> String {
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    // Years begin in March here, so that the leap day is the last of its year.
    let days = days + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let date = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year + era * 400 + u64::from(month <= 2);
    let (hour, minute) = (second / 3_600, second / 60 % 60);
    format!("{year:04}-{month:02}-{date:02} {hour:02}:{minute:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_short_and_plain() {
        assert_eq!(plain(" a\n\tb \u{1b}[1mc", 100), "a b \u{fffd}[1mc");
        assert_eq!(plain("aaaa bbbb", 6), "aaaa b...");
        assert_eq!(plain("", 6), "");
    }

    #[test]
    fn the_date_is_that_of_the_calendar() {
        assert_eq!(utc(0), "1970-01-01 00:00");
        assert_eq!(utc(1_709_251_199), "2024-02-29 23:59");
        assert_eq!(utc(784_111_777), "1994-11-06 08:49");
    }

    #[test]
    fn durations_are_short() {
        assert_eq!(duration(0.04), "0.0 s");
        assert_eq!(duration(59.6), "1 min");
        assert_eq!(duration(200.0), "3 min 20 s");
        assert_eq!(duration(7500.0), "2 h 5 min");
        assert_eq!(duration(-3.0), "0.0 s");
        assert!(duration(f64::INFINITY).ends_with("min"));
    }
}
