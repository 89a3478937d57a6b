//! TOML as the same tree as Kea's files, so that all configuration errors look alike.

use std::path::Path;

use ::toml::de::{DeTable, DeValue};

use super::document::{At, Document, Entry, FileError, Files, Node, Value};

/// Reads one TOML document.
pub(super) fn parse(path: &Path, bytes: Vec<u8>) -> Result<Document, FileError> {
    let text = match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let offset = error.utf8_error().valid_up_to();
            let mut files = Files::default();
            files.push(path.to_path_buf(), error.into_bytes());
            return Err(files.error(At { file: 0, offset }, "TOML must be UTF-8 text"));
        }
    };
    let parsed = DeTable::parse(&text).map(|table| map(table.get_ref())).map_err(|error| {
        let offset = error.span().map_or(0, |span| span.start);
        (offset, error.message().to_owned())
    });
    let mut files = Files::default();
    files.push(path.to_path_buf(), text.into_bytes());
    match parsed {
        Ok(value) => Ok(Document { files, root: Node { at: At::default(), value } }),
        Err((offset, text)) => Err(files.error(At { file: 0, offset }, text)),
    }
}

fn map(table: &DeTable<'_>) -> Value {
    let mut entries: Vec<Entry> = table
        .iter()
        .map(|(key, value)| Entry {
            key: key.get_ref().to_string(),
            at: place(&key.span()),
            node: Node { at: place(&value.span()), value: value_of(value.get_ref()) },
        })
        .collect();
    // The table sorts by key; errors should come in file order.
    entries.sort_by_key(|entry| entry.at.offset);
    Value::Map(entries)
}

fn value_of(value: &DeValue<'_>) -> Value {
    match value {
        DeValue::String(text) => Value::Text(text.to_string()),
        DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
            Ok(number) => Value::Int(number),
            // Too wide for any setting; the nearest bound fails every range check.
            Err(_) => Value::Int(if number.as_str().starts_with('-') { i64::MIN } else { i64::MAX }),
        },
        DeValue::Float(number) => Value::Float(number.as_str().parse().unwrap_or(f64::NAN)),
        DeValue::Boolean(value) => Value::Bool(*value),
        DeValue::Datetime(_) => Value::Date,
        DeValue::Array(items) => Value::List(
            items
                .iter()
                .map(|item| Node { at: place(&item.span()), value: value_of(item.get_ref()) })
                .collect(),
        ),
        DeValue::Table(table) => map(table),
    }
}

fn place(span: &std::ops::Range<usize>) -> At {
    At { file: 0, offset: span.start }
}
