//! Prometheus' text format, as far as tests look at it; that it is well-formed a parser of others says.

use std::collections::BTreeMap;

/// One sample.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    pub name: String,
    pub labels: BTreeMap<String, String>,
    pub value: f64,
}

impl Sample {
    /// The value of what is counted.
    pub fn number(&self) -> u64 {
        assert!(self.value >= 0.0 && self.value.fract().abs() < f64::EPSILON, "{self:?}");
        format!("{}", self.value).parse().unwrap()
    }

    /// Whether it has these values of labels.
    pub fn has(&self, labels: &[(&str, &str)]) -> bool {
        labels.iter().all(|(label, value)| self.labels.get(*label).is_some_and(|it| it == value))
    }
}

/// The samples of a text.
pub fn samples(text: &str) -> Vec<Sample> {
    text.lines().filter(|line| !line.starts_with('#')).map(sample).collect()
}

fn sample(line: &str) -> Sample {
    let (name, rest) = line.split_at(line.find(['{', ' ']).unwrap());
    let mut labels = BTreeMap::new();
    let mut rest = rest;
    if let Some(inside) = rest.strip_prefix('{') {
        rest = inside;
        while !rest.starts_with('}') {
            let (label, quoted) = rest.split_once("=\"").unwrap();
            let (mut value, mut chars) = (String::new(), quoted.char_indices());
            let end = loop {
                match chars.next().unwrap() {
                    (at, '"') => break at,
                    (_, '\\') => value.push(match chars.next().unwrap().1 {
                        'n' => '\n',
                        other => other,
                    }),
                    (_, other) => value.push(other),
                }
            };
            labels.insert(label.to_owned(), value);
            rest = quoted[end + 1..].trim_start_matches(',');
        }
        rest = &rest[1..];
    }
    Sample { name: name.to_owned(), labels, value: rest.trim().parse().unwrap() }
}

/// The sum of the samples with these values of labels.
pub fn sum(samples: &[Sample], name: &str, labels: &[(&str, &str)]) -> f64 {
    samples.iter().filter(|it| it.name == name && it.has(labels)).map(|it| it.value).sum()
}

/// The same of what is counted.
pub fn number(samples: &[Sample], name: &str, labels: &[(&str, &str)]) -> u64 {
    samples.iter().filter(|it| it.name == name && it.has(labels)).map(Sample::number).sum()
}
