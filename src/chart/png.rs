//! The SVG of a chart as PNG, twice as fine as a screen shows it.

use std::sync::{Arc, OnceLock};

use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{Options, Tree, fontdb};

/// Pixels of the PNG for one of the SVG.
pub const SCALE: f32 = 2.0;

/// Our letters: a picture looks the same on every machine, also where no font is installed.
static REGULAR: &[u8] = include_bytes!("font/NotoSans-Regular.ttf");
static BOLD: &[u8] = include_bytes!("font/NotoSans-Bold.ttf");

/// What an SVG is read with: no font but ours, and nothing from outside.
pub fn options() -> Options<'static> {
    static FONTS: OnceLock<Arc<fontdb::Database>> = OnceLock::new();
    let fonts = FONTS.get_or_init(|| {
        let mut fonts = fontdb::Database::new();
        fonts.load_font_data(REGULAR.to_vec());
        fonts.load_font_data(BOLD.to_vec());
        fonts.set_sans_serif_family("Noto Sans");
        Arc::new(fonts)
    });
    Options { fontdb: Arc::clone(fonts), font_family: "Noto Sans".to_owned(), ..Options::default() }
}

/// Renders an SVG; the error says what is wrong with it or that it is too large.
pub fn render(svg: &str) -> Result<Vec<u8>, String> {
    let tree = Tree::from_str(svg, &options()).map_err(|error| error.to_string())?;
    let size = tree.size().to_int_size().scale_by(SCALE).ok_or("a picture without a size")?;
    let mut pixels = Pixmap::new(size.width(), size.height()).ok_or("the picture is too large")?;
    resvg::render(&tree, Transform::from_scale(SCALE, SCALE), &mut pixels.as_mut());
    pixels.encode_png().map_err(|error| error.to_string())
}
