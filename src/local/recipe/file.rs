//! The file format of recipes.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Outcome, RecipeError, ValueOf};

/// A recipe as it is written.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecipeFile {
    /// What it is for, one line.
    pub title: String,
    /// What `{name}` stands for.
    #[serde(default)]
    pub values: BTreeMap<String, ValueOf>,
    /// Other values, by the name of the variant.
    #[serde(default)]
    pub variant: BTreeMap<String, VariantFile>,
    /// The steps, in order.
    #[serde(default)]
    pub(super) step: Vec<StepFile>,
    /// Where it comes from, for errors.
    #[serde(skip)]
    pub(super) name: String,
    /// Line of each step.
    #[serde(skip)]
    pub(super) lines: Vec<usize>,
}

/// A variant.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VariantFile {
    /// What it is for, one line.
    pub title: String,
    /// Values that it has instead.
    #[serde(default)]
    pub values: BTreeMap<String, ValueOf>,
}

/// A number, or a text with `{name}` in it that becomes one.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged)]
pub(super) enum Amount {
    Int(i64),
    Float(f64),
    Text(String),
}

/// A line for the shell, or words.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged)]
pub(super) enum CommandFile {
    Shell(String),
    Words(Vec<String>),
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CopyFile {
    pub from: String,
    pub to: String,
}

/// A step: one of the actions, and how it is run and judged.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct StepFile {
    pub name: String,
    pub command: Option<CommandFile>,
    pub upload: Option<String>,
    pub upload_directory: Option<String>,
    pub download: Option<String>,
    pub mkdir: Option<String>,
    pub rmdir: Option<String>,
    pub copy: Option<CopyFile>,
    pub stat: Option<String>,
    pub glob: Option<String>,
    pub listdir: Option<String>,
    pub rmfile: Option<String>,
    pub workdir: Option<String>,
    pub env: BTreeMap<String, String>,
    pub timeout: Option<Amount>,
    pub max_time: Option<Amount>,
    pub max_lines: Option<i64>,
    pub sigterm_time: Option<Amount>,
    pub interrupt_signal: Option<String>,
    pub interrupt_after: Option<Amount>,
    pub pty: bool,
    pub stdin: Option<String>,
    pub log_files: BTreeMap<String, String>,
    pub content: Option<String>,
    pub size: Option<i64>,
    pub mode: Option<u32>,
    pub same_as: Option<String>,
    pub compress: Option<String>,
    pub results: BTreeMap<String, Outcome>,
    pub warnings: Vec<String>,
    pub expect: Vec<String>,
    pub needs: Vec<String>,
    pub after: Vec<String>,
    pub variants: Vec<String>,
    pub not_variants: Vec<String>,
    pub shows: Option<String>,
    pub see: String,
    pub halt_on_failure: bool,
    pub flunk_on_failure: Option<bool>,
    pub warn_on_failure: bool,
    pub warn_on_warnings: bool,
    pub always_run: bool,
}

impl RecipeFile {
    /// Reads a recipe; `name` is for errors.
    ///
    /// # Errors
    /// Line and reason.
    pub fn parse(name: &str, text: &str) -> Result<RecipeFile, RecipeError> {
        let mut file: RecipeFile = basic_toml::from_str(text).map_err(|error| {
            let (reason, line) = reason_and_line(&error.to_string());
            RecipeError {
                file: name.to_owned(),
                line,
                reason,
            }
        })?;
        file.name = name.to_owned();
        file.lines = text
            .lines()
            .enumerate()
            .filter(|(_, line)| line.trim_start().starts_with("[[step]]"))
            .map(|(index, _)| index + 1)
            .collect();
        Ok(file)
    }

    /// The built-in recipe of this name.
    ///
    /// # Errors
    /// There is none; which there are.
    pub fn built_in(name: &str) -> Result<RecipeFile, RecipeError> {
        match super::BUILT_IN.iter().find(|(known, _)| *known == name) {
            Some((_, text)) => RecipeFile::parse(&format!("built-in recipe {name}"), text),
            None => Err(RecipeError {
                file: name.to_owned(),
                line: 0,
                reason: format!(
                    "there is no such built-in recipe, only {}",
                    super::BUILT_IN.map(|(name, _)| name).join(", ")
                ),
            }),
        }
    }
}

/// The library puts the place at the end of its text: `... at line 3 column 1`.
fn reason_and_line(text: &str) -> (String, usize) {
    let place = text.rfind(" at line ");
    let line = place.and_then(|at| {
        let number = text[at + 9..].split_whitespace().next()?;
        number.parse().ok()
    });
    match (place, line) {
        (Some(at), Some(line)) => (text[..at].to_owned(), line),
        (_, _) => (text.to_owned(), 0),
    }
}
