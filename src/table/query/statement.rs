//! A statement before Polars sees it: what it may do, and what it names.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use polars::prelude::PolarsError;
use sqlparser::ast::{
    Expr, Ident, ObjectName, Query, Select, SetExpr, Statement as Sql, TableFactor, Visit as _, Visitor,
};
use sqlparser::dialect::GenericDialect;
use sqlparser::parser::{Parser, ParserOptions};
use sqlparser::tokenizer::{Token, Tokenizer};

use super::error::{QueryError, words};
use crate::table::schema::{TABLES, Table};

/// Who may do what, in the words of an error.
const ONLY_SELECT: &str = "a query is one SELECT statement; nothing else is run";

/// One SELECT statement over tables that exist.
#[derive(Clone, Debug)]
pub(super) struct Statement {
    /// The tables that it names, in the order of the schema.
    pub tables: Vec<&'static Table>,
    /// The names that stand where a column may stand, and whether one of its own follows (`leases.ip`).
    names: Vec<(Ident, bool)>,
    /// Every word of the text; `None` when columns may be meant that it does not name.
    words: Option<BTreeSet<String>>,
}

impl Statement {
    /// Parses a statement as Polars will, and looks at all of it.
    pub fn new(text: &str) -> Result<Self, QueryError> {
        let statements = Parser::new(&GenericDialect)
            .with_options(ParserOptions { trailing_commas: true, ..ParserOptions::default() })
            .try_with_sql(text)
            .and_then(|mut parser| parser.parse_statements())
            .map_err(|error| QueryError::Syntax(reason(&error.to_string())))?;
        let [Sql::Query(query)] = statements.as_slice() else {
            return Err(QueryError::Refused(ONLY_SELECT.to_owned()));
        };
        let mut look = Look::default();
        if let ControlFlow::Break(refused) = query.visit(&mut look) {
            return Err(QueryError::Refused(refused));
        }
        let unknown = |name: &&Ident| !TABLES.iter().any(|table| table.name == name.value);
        let mut unknown = look.relations.iter().filter(unknown);
        if let Some(name) = unknown.find(|name| !look.made.contains(&name.value)) {
            return Err(QueryError::Unknown(no_table(&name.value)));
        }
        let named = |table: &&Table| look.relations.iter().any(|name| name.value == table.name);
        Ok(Self {
            tables: TABLES.into_iter().filter(named).collect(),
            names: look.names,
            words: mentioned(text),
        })
    }

