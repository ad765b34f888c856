//! The part of Python's grammar that configuration files use, as data.

use super::literal::{Number, Piece};

/// A statement and the line it begins on.
#[derive(Debug, Clone, PartialEq)]
pub struct Statement {
    /// From 1.
    pub line: u32,
    /// What it says.
    pub kind: StatementKind,
}

/// Statements in order.
pub type Block = Vec<Statement>;

/// What a statement says.
#[derive(Debug, Clone, PartialEq)]
pub enum StatementKind {
    /// `a = b = value`.
    Assign(Vec<Expression>, Expression),
    /// `a += value`.
    Update(Expression, Binary, Expression),
    /// An expression alone.
    Evaluate(Expression),
    /// `del a, b[c]`.
    Delete(Vec<Expression>),
    /// `import a.b as c`: the name it gets here, and what it names.
    Import(Vec<(String, String)>),
    /// Conditions with their blocks, and what is done if none holds.
    If(Vec<(Expression, Block)>, Block),
    /// `for target in values`.
    For(Expression, Expression, Block),
    /// `while`; never run.
    While(Block),
    /// `with value as target`.
    With(Vec<(Expression, Option<Expression>)>, Block),
    /// Body, handlers, else, finally.
    Try(Block, Vec<Handler>, Block, Block),
    /// `raise`, with what follows it.
    Raise(Option<Expression>),
    /// `assert`.
    Assert(Expression),
    /// `def` or `class`, not looked into.
    Define(String),
    /// `break`.
    Break,
    /// `continue`.
    Continue,
    /// Nothing to do for us.
    Pass,
    /// A statement that we cannot read: why, and the names that it may change.
    Unreadable(&'static str, Vec<String>),
}

/// An `except` clause.
#[derive(Debug, Clone, PartialEq)]
pub struct Handler {
    /// What it catches; none catches everything.
    pub catches: Option<Expression>,
    /// The name of the exception.
    pub name: Option<String>,
    /// What it does.
    pub body: Block,
}

/// An expression and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Expression {
    /// The line it begins on.
    pub line: u32,
    /// Where it begins and ends in the file, in bytes.
    pub start: usize,
    /// See `start`.
    pub end: usize,
    /// What it says.
    pub kind: ExpressionKind,
}

/// What an expression says.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs)]
pub enum ExpressionKind {
    None,
    Bool(bool),
    Number(Number),
    Text(Vec<Piece>),
    Name(String),
    List(Vec<Expression>),
    Tuple(Vec<Expression>),
    Dict(Vec<(Expression, Expression)>),
    Attribute(Box<Expression>, String),
    Call(Box<Expression>, Vec<Argument>),
    Index(Box<Expression>, Box<Expression>),
    Slice(
        Box<Expression>,
        Option<Box<Expression>>,
        Option<Box<Expression>>,
    ),
    Unary(Unary, Box<Expression>),
    Binary(Binary, Box<Expression>, Box<Expression>),
    Compare(Box<Expression>, Vec<(Comparison, Expression)>),
    And(Box<Expression>, Box<Expression>),
    Or(Box<Expression>, Box<Expression>),
    /// Condition, value if it holds, value if not.
    Conditional(Box<Expression>, Box<Expression>, Box<Expression>),
    /// Element, target, values, conditions.
    Comprehension(
        Box<Expression>,
        Box<Expression>,
        Box<Expression>,
        Vec<Expression>,
    ),
    /// Valid Python that we do not evaluate, and what it is.
    Unsupported(&'static str),
}

/// An argument of a call.
#[derive(Debug, Clone, PartialEq)]
pub struct Argument {
    /// How it is given.
    pub style: Style,
    /// Its value.
    pub value: Expression,
}

/// How an argument is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Style {
    /// By position.
    Position,
    /// `name=value`.
    Keyword(String),
    /// `*values`.
    Positions,
    /// `**values`.
    Keywords,
}

/// An operator with one operand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Unary {
    Not,
    Minus,
    Plus,
    Invert,
}

/// An operator with two operands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Binary {
    Add,
    Subtract,
    Multiply,
    Divide,
    FloorDivide,
    Remainder,
    Power,
    ShiftLeft,
    ShiftRight,
    And,
    Or,
    Xor,
    Matrix,
}

/// A comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    In,
    NotIn,
    Is,
    IsNot,
}
