//! Charts as figures of the report, and as files beside it.

use super::document::{Figure, Leaf, Link, Words};
use super::{Error, File};
use crate::chart::{Chart, Theme};

/// Pages of a chart that stand in the report; further ones are files.
const MOST_PAGES: usize = 4;

/// Every chart as a figure, with the files of its pages and its data.
pub fn of(charts: Vec<Chart>) -> Result<(Vec<Figure>, Vec<File>), Error> {
    let mut files = Vec::new();
    let mut figures = Vec::new();
    for chart in charts {
        let name = chart.kind.as_str();
        let mut figure = Figure {
            kind: chart.kind,
            pages: Vec::new(),
            others: Vec::new(),
            data: format!("charts/{name}.csv"),
        };
        for page in 0..chart.pages() {
            let svg = Theme::ALL.map(|theme| chart.svg(page, theme));
            let names = Theme::ALL.map(|theme| path(name, page, theme));
            for (name, svg) in names.iter().zip(&svg) {
                files.push(File { name: name.clone(), content: svg.clone().into_bytes() });
            }
            let [file, _] = names;
            if page < MOST_PAGES {
                let of_page =
                    |theme: Theme, svg: &str| with_own_ids(svg, &format!("{name}-{page}-{}", theme.as_str()));
                let [light, dark] = &svg;
                figure.pages.push(Leaf {
                    title: chart.title(page).into(),
                    description: chart.description(page).into(),
                    file,
                    svg: [of_page(Theme::Light, light), of_page(Theme::Dark, dark)],
                });
            } else {
                figure.others.push(Link { target: file, text: Words::from(format!("page {}", page + 1)) });
            }
        }
        files.push(File { name: figure.data.clone(), content: chart.csv()? });
        figures.push(figure);
    }
    Ok((figures, files))
}

/// `charts/ladder.svg`, `charts/ladder-dark.svg`, `charts/ladder-2.svg`.
fn path(name: &str, page: usize, theme: Theme) -> String {
    let page = if page > 0 { format!("-{}", page + 1) } else { String::new() };
    let theme = if theme == Theme::Dark { "-dark" } else { "" };
    format!("charts/{name}{page}{theme}.svg")
}

/// The same picture with ids that no other picture of the page has.
///
/// In text of a picture there is no quotation mark, so ` id="` is an attribute.
fn with_own_ids(svg: &str, prefix: &str) -> String {
    let ids: Vec<&str> = svg.split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    ids.into_iter().fold(svg.to_owned(), |svg, id| {
        svg.replace(&format!(" id=\"{id}\""), &format!(" id=\"{prefix}-{id}\""))
            .replace(&format!("url(#{id})"), &format!("url(#{prefix}-{id})"))
            .replace(&format!("href=\"#{id}\""), &format!("href=\"#{prefix}-{id}\""))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_do_not_share_ids() {
        let svg =
            r##"<svg><clipPath id="a"/><g clip-path="url(#a)"/><use href="#a"/><text>id=a</text></svg>"##;
        let own = r##"<svg><clipPath id="x-a"/><g clip-path="url(#x-a)"/><use href="#x-a"/><text>id=a</text></svg>"##;
        assert_eq!(with_own_ids(svg, "x"), own);
    }

    #[test]
    fn pages_are_counted_from_one() {
        assert_eq!(path("ladder", 0, Theme::Light), "charts/ladder.svg");
        assert_eq!(path("ladder", 1, Theme::Dark), "charts/ladder-2-dark.svg");
    }
}
