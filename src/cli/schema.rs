//! `dorascope schema`: the tables and their columns.

use anyhow::Result;
use dorascope::cells;
use dorascope::table::terminal::{View, draw, paragraph};
use dorascope::table::{Column, Kind, Rows, Table, schema};

use super::exit::Exit;
use super::output::{Output, data, text};
use super::resolve::{SchemaJob, Shape};

/// The rows of [`schema::SCHEMA`] with fewer, denser columns, so that they fit a terminal.
static DENSE: Table = Table {
    name: "schema",
    meaning: "Every column of a table, for people.",
    columns: &[dense("column", 1), dense("kind", 1), dense("meaning", 1)],
};

/// Prints the tables, each under its name, or all columns as rows.
pub fn run(job: &SchemaJob, output: &Output) -> Result<Exit> {
    match job.shape {
        Shape::Data(format) => {
            let parts: Vec<Rows> = job.tables.iter().map(|table| rows(table)).collect();
            data(&parts.iter().collect::<Vec<_>>(), format)?;
        }
        Shape::Table => {
            let view =
                View { width: output.width, colour: output.colour, max_rows: usize::MAX, without: &[] };
            for (i, table) in job.tables.iter().enumerate() {
                let space = if i > 0 { "\n" } else { "" };
                let name = output.strong(table.name);
                let meaning = paragraph(table.meaning, output.width);
                text(&format!("{space}{name}\n{meaning}\n{}", draw(&dense_rows(table), &view).text))?;
            }
        }
    }
    Ok(Exit::Done)
}

/// The columns of a table as rows for programs.
fn rows(table: &Table) -> Rows {
    let mut rows = Rows::new(&schema::SCHEMA);
    for column in table.columns {
        let unit = Some(column.unit).filter(|unit| !unit.is_empty());
        let kind = column.kind.describe();
        rows.push(&cells![table.name, column.name, kind, unit, column.meaning, column.null_when]);
    }
    rows
}

/// The columns of a table as rows for people.
fn dense_rows(table: &Table) -> Rows {
    let mut rows = Rows::new(&DENSE);
    for column in table.columns {
        let kind = column.kind.describe();
        let kind = if column.unit.is_empty() { kind } else { format!("{kind}, {}", column.unit) };
        let meaning = match column.null_when {
            "never" => column.meaning.to_owned(),
            when => format!("{}; null when {when}", column.meaning),
        };
        rows.push(&cells![column.name, kind, meaning]);
    }
    rows
}

/// A text column of [`DENSE`].
const fn dense(name: &'static str, rank: u8) -> Column {
    Column { name, kind: Kind::Text, unit: "", meaning: "", null_when: "never", rank }
}
