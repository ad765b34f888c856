//! Python's `fnmatch`: patterns for names of environment variables.

/// Whether the name fits the pattern: `*`, `?`, `[abc]`, `[!a-c]`. Upper and lower case differ.
pub fn matches(pattern: &str, name: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let name: Vec<char> = name.chars().collect();
    let (mut p, mut n) = (0, 0);
    // Where to go on when something does not fit: after the last star, one character further.
    let mut again: Option<(usize, usize)> = None;
    while n < name.len() {
        if pattern.get(p) == Some(&'*') {
            again = Some((p + 1, n));
            p += 1;
        } else if let Some(length) = one(&pattern[p..], name[n]) {
            p += length;
            n += 1;
        } else if let Some((after_star, from)) = again {
            again = Some((after_star, from + 1));
            p = after_star;
            n = from + 1;
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|sign| *sign == '*')
}

/// Whether the beginning of the pattern fits one character; how long that beginning is.
fn one(pattern: &[char], sign: char) -> Option<usize> {
    match pattern.first()? {
        '?' => Some(1),
        '[' => {
            let negated = pattern.get(1) == Some(&'!');
            let first = if negated { 2 } else { 1 };
            // A `]` right at the beginning is one of the characters.
            let end = (first + 1..pattern.len()).find(|&at| pattern[at] == ']');
            match end {
                Some(end) => (within(&pattern[first..end], sign) != negated).then_some(end + 1),
                None => (sign == '[').then_some(1),
            }
        }
        other => (*other == sign).then_some(1),
    }
}

fn within(set: &[char], sign: char) -> bool {
    let mut at = 0;
    while at < set.len() {
        if at + 2 < set.len() && set[at + 1] == '-' {
            if (set[at]..=set[at + 2]).contains(&sign) {
                return true;
            }
            at += 3;
        } else {
            if set[at] == sign {
                return true;
            }
            at += 1;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_fit_as_in_python() {
        for (pattern, name) in [
            ("*", ""),
            ("*PASS*", "WORKERPASS"),
            ("AWS_*", "AWS_KEY"),
            ("?X", "AX"),
            ("[A-C]1", "B1"),
            ("[!A-C]1", "D1"),
            ("[]]", "]"),
            ("[", "["),
            ("a*b*c", "a-b-b-c"),
        ] {
            assert!(matches(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [
            ("pass", "PASS"),
            ("AWS_*", "XAWS_"),
            ("?", ""),
            ("[!A-C]1", "A1"),
            ("a*b*c", "a-b-c-d"),
        ] {
            assert!(!matches(pattern, name), "{pattern} {name}");
        }
    }

    #[test]
    fn many_stars_are_no_problem() {
        assert!(!matches(&"*a".repeat(200), &"a".repeat(199)));
        assert!(!matches(
            &format!("{}b", "a*".repeat(50)),
            &"a".repeat(2000)
        ));
    }
}
