//! How far chance alone moves a share.

/// The middle 95 % of the shares that samples of `n` have, when each member counts with probability `p`.
///
/// Exact up to two hundred; beyond, the normal approximation differs from it by less than a line's width.
pub fn band(n: u64, p: f64) -> (f64, f64) {
    const EXACT: u64 = 200;
    if n == 0 {
        return (0.0, 1.0);
    }
    let size = n as f64;
    if n > EXACT {
        let half = 1.96 * (p * (1.0 - p) / size).sqrt();
        return ((p - half).max(0.0), (p + half).min(1.0));
    }
    // P(k + 1) follows from P(k): no factorial grows too large.
    let mut probability = (1.0 - p).powi(n as i32);
    let mut below = 0.0;
    let (mut low, mut high) = (None, n);
    for k in 0..=n {
        below += probability;
        if low.is_none() && below > 0.025 {
            low = Some(k);
        }
        if below >= 0.975 {
            high = k;
            break;
        }
        probability *= (size - k as f64) / (k as f64 + 1.0) * p / (1.0 - p);
    }
    (low.unwrap_or_default() as f64 / size, high as f64 / size)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By hand: of four coins all four agree in 2 of 16 cases, 12.5 %, so that the band is everything; of ten, two
    /// to eight heads come up in 1002 of 1024 cases, 97.9 %, and three to seven in 912, 89.1 %.
    #[test]
    fn coins() {
        assert_eq!(band(0, 0.5), (0.0, 1.0));
        assert_eq!(band(1, 0.5), (0.0, 1.0));
        assert_eq!(band(4, 0.5), (0.0, 1.0));
        assert_eq!(band(10, 0.5), (0.2, 0.8));
        let (low, high) = band(10_000, 0.5);
        assert!((low - 0.4902).abs() < 1e-4 && (high - 0.5098).abs() < 1e-4, "{low} {high}");
        let (exact, normal) = (band(200, 0.5), band(201, 0.5));
        assert!(
            (exact.0 - normal.0).abs() < 0.005 && (exact.1 - normal.1).abs() < 0.005,
            "{exact:?} {normal:?}"
        );
    }
}
