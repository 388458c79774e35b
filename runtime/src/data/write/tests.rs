//! Pictures, decoded again and held against what was put in.

use super::{PictureGrid, picture_of, write_png};
use pcc_ir::{Domain, MISSING, VarGroup, VarId};

fn group(extents: &[u32], domain: Domain) -> VarGroup {
    VarGroup { name: "X".into(), extents: extents.into(), domain, is_latent: false, first: VarId(0) }
}

fn decode(bytes: &[u8]) -> (u32, u32, Vec<u8>) {
    let mut reader = png::Decoder::new(std::io::Cursor::new(bytes)).read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut pixels).unwrap();
    (info.height, info.width, pixels)
}

#[test]
fn grey_pictures_side_by_side() {
    let group = group(&[1, 2], Domain::Cat(3));
    let pictures: Vec<_> = [[0, 2], [1, MISSING], [2, 2]].map(|row| picture_of(&group, &row).unwrap()).into();
    let mut bytes = Vec::new();
    write_png(&mut bytes, &pictures, PictureGrid { per_line: 2, separator: 1, scale: 1 }).unwrap();
    let white = 255;
    let expected =
        [[0, 255, white, 128, 128], [white, white, white, white, white], [255, 255, white, white, white]];
    assert_eq!(decode(&bytes), (3, 5, expected.concat()));
}

#[test]
fn coloured_pictures_are_scaled() {
    let group = group(&[1, 1, 3], Domain::Cat(256));
    let picture = picture_of(&group, &[10, 20, 30]).unwrap();
    let mut bytes = Vec::new();
    write_png(&mut bytes, &[picture], PictureGrid { per_line: 8, separator: 0, scale: 2 }).unwrap();
    assert_eq!(decode(&bytes), (2, 2, [10, 20, 30].repeat(4)));
}

#[test]
fn what_is_no_picture() {
    for (extents, domain) in [(&[][..], Domain::Bool), (&[2, 2, 2], Domain::Bool), (&[2, 2], Domain::Nat)] {
        assert_eq!(picture_of(&group(extents, domain), &[0; 8]).unwrap_err().code, "not-a-picture");
    }
    assert!(write_png(&mut Vec::new(), &[], PictureGrid { per_line: 1, separator: 0, scale: 1 }).is_err());
}
