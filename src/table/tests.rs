//! Every table in every format, written and read back.

// A test stops where something is wrong.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::fs::{self, File};
use std::path::PathBuf;

use polars::prelude::*;

use super::*;

/// A value of a kind; two values of one kind differ.
fn sample(kind: &Kind, n: u8) -> Cell<'static> {
    match kind {
        Kind::Bool => (n.is_multiple_of(2)).into(),
        Kind::U8 => n.into(),
        Kind::U16 => (u16::MAX - u16::from(n)).into(),
        Kind::U32 => (u32::MAX - u32::from(n)).into(),
        Kind::U64 => (u64::from(n) + (1 << 40)).into(),
        Kind::I64 => (1_748_771_437_264_123_456_i64 + i64::from(n)).into(),
        Kind::F64 => (f64::from(n) / 100.0).into(),
        Kind::Text => ["plain", "quote \" comma , line\nfeed", "", "日本 \u{1b}[31m"].map(Cell::from)
            [usize::from(n) % 4]
            .clone(),
        Kind::List(item) => (0..n).map(|i| sample(item, i)).collect(),
        Kind::Struct(fields) => Cell::Struct(fields.iter().map(|(_, kind)| sample(kind, n)).collect()),
    }
}

/// Rows with long, short and empty lists, and one of nulls.
fn filled(table: &'static Table, count: u8) -> Rows {
    let mut rows = Rows::new(table);
    for n in 0..count {
        let row: Vec<Cell<'_>> = table.columns.iter().map(|c| sample(&c.kind, n)).collect();
        rows.push(&row);
    }
    rows.push(&vec![Cell::Null; table.columns.len()]);
    rows
}

/// A directory of its own for each test, removed at the end.
pub(super) struct Temporary(pub PathBuf);

