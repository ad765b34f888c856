//! What somebody needs to join CPython's fleet with a new worker (`coracle join`): a name, the
//! description in the base directory, and the text of the request.

mod contact;
mod info;
mod machine;
mod name;
mod request;

pub use contact::{usable_contact, usable_github};
pub use info::{Written, describe};
pub use machine::Machine;
pub use name::{suggested, usable, usable_owner};
pub use request::{Evidence, text};

/// What the owner says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answers {
    /// What the worker's name begins with: the same for all workers of one owner.
    pub owner: String,
    /// The owner's name.
    pub person: String,
    /// An e-mail address.
    pub contact: String,
    /// A user of GitHub.
    pub github: String,
    /// The worker's name.
    pub name: String,
    /// The operating system.
    pub os: String,
    /// The processor architecture.
    pub arch: String,
    /// What the password is to be.
    pub password: Password,
    /// Anything special.
    pub special: String,
}

/// What a new worker logs in with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Password {
    /// The first worker of this owner.
    NewOwner,
    /// One for this worker alone.
    NewWorker,
    /// The same as the owner's other workers.
    Existing,
}

impl Password {
    /// By the word on the command line.
    ///
    /// # Errors
    /// The words that there are.
    pub fn named(word: &str) -> Result<Password, String> {
        match word {
            "new-owner" => Ok(Password::NewOwner),
            "new-worker" => Ok(Password::NewWorker),
            "existing" => Ok(Password::Existing),
            _ => Err(format!(
                "password {word}: known are new-owner, new-worker and existing"
            )),
        }
    }

    /// As the fleet's form has it (python/buildmaster-config, new_worker.yml).
    fn option(self) -> &'static str {
        match self {
            Password::NewOwner => "I need a new owner password",
            Password::NewWorker => "I need a new worker password",
            Password::Existing => "I will use an existing owner password",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::basedir::ADMIN_UNEDITED;
    use crate::doctor::System;

    fn answers() -> Answers {
        Answers {
            owner: "doe".to_owned(),
            person: "Jo Doe".to_owned(),
            contact: "jo@example.org".to_owned(),
            github: "@jo".to_owned(),
            name: "doe-haiku-x86_64".to_owned(),
            os: "Haiku R1".to_owned(),
            arch: "x86_64".to_owned(),
            password: Password::NewOwner,
            special: String::new(),
        }
    }

    fn machine() -> Machine {
        Machine {
            system: System::Haiku,
            os: "Haiku R1".to_owned(),
            os_id: "haiku".to_owned(),
            release: "1".to_owned(),
            arch: "x86_64".to_owned(),
            cpus: 4,
            memory: Some(8 << 30),
        }
    }

    #[test]
    fn what_somebody_has_edited_is_left_alone() {
        let scratch = std::env::temp_dir().join(format!("coracle-join-{}", std::process::id()));
        let _ = fs::remove_dir_all(&scratch);
        let describe = |force| describe(&scratch, &answers(), &machine(), force);
        let written = describe(false).expect("written");
        assert!(written.iter().all(|one| matches!(one, Written::Yes(_))));
        let read = |name: &str| fs::read_to_string(scratch.join("info").join(name));
        assert_eq!(
            read("admin").expect("a file"),
            "Jo Doe <jo AT example.org>\n"
        );
        assert_eq!(
            read("host").expect("a file"),
            "Haiku R1 on x86_64, 4 processors, 8.0 GB of memory\n"
        );
        fs::write(scratch.join("info/host"), "mine\n").expect("a file");
        fs::write(scratch.join("info/admin"), ADMIN_UNEDITED).expect("a file");
        let kept = describe(false).expect("written");
        assert!(matches!(kept[..], [Written::Yes(_), Written::Kept(_)]));
        // Kept once, it is not ours the next time either.
        let kept = describe(false).expect("written");
        assert!(matches!(kept[..], [Written::Yes(_), Written::Kept(_)]));
        assert_eq!(read("host").expect("a file"), "mine\n");
        describe(true).expect("written");
        assert_ne!(read("host").expect("a file"), "mine\n");
        fs::remove_dir_all(&scratch).expect("removed");
    }

    #[test]
    fn what_we_wrote_ourselves_is_not_taken_for_the_owners_words() {
        let scratch = std::env::temp_dir().join(format!("coracle-join2-{}", std::process::id()));
        let _ = fs::remove_dir_all(&scratch);
        describe(&scratch, &answers(), &machine(), false).expect("written");
        let (mut answers, mut machine) = (answers(), machine());
        answers.contact = "doe@example.org".to_owned();
        machine.memory = Some(16 << 30);
        let written = describe(&scratch, &answers, &machine, false).expect("written");
        assert!(matches!(written[..], [Written::Yes(_), Written::Yes(_)]));
        let read = |name: &str| fs::read_to_string(scratch.join("info").join(name));
        assert_eq!(
            read("admin").expect("a file"),
            "Jo Doe <doe AT example.org>\n"
        );
        // What it said before is not what it wrote last.
        fs::write(scratch.join("info/admin"), "Jo Doe <jo AT example.org>\n").expect("a file");
        let written = describe(&scratch, &answers, &machine, false).expect("written");
        assert!(matches!(written[..], [Written::Kept(_), Written::Yes(_)]));
        fs::remove_dir_all(&scratch).expect("removed");
    }

    #[test]
    fn the_request_has_every_field_of_the_form() {
        let text = text(&answers(), &machine(), &Evidence::default());
        for wanted in [
            "New worker request: doe-haiku-x86_64",
            "**Username:** doe",
            "**Password status:** I need a new owner password",
            "**Operating System:** Haiku R1",
            "jo at example dot org",
            "name=\"doe-haiku-x86_64\",",
            "tags=['haiku', 'unix', 'amd64', 'x86-64'],",
        ] {
            assert!(text.contains(wanted), "{wanted}\n{text}");
        }
    }
}
