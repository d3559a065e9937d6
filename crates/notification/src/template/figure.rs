//! Codes as pictures: the QR of a Pix code, the bar code of a boleto. Black on white, as readers want them.

use barcoders::sym::tf::TF;
use qrcode::{Color, EcLevel, QrCode};

/// Pixels of a module of a QR code.
const QR_SCALE: usize = 4;
/// Modules of light around a QR code (ISO/IEC 18004).
const QR_QUIET: usize = 4;
/// Pixels of a narrow bar.
const BAR_SCALE: usize = 2;
/// Height of the bars: an eighth of their length, as FEBRABAN's 13 mm by 103 mm.
const BAR_HEIGHT: usize = 104;
/// Narrow bars of light beside the bars: 5 mm.
const BAR_QUIET: usize = 20;

/// A picture that an HTML text shows. It is drawn when a message is built: most ways out never need it.
#[derive(Clone, PartialEq, Eq)]
pub struct Figure {
    /// Its name in the text: `cid:` and this.
    pub content_id: String,
    /// What it says.
    pub drawing: Drawing,
}

/// What a picture says.
#[derive(Clone, PartialEq, Eq)]
pub enum Drawing {
    /// A QR code of a text.
    Qr(String),
    /// A bar code of 44 digits.
    Bars(String),
}

impl Figure {
    /// The picture, PNG; `None` where the text fits no code.
    pub fn png(&self) -> Option<Vec<u8>> {
        match &self.drawing {
            Drawing::Qr(text) => qr_code(text),
            Drawing::Bars(digits) => bar_code(digits),
        }
    }
}

/// The QR code of a text; `None` where it does not fit one.
pub fn qr_code(text: &str) -> Option<Vec<u8>> {
    let code = QrCode::with_error_correction_level(text, EcLevel::M).ok()?;
    let width = code.width();
    let dark = code.to_colors();
    let side = (width + 2 * QR_QUIET) * QR_SCALE;
    let is_dark = |x: usize, y: usize| {
        let place = |pixel: usize| (pixel / QR_SCALE).checked_sub(QR_QUIET).filter(|module| *module < width);
        let (Some(column), Some(row)) = (place(x), place(y)) else { return false };
        dark.get(row * width + column) == Some(&Color::Dark)
    };
    png_of(side, side, is_dark)
}

/// The interleaved 2 of 5 of 44 digits; `None` for anything else.
pub fn bar_code(digits: &str) -> Option<Vec<u8>> {
    if digits.len() != 44 {
        return None;
    }
    let bars = TF::interleaved(digits).ok()?.encode();
    let is_dark = |x: usize, _: usize| (x / BAR_SCALE).checked_sub(BAR_QUIET).and_then(|bar| bars.get(bar)) == Some(&1);
    png_of((bars.len() + 2 * BAR_QUIET) * BAR_SCALE, BAR_HEIGHT, is_dark)
}

/// One bit a pixel, rows in whole bytes.
fn png_of(width: usize, height: usize, is_dark: impl Fn(usize, usize) -> bool) -> Option<Vec<u8>> {
    let mut pixels = Vec::with_capacity(width.div_ceil(8) * height);
    for y in 0..height {
        for first in (0..width).step_by(8) {
            let light = |bit: usize| u8::from(!is_dark(first + bit, y)) << (7 - bit);
            pixels.push((0..8).map(light).fold(0, |byte, bit| byte | bit));
        }
    }
    let mut out = Vec::new();
    let mut encoder = png::Encoder::new(&mut out, u32::try_from(width).ok()?, u32::try_from(height).ok()?);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::One);
    let mut writer = encoder.write_header().ok()?;
    writer.write_image_data(&pixels).ok()?;
    writer.finish().ok()?;
    Some(out)
}