    /// The columns of a table that it needs; at least one, because rows may only be counted.
    pub fn columns(&self, table: &'static Table) -> Vec<&'static str> {
        let needed = |name: &&str| self.words.as_ref().is_none_or(|words| words.contains(*name));
        let all = || table.columns.iter().map(|column| column.name);
        let columns: Vec<&str> = all().filter(needed).collect();
        if columns.is_empty() { all().take(1).collect() } else { columns }
    }

    /// Whether columns may be meant that it does not name.
    pub const fn every_column(&self) -> bool {
        self.words.is_none()
    }

    /// Why Polars cannot plan it: a name that no table has, or in Polars' own words.
    #[cold]
    pub fn explain(&self, error: &PolarsError) -> QueryError {
        let text = words(error);
        let has = |table: &Table, name: &str| table.position(name).is_some();
        let strange = |name: &&(Ident, bool)| !self.tables.iter().any(|table| has(table, &name.0.value));
        // The first name in Polars' sentence is the one that it looked for.
        let place = |name: &Ident| {
            ['"', '\'', '`']
                .iter()
                .filter_map(|quote| text.find(&format!("{quote}{}{quote}", name.value)))
                .min()
        };
        let culprit = self.names.iter().filter(strange).filter_map(|it| Some((place(&it.0)?, it)));
        match culprit.min_by_key(|(place, _)| *place) {
            Some((_, (name, false))) => QueryError::Unknown(no_column(name, &self.tables)),
            Some((_, (name, true))) => {
                QueryError::Unknown(format!("\"{}\" is no table of the query", name.value))
            }
            None => QueryError::Plan(text),
        }
    }
}

/// What a walk over a statement finds.
#[derive(Default)]
struct Look {
    /// Names in FROM and JOIN.
    relations: Vec<Ident>,
    /// Tables that the statement itself makes: WITH, and aliases.
    made: BTreeSet<String>,
    names: Vec<(Ident, bool)>,
}

impl Visitor for Look {
    /// Why the statement is refused.
    type Break = String;

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<String> {
        let with = query.with.iter().flat_map(|with| &with.cte_tables);
        self.made.extend(with.map(|table| table.alias.name.value.clone()));
        only_questions(&query.body)
    }

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<String> {
        if select.into.is_some() {
            refuse("SELECT INTO would make a table")
        } else {
            ControlFlow::Continue(())
        }
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<String> {
        match factor {
            TableFactor::Table { name, args: Some(_), .. } => {
                refuse(&format!("{name}() is no table; a query reads dorascope's tables and no other files"))
            }
            TableFactor::Table { alias, .. }
            | TableFactor::Derived { alias, .. }
            | TableFactor::UNNEST { alias, .. }
            | TableFactor::NestedJoin { alias, .. } => {
                self.made.extend(alias.iter().map(|alias| alias.name.value.clone()));
                ControlFlow::Continue(())
            }
            other => refuse(&format!("{other} is not a table")),
        }
    }

    fn pre_visit_relation(&mut self, relation: &ObjectName) -> ControlFlow<String> {
        match relation.0.as_slice() {
            [part] if let Some(name) = part.as_ident() => {
                self.relations.push(name.clone());
                ControlFlow::Continue(())
            }
            _ => refuse(&format!("{relation} is not a table; tables have plain names such as leases")),
        }
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<String> {
        match expr {
            Expr::Identifier(name) => self.names.push((name.clone(), false)),
            Expr::CompoundIdentifier(parts) => {
                let last = parts.len().saturating_sub(1);
                self.names.extend(parts.iter().enumerate().map(|(at, name)| (name.clone(), at < last)));
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

fn refuse(reason: &str) -> ControlFlow<String> {
    ControlFlow::Break(reason.to_owned())
}

/// Lets pass what only asks; INSERT, UPDATE, DELETE and MERGE may stand in a query, too.
fn only_questions(body: &SetExpr) -> ControlFlow<String> {
    match body {
        // A query inside comes by itself.
        SetExpr::Select(_) | SetExpr::Query(_) | SetExpr::Values(_) => ControlFlow::Continue(()),
        SetExpr::SetOperation { left, right, .. } => {
            only_questions(left)?;
            only_questions(right)
        }
        SetExpr::Insert(_) | SetExpr::Update(_) | SetExpr::Delete(_) | SetExpr::Merge(_) => {
            refuse(ONLY_SELECT)
        }
        SetExpr::Table(table) => refuse(&format!("{table} has to be written as SELECT * FROM")),
    }
}

/// Every word of a text, unless it may mean columns that it does not name: with `*`, COLUMNS() or a NATURAL JOIN.
fn mentioned(text: &str) -> Option<BTreeSet<String>> {
    let tokens = Tokenizer::new(&GenericDialect, text).tokenize().ok()?;
    let tokens: Vec<Token> =
        tokens.into_iter().filter(|token| !matches!(token, Token::Whitespace(_))).collect();
    let word = |at: Option<&Token>, wanted: &[&str]| matches!(at, Some(Token::Word(word)) if wanted.iter().any(|it| it.eq_ignore_ascii_case(&word.value)));
    let before = |at: usize, n: usize| at.checked_sub(n).and_then(|at| tokens.get(at));
    let every_column = |at: usize| match tokens.get(at) {
        Some(Token::Mul) => match before(at, 1) {
            Some(Token::LParen) => !word(before(at, 2), &["count"]),
            // Behind an operand it multiplies; a parenthesis may be that of DISTINCT ON ().
            Some(Token::Number(..)) => false,
            Some(Token::Word(it)) => {
                it.quote_style.is_none() && word(before(at, 1), &["select", "distinct", "all"])
            }
            _ => true,
        },
        token => word(token, &["columns", "natural"]),
    };
    if (0..tokens.len()).any(every_column) {
        return None;
    }
    Some(
        tokens
            .into_iter()
            .filter_map(|it| if let Token::Word(it) = it { Some(it.value) } else { None })
            .collect(),
    )
}

/// The parser's reason without its own name.
fn reason(text: &str) -> String {
    text.trim_start_matches("sql parser error: ").to_owned()
}

fn no_table(name: &str) -> String {
    let tables: Vec<&str> = TABLES.iter().map(|table| table.name).collect();
    let hint = meant(name, tables.iter().copied());
    format!("there is no table \"{name}\"{hint}\nThe tables are {}.", tables.join(", "))
}

fn no_column(name: &Ident, tables: &[&'static Table]) -> String {
    let value = &name.value;
    let columns = tables.iter().flat_map(|table| table.columns).map(|column| column.name);
    let others: Vec<&str> =
        TABLES.iter().filter(|table| table.position(value).is_some()).map(|table| table.name).collect();
    let hint = match (others.as_slice(), name.quote_style) {
        ([], Some('"')) => format!("{}; text has single quotes: '{value}'", meant(value, columns)),
        ([], _) => meant(value, columns),
        (others, _) => format!("; {} has one", others.join(", ")),
    };
    let mut lists = String::new();
    for table in tables {
        let names: Vec<&str> = table.columns.iter().map(|column| column.name).collect();
        lists.extend(["\n", table.name, " has ", &names.join(", "), "."]);
    }
    format!("there is no column \"{value}\"{hint}{lists}")
}

/// The nearest name, where one is near: at most half of its letters off.
fn meant<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> String {
    let lower = name.to_lowercase();
    let near = known.map(|known| (strsim::damerau_levenshtein(&lower, known), known)).min_by_key(|it| it.0);
    match near {
        Some((distance, known)) if distance * 2 <= known.len() => format!("; did you mean \"{known}\"?"),
        _ => String::new(),
    }
}
