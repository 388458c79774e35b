//! Sums over rows and columns of a table, in strips that fill vectors.
//!
//! In: slices of 32-bit floats. Out: 64-bit sums, always added in the same order, whatever vectors do it.

/// Numbers of a wide strip.
pub(crate) const STRIP: usize = 16;

/// Rows that are added in 32 bits before their sum goes to 64: at most so many roundings of 2^-24.
const ROWS_OF_A_SUM: usize = 16;

/// Calls `$strip::<N>` for strips of 16 columns, then of 8, then for single ones, each with its first column.
macro_rules! each_strip {
    ($n:expr, |$at:ident, $width:ident| $body:expr) => {{
        let n = $n;
        let mut $at = 0;
        while $at + $crate::train::strips::STRIP <= n {
            const $width: usize = $crate::train::strips::STRIP;
            $body;
            $at += $width;
        }
        while $at + 8 <= n {
            const $width: usize = 8;
            $body;
            $at += $width;
        }
        while $at < n {
            const $width: usize = 1;
            $body;
            $at += $width;
        }
    }};
}
pub(crate) use each_strip;

/// The numbers from a position on.
#[inline(always)]
pub(crate) fn strip<const N: usize, T>(numbers: &[T], at: usize) -> &[T; N] {
    numbers[at..].first_chunk().expect("a strip lies in its row")
}

/// The numbers from a position on, to be changed.
#[inline(always)]
pub(crate) fn strip_mut<const N: usize, T>(numbers: &mut [T], at: usize) -> &mut [T; N] {
    numbers[at..].first_chunk_mut().expect("a strip lies in its row")
}

/// The sum of a row.
#[inline(always)]
pub(crate) fn row_sum(row: &[f32]) -> f64 {
    row.chunks(ROWS_OF_A_SUM * STRIP).map(short_sum).sum()
}

/// The sum of up to 256 numbers: lane by lane, then of the lanes by halves.
#[inline(always)]
fn short_sum(numbers: &[f32]) -> f64 {
    let (chunks, rest) = numbers.as_chunks::<STRIP>();
    let mut lanes = [0.0_f32; STRIP];
    for chunk in chunks {
        lanes = std::array::from_fn(|i| lanes[i] + chunk[i]);
    }
    for (lane, number) in lanes.iter_mut().zip(rest) {
        *lane += number;
    }
    let eight: [f32; 8] = std::array::from_fn(|i| lanes[i] + lanes[i + 8]);
    let four: [f32; 4] = std::array::from_fn(|i| eight[i] + eight[i + 4]);
    f64::from((four[0] + four[2]) + (four[1] + four[3]))
}

/// Adds the sum of each column of a row-major table. Rows are read one after another, as memory likes it.
#[inline(always)]
pub(crate) fn add_column_sums(table: &[f32], sums: &mut [f64]) {
    let mut partial = vec![0.0_f32; sums.len()];
    for rows in table.chunks(ROWS_OF_A_SUM * sums.len()) {
        for row in rows.chunks_exact(sums.len()) {
            partial.iter_mut().zip(row).for_each(|(partial, x)| *partial += x);
        }
        for (sum, partial) in sums.iter_mut().zip(&mut partial) {
            *sum += f64::from(std::mem::take(partial));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_of_rows_and_columns_of_any_width() {
        for columns in [1, 3, 8, 15, 16, 17, 31, 40] {
            let table: Vec<f32> = (0..37 * columns).map(|i| (i % 11) as f32 * 0.25).collect();
            let mut sums = vec![1.0; columns];
            add_column_sums(&table, &mut sums);
            for (column, sum) in sums.iter().enumerate() {
                // Quarters add up exactly.
                let expected: f64 = table.iter().skip(column).step_by(columns).map(|&x| f64::from(x)).sum();
                assert_eq!(*sum, 1.0 + expected, "column {column} of {columns}");
            }
            let expected: f64 = table[..columns].iter().map(|&x| f64::from(x)).sum();
            assert_eq!(row_sum(&table[..columns]), expected, "{columns}");
            let expected: f64 = table.iter().map(|&x| f64::from(x)).sum();
            assert_eq!(row_sum(&table), expected, "{columns}");
        }
    }
}
