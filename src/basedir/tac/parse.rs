//! Reads statements. What it cannot read becomes a statement that says so: such a statement matters
//! only if a setting depends on it.

use super::SyntaxError;
use super::expressions::update_operator;
use super::syntax::{Block, Expression, ExpressionKind, Statement, StatementKind};
use super::token::{Kind, Token, tokens};

/// Why a statement cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    /// Where.
    pub line: u32,
    /// Why.
    pub why: &'static str,
}

impl Unreadable {
    /// At this line, for this reason.
    pub fn at(line: u32, why: &'static str) -> Self {
        Self { line, why }
    }
}

/// What reading a part gives.
pub type Read<T> = Result<T, Unreadable>;

/// The statements of a file.
///
/// # Errors
/// What [`tokens`] refuses.
pub fn parse(source: &str) -> Result<Block, SyntaxError> {
    let mut parser = Parser::new(tokens(source)?);
    let mut statements = Vec::new();
    while parser.token().kind != Kind::End {
        parser.statement(&mut statements);
    }
    Ok(statements)
}

/// The expression in a field of an f-string.
///
/// # Errors
/// It is not one.
pub fn parse_field(source: &str) -> Result<Expression, &'static str> {
    let tokens = tokens(source).map_err(|_| "a field of an f-string cannot be read")?;
    let mut parser = Parser::new(tokens);
    let value = parser.expressions().map_err(|error| error.why)?;
    match parser.token().kind {
        Kind::Newline | Kind::End => Ok(value),
        _ => Err("a field of an f-string cannot be read"),
    }
}

/// Goes through tokens.
pub struct Parser<'s> {
    tokens: Vec<Token<'s>>,
    at: usize,
    /// How deep the expression being read is.
    pub nesting: u32,
    /// How many operators this statement has had so far.
    pub chained: u32,
    /// Whether `in` ends the expression being read.
    pub in_for_target: bool,
}

impl<'s> Parser<'s> {
    fn new(tokens: Vec<Token<'s>>) -> Self {
        Self {
            tokens,
            at: 0,
            nesting: 0,
            chained: 0,
            in_for_target: false,
        }
    }

