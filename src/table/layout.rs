//! How wide the columns of a terminal table are, and which of them fit.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Spaces between two columns.
pub(super) const GAP: usize = 2;
/// No column is squeezed below this.
const NARROWEST: usize = 6;

/// What a column would like.
#[derive(Clone, Debug)]
pub(super) struct Need {
    /// Terminal cells of its widest line without wrapping.
    pub natural: usize,
    /// Terminal cells below which it is hard to read.
    pub minimum: usize,
    /// The schema's rank: the highest goes first.
    pub rank: u8,
    /// Terminal cells of each of its values.
    pub cells: Vec<usize>,
}

/// The width of each column, `None` for one that had to go.
///
/// Columns of the worst rank go until the rest fits at its minimum; at least
/// one always stays. Then columns are narrowed until the line fits.
pub(super) fn fit(needs: &[Need], width: usize) -> Vec<Option<usize>> {
    let mut widths: Vec<Option<usize>> = needs.iter().map(|need| Some(need.natural.min(width))).collect();
    drop_columns(needs, &mut widths, width);
    loop {
        let total: usize = widths.iter().flatten().map(|width| width + GAP).sum();
        // The column that suffers least: one above its minimum, with the fewest values to wrap, and wide.
        let best = widths
            .iter_mut()
            .zip(needs)
            .filter_map(|(slot, need)| slot.as_mut().map(|width| (width, need)))
            .filter(|(width, _)| **width > NARROWEST)
            .min_by_key(|(width, need)| {
                let wrapped = need.cells.iter().filter(|cell| **cell >= **width).count();
                (**width <= need.minimum, wrapped, usize::MAX - **width)
            });
        match best {
            Some((slot, _)) if total > width + GAP => *slot -= 1,
            _ => return widths,
        }
    }
}

/// Lets columns of the worst rank go, the last of them first, until the rest fits at its minimum.
fn drop_columns(needs: &[Need], widths: &mut [Option<usize>], width: usize) {
    loop {
        let kept: Vec<&Need> =
            needs.iter().zip(&*widths).filter(|(_, w)| w.is_some()).map(|(need, _)| need).collect();
        let smallest: usize = kept.iter().map(|need| need.minimum + GAP).sum();
        let worst = kept.iter().map(|need| need.rank).max();
        if smallest <= width + GAP || kept.len() <= 1 {
            return;
        }
        if let Some((slot, _)) =
            widths.iter_mut().zip(needs).rfind(|(slot, need)| slot.is_some() && Some(need.rank) == worst)
        {
            *slot = None;
        }
    }
}

/// Terminal cells that a text takes.
pub(super) fn width(text: &str) -> usize {
    text.width()
}

/// The parts of a text that a line may end after: words, and what ends in one of `also`.
///
/// A last part of one or two letters stays with the one before, so that
/// `lease_s` does not put its unit into a line of its own.
pub(super) fn pieces<'a>(text: &'a str, also: &[char]) -> Vec<&'a str> {
    let mut pieces: Vec<&str> = text.split_inclusive(|c: char| c == ' ' || also.contains(&c)).collect();
    if let [.., before, last] = pieces.as_slice()
        && last.len() <= 2
        && before.ends_with(also)
        && let Some(joined) = text.get(text.len() - before.len() - last.len()..)
    {
        pieces.truncate(pieces.len() - 2);
        pieces.push(joined);
    }
    pieces
}

/// A text as lines of at most `limit` terminal cells; a piece that is longer than a line is cut.
pub(super) fn wrap(text: &str, limit: usize, also: &[char]) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut used = 0;
    let mut end = |line: &mut String, used: &mut usize| {
        lines.push(line.trim_end().to_owned());
        line.clear();
        *used = 0;
    };
    for piece in pieces(text, also) {
        if used > 0 && used + width(piece.trim_end()) > limit {
            end(&mut line, &mut used);
        }
        for c in piece.chars() {
            let cells = c.width().unwrap_or(0);
            if c != ' ' && used > 0 && used + cells > limit {
                end(&mut line, &mut used);
            }
            line.push(c);
            used += cells;
        }
    }
    if used > 0 || text.is_empty() {
        end(&mut line, &mut used);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_wraps_at_words_and_cuts_what_has_none() {
        assert_eq!(wrap("the standby was silent", 11, &[]), ["the standby", "was silent"]);
        assert_eq!(wrap("discover_offer_us", 10, &['_']), ["discover_", "offer_us"]);
        assert_eq!(wrap("lease_s", 6, &['_']), ["lease_", "s"]);
        assert_eq!(pieces("request_ack_us", &['_']), ["request_", "ack_us"]);
        assert_eq!(wrap("aabbccddee", 4, &[]), ["aabb", "ccdd", "ee"]);
        assert_eq!(wrap("日本語", 4, &[]), ["日本", "語"]);
        assert_eq!(wrap("", 4, &[]), [""]);
    }

    #[test]
    fn the_dearest_columns_stay_and_the_widest_shrinks() {
        // One long value among short ones wraps before many long ones do.
        let long = Need { natural: 60, minimum: 22, rank: 1, cells: vec![8, 9, 8, 60] };
        let many = Need { natural: 60, minimum: 22, rank: 1, cells: vec![60, 58, 50, 57] };
        assert_eq!(fit(&[long, many], 90), [Some(30), Some(58)]);

        let need = |natural, minimum, rank| Need { natural, minimum, rank, cells: vec![natural] };
        let needs = [need(10, 10, 1), need(90, 20, 2), need(30, 30, 9), need(10, 10, 3)];
        assert_eq!(fit(&needs, 200), [Some(10), Some(90), Some(30), Some(10)]);
        assert_eq!(fit(&needs, 100), [Some(10), Some(44), Some(30), Some(10)]);
        assert_eq!(fit(&needs, 60), [Some(10), Some(36), None, Some(10)]);
        assert_eq!(fit(&needs, 8), [Some(8), None, None, None]);
    }
}
