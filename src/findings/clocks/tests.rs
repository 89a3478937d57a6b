use super::*;

#[test]
fn skews_are_whole_seconds_towards_zero() {
    assert_eq!(skew_s(60 * SECOND + SECOND - 1, None), 60, "60 is tolerated");
    assert_eq!(skew_s(61 * SECOND, None), 61, "and 61 is not");
    assert_eq!(skew_s(-61 * SECOND, None), -61);
    assert_eq!(skew_s(-60 * SECOND - 1, None), -60);
    assert_eq!(skew_s(40 * SECOND, Some(40 * SECOND)), 0, "the capture's own clock is wrong");
    assert_eq!(skew_s(40 * SECOND, Some(-30 * SECOND)), 70, "each by less than 60 s, both together by more");
}
