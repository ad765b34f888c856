//! Reads expressions.

use super::literal;
use super::parse::{Parser, Read, Unreadable};
use super::syntax::{Argument, Binary, Comparison, Expression, ExpressionKind, Style, Unary};
use super::token::Kind;

/// Deepest nesting of expressions in one statement.
const NESTING: u32 = 60;

/// Most operators, calls and attributes in a row: together with the nesting, what bounds the depth
/// of the tree, and so the stack that evaluating and dropping it need.
const CHAIN: u32 = 400;

/// How strongly binary operators bind, from 5.
fn binary(operator: &str) -> Option<(u8, Binary)> {
    Some(match operator {
        "|" => (5, Binary::Or),
        "^" => (6, Binary::Xor),
        "&" => (7, Binary::And),
        "<<" => (8, Binary::ShiftLeft),
        ">>" => (8, Binary::ShiftRight),
        "+" => (9, Binary::Add),
        "-" => (9, Binary::Subtract),
        "*" => (10, Binary::Multiply),
        "/" => (10, Binary::Divide),
        "//" => (10, Binary::FloorDivide),
        "%" => (10, Binary::Remainder),
        "@" => (10, Binary::Matrix),
        "**" => (12, Binary::Power),
        _ => return None,
    })
}

const OR: u8 = 1;
const AND: u8 = 2;
const NOT: u8 = 3;
const COMPARISON: u8 = 4;
const BITS: u8 = 5;
const UNARY: u8 = 11;
const POWER: u8 = 12;

/// The operator of `a += b`.
pub fn update_operator(text: &str) -> Option<Binary> {
    let operator = text.strip_suffix('=')?;
    binary(operator).map(|(_, operator)| operator)
}