    /// The token in front of us.
    pub fn token(&self) -> &Token<'s> {
        // `tokens` ends every file with an End, and `advance` stops there.
        &self.tokens[self.at]
    }

    /// Goes on by one token.
    pub fn advance(&mut self) {
        self.at = (self.at + 1).min(self.tokens.len() - 1);
    }

    fn following(&self) -> &Token<'s> {
        &self.tokens[(self.at + 1).min(self.tokens.len() - 1)]
    }

    /// Whether this operator is in front of us.
    pub fn is_operator(&self, text: &str) -> bool {
        self.token().kind == Kind::Operator && self.token().text == text
    }

    /// Whether this keyword is in front of us.
    pub fn is_name(&self, text: &str) -> bool {
        self.token().kind == Kind::Name && self.token().text == text
    }

    /// Whether this operator is the one after what is in front of us.
    pub fn next_is_operator(&self, text: &str) -> bool {
        self.following().kind == Kind::Operator && self.following().text == text
    }

    /// Whether this keyword is the one after what is in front of us.
    pub fn next_is_name(&self, text: &str) -> bool {
        self.following().kind == Kind::Name && self.following().text == text
    }

    /// Takes this operator if it is in front of us.
    pub fn take_operator(&mut self, text: &str) -> bool {
        let found = self.is_operator(text);
        if found {
            self.advance();
        }
        found
    }

    /// Takes this keyword if it is in front of us.
    pub fn take_name(&mut self, text: &str) -> bool {
        let found = self.is_name(text);
        if found {
            self.advance();
        }
        found
    }

    /// Takes this operator.
    pub fn expect(&mut self, text: &str) -> Read<()> {
        if self.take_operator(text) {
            return Ok(());
        }
        Err(self.unreadable("this is not Python that can be read here"))
    }

    /// Takes a name.
    pub fn name(&mut self) -> Read<String> {
        let token = *self.token();
        if token.kind != Kind::Name {
            return Err(self.unreadable("a name is missing"));
        }
        self.advance();
        Ok(token.text.to_owned())
    }

    /// An error about what is in front of us.
    pub fn unreadable(&self, why: &'static str) -> Unreadable {
        Unreadable::at(self.token().line, why)
    }

    /// An expression that began there and ends with the last token taken.
    pub fn made(&self, line: u32, start: usize, kind: ExpressionKind) -> Expression {
        let last = &self.tokens[self.at.saturating_sub(1)];
        Expression {
            line,
            start,
            end: last.start + last.text.len(),
            kind,
        }
    }

    pub fn statement(&mut self, into: &mut Block) {
        let (first, line) = (self.at, self.token().line);
        (self.nesting, self.chained, self.in_for_target) = (0, 0, false);
        let result = match self.compound() {
            Ok(Some(kind)) => {
                into.push(Statement { line, kind });
                return;
            }
            Ok(None) => self.simple_statements(into),
            Err(error) => Err(error),
        };
        if let Err(error) = result {
            self.skip_statement();
            let names = self.names_assigned(first);
            into.push(Statement {
                line: error.line,
                kind: StatementKind::Unreadable(error.why, names),
            });
        }
    }

    /// Goes to the end of the line, and of the block that belongs to it.
    pub fn skip_statement(&mut self) {
        while !matches!(
            self.token().kind,
            Kind::Newline | Kind::Indent | Kind::Dedent | Kind::End
        ) {
            self.advance();
        }
        if self.token().kind == Kind::Newline {
            self.advance();
        }
        let mut depth = 0_usize;
        loop {
            match self.token().kind {
                Kind::Indent => depth += 1,
                Kind::Dedent if depth > 0 => depth -= 1,
                // One that belongs to nothing: the end of a block of which we skipped the beginning
                // is left to whoever reads that block.
                Kind::Dedent | Kind::End => return,
                Kind::Name | Kind::Number | Kind::Text | Kind::Operator | Kind::Newline => {
                    if depth == 0 {
                        return;
                    }
                }
            }
            self.advance();
            if depth == 0 {
                return;
            }
        }
    }

    /// The names that something between this token and here may change, for the case that it could
    /// not be read: those before an assignment's sign, line by line.
    fn names_assigned(&self, first: usize) -> Vec<String> {
        let mut names = Vec::new();
        for line in self.tokens[first..self.at].split(|token| token.kind == Kind::Newline) {
            let mut depth = 0_usize;
            let mut sign = 0;
            for (at, token) in line.iter().enumerate() {
                match (token.kind, token.text) {
                    (Kind::Operator, "(" | "[" | "{") => depth += 1,
                    (Kind::Operator, ")" | "]" | "}") => depth = depth.saturating_sub(1),
                    (Kind::Operator, text) if depth == 0 && is_assignment(text) => sign = at,
                    _ => {}
                }
            }
            let words = line[..sign].iter().filter(|token| token.kind == Kind::Name);
            names.extend(words.map(|token| token.text.to_owned()));
            if changes_environment(line) {
                names.push(ENVIRONMENT.to_owned());
            }
        }
        names
    }

    pub fn simple_statements(&mut self, into: &mut Block) -> Read<()> {
        loop {
            let line = self.token().line;
            let kind = self.simple_statement()?;
            into.push(Statement { line, kind });
            let more = self.take_operator(";");
            if self.token().kind == Kind::Newline {
                self.advance();
                return Ok(());
            }
            if !more {
                return Err(self.unreadable("this statement is not supported"));
            }
        }
    }

    fn simple_statement(&mut self) -> Read<StatementKind> {
        let token = *self.token();
        if token.kind != Kind::Name {
            return self.assignment();
        }
        let kind = match token.text {
            "pass" => StatementKind::Pass,
            "break" => StatementKind::Break,
            "continue" => StatementKind::Continue,
            "import" => return self.import(),
            "from" => return self.import_from(),
            "del" => {
                self.advance();
                let targets = self.expressions()?;
                return Ok(StatementKind::Delete(match targets.kind {
                    ExpressionKind::Tuple(items) => items,
                    _ => vec![targets],
                }));
            }
            "raise" => {
                self.advance();
                let what = match self.token().kind {
                    Kind::Newline => None,
                    _ => Some(self.expression()?),
                };
                if self.take_name("from") {
                    self.expression()?;
                }
                return Ok(StatementKind::Raise(what));
            }
            "assert" => {
                self.advance();
                let condition = self.expression()?;
                if self.take_operator(",") {
                    self.expression()?;
                }
                return Ok(StatementKind::Assert(condition));
            }
            "global" | "nonlocal" => {
                self.advance();
                self.expressions()?;
                return Ok(StatementKind::Pass);
            }
            _ => return self.assignment(),
        };
        self.advance();
        Ok(kind)
    }

    fn assignment(&mut self) -> Read<StatementKind> {
        let first = self.expressions()?;
        if self.take_operator(":") {
            // An annotation, with or without a value.
            self.expression()?;
            if !self.take_operator("=") {
                return Ok(StatementKind::Pass);
            }
            let value = self.expressions()?;
            return Ok(StatementKind::Assign(vec![first], value));
        }
        let token = *self.token();
        if token.kind == Kind::Operator {
            if let Some(operator) = update_operator(token.text) {
                self.advance();
                let value = self.expressions()?;
                return Ok(StatementKind::Update(first, operator, value));
            }
        }
        let mut targets = vec![first];
        while self.take_operator("=") {
            targets.push(self.expressions()?);
        }
        let value = targets
            .pop()
            .ok_or_else(|| self.unreadable("an expression is missing"))?;
        Ok(if targets.is_empty() {
            StatementKind::Evaluate(value)
        } else {
            StatementKind::Assign(targets, value)
        })
    }

    fn dotted(&mut self) -> Read<String> {
        let mut path = String::new();
        while self.take_operator(".") || self.take_operator("...") {
            // A relative import; never something we know.
            path.push('.');
        }
        if path.is_empty() || !self.is_name("import") {
            path.push_str(&self.name()?);
        }
        while self.take_operator(".") {
            path.push('.');
            path.push_str(&self.name()?);
        }
        Ok(path)
    }

    fn import(&mut self) -> Read<StatementKind> {
        self.advance();
        let mut names = Vec::new();
        loop {
            let path = self.dotted()?;
            if self.take_name("as") {
                names.push((self.name()?, path));
            } else {
                let top = path.split('.').next().unwrap_or(&path).to_owned();
                names.push((top.clone(), top));
            }
            if !self.take_operator(",") {
                return Ok(StatementKind::Import(names));
            }
        }
    }

    fn import_from(&mut self) -> Read<StatementKind> {
        self.advance();
        let module = self.dotted()?;
        if !self.take_name("import") {
            return Err(self.unreadable("`from` without `import`"));
        }
        if self.take_operator("*") {
            return Ok(StatementKind::Pass);
        }
        let bracket = self.take_operator("(");
        let mut names = Vec::new();
        loop {
            let name = self.name()?;
            let path = format!("{module}.{name}");
            let local = if self.take_name("as") {
                self.name()?
            } else {
                name
            };
            names.push((local, path));
            let more = self.take_operator(",");
            if bracket && self.take_operator(")") || !bracket && !more {
                return Ok(StatementKind::Import(names));
            }
            if !more {
                return Err(self.unreadable("`,` or `)` is missing"));
            }
        }
    }
}

/// Stands among the names that an unreadable statement may change for the environment itself.
pub const ENVIRONMENT: &str = "os.environ";

fn is_assignment(operator: &str) -> bool {
    operator == "=" || update_operator(operator).is_some()
}

fn changes_environment(line: &[Token<'_>]) -> bool {
    let has = |word: &str| line.iter().any(|token| token.text == word);
    has("environ") && ["del", "pop", "popitem", "clear"].into_iter().any(has)
}
