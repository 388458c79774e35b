//! Every reader against rows written out by hand, and every fault that data can have.

use crate::data::cells::{Bytes, Cells};
use crate::data::{DataSets, Dataset, Mask, read, write_csv, write_npy};
use parquet::data_type::{ByteArrayType, FloatType, Int32Type, Int64Type};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use pcc_diag::{Diagnostic, Span};
use pcc_ir::recipe::{DataSource, Reader, Rows, TextOptions};
use pcc_ir::{Batch, Domain, MISSING, VarGroup, VarId};
use proptest::prelude::*;
use safetensors::Dtype;
use safetensors::tensor::TensorView;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

fn group(name: &str, extents: &[u32], domain: Domain, first: u32) -> VarGroup {
    VarGroup { name: name.into(), extents: extents.into(), domain, is_latent: false, first: VarId(first) }
}

fn pixels(domain: Domain) -> VarGroup {
    group("X", &[2, 2], domain, 0)
}

fn source(reader: Reader, variables: &[&str]) -> DataSource {
    DataSource {
        name: "train".into(),
        variables: variables.iter().map(|v| v.to_string()).collect(),
        path: "train.data".into(),
        beside: String::new(),
        reader,
        rows: Rows::default(),
        span: Span::NONE,
    }
}

/// Reads content as the file of a data set over all groups.
fn check(content: &[u8], reader: Reader, groups: &[VarGroup]) -> Result<Dataset, Diagnostic> {
    let names: Vec<&str> = groups.iter().map(|g| g.name.as_str()).collect();
    check_source(content, &source(reader, &names), groups)
}

fn check_source(content: &[u8], source: &DataSource, groups: &[VarGroup]) -> Result<Dataset, Diagnostic> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(&source.path), content).unwrap();
    read(source, groups, &[folder.path().into()], None)
}

fn check_fault(content: &[u8], reader: Reader, groups: &[VarGroup], code: &str, words: &[&str]) {
    let fault = check(content, reader, groups).unwrap_err();
    assert_eq!(fault.code, code, "{}", fault.message);
    for word in words {
        assert!(fault.message.contains(word), "no `{word}` in: {}", fault.message);
    }
}

fn words(data: &Dataset) -> Vec<Vec<u32>> {
    let batch = data.to_batch();
    (0..batch.n_rows()).map(|row| batch.row(row).to_vec()).collect()
}

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

/// An idx file of bytes.
fn idx(shape: &[u32], bytes: &[u8]) -> Vec<u8> {
    let mut content = vec![0, 0, 8, shape.len() as u8];
    shape.iter().for_each(|extent| content.extend(extent.to_be_bytes()));
    content.extend(bytes);
    content
}

/// A numpy file, header written out as the format's description has it.
fn npy(descr: &str, is_fortran: bool, shape: &str, body: &[u8]) -> Vec<u8> {
    let order = if is_fortran { "True" } else { "False" };
    let mut header = format!("{{'descr': '{descr}', 'fortran_order': {order}, 'shape': {shape}, }}");
    while (10 + header.len() + 1) % 64 != 0 {
        header.push(' ');
    }
    header.push('\n');
    let length = (header.len() as u16).to_le_bytes();
    [b"\x93NUMPY\x01\x00", &length[..], header.as_bytes(), body].concat()
}

fn csv(has_header: bool) -> Reader {
    Reader::Csv { has_header, separator: ',' }
}

fn text(window: usize, stride: usize, by_character: bool) -> Reader {
    let vocabulary_of = "train".into();
    Reader::Text(TextOptions { window, stride, by_character, vocabulary: None, vocabulary_of })
}

#[test]
fn idx_plain_and_compressed() {
    let content = idx(&[2, 2, 2], &[0, 1, 2, 255, 4, 5, 6, 7]);
    let groups = [pixels(Domain::Cat(256))];
    let plain = check(&content, Reader::Idx, &groups).unwrap();
    let compressed = check(&gzip(&content), Reader::Idx, &groups).unwrap();
    assert_eq!(words(&plain), [[0, 1, 2, 255], [4, 5, 6, 7]]);
    assert_eq!(words(&compressed), words(&plain));
    assert_eq!(compressed.key(), plain.key());
}

