//! Numbers as JSON and Kea write them.

use super::lexer::Token;

/// Reads a number; the error says what is wrong with the word.
///
/// Whole numbers are 64 bits wide; leading zeros and `+` are not allowed.
pub(super) fn parse(word: &str) -> Result<Token, String> {
    let digits = word.strip_prefix('-').unwrap_or(word);
    let (whole, tail) = digits.split_at(digits.bytes().take_while(u8::is_ascii_digit).count());
    if whole.is_empty() {
        let hint = match word.to_ascii_lowercase().as_str() {
            lower @ ("true" | "false" | "null") => format!("; Kea writes {lower}"),
            _ => "; a string needs quotes".to_owned(),
        };
        return Err(format!("\"{word}\" is not a value{hint}"));
    }
    if whole.len() > 1 && whole.starts_with('0') {
        return Err(format!("the number {word} begins with a zero"));
    }
    if tail.is_empty() {
        return word
            .parse()
            .map(Token::Int)
            .map_err(|_| format!("the number {word} does not fit in 64 bits"));
    }
    let exponent = match tail.strip_prefix('.') {
        Some(fraction) => {
            let exponent = fraction.trim_start_matches(|digit: char| digit.is_ascii_digit());
            (exponent.len() < fraction.len()).then_some(exponent)
        }
        None => Some(tail),
    };
    if exponent.is_some_and(is_exponent)
        && let Ok(number) = word.parse()
    {
        return Ok(Token::Float(number));
    }
    Err(format!("\"{word}\" is not a number"))
}

/// Whether `text` is empty or `e`, an optional sign and digits.
fn is_exponent(text: &str) -> bool {
    let Some(power) = text.strip_prefix(['e', 'E']) else {
        return text.is_empty();
    };
    let power = power.strip_prefix(['+', '-']).unwrap_or(power);
    !power.is_empty() && power.bytes().all(|digit| digit.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_json_writes_them() {
        assert_eq!(parse("0"), Ok(Token::Int(0)));
        assert_eq!(parse("-7"), Ok(Token::Int(-7)));
        assert_eq!(parse("9223372036854775807"), Ok(Token::Int(i64::MAX)));
        assert_eq!(parse("0.8"), Ok(Token::Float(0.8)));
        assert_eq!(parse("-1.5e-3"), Ok(Token::Float(-0.0015)));
        assert_eq!(parse("2E2"), Ok(Token::Float(200.0)));
    }

    #[test]
    fn other_words_say_what_is_wrong() {
        let wrong = |word: &str| parse(word).unwrap_err();
        assert_eq!(wrong("007"), "the number 007 begins with a zero");
        assert_eq!(wrong("9223372036854775808"), "the number 9223372036854775808 does not fit in 64 bits");
        assert_eq!(wrong("1."), "\"1.\" is not a number");
        assert_eq!(wrong("1e"), "\"1e\" is not a number");
        assert_eq!(wrong("0x10"), "\"0x10\" is not a number");
        assert_eq!(wrong("192.168.4.5"), "\"192.168.4.5\" is not a number");
        assert_eq!(wrong("+1"), "\"+1\" is not a value; a string needs quotes");
        assert_eq!(wrong("-"), "\"-\" is not a value; a string needs quotes");
        assert_eq!(wrong("True"), "\"True\" is not a value; Kea writes true");
        assert_eq!(wrong("primary"), "\"primary\" is not a value; a string needs quotes");
    }
}
