//! From a recipe to a plan: a variant is chosen, values are filled in, and everything is checked.

use std::collections::{BTreeMap, BTreeSet};

use super::file::{Amount, CommandFile, StepFile};
use super::{
    Action, CommandText, Content, Pattern, Plan, RecipeError, RecipeFile, Rules, ShellAction, Step,
    ValueOf, Values,
};

/// Where steps work unless they say otherwise, as Buildbot's do.
const WORKDIR: &str = "build";

/// Longest silence of a program unless the step says otherwise, in seconds; Buildbot's.
const TIMEOUT: f64 = 1200.0;

/// Largest file of [`Content::Bytes`].
const LARGEST: i64 = 64 * 1024 * 1024;

/// An action that needs nothing but a path.
type OfPath = fn(String) -> Action;

impl RecipeFile {
    /// What is to be run. `values` are the caller's, over those of the recipe and of the variant.
    ///
    /// # Errors
    /// Line and reason.
    pub fn plan(
        &self,
        variant: Option<&str>,
        values: &BTreeMap<String, ValueOf>,
    ) -> Result<Plan, RecipeError> {
        let mut all = Values(self.values.clone());
        if let Some(name) = variant {
            let Some(chosen) = self.variant.get(name) else {
                let known: Vec<&str> = self.variant.keys().map(String::as_str).collect();
                let reason = match known.is_empty() {
                    true => format!("there are no variants, and so not '{name}'"),
                    false => format!("there is no variant '{name}', only {}", known.join(", ")),
                };
                return Err(self.error(0, reason));
            };
            all = all.with(&chosen.values);
        }
        let all = all.with(values);
        let mut steps = Vec::new();
        let mut names = BTreeSet::new();
        for (index, step) in self.step.iter().enumerate() {
            let line = self.lines.get(index).copied().unwrap_or_default();
            if step.is_for(variant) {
                let step = step.fill(&all).map_err(|reason| self.error(line, reason))?;
                let missing = step.after.iter().find(|name| !names.contains(*name));
                if let Some(missing) = missing {
                    let reason = format!("no step '{missing}' comes before '{}'", step.name);
                    return Err(self.error(line, reason));
                }
                if !names.insert(step.name.clone()) {
                    return Err(self.error(line, format!("a second step '{}'", step.name)));
                }
                steps.push(step);
            }
        }
        if steps.is_empty() {
            return Err(self.error(0, "there are no steps".to_owned()));
        }
        let title = self.title.clone();
        Ok(Plan { title, steps })
    }

    fn error(&self, line: usize, reason: String) -> RecipeError {
        RecipeError {
            file: self.name.clone(),
            line,
            reason,
        }
    }
}

impl StepFile {
    fn is_for(&self, variant: Option<&str>) -> bool {
        let named = |list: &[String]| variant.is_some_and(|name| list.iter().any(|it| it == name));
        (self.variants.is_empty() || named(&self.variants)) && !named(&self.not_variants)
    }

    fn fill(&self, values: &Values) -> Result<Step, String> {
        if self.name.is_empty() {
            return Err("a step without a name".to_owned());
        }
        let named = |reason| format!("step '{}': {reason}", self.name);
        let action = self.action(values).map_err(named)?;
        let results = self.results.iter().map(|(code, outcome)| {
            let code = code
                .parse()
                .map_err(|_| format!("'{code}' in results is no exit code"))?;
            Ok((code, *outcome))
        });
        let shows = self.shows.as_ref();
        // The last line of output is not known yet.
        let line = BTreeMap::from([("line".to_owned(), ValueOf::Text("{LINE}".to_owned()))]);
        let with_line = values.clone().with(&line);
        Ok(Step {
            name: self.name.clone(),
            action,
            rules: Rules {
                halt_on_failure: self.halt_on_failure,
                flunk_on_failure: self.flunk_on_failure.unwrap_or(true),
                warn_on_failure: self.warn_on_failure,
                warn_on_warnings: self.warn_on_warnings,
                always_run: self.always_run,
            },
            results: results.collect::<Result<_, String>>().map_err(named)?,
            warnings: self.warnings.iter().cloned().map(Pattern).collect(),
            expect: self.filled(&self.expect, values).map_err(named)?,
            needs: self.filled(&self.needs, values).map_err(named)?,
            after: self.after.clone(),
            interrupt_after: amount(self.interrupt_after.as_ref(), values).map_err(named)?,
            see: self.see.clone(),
            shows: shows.map(|text| with_line.fill(text)).transpose()?,
        })
    }