#[test]
fn ranges_of_rows() {
    let content = idx(&[3, 4], &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
    let groups = [pixels(Domain::Cat(9))];
    let rows = |start, end| DataSource { rows: Rows { start, end }, ..source(Reader::Idx, &["X"]) };
    let middle = check_source(&content, &rows(1, Some(2)), &groups).unwrap();
    assert_eq!(words(&middle), [[4, 5, 6, 7]]);
    let fault = check_source(&content, &rows(1, None), &groups).unwrap_err();
    assert!(fault.message.starts_with("row 3 of `train` has 9 at `X[0, 1]`"), "{}", fault.message);
    for (start, end) in [(0, Some(4)), (2, Some(2)), (3, None)] {
        assert_eq!(check_source(&content, &rows(start, end), &groups).unwrap_err().code, "data-shape");
    }
}

#[test]
fn idx_faults() {
    let groups = [pixels(Domain::Cat(4))];
    let good = idx(&[2, 2, 2], &[0; 8]);
    check_fault(&good[..good.len() - 1], Reader::Idx, &groups, "data-shape", &["8 bytes", "7 follow"]);
    check_fault(&good[..6], Reader::Idx, &groups, "data-format", &[]);
    check_fault(b"hello, reader", Reader::Idx, &groups, "data-format", &["text"]);
    check_fault(&idx(&[2, 3], &[0; 6]), Reader::Idx, &groups, "data-shape", &["2 x 3", "X[2, 2]"]);
    check_fault(&idx(&[u32::MAX; 3], &[]), Reader::Idx, &groups, "data-shape", &[]);
    let none = idx(&[0, u32::MAX, u32::MAX, u32::MAX], &[]);
    check_fault(&none, Reader::Idx, &groups, "data-shape", &["X[2, 2]"]);
    check_fault(
        &idx(&[1, 4], &[0, 0, 4, 0]),
        Reader::Idx,
        &groups,
        "value-out-of-domain",
        &["4 at `X[1, 0]`"],
    );
    check_fault(b"\x80\x04\x95pickled", Reader::Idx, &groups, "data-format", &["pickle"]);
    check_fault(&gzip(&good)[..20], Reader::Idx, &groups, "data-format", &["cut short"]);
}

#[test]
fn numpy_types_and_orders() {
    let bytes = |values: [i64; 4]| values.map(|v| v as u8).to_vec();
    let longs = |values: [i64; 4]| values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>();
    let shorts =
        |values: [i64; 4]| values.iter().flat_map(|v| (*v as i16).to_be_bytes()).collect::<Vec<u8>>();
    let doubles =
        |values: [i64; 4]| values.iter().flat_map(|v| (*v as f64).to_le_bytes()).collect::<Vec<u8>>();
    let groups = [group("A", &[2], Domain::Int(-1, 3), 0)];
    let rows = [-1, 0, 2, 3];
    for (descr, body) in
        [("<i8", longs(rows)), (">i2", shorts(rows)), ("<f8", doubles(rows)), ("|i1", bytes(rows))]
    {
        let in_c = check(&npy(descr, false, "(2, 2)", &body), Reader::Npy, &groups).unwrap();
        assert_eq!(words(&in_c), [[0, 1], [3, 4]], "{descr}");
        let in_fortran = check(&npy(descr, true, "(2, 2)", &body), Reader::Npy, &groups).unwrap();
        assert_eq!(words(&in_fortran), [[0, 3], [1, 4]], "{descr}");
    }
    let flags =
        check(&npy("|b1", false, "(2, 2)", &[0, 1, 1, 0]), Reader::Npy, &[group("A", &[2], Domain::Bool, 0)]);
    assert_eq!(words(&flags.unwrap()), [[0, 1], [1, 0]]);
}

#[test]
fn fortran_order_of_three_axes() {
    // Element (i, j, k) is 9 i + 3 j + k in base 3, laid out with i fastest.
    let mut body = Vec::new();
    for (k, j) in [(0, 0), (0, 1), (1, 0), (1, 1), (2, 0), (2, 1)] {
        body.extend([0, 1].map(|i| 9 * i + 3 * j + k));
    }
    let groups = [group("X", &[2, 3], Domain::Cat(20), 0)];
    let data = check(&npy("|u1", true, "(2, 2, 3)", &body), Reader::Npy, &groups).unwrap();
    assert_eq!(words(&data), [[0, 1, 2, 3, 4, 5], [9, 10, 11, 12, 13, 14]]);
    check_fault(&npy("|u1", false, "(2, 3, 2)", &body), Reader::Npy, &groups, "data-shape", &["2 x 3 x 2"]);
}

#[test]
fn numpy_faults() {
    let groups = [group("A", &[2], Domain::Real, 0)];
    let body: Vec<u8> = [0.5_f64, 1.0, f64::NAN, 2.0].iter().flat_map(|v| v.to_le_bytes()).collect();
    let nan = npy("<f8", false, "(2, 2)", &body);
    check_fault(&nan, Reader::Npy, &groups, "missing-value", &["row 2 of `train`", "`A[0]`"]);
    check_fault(&nan[..nan.len() - 3], Reader::Npy, &groups, "data-shape", &["3 of 4"]);
    check_fault(&npy("|O", false, "(2, 2)", &[0; 32]), Reader::Npy, &groups, "data-format", &["pickle"]);
    check_fault(&npy("<f8", false, "()", &[0; 8]), Reader::Npy, &groups, "data-shape", &["single number"]);
    check_fault(&npy("<f8", false, "(99999999999, 2)", &[0; 8]), Reader::Npy, &groups, "data-shape", &[]);
    let infinite = f64::INFINITY.to_le_bytes().repeat(2);
    check_fault(
        &npy("<f8", false, "(1, 2)", &infinite),
        Reader::Npy,
        &groups,
        "value-out-of-domain",
        &["inf at `A[0]`"],
    );
    let half: Vec<u8> = [0.5_f64, 0.0].iter().flat_map(|v| v.to_le_bytes()).collect();
    let coins = [group("A", &[2], Domain::Bool, 0)];
    check_fault(&npy("<f8", false, "(1, 2)", &half), Reader::Npy, &coins, "value-out-of-domain", &["0.5"]);
}

#[test]
fn large_unsigned_numbers_are_no_codes_but_reals() {
    let body: Vec<u8> = [7, u64::MAX].iter().flat_map(|v| v.to_le_bytes()).collect();
    let content = npy("<u8", false, "(1, 2)", &body);
    let data = check(&content, Reader::Npy, &[group("A", &[2], Domain::Real, 0)]).unwrap();
    assert_eq!(words(&data), [[7.0_f32.to_bits(), 18446744073709551616.0_f32.to_bits()]]);
    let codes = [group("A", &[2], Domain::Nat, 0)];
    check_fault(&content, Reader::Npy, &codes, "value-out-of-domain", &["`A[1]`"]);
}

#[test]
fn impossible_extents_are_refused_without_setting_memory_aside() {
    let groups = [group("A", &[2], Domain::Bool, 0)];
    for shape in
        ["(9999999999999999, 9999999999999999)", "(4611686018427387904, 2)", "(-1, 2)", "(0, 99999999999)"]
    {
        let fault = check(&npy("|b1", false, shape, &[0; 8]), Reader::Npy, &groups).unwrap_err();
        assert!(["data-shape", "data-format"].contains(&fault.code), "{shape}: {}", fault.message);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever the content, every reader answers.
    #[test]
    fn no_content_makes_a_reader_panic(
        start in prop_oneof![
            Just(idx(&[2, 2], &[1, 0, 3, 1])),
            Just(npy("<i8", true, "(2, 2)", &[0; 32])),
            Just(b"0,1\n1,?\n".to_vec()),
            Just(b"PK\x03\x04".to_vec()),
            Just(tensors(&[("a", Dtype::I64, vec![2, 2], vec![0; 32])])),
            Just(table("message m { required int32 a; optional int64 b; }")),
        ],
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        length in any::<prop::sample::Index>(),
    ) {
        let mut content = start;
        for (at, byte) in changes {
            let at = at.index(content.len());
            content[at] = byte;
        }
        content.truncate(length.index(content.len()) + 1);
        let groups = [group("A", &[2], Domain::Cat(4), 0)];
        let npz = Reader::Npz { array: "a".into() };
        let tensor = Reader::Safetensors { array: "a".into() };
        let all = [Reader::Idx, Reader::Npy, npz, tensor, Reader::Parquet, csv(false), csv(true), Reader::Bits, text(2, 1, false)];
        for reader in all {
            if let Ok(data) = check(&content, reader, &groups) {
                prop_assert!(words(&data).iter().flatten().all(|&w| w < 4 || w == MISSING));
            }
        }
    }
}

#[test]
fn numpy_archives() {
    let mut archive = npyz::npz::NpzWriter::new(std::io::Cursor::new(Vec::new()));
    {
        use npyz::WriterBuilder;
        let options = Default::default();
        let mut writer =
            archive.array("train", options).unwrap().default_dtype().shape(&[2, 2]).begin_nd().unwrap();
        writer.extend([1_u8, 0, 0, 1]).unwrap();
        writer.finish().unwrap();
    }
    let content = archive.zip_writer().finish().unwrap().into_inner();
    let groups = [group("A", &[2], Domain::Bool, 0)];
    let data = check(&content, Reader::Npz { array: "train".into() }, &groups).unwrap();
    assert_eq!(words(&data), [[1, 0], [0, 1]]);
    check_fault(&content, Reader::Npz { array: "test".into() }, &groups, "data-format", &["`train`"]);
    check_fault(&content[..20], Reader::Npz { array: "train".into() }, &groups, "data-format", &[]);
}

/// A safetensors file.
fn tensors(named: &[(&str, Dtype, Vec<usize>, Vec<u8>)]) -> Vec<u8> {
    let view = |dtype, shape: &Vec<usize>, bytes| TensorView::new(dtype, shape.clone(), bytes).unwrap();
    let views = named.iter().map(|(name, dtype, shape, bytes)| (*name, view(*dtype, shape, bytes)));
    safetensors::serialize(views, None).unwrap()
}

#[test]
fn tensors_of_every_type() {
    let groups = [group("A", &[3], Domain::Int(-2, 9), 0)];
    let of_type = |dtype, bytes: &[u8]| {
        let file =
            tensors(&[("other", Dtype::U8, vec![1], vec![0]), ("a", dtype, vec![1, 3], bytes.to_vec())]);
        check(&file, Reader::Safetensors { array: "a".into() }, &groups)
    };
    // Codes count from the least value.
    let wanted = [[3, 0, 11]];
    let (a, b, c) = (1_i8, -2_i8, 9_i8);
    let bytes = |to: &dyn Fn(i8) -> Vec<u8>| [a, b, c].iter().flat_map(|&x| to(x)).collect::<Vec<u8>>();
    let signed = [
        (Dtype::I8, bytes(&|x| x.to_le_bytes().to_vec())),
        (Dtype::I16, bytes(&|x| i16::from(x).to_le_bytes().to_vec())),
        (Dtype::I32, bytes(&|x| i32::from(x).to_le_bytes().to_vec())),
        (Dtype::I64, bytes(&|x| i64::from(x).to_le_bytes().to_vec())),
        (Dtype::F32, bytes(&|x| f32::from(x).to_le_bytes().to_vec())),
        (Dtype::F64, bytes(&|x| f64::from(x).to_le_bytes().to_vec())),
        // 1 = 2^0, -2 = -(2^1), 9 = 2^3 * 1.125.
        (Dtype::F16, [0x3c00_u16, 0xc000, 0x4880].iter().flat_map(|x| x.to_le_bytes()).collect()),
        (Dtype::BF16, [0x3f80_u16, 0xc000, 0x4110].iter().flat_map(|x| x.to_le_bytes()).collect()),
    ];
    for (dtype, bytes) in signed {
        assert_eq!(words(&of_type(dtype, &bytes).unwrap()), wanted, "{dtype:?}");
    }
    for (dtype, size) in [(Dtype::U8, 1), (Dtype::U16, 2), (Dtype::U32, 4), (Dtype::U64, 8)] {
        let number = |x: u8| [vec![x], vec![0; size - 1]].concat();
        let bytes = [1, 0, 9].map(number).concat();
        assert_eq!(words(&of_type(dtype, &bytes).unwrap()), [[3, 2, 11]], "{dtype:?}");
    }
    let fault = of_type(Dtype::F8_E4M3, &[0; 3]).unwrap_err();
    assert!(fault.code == "data-format" && fault.message.contains("F8_E4M3"), "{}", fault.message);
}

#[test]
fn small_half_floats() {
    let groups = [group("A", &[4], Domain::Real, 0)];
    // 2^-24, 65504, 1/3 rounded, -0.
    let bytes: Vec<u8> = [0x0001_u16, 0x7bff, 0x3555, 0x8000].iter().flat_map(|x| x.to_le_bytes()).collect();
    let file = tensors(&[("a", Dtype::F16, vec![1, 4], bytes)]);
    let data = check(&file, Reader::Safetensors { array: "a".into() }, &groups).unwrap();
    let found: Vec<f32> = words(&data)[0].iter().map(|&w| f32::from_bits(w)).collect();
    assert_eq!(found, [2_f32.powi(-24), 65504.0, 0.333_251_95, 0.0]);
}

#[test]
fn tensors_that_are_not_there() {
    let groups = [group("A", &[2], Domain::Bool, 0)];
    let reader = |array: &str| Reader::Safetensors { array: array.into() };
    let file = tensors(&[("train", Dtype::BOOL, vec![2, 2], vec![1, 0, 0, 1])]);
    assert_eq!(words(&check(&file, reader("train"), &groups).unwrap()), [[1, 0], [0, 1]]);
    check_fault(&file, reader("test"), &groups, "data-format", &["`train`"]);
    check_fault(&file[..file.len() - 1], reader("train"), &groups, "data-format", &["damaged"]);
    check_fault(b"0,1\n", reader("train"), &groups, "data-format", &["no safetensors file"]);
    let wide = tensors(&[("train", Dtype::U8, vec![1, 3], vec![0; 3])]);
    check_fault(&wide, reader("train"), &groups, "data-shape", &["1 x 3"]);
}

/// A Parquet table with the rows (1, 3), (0, null): a column `a` of 32 bits, and an optional `b` of 64.
fn table(schema: &str) -> Vec<u8> {
    let mut content = Vec::new();
    let schema = Arc::new(parse_message_type(schema).unwrap());
    let mut writer = SerializedFileWriter::new(&mut content, schema, Arc::default()).unwrap();
    let mut rows = writer.next_row_group().unwrap();
    let mut a = rows.next_column().unwrap().unwrap();
    a.typed::<Int32Type>().write_batch(&[1, 0], None, None).unwrap();
    a.close().unwrap();
    let mut b = rows.next_column().unwrap().unwrap();
    b.typed::<Int64Type>().write_batch(&[3], Some(&[1, 0]), None).unwrap();
    b.close().unwrap();
    rows.close().unwrap();
    writer.close().unwrap();
    content
}

#[test]
fn tables_of_numbers_and_nulls() {
    let content = table("message m { required int32 a; optional int64 b; }");
    let groups = [group("A", &[], Domain::Bool, 0), group("B", &[], Domain::Cat(4), 1)];
    assert_eq!(words(&check(&content, Reader::Parquet, &groups).unwrap()), [[1, 3], [0, MISSING]]);
    let narrow = [group("A", &[2], Domain::Cat(3), 0)];
    check_fault(&content, Reader::Parquet, &narrow, "value-out-of-domain", &["row 1", "3", "`A[1]`"]);
    let few = [group("A", &[], Domain::Bool, 0)];
    check_fault(&content, Reader::Parquet, &few, "data-shape", &["row 1 has more than 1 value"]);
    let many = [group("A", &[3], Domain::Cat(4), 0)];
    check_fault(&content, Reader::Parquet, &many, "data-shape", &["row 1 has 2 values, not 3"]);
    check_fault(&content[..40], Reader::Parquet, &narrow, "data-format", &["damaged"]);
    check_fault(b"0,1\n", Reader::Parquet, &narrow, "data-format", &["no Parquet table"]);
}

#[test]
fn tables_of_lists() {
    let schema = "message m { required group v (LIST) { repeated group list { required float element; } } }";
    let mut content = Vec::new();
    let schema = Arc::new(parse_message_type(schema).unwrap());
    let mut writer = SerializedFileWriter::new(&mut content, schema, Arc::default()).unwrap();
    let mut rows = writer.next_row_group().unwrap();
    let mut v = rows.next_column().unwrap().unwrap();
    // Two rows of two numbers: a repetition of zero begins a row.
    v.typed::<FloatType>().write_batch(&[0.5, 1.0, -2.0, 4.0], Some(&[1; 4]), Some(&[0, 1, 0, 1])).unwrap();
    v.close().unwrap();
    rows.close().unwrap();
    writer.close().unwrap();
    let groups = [group("A", &[2], Domain::Real, 0)];
    let data = check(&content, Reader::Parquet, &groups).unwrap();
    assert_eq!(words(&data), [[0.5, 1.0], [-2.0, 4.0]].map(|row: [f32; 2]| row.map(f32::to_bits)));
    let one = DataSource { rows: Rows { start: 1, end: None }, ..source(Reader::Parquet, &["A"]) };
    let data = check_source(&content, &one, &groups).unwrap();
    assert_eq!(words(&data), [[-2.0_f32, 4.0].map(f32::to_bits)]);
}

#[test]
fn columns_that_hold_no_numbers() {
    let mut content = Vec::new();
    let schema = Arc::new(parse_message_type("message m { required binary name (UTF8); }").unwrap());
    let mut writer = SerializedFileWriter::new(&mut content, schema, Arc::default()).unwrap();
    let mut rows = writer.next_row_group().unwrap();
    let mut name = rows.next_column().unwrap().unwrap();
    name.typed::<ByteArrayType>().write_batch(&["Ada".into()], None, None).unwrap();
    name.close().unwrap();
    rows.close().unwrap();
    writer.close().unwrap();
    let groups = [group("A", &[], Domain::Bool, 0)];
    check_fault(&content, Reader::Parquet, &groups, "data-format", &["`name`", "\"Ada\""]);
}

#[test]
fn csv_of_mixed_domains() {
    let groups = [
        group("A", &[], Domain::Bool, 0),
        group("B", &[], Domain::Real, 1),
        group("C", &[], Domain::Int(5, 7), 2),
    ];
    let content = b"a,b,c\ntrue,0.5,5\n?, -1e3 ,7\n0,NaN,\n";
    let data = check(content, csv(true), &groups).unwrap();
    let half = 0.5_f32.to_bits();
    assert_eq!(words(&data), [[1, half, 0], [MISSING, (-1e3_f32).to_bits(), 2], [0, MISSING, MISSING]]);
    assert!(data.has_missing());
}

#[test]
fn tables_with_blanks_or_tabs_between() {
    let groups = [group("A", &[3], Domain::Cat(10), 0)];
    let blanks = Reader::Csv { has_header: true, separator: ' ' };
    let data = check(b"a b c\n\n  1   2\t3  \r\n4 NA 6\n", blanks.clone(), &groups).unwrap();
    assert_eq!(words(&data), [[1, 2, 3], [4, MISSING, 6]]);
    check_fault(b"a b c\n\n1 2\n", blanks, &groups, "data-shape", &["line 3", "2 fields"]);
    let tabs = Reader::Csv { has_header: false, separator: '\t' };
    assert_eq!(words(&check(b"1 \t\t 3\n", tabs, &groups).unwrap()), [[1, MISSING, 3]]);
}

#[test]
fn csv_faults() {
    let groups = [group("A", &[2], Domain::Cat(3), 0)];
    check_fault(b"0,1\n2\n", csv(false), &groups, "data-shape", &["line 2", "1 field,"]);
    check_fault(
        b"0,1\n\n2,3\n",
        csv(false),
        &groups,
        "value-out-of-domain",
        &["line 3", "`3` at `A[1]`", "0 to 2"],
    );
    check_fault(b"0,1.5\n", csv(false), &groups, "value-out-of-domain", &["1.5"]);
    let fault = check(b"left,right\n0,1\n", csv(false), &groups).unwrap_err();
    assert!(fault.help.unwrap().contains("header = true"));
    check_fault(b"", csv(false), &groups, "data-shape", &["no rows"]);
}

#[test]
fn names_in_another_order_are_refused() {
    let groups = [group("A", &[2], Domain::Cat(3), 0), group("B", &[], Domain::Bool, 2)];
    let faulty = ["A[1],A[0],B\n0,1,1\n", "first,B,A[1]\n0,1,1\n"];
    for content in faulty {
        check_fault(
            content.as_bytes(),
            csv(true),
            &groups,
            "data-shape",
            &["the first line names", "is read"],
        );
    }
    let blanks = Reader::Csv { has_header: true, separator: ' ' };
    check_fault(b"A[0] B A[1]\n0 1 1\n", blanks, &groups, "data-shape", &["names `B` where `A[1]` is read"]);
    for content in ["A[0],A[1],B\n0,1,1\n", "x,y,z\n0,1,1\n", "A[0],y,B\n0,1,1\n"] {
        assert_eq!(words(&check(content.as_bytes(), csv(true), &groups).unwrap()), [[0, 1, 1]]);
    }
}

#[test]
fn bits_with_any_separator() {
    let groups = [group("A", &[3], Domain::Bool, 0)];
    for content in ["0,1,1\n1,0,?\n", "0 1 1\r\n1 0 *\r\n", "011\n\n10?"] {
        let data = check(content.as_bytes(), Reader::Bits, &groups).unwrap();
        assert_eq!(words(&data), [[0, 1, 1], [1, 0, MISSING]], "{content:?}");
    }
    check_fault(b"011\n01\n", Reader::Bits, &groups, "data-shape", &["line 2", "2 values"]);
    check_fault(b"011\n021\n", Reader::Bits, &groups, "value-out-of-domain", &["line 2", "`2` at `A[1]`"]);
}

#[test]
fn text_in_windows() {
    let groups = [group("W", &[2], Domain::Token(3), 0)];
    let data = check(b"to be or not\nto be", text(2, 2, false), &groups).unwrap();
    // `to` and `be` are the most frequent words; the others are unknown.
    assert_eq!(words(&data), [[1, 2], [0, 0], [1, 2]]);
    let letters = check("aéa".as_bytes(), text(2, 1, true), &groups).unwrap();
    assert_eq!(words(&letters), [[1, 2], [2, 1]]);
    check_fault(b"one", text(2, 2, false), &groups, "data-shape", &["1 tokens"]);
    check_fault(b"a b c", text(3, 3, false), &groups, "data-shape", &["3 tokens"]);
    check_fault(b"a \xff c", text(2, 2, false), &groups, "data-format", &["byte at 2"]);
}

#[test]
fn texts_share_the_vocabulary_of_the_first() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("train.data"), "b b a").unwrap();
    std::fs::write(folder.path().join("test.data"), "a a a b").unwrap();
    let groups = vec![group("W", &[1], Domain::Token(3), 0)];
    let train =
        DataSource { beside: folder.path().display().to_string(), ..source(text(1, 1, false), &["W"]) };
    let test = DataSource { name: "test".into(), path: "test.data".into(), ..train.clone() };
    let mut sets = DataSets::new(vec![train, test], groups, None);
    assert_eq!(words(&sets.get("test").unwrap()), [[2], [2], [2], [1]]);
    assert_eq!(words(&sets.get("train").unwrap()), [[1], [1], [2]]);
    let fault = sets.get("tets").unwrap_err();
    assert_eq!((fault.code, fault.help.as_deref()), ("unknown-data", Some("did you mean `test`?")));
}

