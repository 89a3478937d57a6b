//! Numbers as Kea writes them.

use super::lexer::Token;

/// Reads a number; the error says what is wrong with the word.
///
/// Kea takes more than JSON: zeros in front, and fractions such as `.5`, `5.`
/// or `+0.5` (a plus sign makes any number a fraction, so not a whole one).
/// Whole numbers are 64 bits wide.
pub(super) fn parse(word: &str) -> Result<Token, String> {
    let digits = word.strip_prefix('-').unwrap_or(word);
    if !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return word
            .parse()
            .map(Token::Int)
            .map_err(|_| format!("the number {word} does not fit in 64 bits"));
    }
    // Rust would read words such as "inf" as numbers, too.
    let is_fraction = word.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E'));
    if is_fraction && let Ok(number) = word.parse() {
        return Ok(Token::Float(number));
    }
    if word.starts_with(|first: char| first.is_ascii_digit() || "+-.".contains(first)) {
        return Err(format!("\"{word}\" is not a number"));
    }
    let hint = match word.to_ascii_lowercase().as_str() {
        lower @ ("true" | "false" | "null") => format!("Kea writes {lower}"),
        _ => "a string needs quotes".to_owned(),
    };
    Err(format!("\"{word}\" is not a value; {hint}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_kea_writes_them() {
        assert_eq!(parse("0"), Ok(Token::Int(0)));
        assert_eq!(parse("-7"), Ok(Token::Int(-7)));
        assert_eq!(parse("007"), Ok(Token::Int(7)));
        assert_eq!(parse("9223372036854775807"), Ok(Token::Int(i64::MAX)));
        assert_eq!(parse("0.8"), Ok(Token::Float(0.8)));
        assert_eq!(parse("-1.5e-3"), Ok(Token::Float(-0.0015)));
        assert_eq!(parse("2E2"), Ok(Token::Float(200.0)));
        assert_eq!(parse(".5"), Ok(Token::Float(0.5)));
        assert_eq!(parse("5."), Ok(Token::Float(5.0)));
        assert_eq!(parse("+1"), Ok(Token::Float(1.0)));
    }

    #[test]
    fn other_words_say_what_is_wrong() {
        let wrong = |word: &str| parse(word).unwrap_err();
        assert_eq!(wrong("9223372036854775808"), "the number 9223372036854775808 does not fit in 64 bits");
        assert_eq!(wrong("1e"), "\"1e\" is not a number");
        assert_eq!(wrong("0x10"), "\"0x10\" is not a number");
        assert_eq!(wrong("192.168.4.5"), "\"192.168.4.5\" is not a number");
        assert_eq!(wrong("-"), "\"-\" is not a number");
        assert_eq!(wrong("inf"), "\"inf\" is not a value; a string needs quotes");
        assert_eq!(wrong("True"), "\"True\" is not a value; Kea writes true");
        assert_eq!(wrong("primary"), "\"primary\" is not a value; a string needs quotes");
    }
}