    fn filled(&self, texts: &[String], values: &Values) -> Result<Vec<String>, String> {
        texts.iter().map(|text| values.fill(text)).collect()
    }

    fn action(&self, values: &Values) -> Result<Action, String> {
        let text = |text: &String| values.fill(text);
        let workdir = match &self.workdir {
            Some(workdir) => values.fill(workdir)?,
            None => WORKDIR.to_owned(),
        };
        let mut actions = Vec::new();
        if let Some(command) = &self.command {
            let action = self.shell(command, workdir.clone(), values)?;
            actions.push(Action::Shell(Box::new(action)));
        }
        if let Some(path) = &self.upload {
            actions.push(Action::Upload {
                workdir: workdir.clone(),
                path: text(path)?,
                same_as: self.same_as.clone(),
            });
        }
        if let Some(path) = &self.upload_directory {
            actions.push(Action::UploadDirectory {
                workdir: workdir.clone(),
                path: text(path)?,
                compress: self.compress.clone(),
            });
        }
        if let Some(path) = &self.download {
            actions.push(Action::Download {
                workdir,
                path: text(path)?,
                content: self.content(values)?,
                mode: self.mode,
            });
        }
        if let Some(copy) = &self.copy {
            actions.push(Action::Copy {
                from: text(&copy.from)?,
                to: text(&copy.to)?,
            });
        }
        let simple: [(&Option<String>, OfPath); 6] = [
            (&self.mkdir, Action::MakeDirectory),
            (&self.rmdir, Action::RemoveDirectory),
            (&self.stat, Action::Stat),
            (&self.glob, Action::Glob),
            (&self.listdir, Action::ListDirectory),
            (&self.rmfile, Action::RemoveFile),
        ];
        for (path, action) in simple {
            if let Some(path) = path {
                actions.push(action(text(path)?));
            }
        }
        match actions.len() {
            1 => actions.pop().ok_or_else(String::new),
            0 => Err("nothing to do: give command, upload, download, mkdir or the like".to_owned()),
            _ => Err("more than one thing to do; make several steps of it".to_owned()),
        }
    }

    fn content(&self, values: &Values) -> Result<Content, String> {
        match (&self.content, self.size) {
            (Some(text), None) => Ok(Content::Text(values.fill(text)?)),
            (None, Some(size @ 0..=LARGEST)) => {
                Ok(Content::Bytes(usize::try_from(size).unwrap_or_default()))
            }
            (None, Some(size)) => Err(format!("size is {size}; 0 to {LARGEST} are possible")),
            (Some(_), Some(_)) | (None, None) => Err("give either content or size".to_owned()),
        }
    }

    fn shell(
        &self,
        command: &CommandFile,
        workdir: String,
        values: &Values,
    ) -> Result<ShellAction, String> {
        let command = match command {
            CommandFile::Shell(text) => CommandText::Shell(values.fill(text)?),
            CommandFile::Words(words) => CommandText::Words(values.fill_words(words)?),
        };
        if matches!(&command, CommandText::Words(words) if words.is_empty()) {
            return Err("command is empty".to_owned());
        }
        let env = self
            .env
            .iter()
            .map(|(name, value)| Ok((name.clone(), values.fill(value)?)))
            .collect::<Result<_, String>>()?;
        Ok(ShellAction {
            command,
            workdir,
            env,
            timeout: amount(self.timeout.as_ref(), values)?.or(Some(TIMEOUT)),
            max_time: amount(self.max_time.as_ref(), values)?,
            max_lines: self.max_lines,
            sigterm_time: amount(self.sigterm_time.as_ref(), values)?,
            interrupt_signal: self.interrupt_signal.clone(),
            pty: self.pty,
            stdin: self.stdin.clone(),
            log_files: self
                .log_files
                .iter()
                .map(|(name, file)| (name.clone(), file.clone()))
                .collect(),
        })
    }
}

fn amount(amount: Option<&Amount>, values: &Values) -> Result<Option<f64>, String> {
    let seconds = match amount {
        None => return Ok(None),
        Some(Amount::Int(number)) => *number as f64,
        Some(Amount::Float(number)) => *number,
        Some(Amount::Text(text)) => {
            let text = values.fill(text)?;
            text.parse()
                .map_err(|_| format!("'{text}' is no number of seconds"))?
        }
    };
    if !seconds.is_finite() || seconds < 0.0 {
        return Err(format!("{seconds} is no number of seconds"));
    }
    Ok(Some(seconds))
}
