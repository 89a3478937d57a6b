use super::*;
use crate::kea::config::samples::{AGENT, BALANCED, HUB, ZALDUA2ZERB1, document, write};
use crate::kea::config::{KeaFile, samples};

/// What text means, in JSON.
fn json(text: &str) -> String {
    fn show(node: &Node) -> String {
        match &node.value {
            Value::List(items) => format!("[{}]", items.iter().map(show).collect::<Vec<_>>().join(",")),
            Value::Map(entries) => {
                let entry = |entry: &Entry| format!("{:?}:{}", entry.key, show(&entry.node));
                format!("{{{}}}", entries.iter().map(entry).collect::<Vec<_>>().join(","))
            }
            Value::Text(text) => format!("{text:?}"),
            Value::Int(number) => number.to_string(),
            Value::Float(number) => number.to_string(),
            Value::Bool(value) => value.to_string(),
            Value::Null => "null".to_owned(),
            Value::Date => unreachable!(),
        }
    }
    show(&document(text).unwrap().root)
}

fn error(text: &str) -> String {
    document(text).unwrap_err().to_string()
}

#[test]
fn comments_of_three_kinds_stand_anywhere_but_in_strings() {
    let text = "# one\n{ // two\n \"a\" /* th\nree */ : [1,2]# end\n, \"b\": \"# // /* */\" /**/ } // last";
    assert_eq!(json(text), r##"{"a":[1,2],"b":"# // /* */"}"##);
    assert_eq!(json("[1/* not /* nested */,2]"), "[1,2]");
}

#[test]
fn extra_commas_stand_after_elements_only() {
    assert_eq!(json(r#"{ "a": [1,,2,, ,], "b": {"c": 1,,}, }"#), r#"{"a":[1,2],"b":{"c":1}}"#);
    assert_eq!(json("[ ]"), "[]");
    assert_eq!(error("[,1]"), "test.conf:1:2: expected a value, found ','");
    assert_eq!(error("[,]"), "test.conf:1:2: expected a value, found ','");
    assert_eq!(error("{,}"), "test.conf:1:2: expected a key in quotes, found ','");
}

#[test]
fn strings_keep_their_bytes() {
    assert_eq!(json(r#"["\"\\\/\b\f\n\r\t\u0041\u00c3\u00a9", "é"]"#), r#"["\"\\/\u{8}\u{c}\n\r\tAé","é"]"#);
    let latin1 = Document::parse_kea(Path::new("test.conf"), b"\"caf\xe9\"".to_vec()).unwrap();
    assert_eq!(latin1.root.value, Value::Text("caf\u{fffd}".to_owned()));
}

#[test]
fn values_are_those_of_json() {
    assert_eq!(json("[true, false, null, -1, 0.5]"), "[true,false,null,-1,0.5]");
    assert_eq!(json("\u{feff}{}"), "{}");
}

#[test]
fn errors_name_their_place() {
    assert_eq!(error("{\n  \"a\": 1\n  \"b\": 2 }"), "test.conf:3:3: expected ',' or '}', found \"b\"");
    assert_eq!(error("[1 2]"), "test.conf:1:4: expected ',' or ']', found 2");
    assert_eq!(error("{ \"a\" 1 }"), "test.conf:1:7: expected ':' after \"a\", found 1");
    assert_eq!(error("{ a: 1 }"), "test.conf:1:3: \"a\" is not a value; a string needs quotes");
    assert_eq!(error("{ 1: 1 }"), "test.conf:1:3: expected a key in quotes, found 1");
    assert_eq!(error("{ \"a\": }"), "test.conf:1:8: expected a value, found '}'");
    assert_eq!(error(""), "test.conf:1:1: expected a value, found the end of the file");
    assert_eq!(error("{} {}"), "test.conf:1:4: '{' stands after the end of the configuration");
    assert_eq!(
        error("{ \"é\": 1, \"é\": ;"),
        "test.conf:1:11: \"é\" stands twice in this map, first on line 1"
    );
    assert_eq!(error("{ \"é\": ;"), "test.conf:1:8: ';' does not belong here");
    assert_eq!(error("[ § ]"), "test.conf:1:3: '§' does not belong here");
    assert_eq!(error("[True]"), "test.conf:1:2: \"True\" is not a value; Kea writes true");
}

#[test]
fn what_is_opened_must_be_closed() {
    assert_eq!(error("{\n \"a\": [1, 2"), "test.conf:2:7: this list is never closed");
    assert_eq!(error("\n{ \"a\": 1,"), "test.conf:2:1: this map is never closed");
    assert_eq!(error("{ \"a"), "test.conf:1:3: this string has no closing quote");
    assert_eq!(error("{ \"a\n\": 1 }"), "test.conf:1:3: this string has no closing quote");
    assert_eq!(error("{} /* x"), "test.conf:1:4: this comment has no end (\"*/\")");
    assert_eq!(error(&"[".repeat(100_000)), "test.conf:1:129: maps and lists are nested deeper than 128");
}

#[test]
fn odd_strings_say_why() {
    assert_eq!(error(r#"["\u0100"]"#), r"test.conf:1:3: Kea knows only \u0000 to \u00ff");
    assert_eq!(error(r#"["a\u00"]"#), r"test.conf:1:4: \u needs four hexadecimal digits");
    assert_eq!(error(r#"["\x"]"#), r#"test.conf:1:3: a backslash may stand only before " \ / b f n r t u"#);
    assert_eq!(error("[\"\t\"]"), "test.conf:1:3: a string cannot hold the control character 0x09");
    let utf16 = Document::parse_kea(Path::new("test.conf"), b"\xff\xfe{\0}\0".to_vec()).unwrap_err();
    assert_eq!(utf16.to_string(), "test.conf: is UTF-16 text; save it as UTF-8");
}

#[test]
fn includes_are_spliced_word_by_word() {
    write("splice", "parts/subnets.conf", "\"subnet4\": [ <?include \"one.conf\"?> ], # and its comma\n");
    write("splice", "parts/one.conf", r#"{ "id": 1, "subnet": "192.168.4.0/24" }"#);
    let main = write(
        "splice",
        "main.conf",
        "{ \"Dhcp4\": { <? include\n\"parts/subnets.conf\" ?> \"authoritative\": true } }",
    );
    let KeaFile::Dhcp4(file) = KeaFile::load(&main).unwrap() else { panic!() };
    assert_eq!(file.subnets.len(), 1);
}

#[test]
fn errors_in_included_files_name_them() {
    let part = write("place", "part.conf", "\n  \"id\": x");
    let main = write("place", "main.conf", "{ <?include \"part.conf\"?> }");
    let text = format!("{}:2:9: \"x\" is not a value; a string needs quotes", part.display());
    assert_eq!(Document::load_kea(&main).unwrap_err().to_string(), text);

    let part = write("typed", "part.conf", "\n  \"http-port\": true");
    let main = write("typed", "main.conf", "{ \"Control-agent\": { <?include \"part.conf\"?> } }");
    let text = format!("{}:2:16: \"http-port\" must be a whole number, not true or false", part.display());
    assert_eq!(KeaFile::load(&main).unwrap_err().to_string(), text);
}

#[test]
fn includes_that_cannot_be() {
    let main = write("missing", "main.conf", "{\n<?include \"nothing.conf\"?> }");
    let missing = main.with_file_name("nothing.conf");
    let why = "cannot be read: No such file or directory (os error 2)";
    let text = format!("{}:2:1: included file {} {why}", main.display(), missing.display());
    assert_eq!(Document::load_kea(&main).unwrap_err().to_string(), text);
    let text = format!("{}: {why}", missing.display());
    assert_eq!(Document::load_kea(&missing).unwrap_err().to_string(), text);

    let main = write("endless", "main.conf", "[<?include \"main.conf\"?>");
    let text = format!("{}:1:2: includes are nested deeper than 11", main.display());
    assert_eq!(Document::load_kea(&main).unwrap_err().to_string(), text);

    for bad in
        ["<?", "<?include", "<?include x?>", "<?include \"\"?>", "<?include \"x?>", "<?include \"x\" >"]
    {
        assert_eq!(error(bad), "test.conf:1:1: expected <?include \"PATH\"?>", "{bad}");
    }
}

/// Marsaglia's xorshift64: the same mutations on every run.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % end as u64).unwrap()
    }
}

#[test]
fn no_mutation_makes_it_panic() {
    let mut random = Random(0x5eed_cafe_f00d_0001);
    let words: [&[u8]; 12] =
        [b"{", b"}", b"[", b"]", b",", b"\"", b"/*", b"#", b"<?include \"", b"\\u00", b"-1", b"\xff"];
    for sample in [HUB, BALANCED, ZALDUA2ZERB1, AGENT, samples::ZALDUA1ZERB2] {
        for _ in 0..3_000 {
            let mut bytes = sample.as_bytes().to_vec();
            for _ in 0..=random.below(4) {
                let at = random.below(bytes.len());
                match random.below(5) {
                    0 => bytes.truncate(at),
                    1 => drop(bytes.remove(at)),
                    2 => bytes[at] = u8::try_from(random.below(256)).unwrap(),
                    3 => drop(bytes.splice(at..at, words[random.below(words.len())].iter().copied())),
                    _ => {
                        let from = random.below(bytes.len());
                        let piece = bytes[from..(from + 40).min(bytes.len())].to_vec();
                        drop(bytes.splice(at..at, piece));
                    }
                }
                if bytes.is_empty() {
                    break;
                }
            }
            let _ = KeaFile::parse(Path::new("/nonexistent/test.conf"), bytes);
        }
    }
}
