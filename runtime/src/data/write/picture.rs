//! Pictures out: rows of a picture-shaped group as one PNG, side by side.

use pcc_diag::Diagnostic;
use pcc_ir::{Domain, MISSING, VarGroup};
use std::io::Write;

/// One picture of bytes, row-major, channels last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// Pixels from top to bottom.
    pub height: usize,
    /// Pixels from left to right.
    pub width: usize,
    /// 1 for grey, 3 for red, green and blue.
    pub channels: usize,
    /// `height * width * channels` bytes.
    pub bytes: Vec<u8>,
}

impl Picture {
    /// A box of it.
    ///
    /// # Panics
    /// When it does not lie inside.
    pub fn part(&self, top: usize, left: usize, height: usize, width: usize) -> Picture {
        let n = self.channels;
        let line = |y: usize| &self.bytes[(y * self.width + left) * n..][..width * n];
        let bytes = (top..top + height).flat_map(line).copied().collect();
        Picture { height, width, channels: n, bytes }
    }
}

/// How pictures are laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PictureGrid {
    /// Pictures side by side in one line.
    pub per_line: usize,
    /// Pixels between two pictures, after scaling.
    pub separator: usize,
    /// Pixels that one pixel becomes, in both directions.
    pub scale: usize,
}

/// What fills the space between pictures and after the last one.
const BACKGROUND: u8 = 255;
/// How a pixel that is not known is drawn.
const UNKNOWN: u8 = 128;

/// The picture in a row of evidence. A group `[h, w]` is grey, `[h, w, 3]` is coloured, `[n]` is one line;
/// the values of a domain are spread from black to white, and reals are taken from 0 to 1.
///
/// # Errors
/// `not-a-picture` when the group has other extents or no bound.
pub fn picture_of(group: &VarGroup, row: &[u32]) -> Result<Picture, Diagnostic> {
    let (height, width, channels) = match group.extents.iter().map(|&e| e as usize).collect::<Vec<_>>()[..] {
        [width] => (1, width, 1),
        [height, width] => (height, width, 1),
        [height, width, channels @ (1 | 3)] => (height, width, channels),
        _ => return Err(no_picture(group)),
    };
    let white = match (group.domain, group.domain.n_values()) {
        (Domain::Real, _) => None,
        (_, Some(n)) => Some(f64::from(n.max(2) - 1)),
        (_, None) => return Err(no_picture(group)),
    };
    let byte = |&word: &u32| match (word, white) {
        (MISSING, _) => UNKNOWN,
        (code, Some(white)) => (f64::from(code) * 255.0 / white).round() as u8,
        (bits, None) => (f32::from_bits(bits) * 255.0).round() as u8,
    };
    let words = &row[group.first.index()..group.first.index() + group.len()];
    Ok(Picture { height, width, channels, bytes: words.iter().map(byte).collect() })
}

fn no_picture(group: &VarGroup) -> Diagnostic {
    let message = format!(
        "`{}` has {:?} extents of `{}`, which is no picture",
        group.name, group.extents, group.domain
    );
    Diagnostic::error("not-a-picture", message)
        .help("a picture is `[height, width]`, or `[height, width, 3]` with colours, of a bounded domain or of reals from 0 to 1")
}

/// Writes pictures of equal size as one PNG, line after line.
///
/// # Errors
/// What the writer reports; `InvalidInput` when there are no pictures or their sizes differ.
pub fn write_png(to: &mut dyn Write, pictures: &[Picture], grid: PictureGrid) -> std::io::Result<()> {
    let first = pictures.first().ok_or_else(|| invalid("there is no picture to write"))?;
    let size = |p: &Picture| (p.height, p.width, p.channels);
    if pictures.iter().any(|p| size(p) != size(first)) {
        return Err(invalid("the pictures differ in size"));
    }
    let sheet = Sheet::of(first, pictures.len(), grid);
    let mut bytes = vec![BACKGROUND; sheet.height * sheet.width * first.channels];
    for (i, picture) in pictures.iter().enumerate() {
        sheet.place(picture, i, &mut bytes);
    }
    let as_extent = |n: usize| u32::try_from(n).map_err(|_| invalid("the picture is too large"));
    let mut encoder = png::Encoder::new(to, as_extent(sheet.width)?, as_extent(sheet.height)?);
    encoder.set_color(if first.channels == 3 { png::ColorType::Rgb } else { png::ColorType::Grayscale });
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&bytes)?;
    writer.finish()?;
    Ok(())
}

fn invalid(message: &str) -> std::io::Error {
    std::io::Error::new(std::io::ErrorKind::InvalidInput, message)
}

/// The picture of all pictures.
struct Sheet {
    per_line: usize,
    grid: PictureGrid,
    height: usize,
    width: usize,
}

impl Sheet {
    fn of(picture: &Picture, n: usize, grid: PictureGrid) -> Self {
        let grid = PictureGrid { scale: grid.scale.max(1), ..grid };
        let per_line = grid.per_line.clamp(1, n);
        let extent = |count: usize, pixels: usize| count * pixels * grid.scale + (count - 1) * grid.separator;
        let height = extent(n.div_ceil(per_line), picture.height);
        Sheet { per_line, grid, height, width: extent(per_line, picture.width) }
    }

    fn place(&self, picture: &Picture, index: usize, bytes: &mut [u8]) {
        let PictureGrid { separator, scale, .. } = self.grid;
        let top = (index / self.per_line) * (picture.height * scale + separator);
        let left = (index % self.per_line) * (picture.width * scale + separator);
        let n = picture.channels;
        for y in 0..picture.height * scale {
            for x in 0..picture.width * scale {
                let from = ((y / scale) * picture.width + x / scale) * n;
                let to = ((top + y) * self.width + left + x) * n;
                bytes[to..to + n].copy_from_slice(&picture.bytes[from..from + n]);
            }
        }
    }
}
