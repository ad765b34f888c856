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
    fn durations_are_short() {
        assert_eq!(duration(0.04), "0.0 s");
        assert_eq!(duration(59.6), "1 min");
        assert_eq!(duration(200.0), "3 min 20 s");
        assert_eq!(duration(7500.0), "2 h 5 min");
        assert_eq!(duration(-3.0), "0.0 s");
        assert!(duration(f64::INFINITY).ends_with("min"));
    }
}
