//! PromQL, as far as it names metrics and labels.

use serde_json::Value;

/// A label, an operator and a value.
pub type Matcher = (String, String, String);

/// What a query names.
#[derive(Debug, Default)]
pub struct Query {
    /// Metrics, each with what its labels are matched by.
    pub selectors: Vec<(String, Vec<Matcher>)>,
    /// Labels behind `by`, `on`, `group_left` and the like, and those of `label_values`.
    pub groupings: Vec<String>,
}

#[derive(Debug, PartialEq)]
enum Token {
    Word(String),
    Text(String),
    Sign(char),
}

fn tokens(text: &str) -> Vec<Token> {
    let (mut tokens, mut chars) = (Vec::new(), text.chars().peekable());
    while let Some(c) = chars.next() {
        match c {
            '"' => {
                let value: String = chars.by_ref().take_while(|c| *c != '"').collect();
                assert!(!value.contains('\\'), "no query here needs it: {text}");
                tokens.push(Token::Text(value));
            }
            c if c.is_alphanumeric() || matches!(c, '_' | '$' | ':' | '.') => {
                let mut word = String::from(c);
                while let Some(c) = chars.next_if(|c| c.is_alphanumeric() || matches!(c, '_' | ':' | '.')) {
                    word.push(c);
                }
                tokens.push(Token::Word(word));
            }
            c if c.is_whitespace() => {}
            c => tokens.push(Token::Sign(c)),
        }
    }
    tokens
}

/// What a query names.
pub fn query(text: &str) -> Query {
    const GROUP: [&str; 6] = ["by", "without", "on", "ignoring", "group_left", "group_right"];
    let (mut query, mut tokens) = (Query::default(), tokens(text).into_iter().peekable());
    let mut values = false;
    while let Some(token) = tokens.next() {
        let Token::Word(word) = token else { continue };
        let opens =
            |tokens: &mut std::iter::Peekable<_>, sign| tokens.next_if_eq(&Token::Sign(sign)).is_some();
        if word == "label_values" {
            values = true;
        } else if GROUP.contains(&word.as_str()) {
            if opens(&mut tokens, '(') {
                let labels = tokens.by_ref().take_while(|token| *token != Token::Sign(')'));
                query.groupings.extend(labels.filter_map(|token| match token {
                    Token::Word(label) => Some(label),
                    _ => None,
                }));
            }
        } else if word.starts_with("dorascope_") || word.starts_with("process_") {
            let mut matchers = Vec::new();
            if opens(&mut tokens, '{') {
                let (mut label, mut operator) = (String::new(), String::new());
                for token in tokens.by_ref().take_while(|token| *token != Token::Sign('}')) {
                    match token {
                        Token::Word(word) => label = word,
                        Token::Sign(',') => {}
                        Token::Sign(sign) => operator.push(sign),
                        Token::Text(value) => {
                            matchers.push((std::mem::take(&mut label), std::mem::take(&mut operator), value));
                        }
                    }
                }
            }
            query.selectors.push((word, matchers));
        } else if values {
            query.groupings.push(word);
        }
    }
    query
}

/// The expressions of a file of rules; in one line, or in the deeper lines behind `expr: |`.
pub fn of_rules(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let Some(expression) = line.trim_start().strip_prefix("expr: ") else { continue };
        let mut expression = expression.trim_start_matches('|').to_owned();
        let indent = line.len() - line.trim_start().len();
        while let Some(line) = lines.next_if(|line| line.len() - line.trim_start().len() > indent) {
            expression.push(' ');
            expression.push_str(line.trim());
        }
        found.push(expression);
    }
    found
}

/// Every query of a dashboard with its legend.
pub fn targets<'v>(value: &'v Value, found: &mut Vec<(&'v str, &'v str)>) {
    match value {
        Value::Object(fields) => {
            let text = |key| fields.get(key).and_then(Value::as_str);
            found.extend(text("expr").zip(text("legendFormat")));
            fields.values().for_each(|value| targets(value, found));
        }
        Value::Array(values) => values.iter().for_each(|value| targets(value, found)),
        _ => {}
    }
}

/// The labels in a legend such as `{{server}} in {{relationship}}`.
pub fn legend_labels(legend: &str) -> Vec<String> {
    legend.split("{{").skip(1).filter_map(|rest| Some(rest.split_once("}}")?.0.trim().to_owned())).collect()
}
