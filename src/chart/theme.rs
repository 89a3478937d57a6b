//! The colours and letters of every chart, in light and dark.

/// Red, green, blue.
pub type Rgb = (u8, u8, u8);

/// Families in the order of preference. The first one is ours, so that a PNG looks the same everywhere; a viewer of
/// the SVG takes whichever it has.
pub const FONT: &str = "Noto Sans, Segoe UI, Helvetica, Arial, sans-serif";

/// The background that a chart is made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Theme {
    /// Dark letters on white.
    Light,
    /// Light letters on nearly black.
    Dark,
}

/// How lines are drawn, so that colour is never the only difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dash {
    /// One stroke.
    Solid,
    /// Long strokes.
    Dashed,
    /// Points.
    Dotted,
    /// Very long strokes.
    Long,
}

impl Dash {
    /// Stroke and gap in pixels; `None` for a solid line.
    pub const fn pattern(self) -> Option<(f64, f64)> {
        match self {
            Self::Solid => None,
            Self::Dashed => Some((7.0, 4.0)),
            Self::Dotted => Some((2.0, 3.0)),
            Self::Long => Some((14.0, 4.0)),
        }
    }
}

/// The palette of Okabe and Ito, which people with any colour vision tell apart
/// (<https://jfly.uni-koeln.de/color/>), without black and in an order in which neighbours differ most.
const BLUE: Rgb = (0x00, 0x72, 0xb2);
const ORANGE: Rgb = (0xe6, 0x9f, 0x00);
const GREEN: Rgb = (0x00, 0x9e, 0x73);
const PURPLE: Rgb = (0xcc, 0x79, 0xa7);
const SKY: Rgb = (0x56, 0xb4, 0xe9);
const VERMILLION: Rgb = (0xd5, 0x5e, 0x00);
const YELLOW: Rgb = (0xf0, 0xe4, 0x42);

impl Theme {
    /// A colour thinned with the background to so many percent.
    pub fn tint(self, colour: Rgb, percent: u8) -> Rgb {
        let share = u16::from(percent.min(100));
        let mix = |colour: u8, ground: u8| {
            ((u16::from(colour) * share + u16::from(ground) * (100 - share) + 50) / 100) as u8
        };
        let ground = self.background();
        (mix(colour.0, ground.0), mix(colour.1, ground.1), mix(colour.2, ground.2))
    }

    /// Both.
    pub const ALL: [Self; 2] = [Self::Light, Self::Dark];

    /// Its word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    const fn pick(self, light: Rgb, dark: Rgb) -> Rgb {
        match self {
            Self::Light => light,
            Self::Dark => dark,
        }
    }

    /// Behind everything.
    pub const fn background(self) -> Rgb {
        self.pick((0xff, 0xff, 0xff), (0x14, 0x17, 0x1c))
    }

    /// Letters.
    pub const fn text(self) -> Rgb {
        self.pick((0x1b, 0x1f, 0x24), (0xe6, 0xe9, 0xed))
    }

    /// Letters that explain, and axes.
    pub const fn weak(self) -> Rgb {
        self.pick((0x59, 0x63, 0x6e), (0x9f, 0xa8, 0xb3))
    }

    /// Lines of a grid.
    pub const fn grid(self) -> Rgb {
        self.pick((0xe3, 0xe6, 0xea), (0x2b, 0x31, 0x39))
    }

    /// The shade of a region, such as a zone; regions side by side take turns.
    pub const fn shade(self, number: usize) -> Rgb {
        match number % 3 {
            0 => self.pick((0xf1, 0xf5, 0xfa), (0x1b, 0x22, 0x2c)),
            1 => self.pick((0xfa, 0xf4, 0xec), (0x29, 0x24, 0x1c)),
            _ => self.pick((0xee, 0xf7, 0xf2), (0x1a, 0x28, 0x23)),
        }
    }

    /// What is as it should be.
    pub const fn good(self) -> Rgb {
        GREEN
    }

    /// What is not.
    pub const fn bad(self) -> Rgb {
        self.pick(VERMILLION, (0xf0, 0x7a, 0x1e))
    }

    /// A series by its number: colours of the palette, then the same ones with other lines.
    ///
    /// Blue and sky blue change places in the dark, where blue is hard to see.
    pub const fn series(self, number: usize) -> (Rgb, Dash) {
        let colour = match number % 7 {
            0 => self.pick(BLUE, SKY),
            1 => ORANGE,
            2 => GREEN,
            3 => PURPLE,
            4 => self.pick(SKY, BLUE),
            5 => VERMILLION,
            _ => self.pick((0xb8, 0xab, 0x00), YELLOW),
        };
        // Seven colours and four lines have no common divisor: the first 28 series all differ.
        let dash = match number % 4 {
            0 => Dash::Solid,
            1 => Dash::Dashed,
            2 => Dash::Long,
            _ => Dash::Dotted,
        };
        (colour, dash)
    }
}
