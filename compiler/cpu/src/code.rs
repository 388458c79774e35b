//! Machine code as plain bytes, which may lie anywhere in memory and be kept in a file.
//!
//! In: emitted functions, one after another. Out: [`Code`], which [`crate::Program::new`] makes runnable,
//! and its form as bytes. Whether bytes belong to a plan is for the caller to know: they must have come from
//! [`crate::emit`] for the same plan, by a compiler with the same [`crate::fingerprint`].

use crate::emit::Lists;
use pcc_kernels::{Factor, NormalLeaf};

/// The machine code of a plan, and the lists that it reads.
#[derive(Clone, Debug, Default)]
pub struct Code {
    /// The functions' bytes.
    pub(crate) bytes: Vec<u8>,
    /// Where the functions of the upward half start, in the order in which they run.
    pub(crate) up: Vec<u32>,
    /// Those of the downward half.
    pub(crate) down: Vec<u32>,
    pub(crate) lists: Lists,
}

/// Functions start at multiples of this.
const ALIGNMENT: usize = 32;

impl Code {
    /// Appends a function and gives its start.
    ///
    /// # Errors
    /// When there are more than 2^32 bytes of them.
    pub(crate) fn push(&mut self, function: &[u8]) -> Result<u32, String> {
        self.bytes.resize(self.bytes.len().next_multiple_of(ALIGNMENT), 0);
        let start = u32::try_from(self.bytes.len()).map_err(|_| "the code is too long")?;
        self.bytes.extend_from_slice(function);
        Ok(start)
    }

    /// How many bytes of machine code there are.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether there is none, as for the constant circuit.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// All of it as bytes: six lengths of 64 bits, the lists, the machine code; little-endian.
    pub fn to_bytes(&self) -> Vec<u8> {
        let Lists { rows, factors, normals } = &self.lists;
        let [n_up, n_down, n_bytes] = [self.up.len(), self.down.len(), self.bytes.len()];
        let lengths = [n_up, n_down, rows.len(), factors.len(), normals.len(), n_bytes];
        let mut bytes: Vec<u8> = lengths.iter().flat_map(|&n| (n as u64).to_le_bytes()).collect();
        let words = self.up.iter().chain(&self.down).chain(rows);
        bytes.extend(words.flat_map(|word| word.to_le_bytes()));
        for factor in factors {
            bytes.extend([factor.rows, factor.exponent].iter().flat_map(|word| word.to_le_bytes()));
            bytes.extend([factor.table, factor.row_exponents].iter().flat_map(|word| word.to_le_bytes()));
        }
        for leaf in normals {
            let words = [u64::from(leaf.row), leaf.table, leaf.stats];
            bytes.extend(words.iter().flat_map(|word| word.to_le_bytes()));
        }
        bytes.extend_from_slice(&self.bytes);
        bytes
    }

    /// Reads what [`Code::to_bytes`] wrote; nothing where the lengths do not fit or a function starts outside.
    pub fn from_bytes(bytes: &[u8]) -> Option<Code> {
        let mut reader = Reader { bytes };
        let mut lengths = [0; 6];
        for length in &mut lengths {
            *length = usize::try_from(reader.long()?).ok()?;
        }
        let [n_up, n_down, n_rows, n_factors, n_normals, n_bytes] = lengths;
        let [up, down, rows] = [reader.words(n_up)?, reader.words(n_down)?, reader.words(n_rows)?];
        let factors = reader.list(n_factors, Reader::factor)?;
        let normals = reader.list(n_normals, Reader::normal)?;
        let are_inside = up.iter().chain(&down).all(|&start| (start as usize) < n_bytes);
        let is_whole = reader.bytes.len() == n_bytes && are_inside;
        let lists = Lists { rows, factors, normals };
        is_whole.then(|| Code { bytes: reader.bytes.to_vec(), up, down, lists })
    }
}

/// Takes numbers off the front of bytes.
struct Reader<'b> {
    bytes: &'b [u8],
}

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (first, rest) = self.bytes.split_first_chunk()?;
        self.bytes = rest;
        Some(*first)
    }

    fn word(&mut self) -> Option<u32> {
        self.take().map(u32::from_le_bytes)
    }

    fn long(&mut self) -> Option<u64> {
        self.take().map(u64::from_le_bytes)
    }

    /// So many words; the length is not trusted with memory before the bytes are there.
    fn words(&mut self, n: usize) -> Option<Vec<u32>> {
        let is_there = n.checked_mul(4)? <= self.bytes.len();
        is_there.then(|| (0..n).map_while(|_| self.word()).collect())
    }

    /// So many entries, which take up as many bytes here as in memory.
    fn list<T>(&mut self, n: usize, entry: fn(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let is_there = n.checked_mul(size_of::<T>())? <= self.bytes.len();
        is_there.then(|| (0..n).map_while(|_| entry(self)).collect())
    }

    fn normal(&mut self) -> Option<NormalLeaf> {
        let row = u32::try_from(self.long()?).ok()?;
        Some(NormalLeaf { row, table: self.long()?, stats: self.long()? })
    }

    fn factor(&mut self) -> Option<Factor> {
        Some(Factor {
            rows: self.word()?,
            exponent: self.word()?,
            table: self.long()?,
            row_exponents: self.long()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Code, Lists};
    use pcc_kernels::{Factor, NormalLeaf};

    fn code() -> Code {
        let factor = Factor { rows: 7, exponent: 8, table: 1 << 40, row_exponents: 9 };
        let normal = NormalLeaf { row: 3, table: 1 << 41, stats: 1 << 42 };
        let lists = Lists { rows: vec![4, 5, 6], factors: vec![factor], normals: vec![normal] };
        let mut code = Code { lists, ..Code::default() };
        code.up = vec![code.push(&[1, 2, 3]).unwrap()];
        code.down = vec![code.push(&[4]).unwrap(), code.push(&[5]).unwrap()];
        code
    }

    #[test]
    fn bytes_read_back_to_the_same_code() {
        let code = code();
        let read = Code::from_bytes(&code.to_bytes()).unwrap();
        assert_eq!([&read.up, &read.down, &read.lists.rows], [&code.up, &code.down, &code.lists.rows]);
        assert_eq!(read.bytes, code.bytes);
        assert_eq!(read.lists.factors[0].table, 1 << 40);
        let normal = read.lists.normals[0];
        assert_eq!((normal.row, normal.table, normal.stats), (3, 1 << 41, 1 << 42));
        assert!(read.down.iter().all(|start| start.is_multiple_of(super::ALIGNMENT as u32)));
    }

    #[test]
    fn broken_bytes_are_refused() {
        let whole = code().to_bytes();
        for length in 0..whole.len() {
            assert!(Code::from_bytes(&whole[..length]).is_none(), "{length} bytes");
        }
        let mut long = whole.clone();
        long.push(0);
        assert!(Code::from_bytes(&long).is_none());
        // A list longer than memory, and a function that starts behind the code.
        for (place, value) in [(16, u64::MAX), (24, 1 << 60), (40, u64::MAX)] {
            let mut broken = whole.clone();
            broken[place..place + 8].copy_from_slice(&value.to_le_bytes());
            assert!(Code::from_bytes(&broken).is_none(), "{value} at {place}");
        }
    }
}
