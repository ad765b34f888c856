//! Reads statements that have blocks.

use super::parse::{Parser, Read};
use super::syntax::{Block, Handler, StatementKind};
use super::token::Kind;

impl Parser<'_> {
    /// A statement with a block, if there is one in front of us.
    pub fn compound(&mut self) -> Read<Option<StatementKind>> {
        let token = *self.token();
        match token.kind {
            Kind::Operator if token.text == "@" => {
                return Err(self.unreadable("decorators are not supported"));
            }
            // Stray ones, after something that could not be read.
            Kind::Indent | Kind::Dedent | Kind::Newline => {
                self.advance();
                return Ok(Some(StatementKind::Pass));
            }
            Kind::Operator | Kind::Number | Kind::Text | Kind::End => return Ok(None),
            Kind::Name => {}
        }
        let read = match token.text {
            "if" => Self::if_statement,
            "for" => Self::for_statement,
            "while" => Self::while_statement,
            "with" => Self::with_statement,
            "try" => Self::try_statement,
            "def" | "class" => Self::definition,
            "async" if self.next_is_name("def") => {
                self.advance();
                Self::definition
            }
            _ => return Ok(None),
        };
        self.advance();
        read(self).map(Some)
    }

    /// What follows a colon.
    fn block(&mut self) -> Read<Block> {
        self.expect(":")?;
        let mut statements = Vec::new();
        if self.token().kind != Kind::Newline {
            self.simple_statements(&mut statements)?;
            return Ok(statements);
        }
        self.advance();
        if self.token().kind != Kind::Indent {
            return Err(self.unreadable("a block is missing"));
        }
        self.advance();
        while !matches!(self.token().kind, Kind::Dedent | Kind::End) {
            self.statement(&mut statements);
        }
        self.advance();
        Ok(statements)
    }

    fn if_statement(&mut self) -> Read<StatementKind> {
        let condition = self.expression()?;
        let mut branches = vec![(condition, self.block()?)];
        let mut otherwise = Vec::new();
        loop {
            (self.nesting, self.chained) = (0, 0);
            if self.take_name("elif") {
                let condition = self.expression()?;
                branches.push((condition, self.block()?));
            } else {
                if self.take_name("else") {
                    otherwise = self.block()?;
                }
                return Ok(StatementKind::If(branches, otherwise));
            }
        }
    }

    fn for_statement(&mut self) -> Read<StatementKind> {
        let target = self.for_target()?;
        if !self.take_name("in") {
            return Err(self.unreadable("`for` without `in`"));
        }
        let values = self.expressions()?;
        let body = self.block()?;
        if self.is_name("else") {
            return Err(self.unreadable("`else` of a loop is not supported"));
        }
        Ok(StatementKind::For(target, values, body))
    }

    fn while_statement(&mut self) -> Read<StatementKind> {
        self.expression()?;
        let mut body = self.block()?;
        if self.take_name("else") {
            body.extend(self.block()?);
        }
        Ok(StatementKind::While(body))
    }

    fn with_statement(&mut self) -> Read<StatementKind> {
        let mut items = Vec::new();
        loop {
            let value = self.expression()?;
            let target = if self.take_name("as") {
                Some(self.expression()?)
            } else {
                None
            };
            items.push((value, target));
            if !self.take_operator(",") {
                break;
            }
        }
        Ok(StatementKind::With(items, self.block()?))
    }

    fn try_statement(&mut self) -> Read<StatementKind> {
        let body = self.block()?;
        let (mut handlers, mut otherwise, mut finally) = (Vec::new(), Vec::new(), Vec::new());
        loop {
            if self.take_name("except") {
                handlers.push(self.handler()?);
            } else if self.take_name("else") {
                otherwise = self.block()?;
            } else if self.take_name("finally") {
                finally = self.block()?;
            } else {
                return Ok(StatementKind::Try(body, handlers, otherwise, finally));
            }
        }
    }

    fn handler(&mut self) -> Read<Handler> {
        let catches = if self.is_operator(":") {
            None
        } else {
            Some(self.expression()?)
        };
        // `except E, name` is Python 2's way.
        let name = if self.take_name("as") || self.take_operator(",") {
            Some(self.name()?)
        } else {
            None
        };
        let body = self.block()?;
        Ok(Handler {
            catches,
            name,
            body,
        })
    }

    /// A function or class: its name; the rest is passed over.
    fn definition(&mut self) -> Read<StatementKind> {
        let name = self.name()?;
        self.skip_statement();
        Ok(StatementKind::Define(name))
    }
}
