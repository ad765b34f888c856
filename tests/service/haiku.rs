//! The file for the launch_daemon, read by the grammar of Haiku's settings files: a parameter is a
//! name and values on one line, and may have parameters of its own between braces; blanks part
//! words, quotes and backslashes keep them together, `#` begins a comment, `;` ends a line.

use std::iter::Peekable;
use std::process::Command;
use std::str::Chars;

use super::{ODD, Recorder, service};

#[derive(Debug, PartialEq)]
struct Parameter {
    words: Vec<String>,
    parameters: Vec<Parameter>,
}

fn parse(letters: &mut Peekable<Chars<'_>>, depth: u32) -> Vec<Parameter> {
    let mut found: Vec<Parameter> = Vec::new();
    let mut words: Vec<String> = Vec::new();
    let end_line = |words: &mut Vec<String>, found: &mut Vec<Parameter>| {
        if !words.is_empty() {
            let words = std::mem::take(words);
            found.push(Parameter {
                words,
                parameters: Vec::new(),
            });
        }
    };
    loop {
        match letters.next() {
            None => {
                assert_eq!(depth, 0, "a closing brace is missing");
                end_line(&mut words, &mut found);
                return found;
            }
            Some('\n' | ';') => end_line(&mut words, &mut found),
            Some(' ' | '\t') => {}
            Some('#') => while letters.next_if(|letter| *letter != '\n').is_some() {},
            Some('{') => {
                end_line(&mut words, &mut found);
                found.last_mut().unwrap().parameters = parse(letters, depth + 1);
            }
            Some('}') => {
                assert!(depth > 0, "a brace too many");
                end_line(&mut words, &mut found);
                return found;
            }
            Some(quote @ ('"' | '\'')) => words.push(quoted(letters, quote)),
            Some(first) => {
                let mut word = String::from(first);
                while let Some(letter) = letters.next_if(|letter| !" \t\n;".contains(*letter)) {
                    word.push(letter);
                }
                words.push(word);
            }
        }
    }
}

fn quoted(letters: &mut Peekable<Chars<'_>>, quote: char) -> String {
    let mut word = String::new();
    loop {
        match letters.next().expect("a closing quote") {
            '\\' => word.push(letters.next().unwrap()),
            letter if letter == quote => return word,
            letter => word.push(letter),
        }
    }
}

#[test]
fn the_launch_daemon_gets_a_service_that_becomes_the_worker() {
    let recorder = Recorder::new("c'or \"a\" cle");
    for name in ODD {
        let basedir = format!("/srv/{name}");
        let text = service("haiku", &basedir, recorder.program()).unwrap();
        let all = parse(&mut text.chars().peekable(), 0);
        assert_eq!(all.len(), 1);
        assert_eq!(all[0].words, ["service", "coracle-one"]);
        let names: Vec<&str> = all[0]
            .parameters
            .iter()
            .map(|p| p.words[0].as_str())
            .collect();
        // What a job may have, see the introduction to the launch_daemon in Haiku's API book.
        assert_eq!(names, ["env", "launch", "legacy", "no_safemode"]);
        let launch = &all[0].parameters[1].words;
        assert_eq!(launch[1..3], ["/bin/sh", "-c"]);
        let line = launch[3].strip_prefix("sleep 5; ").unwrap();
        let mut shell = Command::new("sh");
        shell.arg("-c").arg(line).args(&launch[4..]);
        assert!(shell.status().unwrap().success());
        assert_eq!(recorder.words(), ["start", "--nodaemon", &basedir]);
    }
}