#[test]
fn a_missing_file_names_both_places() {
    let places = [PathBuf::from("beside"), PathBuf::from("under")];
    let fault = read(&source(Reader::Idx, &["X"]), &[pixels(Domain::Bool)], &places, None).unwrap_err();
    assert_eq!(fault.code, "missing-file");
    let help = fault.help.unwrap();
    assert!(help.contains("beside/train.data") && help.contains("under/train.data"), "{help}");
}

#[test]
fn unknown_and_repeated_variables() {
    let groups = [pixels(Domain::Bool)];
    for names in [&["Y"][..], &["X", "X"]] {
        let fault = check_source(b"0000", &source(Reader::Bits, names), &groups).unwrap_err();
        assert_eq!(fault.code, "data-variables");
    }
}

#[test]
fn batches_leave_other_variables_missing() {
    let groups = [
        group("A", &[], Domain::Bool, 0),
        group("B", &[2], Domain::Bool, 1),
        group("C", &[], Domain::Bool, 3),
    ];
    let data = check_source(b"01\n11\n", &source(Reader::Bits, &["B"]), &groups).unwrap();
    let mut batch = Batch::missing(4, 2);
    batch.row_mut(0).fill(1);
    data.batch([1, 0].into_iter(), &mut batch);
    assert_eq!(batch.row(0), [MISSING, 1, 1, MISSING]);
    assert_eq!(batch.row(1), [MISSING, 0, 1, MISSING]);
    let scattered = check_source(b"01\n10\n", &source(Reader::Bits, &["C", "A"]), &groups).unwrap();
    scattered.batch(0..1, &mut batch);
    assert_eq!((batch.n_rows(), batch.row(0)), (1, &[1, MISSING, MISSING, 0][..]));
}