impl Temporary {
    pub fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("dorascope-table-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        Self(path)
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The rows of a table as JSON values, from the cells and without Polars.
fn expected(rows: &Rows) -> Vec<serde_json::Value> {
    fn value(cell: &Cell<'_>, kind: &Kind) -> serde_json::Value {
        match (cell, kind) {
            (Cell::Null, _) => serde_json::Value::Null,
            (Cell::Bool(v), _) => (*v).into(),
            (Cell::U64(v), _) => (*v).into(),
            (Cell::I64(v), _) => (*v).into(),
            (Cell::F64(v), _) => (*v).into(),
            (Cell::List(items), Kind::List(kind)) => items.iter().map(|item| value(item, kind)).collect(),
            (Cell::Struct(cells), Kind::Struct(fields)) => {
                let object =
                    fields.iter().zip(cells).map(|((name, kind), c)| ((*name).to_owned(), value(c, kind)));
                serde_json::Value::Object(object.collect())
            }
            (cell, _) => cell.plain().into(),
        }
    }
    let object = |row| {
        let columns = rows.table().columns.iter();
        columns.map(|c| (c.name.to_owned(), value(&rows.get(row, c.name), &c.kind))).collect()
    };
    (0..rows.len()).map(|row| serde_json::Value::Object(object(row))).collect()
}

/// The rows of a frame as the JSON that Polars makes of them.
fn as_json(mut frame: DataFrame) -> Vec<serde_json::Value> {
    let mut bytes = Vec::new();
    JsonWriter::new(&mut bytes).with_json_format(JsonFormat::Json).finish(&mut frame).unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

#[test]
fn every_table_survives_every_format() {
    let temporary = Temporary::new("formats");
    let tables: Vec<Rows> = schema::TABLES.iter().map(|table| filled(table, 9)).collect();
    let all: Vec<&Rows> = tables.iter().collect();
    for format in Format::ALL {
        write_all(&temporary.0, true, format, &all).unwrap();
    }
    for rows in &tables {
        let open = |format: Format| {
            File::open(temporary.0.join(format!("{}.{}", rows.table().name, format.as_str()))).unwrap()
        };
        let expected = expected(rows);
        let json: Vec<serde_json::Value> = serde_json::from_reader(open(Format::Json)).unwrap();
        assert_eq!(json, expected, "{} as JSON", rows.table().name);
        let lines: Vec<serde_json::Value> = serde_json::Deserializer::from_reader(open(Format::JsonLines))
            .into_iter()
            .collect::<Result<_, _>>()
            .unwrap();
        assert_eq!(lines, expected, "{} as JSON Lines", rows.table().name);
        let parquet = ParquetReader::new(open(Format::Parquet)).finish().unwrap();
        assert_eq!(as_json(parquet), expected, "{} as Parquet", rows.table().name);
        let arrow = IpcReader::new(open(Format::Arrow)).finish().unwrap();
        assert_eq!(as_json(arrow), expected, "{} as Arrow", rows.table().name);
        let csv = CsvReadOptions::default()
            .with_infer_schema_length(Some(0))
            .into_reader_with_file_handle(open(Format::Csv))
            .finish()
            .unwrap();
        assert_eq!(csv.height(), rows.len());
        for (i, column) in rows.table().columns.iter().enumerate() {
            let texts = csv.column(column.name).unwrap().str().unwrap();
            for row in 0..rows.len() {
                let cell = rows.cell(row, i);
                // A lonely empty text cannot be told from null in some readers. Controls are escaped.
                let plain = cell.plain().replace('\n', "\\u{a}").replace('\u{1b}', "\\u{1b}");
                assert_eq!(texts.get(row).unwrap_or(""), plain, "{} row {row}", column.name);
            }
        }
    }
}

#[test]
fn texts_are_read_back_whether_they_repeat_or_not() {
    // Never twice; twice at the beginning only; twice at the end only; each twice, with gaps between.
    let text = |column: usize, row: u32| match column {
        0 => Some(row),
        1 => Some(row.max(1)),
        2 => Some(row.min(5000)),
        _ => Some(row / 2).filter(|_| !row.is_multiple_of(3)),
    };
    let name = |number: u32| format!("client {number}");
    let mut rows = Rows::new(&schema::SCHEMA);
    for row in 0..6000 {
        let [a, b, c, d] = [0, 1, 2, 3].map(|column| text(column, row).map(name));
        rows.push(&crate::cells![a, b, c, d, "meaning", ""]);
    }
    let mut bytes = Vec::new();
    let mut writer = TableWriter::new(&mut bytes, &schema::SCHEMA, Format::Parquet).unwrap();
    writer.write(&rows).unwrap();
    writer.finish().unwrap();
    let frame = ParquetReader::new(std::io::Cursor::new(bytes)).finish().unwrap();
    for column in 0..4 {
        let read = frame.columns()[column].str().unwrap();
        let expected = (0..6000).map(|row| text(column, row).map(name));
        assert!(read.iter().map(|text| text.map(str::to_owned)).eq(expected), "column {column}");
    }
}

#[test]
fn columns_keep_their_order_in_json() {
    let mut bytes = Vec::new();
    let mut writer = TableWriter::new(&mut bytes, &schema::HASH, Format::Json).unwrap();
    let mut rows = Rows::new(&schema::HASH);
    rows.push(&crate::cells!["08:00:27:a2:00:01", "hwaddr", 115u8, "secondary"]);
    writer.write(&rows).unwrap();
    writer.write(&rows).unwrap();
    writer.finish().unwrap();
    let line = r#"{"key":"08:00:27:a2:00:01","kind":"hwaddr","hash":115,"owner":"secondary"}"#;
    assert_eq!(String::from_utf8(bytes).unwrap(), format!("[\n{line},\n{line}\n]\n"));
}

#[test]
fn a_table_without_rows_is_still_a_table() {
    let temporary = Temporary::new("empty");
    let empty = Rows::new(&schema::EXCHANGES);
    for format in Format::ALL {
        write_all(&temporary.0, true, format, &[&empty]).unwrap();
    }
    let read = |format: Format| fs::read(temporary.0.join(format!("exchanges.{}", format.as_str()))).unwrap();
    assert_eq!(read(Format::Json), b"[]\n");
    assert_eq!(read(Format::JsonLines), b"");
    assert!(read(Format::Csv).starts_with(b"exchange_id,zone,"));
    let parquet = ParquetReader::new(std::io::Cursor::new(read(Format::Parquet))).finish().unwrap();
    let arrow = IpcReader::new(std::io::Cursor::new(read(Format::Arrow))).finish().unwrap();
    assert_eq!((parquet.height(), arrow.height()), (0, 0));
    assert_eq!(parquet.width(), schema::EXCHANGES.columns.len());
    assert_eq!(parquet.schema(), arrow.schema());
}

#[test]
fn parquet_says_what_its_columns_mean() {
    let temporary = Temporary::new("metadata");
    write_all(&temporary.0, false, Format::Parquet, &[&filled(&schema::LEASES, 3)]).unwrap();
    let mut reader = ParquetReader::new(File::open(temporary.0.join("leases.parquet")).unwrap());
    let metadata = reader.get_metadata().unwrap().clone();
    let pairs = metadata.key_value_metadata().as_ref().unwrap();
    let get =
        |key: &str| pairs.iter().find(|pair| pair.key == key).and_then(|pair| pair.value.clone()).unwrap();
    assert_eq!(get("dorascope.schema_version"), schema::VERSION.to_string());
    assert_eq!(get("dorascope.table"), "leases");
    assert!(get("dorascope.column.lease_s").contains("[s]"));
    assert!(get("dorascope.column.lease_s").ends_with("; null: the ACK carried none"));
}

#[test]
fn files_appear_complete_and_nothing_is_overwritten_unasked() {
    let temporary = Temporary::new("refusal");
    let rows = filled(&schema::FINDINGS, 1);
    write_all(&temporary.0, false, Format::Csv, &[&rows]).unwrap();
    let names = || -> Vec<String> {
        let entries = fs::read_dir(&temporary.0).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    };
    assert_eq!(names(), ["findings.csv"]);

    let error = write_all(&temporary.0, false, Format::Csv, &[&rows]).unwrap_err();
    assert!(matches!(error, Error::NotEmpty(_)));
    assert!(error.to_string().contains(temporary.0.to_str().unwrap()), "{error}");
    assert!(error.to_string().contains("--force"), "{error}");

    // An unfinished file vanishes, and the complete one from before stays.
    let before = fs::read(temporary.0.join("findings.csv")).unwrap();
    let file = Directory::create(&temporary.0, true).unwrap().table(&schema::FINDINGS, Format::Csv).unwrap();
    assert_eq!(names().len(), 2);
    drop(file);
    assert_eq!(names(), ["findings.csv"]);
    assert_eq!(fs::read(temporary.0.join("findings.csv")).unwrap(), before);

    let error = Directory::create(&temporary.0.join("findings.csv"), true).unwrap_err();
    assert!(matches!(error, Error::NotADirectory(_)));
    let error = Directory::create(&temporary.0.join("findings.csv/below"), true).unwrap_err();
    assert!(error.to_string().contains("findings.csv/below"), "{error}");
}

#[test]
fn what_an_interrupted_run_left_behind_does_not_count() {
    let temporary = Temporary::new("leftover");
    fs::create_dir_all(&temporary.0).unwrap();
    fs::write(temporary.0.join(".leases.parquet.partial"), b"PAR1").unwrap();
    Directory::create(&temporary.0, false).unwrap();
}

#[test]
fn a_full_disk_names_the_stream_and_not_the_encoder() {
    /// Takes some bytes and then no more.
    struct Narrow(usize);
    impl std::io::Write for Narrow {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            match self.0.checked_sub(bytes.len()) {
                Some(room) => self.0 = room,
                None => return Err(std::io::ErrorKind::BrokenPipe.into()),
            }
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    for format in Format::ALL {
        for room in [0, 20] {
            let write = || {
                let mut writer = TableWriter::new(Narrow(room), &schema::LEASES, format)?;
                writer.write(&filled(&schema::LEASES, 200))?;
                writer.finish()
            };
            let error = write().unwrap_err();
            assert!(error.is_broken_pipe(), "{format:?}: {error}");
        }
    }
}

#[test]
fn batches_join_without_a_seam() {
    let rows = filled(&schema::EXCHANGES, 30);
    for format in Format::ALL {
        let mut whole = Vec::new();
        let mut parts = Vec::new();
        for (out, pieces) in [(&mut whole, 1), (&mut parts, 7)] {
            let mut writer = TableWriter::new(out, &schema::EXCHANGES, format).unwrap();
            let order: Vec<usize> = (0..rows.len()).collect();
            for piece in order.chunks(rows.len().div_ceil(pieces)) {
                writer.write(&rows.reordered(piece)).unwrap();
            }
            writer.finish().unwrap();
        }
        match format {
            Format::Parquet => {
                let read = |bytes: Vec<u8>| ParquetReader::new(std::io::Cursor::new(bytes)).finish().unwrap();
                assert!(read(whole).equals_missing(&read(parts)));
            }
            Format::Arrow => {
                let read = |bytes: Vec<u8>| IpcReader::new(std::io::Cursor::new(bytes)).finish().unwrap();
                assert!(read(whole).equals_missing(&read(parts)));
            }
            _ => assert_eq!(whole, parts, "{format:?}"),
        }
    }
}
