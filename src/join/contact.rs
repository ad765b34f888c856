//! How the owner is reached: whether it can be an address, and a user of GitHub.

/// Longest address (RFC 5321, 4.5.3.1).
const LONGEST: usize = 254;

/// Whether this has the form of an e-mail address that others can write to.
pub fn usable_contact(contact: &str) -> bool {
    let odd = |c: char| c.is_whitespace() || c.is_control() || "<>()[]\\,;:\"".contains(c);
    let Some((user, host)) = contact.split_once('@') else {
        return false;
    };
    let label = |label: &str| {
        let good = |c: char| c.is_alphanumeric() || c == '-';
        !label.is_empty() && label.chars().all(good) && !label.starts_with('-')
    };
    contact.len() <= LONGEST
        && !user.is_empty()
        && !user.contains(odd)
        && host.contains('.')
        && host.split('.').all(label)
}

/// Whether this can be a user of GitHub: letters, digits and single hyphens between them, at most 39
/// (GitHub's form for a new account says so). Accounts of organisations that GitHub keeps for them
/// have `_` and more after it.
pub fn usable_github(user: &str) -> bool {
    let good = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    (1..=39).contains(&user.len())
        && user.chars().all(good)
        && !user.starts_with('-')
        && !user.ends_with('-')
        && !user.contains("--")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_can_be_written_to() {
        for good in [
            "jo@example.org",
            "j.o+bots@mail.example.co.uk",
            "jo@bücher.example",
        ] {
            assert!(usable_contact(good), "{good}");
        }
        for bad in [
            "",
            "jo",
            "@example.org",
            "jo@",
            "jo@example",
            "jo@.org",
            "jo@example..org",
            "a b@c.d",
            "Jo <jo@example.org>",
            "jo@a.org,jo@b.org",
            "a@b@c.d",
            "jo@-a.org",
        ] {
            assert!(!usable_contact(bad), "{bad}");
        }
    }

    #[test]
    fn a_user_of_github_has_a_plain_name() {
        for good in ["jo", "jo-doe", "a1", "jo_corp"] {
            assert!(usable_github(good), "{good}");
        }
        let long = "a".repeat(40);
        for bad in [
            "", "-jo", "jo-", "jo--doe", "jo doe", "jo/doe", "https:x", &long, "jö",
        ] {
            assert!(!usable_github(bad), "{bad}");
        }
    }
}