#[test]
fn the_key_follows_content_and_settings() {
    let groups = [group("A", &[2], Domain::Cat(2), 0)];
    let key = |content: &[u8], reader| check(content, reader, &groups).unwrap().key();
    let base = key(b"0,1\n", csv(false));
    assert_eq!(base, key(b"0,1\n", csv(false)));
    assert_ne!(base, key(b"0,0\n", csv(false)));
    assert_ne!(base, key(b"0,1\n", Reader::Bits));
    let wider = check(b"0,1\n", csv(false), &[group("A", &[2], Domain::Cat(3), 0)]).unwrap();
    assert_ne!(base, wider.key());
}

#[test]
fn masks_hide_values() {
    let groups = [group("A", &[2], Domain::Cat(256), 0)];
    let mut data = check(b"255,1\n3,4\n", csv(false), &groups).unwrap();
    let mut mask = Mask::none(2, 2);
    mask.hide(1, 0);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mask.npy");
    crate::data::write_atomically(&path, |w| mask.write(w)).unwrap();
    let key = data.key();
    data.hide(&Mask::read(&path).unwrap()).unwrap();
    assert_eq!(words(&data), [[255, 1], [MISSING, 4]]);
    assert_ne!(data.key(), key);
    assert_eq!(data.hide(&Mask::none(1, 2)).unwrap_err().code, "data-shape");
}

