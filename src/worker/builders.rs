//! The builders that the master has given us, and their directories below the base directory.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use log::{info, warn};

use crate::calls::BuilderName;

/// Our own directory in the base directory; never a leftover.
const OWN_DIRECTORY: &str = ".coracle";

/// Where leftover directories wait for their deletion, below [`OWN_DIRECTORY`].
const TRASH: &str = "leftover";

/// One builder.
#[derive(Debug)]
struct Builder {
    /// Relative to the base directory, as the master wrote it.
    directory: String,
}

/// All builders. They outlive a connection (PROTOCOL 4.5).
#[derive(Debug)]
pub struct Builders {
    base_dir: PathBuf,
    delete_leftovers: bool,
    known: BTreeMap<BuilderName, Builder>,
}

impl Builders {
    /// None yet. `delete_leftovers`: remove directories that no builder uses.
    pub fn new(base_dir: PathBuf, delete_leftovers: bool) -> Builders {
        Builders {
            base_dir,
            delete_leftovers,
            known: BTreeMap::new(),
        }
    }

    /// Takes over the master's list: makes the directories, forgets builders that are gone, looks
    /// after directories that nobody uses. Returns the forgotten builders.
    ///
    /// A directory that cannot be made is logged; the commands in it will say what is wrong.
    pub fn set(&mut self, wanted: &[(BuilderName, String)]) -> Vec<BuilderName> {
        let mut gone = Vec::new();
        self.known.retain(|name, _| {
            let stays = wanted.iter().any(|(wanted_name, _)| wanted_name == name);
            if !stays {
                info!("removing old builder {name}");
                gone.push(name.clone());
            }
            stays
        });
        for (name, directory) in wanted {
            self.place(name, directory);
        }
        self.look_after_leftovers();
        gone
    }

    fn place(&mut self, name: &BuilderName, directory: &str) {
        let path = self.base_dir.join(directory);
        if let Err(error) = fs::create_dir_all(&path) {
            warn!(
                "cannot make the directory {} of builder {name}: {error}",
                path.display()
            );
        }
        let builder = self.known.entry(name.clone()).or_insert_with(|| Builder {
            directory: directory.to_owned(),
        });
        if builder.directory != directory {
            info!(
                "changing builddir for builder {name} from {} to {directory}",
                builder.directory
            );
            builder.directory = directory.to_owned();
        }
    }

    /// The directory of a builder, if the master gave us that builder.
    pub fn directory(&self, name: &BuilderName) -> Option<PathBuf> {
        self.known
            .get(name)
            .map(|builder| self.base_dir.join(&builder.directory))
    }

    fn look_after_leftovers(&self) {
        let trash = self.base_dir.join(OWN_DIRECTORY).join(TRASH);
        let mut number = 0;
        for name in self.leftovers() {
            let shown = name.to_string_lossy();
            if !self.delete_leftovers {
                info!(
                    "I have a leftover directory '{shown}' that is not being used by the \
                     buildmaster: you can delete it now"
                );
                continue;
            }
            info!("Deleting directory '{shown}' that is not being used by the buildmaster");
            if let Err(error) = self.discard(&name, &trash, &mut number) {
                warn!("cannot delete the leftover directory '{shown}': {error}");
            }
        }
        // Also what an earlier worker did not get done.
        if self.delete_leftovers && trash.exists() {
            let started = std::thread::Builder::new()
                .name("leftovers".to_owned())
                .spawn(move || empty(&trash));
            if let Err(error) = started {
                warn!("cannot start a thread to delete leftover directories: {error}");
            }
        }
    }

    /// Directories directly in the base directory in which no builder's directory lies; none if a
    /// builder has the base directory itself. The reference compares whole names, so that a builder
    /// directory `a/b` makes it delete `a` (PROTOCOL 4.5).
    fn leftovers(&self) -> Vec<OsString> {
        let mut used = vec![OsString::from("info"), OsString::from(OWN_DIRECTORY)];
        for builder in self.known.values() {
            match self.place_of(&builder.directory) {
                Place::In(name) => used.push(name),
                Place::Base => return Vec::new(),
                Place::Elsewhere => {}
            }
        }
        let entries = match fs::read_dir(&self.base_dir) {
            Ok(entries) => entries,
            Err(error) => {
                warn!("cannot look for leftover directories: {error}");
                return Vec::new();
            }
        };
        let mut found: Vec<_> = entries
            .filter_map(Result::ok)
            .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
            .map(|entry| entry.file_name())
            .filter(|name| !used.contains(name))
            .collect();
        found.sort();
        found
    }

    /// Where a builder's directory lies. It may be absolute, or contain `..`.
    fn place_of(&self, directory: &str) -> Place {
        let path = plain(&self.base_dir.join(directory));
        match path.strip_prefix(plain(&self.base_dir)) {
            Ok(below) => match below.components().next() {
                Some(name) => Place::In(name.as_os_str().to_owned()),
                None => Place::Base,
            },
            Err(_) => Place::Elsewhere,
        }
    }

