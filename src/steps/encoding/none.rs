//! In place of `tables.rs` in a program that is to be small: there are no tables.

use super::TextEncoding;

/// None.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coding {}

impl Coding {
    pub(super) fn encode(self, _: &str) -> Result<Vec<u8>, char> {
        match self {}
    }

    pub(super) fn meaning(self, _: u8) -> char {
        match self {}
    }

    pub(super) fn changes_ascii(self) -> bool {
        match self {}
    }
}

/// None.
pub(in crate::steps) enum Reading {}

impl Reading {
    pub(in crate::steps) fn new(coding: Coding) -> Reading {
        match coding {}
    }

    pub(in crate::steps) fn push(&mut self, _: &[u8]) -> String {
        match *self {}
    }

    pub(in crate::steps) fn finish(&mut self) -> String {
        match *self {}
    }
}

/// There is none.
pub(super) fn named(_: &str) -> Option<TextEncoding> {
    None
}