#[test]
fn what_is_written_reads_back() {
    let groups = [group("A", &[2], Domain::Int(-2, 300), 0), group("B", &[], Domain::Real, 2)];
    let data = check(b"-2,300,0.1\n0,1,-7\n", csv(false), &groups).unwrap();
    let batch = data.to_batch();
    let mut table = Vec::new();
    write_csv(&mut table, &groups, &batch).unwrap();
    assert_eq!(String::from_utf8(table.clone()).unwrap(), "A[0],A[1],B\n-2,300,0.1\n0,1,-7\n");
    assert_eq!(words(&check(&table, csv(true), &groups).unwrap()), words(&data));
    let mut array = Vec::new();
    write_npy(&mut array, &groups, &batch).unwrap();
    assert_eq!(words(&check(&array, Reader::Npy, &groups).unwrap()), words(&data));
    let mut discrete = Vec::new();
    write_npy(&mut discrete, &groups[..1], &batch).unwrap();
    assert!(String::from_utf8_lossy(&discrete[..80]).contains("'<i8'"));
}

/// The bytes of a file stay where they are, those of compressed content do not, and a change is made to a copy.
#[test]
fn bytes_stay_in_their_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("train.data");
    let pixels = pixels(Domain::Cat(256));
    let rows = [0, 255, 7, 8, 1, 2, 3, 4, 9, 9, 9, 9];
    let header =
        [&b"\x93NUMPY\x02\x00\x39\0\0\0"[..], b"{'descr': '|u1', 'fortran_order': False, 'shape': (3, 4)}"];
    let later_npy = [&header.concat()[..], &rows, b"and more"].concat();
    for (content, reader, is_mapped, first) in [
        (idx(&[3, 2, 2], &rows), Reader::Idx, true, 1),
        (npy("|u1", false, "(3, 4)", &rows), Reader::Npy, true, 1),
        (later_npy, Reader::Npy, true, 1),
        (npy("|u1", true, "(3, 4)", &rows), Reader::Npy, false, 255),
        (gzip(&idx(&[3, 4], &rows)), Reader::Idx, false, 1),
    ] {
        std::fs::write(&path, content).unwrap();
        let kept = Rows { start: 1, end: Some(3) };
        let source = DataSource { rows: kept, ..source(reader, &["X"]) };
        let mut data = read(&source, std::slice::from_ref(&pixels), &[folder.path().into()], None).unwrap();
        let is_of_file = matches!(data.cells, Cells::FullBytes(Bytes::OfFile(..)));
        assert_eq!(is_of_file, is_mapped, "{:?}", source.reader);
        std::fs::remove_file(&path).unwrap();
        assert_eq!((data.n_rows(), data.word(0, 0)), (2, first));
        let mut mask = Mask::none(2, 4);
        mask.hide(1, 0);
        data.hide(&mask).unwrap();
        assert_eq!(data.word(1, 0), MISSING);
        assert_eq!(data.word(1, 3), 9);
    }
}