    /// Moves a directory out of the way at once, so that the master may use its name again. `number`
    /// is the first that may be free.
    fn discard(&self, name: &OsStr, trash: &Path, number: &mut u64) -> io::Result<()> {
        fs::create_dir_all(trash)?;
        let place = loop {
            let path = trash.join(number.to_string());
            *number += 1;
            if path.symlink_metadata().is_err() {
                break path;
            }
        };
        fs::rename(self.base_dir.join(name), place)
    }
}

/// Where a builder's directory lies.
enum Place {
    /// In this directory of the base directory, or it is this one.
    In(OsString),
    /// It is the base directory.
    Base,
    /// Not below the base directory.
    Elsewhere,
}

/// Deletes what is in a directory, but not the directory: others put more in meanwhile. It is done
/// on a thread of its own, so that the loop goes on answering.
fn empty(trash: &Path) {
    let entries = match fs::read_dir(trash) {
        Ok(entries) => entries,
        Err(error) => {
            warn!("cannot list {}: {error}", trash.display());
            return;
        }
    };
    for entry in entries.filter_map(Result::ok) {
        match fs::remove_dir_all(entry.path()) {
            // Two may be at it.
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                warn!("cannot delete {}: {error}", entry.path().display());
            }
            Ok(()) | Err(_) => {}
        }
    }
}

/// The path without `.` and `..`, by its text alone.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                plain.pop();
            }
            Component::Normal(_) | Component::Prefix(_) | Component::RootDir => {
                plain.push(component);
            }
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scratch(name: &str) -> PathBuf {
        let path = std::env::temp_dir().join(format!("coracle-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        path
    }

    fn list(pairs: &[(&str, &str)]) -> Vec<(BuilderName, String)> {
        pairs
            .iter()
            .map(|(name, dir)| (BuilderName((*name).to_owned()), (*dir).to_owned()))
            .collect()
    }

    #[test]
    fn directories_are_made_with_parents() {
        let base = scratch("builders-made");
        let mut builders = Builders::new(base.clone(), false);
        builders.set(&list(&[("one", "a/b"), ("two", "c")]));
        assert!(base.join("a/b").is_dir());
        assert_eq!(
            builders.directory(&BuilderName("two".to_owned())),
            Some(base.join("c"))
        );
        fs::remove_dir_all(base).unwrap();
    }

    #[test]
    fn a_nested_builder_directory_is_no_leftover() {
        let base = scratch("builders-nested");
        fs::create_dir_all(base.join("old")).unwrap();
        fs::create_dir_all(base.join("info")).unwrap();
        fs::create_dir_all(base.join(".coracle")).unwrap();
        let mut builders = Builders::new(base.clone(), false);
        builders.set(&list(&[("one", "a/b")]));
        assert_eq!(builders.leftovers(), ["old"]);
        fs::remove_dir_all(base).unwrap();
    }

    #[test]
    fn a_directory_that_is_used_is_no_leftover_however_it_is_written() {
        let base = scratch("builders-written");
        fs::create_dir_all(base.join("old")).unwrap();
        let absolute = base.join("one").to_str().unwrap().to_owned();
        let mut builders = Builders::new(base.clone(), false);
        builders.set(&list(&[
            ("one", &absolute),
            ("two", "x/../two"),
            ("three", "./three/deep"),
            ("four", "../elsewhere/../four-of-coracle"),
        ]));
        assert_eq!(builders.leftovers(), ["old", "x"]);
        builders.set(&list(&[("all", ".")]));
        assert!(builders.leftovers().is_empty());
        fs::remove_dir_all(base.join("../four-of-coracle")).unwrap();
        fs::remove_dir_all(base).unwrap();
    }

    #[test]
    fn leftovers_are_out_of_the_way_at_once_and_links_are_not_followed() {
        let base = scratch("builders-delete");
        let outside = scratch("builders-outside");
        fs::write(outside.join("keep"), "x").unwrap();
        fs::create_dir_all(base.join("old/deep")).unwrap();
        ports::make_link(&outside, &base.join("link")).unwrap();
        ports::make_link(&outside, &base.join("old/link")).unwrap();
        let mut builders = Builders::new(base.clone(), true);
        builders.set(&list(&[("one", "new")]));
        assert!(!base.join("old").exists());
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
        let left = || {
            fs::read_dir(base.join(".coracle/leftover"))
                .unwrap()
                .count()
        };
        while left() > 0 && std::time::Instant::now() < deadline {
            std::thread::yield_now();
        }
        assert_eq!(left(), 0);
        assert!(outside.join("keep").exists());
        assert!(base.join("link").exists());
        fs::remove_dir_all(base).unwrap();
        fs::remove_dir_all(outside).unwrap();
    }

    #[test]
    fn a_builder_that_is_gone_is_named_and_a_changed_directory_is_made() {
        let base = scratch("builders-gone");
        let mut builders = Builders::new(base.clone(), false);
        builders.set(&list(&[("one", "a"), ("two", "b")]));
        let gone = builders.set(&list(&[("two", "b2")]));
        assert_eq!(gone, [BuilderName("one".to_owned())]);
        let two = BuilderName("two".to_owned());
        assert_eq!(builders.directory(&two), Some(base.join("b2")));
        assert!(base.join("b2").is_dir());
        fs::remove_dir_all(base).unwrap();
    }
}