impl Parser<'_> {
    /// One expression, or several with commas between them, which make a tuple.
    pub fn expressions(&mut self) -> Read<Expression> {
        let first = self.starred()?;
        if !self.is_operator(",") {
            return Ok(first);
        }
        let (line, start) = (first.line, first.start);
        let mut items = vec![first];
        while self.take_operator(",") {
            if self.ends_expressions() {
                break;
            }
            items.push(self.starred()?);
        }
        Ok(self.made(line, start, ExpressionKind::Tuple(items)))
    }

    fn starred(&mut self) -> Read<Expression> {
        if self.is_operator("*") {
            return Err(self.unreadable("`*values` is supported as an argument only"));
        }
        self.expression()
    }

    fn ends_expressions(&self) -> bool {
        let token = self.token();
        match token.kind {
            Kind::Newline | Kind::End | Kind::Indent | Kind::Dedent => true,
            Kind::Operator => matches!(token.text, ")" | "]" | "}" | "=" | ":" | ";"),
            Kind::Name => token.text == "in",
            Kind::Number | Kind::Text => false,
        }
    }

    /// One expression.
    pub fn expression(&mut self) -> Read<Expression> {
        if self.is_name("lambda") {
            return Err(self.unreadable("`lambda` is not supported"));
        }
        let value = self.binding(OR)?;
        if self.is_operator(":=") {
            return Err(self.unreadable("`:=` is not supported"));
        }
        if !self.take_name("if") {
            return Ok(value);
        }
        self.chain()?;
        let condition = self.binding(OR)?;
        if !self.take_name("else") {
            return Err(self.unreadable("`if` without `else`"));
        }
        let other = self.nested(Parser::expression)?;
        let (line, start) = (value.line, value.start);
        let kind =
            ExpressionKind::Conditional(Box::new(condition), Box::new(value), Box::new(other));
        Ok(self.made(line, start, kind))
    }

    /// Runs `read` one level deeper.
    fn nested<T>(&mut self, read: impl FnOnce(&mut Self) -> Read<T>) -> Read<T> {
        if self.nesting >= NESTING {
            return Err(self.unreadable("this expression is nested too deeply"));
        }
        self.nesting += 1;
        let result = read(self);
        self.nesting -= 1;
        result
    }

    fn chain(&mut self) -> Read<()> {
        self.chained += 1;
        if self.chained > CHAIN {
            return Err(self.unreadable("this expression is too long"));
        }
        Ok(())
    }

    /// An expression whose operators bind at least so strongly.
    fn binding(&mut self, least: u8) -> Read<Expression> {
        let mut left = self.prefixed(least)?;
        loop {
            let token = *self.token();
            let (line, start) = (left.line, left.start);
            let kind = match (token.kind, token.text) {
                (Kind::Name, "or") if least <= OR => {
                    self.advance();
                    let right = self.nested(|parser| parser.binding(AND))?;
                    ExpressionKind::Or(Box::new(left), Box::new(right))
                }
                (Kind::Name, "and") if least <= AND => {
                    self.advance();
                    let right = self.nested(|parser| parser.binding(NOT))?;
                    ExpressionKind::And(Box::new(left), Box::new(right))
                }
                (Kind::Name | Kind::Operator, _) if least <= COMPARISON && self.at_comparison() => {
                    let pairs = self.comparisons()?;
                    ExpressionKind::Compare(Box::new(left), pairs)
                }
                (Kind::Operator, text) => {
                    let Some((strength, operator)) = binary(text) else {
                        return Ok(left);
                    };
                    if strength < least {
                        return Ok(left);
                    }
                    self.advance();
                    // `**` binds to the right, and its right side may have a sign.
                    let next = if strength == POWER {
                        UNARY
                    } else {
                        strength + 1
                    };
                    let right = self.nested(|parser| parser.binding(next))?;
                    ExpressionKind::Binary(operator, Box::new(left), Box::new(right))
                }
                _ => return Ok(left),
            };
            self.chain()?;
            left = self.made(line, start, kind);
        }
    }

    fn at_comparison(&self) -> bool {
        let token = self.token();
        match token.kind {
            Kind::Operator => matches!(token.text, "==" | "!=" | "<" | "<=" | ">" | ">="),
            Kind::Name => {
                matches!(token.text, "in" | "is") && !self.in_for_target
                    || token.text == "not" && self.next_is_name("in")
            }
            Kind::Number | Kind::Text | Kind::Newline | Kind::Indent | Kind::Dedent | Kind::End => {
                false
            }
        }
    }

    fn comparisons(&mut self) -> Read<Vec<(Comparison, Expression)>> {
        let mut pairs = Vec::new();
        while self.at_comparison() {
            self.chain()?;
            let word = self.token().text;
            self.advance();
            let comparison = match word {
                "==" => Comparison::Equal,
                "!=" => Comparison::NotEqual,
                "<" => Comparison::Less,
                "<=" => Comparison::LessOrEqual,
                ">" => Comparison::Greater,
                ">=" => Comparison::GreaterOrEqual,
                "in" => Comparison::In,
                "is" if self.take_name("not") => Comparison::IsNot,
                "is" => Comparison::Is,
                // at_comparison leaves only `not in`.
                _ => {
                    self.advance();
                    Comparison::NotIn
                }
            };
            let right = self.nested(|parser| parser.binding(BITS))?;
            pairs.push((comparison, right));
        }
        Ok(pairs)
    }

    fn prefixed(&mut self, least: u8) -> Read<Expression> {
        let token = *self.token();
        let (operator, strength) = match (token.kind, token.text) {
            (Kind::Name, "not") if least <= NOT => (Unary::Not, NOT),
            (Kind::Operator, "-") => (Unary::Minus, UNARY),
            (Kind::Operator, "+") => (Unary::Plus, UNARY),
            (Kind::Operator, "~") => (Unary::Invert, UNARY),
            _ => return self.postfixed(),
        };
        self.advance();
        let operand = self.nested(|parser| parser.binding(strength))?;
        let kind = ExpressionKind::Unary(operator, Box::new(operand));
        Ok(self.made(token.line, token.start, kind))
    }

    fn postfixed(&mut self) -> Read<Expression> {
        let mut value = self.atom()?;
        loop {
            let token = *self.token();
            if token.kind != Kind::Operator {
                return Ok(value);
            }
            let (line, start) = (value.line, value.start);
            let kind = match token.text {
                "." => {
                    self.advance();
                    ExpressionKind::Attribute(Box::new(value), self.name()?)
                }
                "(" => {
                    self.advance();
                    let arguments = self.nested(Parser::arguments)?;
                    ExpressionKind::Call(Box::new(value), arguments)
                }
                "[" => {
                    self.advance();
                    self.nested(|parser| parser.subscript(value))?
                }
                _ => return Ok(value),
            };
            self.chain()?;
            value = self.made(line, start, kind);
        }
    }

    fn arguments(&mut self) -> Read<Vec<Argument>> {
        let mut arguments = Vec::new();
        while !self.take_operator(")") {
            let style = if self.take_operator("*") {
                Style::Positions
            } else if self.take_operator("**") {
                Style::Keywords
            } else if self.token().kind == Kind::Name && self.next_is_operator("=") {
                let name = self.name()?;
                self.advance();
                Style::Keyword(name)
            } else {
                Style::Position
            };
            let value = self.expression()?;
            let value = if self.is_name("for") {
                self.comprehension(value)?
            } else {
                value
            };
            arguments.push(Argument { style, value });
            if !self.take_operator(",") && !self.is_operator(")") {
                return Err(self.unreadable("`,` or `)` is missing"));
            }
        }
        Ok(arguments)
    }

    fn subscript(&mut self, base: Expression) -> Read<ExpressionKind> {
        let first = if self.is_operator(":") {
            None
        } else {
            Some(Box::new(self.expressions()?))
        };
        if !self.take_operator(":") {
            self.expect("]")?;
            let index = first.ok_or_else(|| self.unreadable("an index is missing"))?;
            return Ok(ExpressionKind::Index(Box::new(base), index));
        }
        let last = if self.is_operator("]") || self.is_operator(":") {
            None
        } else {
            Some(Box::new(self.expression()?))
        };
        if self.is_operator(":") {
            return Err(self.unreadable("slices with a step are not supported"));
        }
        self.expect("]")?;
        Ok(ExpressionKind::Slice(Box::new(base), first, last))
    }

    fn comprehension(&mut self, element: Expression) -> Read<Expression> {
        let (line, start) = (element.line, element.start);
        self.advance();
        let target = self.for_target()?;
        if !self.take_name("in") {
            return Err(self.unreadable("`for` without `in`"));
        }
        let values = self.nested(|parser| parser.binding(OR))?;
        let mut conditions = Vec::new();
        while self.take_name("if") {
            self.chain()?;
            conditions.push(self.nested(|parser| parser.binding(OR))?);
        }
        if self.is_name("for") || self.is_name("async") {
            return Err(self.unreadable("a comprehension with several `for` is not supported"));
        }
        let kind = ExpressionKind::Comprehension(
            Box::new(element),
            Box::new(target),
            Box::new(values),
            conditions,
        );
        Ok(self.made(line, start, kind))
    }

    /// What stands between `for` and `in`.
    pub fn for_target(&mut self) -> Read<Expression> {
        self.in_for_target = true;
        let target = self.expressions();
        self.in_for_target = false;
        target
    }

    fn atom(&mut self) -> Read<Expression> {
        let token = *self.token();
        let kind = match token.kind {
            Kind::Text => self.texts()?,
            Kind::Number => {
                let number = literal::number(token.text).map_err(|why| self.unreadable(why))?;
                self.advance();
                ExpressionKind::Number(number)
            }
            Kind::Name => self.named(token.text)?,
            Kind::Operator => return self.bracketed(),
            Kind::Newline | Kind::Indent | Kind::Dedent | Kind::End => {
                return Err(self.unreadable("an expression is missing"));
            }
        };
        Ok(self.made(token.line, token.start, kind))
    }

    fn named(&mut self, name: &str) -> Read<ExpressionKind> {
        if matches!(name, "await" | "yield" | "lambda") {
            return Err(self.unreadable("`await`, `yield` and `lambda` are not supported"));
        }
        let name = self.name()?;
        Ok(match name.as_str() {
            "None" => ExpressionKind::None,
            "True" => ExpressionKind::Bool(true),
            "False" => ExpressionKind::Bool(false),
            _ => ExpressionKind::Name(name),
        })
    }

    /// Texts side by side are one text.
    fn texts(&mut self) -> Read<ExpressionKind> {
        let mut pieces = Vec::new();
        while self.token().kind == Kind::Text {
            let more = literal::text(self.token().text).map_err(|why| self.unreadable(why))?;
            pieces.extend(more);
            self.advance();
        }
        Ok(ExpressionKind::Text(pieces))
    }

    fn bracketed(&mut self) -> Read<Expression> {
        let token = *self.token();
        self.advance();
        let kind = match token.text {
            "(" => self.nested(Parser::parenthesis)?,
            "[" => self.nested(Parser::list)?,
            "{" => self.nested(Parser::dict)?,
            "..." => ExpressionKind::Unsupported("`...`"),
            _ => return Err(Unreadable::at(token.line, "this is not an expression")),
        };
        Ok(self.made(token.line, token.start, kind))
    }

    fn parenthesis(&mut self) -> Read<ExpressionKind> {
        if self.take_operator(")") {
            return Ok(ExpressionKind::Tuple(Vec::new()));
        }
        let was_in_target = std::mem::take(&mut self.in_for_target);
        let inner = self.expressions()?;
        let inner = if self.is_name("for") {
            self.comprehension(inner)?
        } else {
            inner
        };
        self.in_for_target = was_in_target;
        self.expect(")")?;
        Ok(inner.kind)
    }

    fn list(&mut self) -> Read<ExpressionKind> {
        if self.take_operator("]") {
            return Ok(ExpressionKind::List(Vec::new()));
        }
        let was_in_target = std::mem::take(&mut self.in_for_target);
        let inner = self.expression()?;
        let kind = if self.is_name("for") {
            self.comprehension(inner)?.kind
        } else {
            let mut items = vec![inner];
            while self.take_operator(",") && !self.is_operator("]") {
                items.push(self.starred()?);
            }
            ExpressionKind::List(items)
        };
        self.in_for_target = was_in_target;
        self.expect("]")?;
        Ok(kind)
    }

    /// A dictionary, or a set, which is read as a list: `in` and loops are all that sets are used
    /// for in a configuration.
    fn dict(&mut self) -> Read<ExpressionKind> {
        let mut pairs = Vec::new();
        let mut items = Vec::new();
        while !self.take_operator("}") {
            if self.is_operator("**") {
                return Err(self.unreadable("`**` in a dictionary is not supported"));
            }
            let key = self.expression()?;
            if self.take_operator(":") {
                let value = self.expression()?;
                pairs.push((key, value));
            } else {
                items.push(key);
            }
            if self.is_name("for") {
                return Err(self.unreadable("a comprehension of a dictionary is not supported"));
            }
            if !self.take_operator(",") && !self.is_operator("}") {
                return Err(self.unreadable("`,` or `}` is missing"));
            }
        }
        match (pairs.is_empty(), items.is_empty()) {
            (false, false) => Err(self.unreadable("half a dictionary, half a set")),
            (true, false) => Ok(ExpressionKind::List(items)),
            (false | true, true) => Ok(ExpressionKind::Dict(pairs)),
        }
    }
}
