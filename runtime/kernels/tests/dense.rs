//! Matrix products against float64 loops.

mod support;

use pcc_kernels::TILE;
use support::{Buffer, Numbers, SIZES, assert_near, each_tier};

/// A matrix stored by rows or by columns, with room between the rows.
struct Matrix {
    values: Buffer,
    row_stride: usize,
    col_stride: usize,
}

impl Matrix {
    fn random(m: usize, k: usize, transposed: bool, numbers: &mut Numbers) -> Matrix {
        let (row_stride, col_stride) = if transposed { (1, m + 3) } else { (k + 3, 1) };
        let len = (m - 1) * row_stride + (k - 1) * col_stride + 1;
        // A fifth of the weights are structural zeros.
        let values = Buffer::filled(len, || if numbers.below(5) == 0 { 0.0 } else { numbers.unit() as f32 });
        Matrix { values, row_stride, col_stride }
    }

    fn at(&self, i: usize, j: usize) -> f64 {
        f64::from(self.values[i * self.row_stride + j * self.col_stride])
    }
}

/// The products in float64, `[m][64]`.
fn products(m: usize, k: usize, w: &Matrix, e: impl Fn(usize, usize) -> f64) -> Vec<f64> {
    let mut out = vec![0.0; m * TILE];
    for i in 0..m {
        for j in 0..k {
            let weight = w.at(i, j);
            for s in 0..TILE {
                out[i * TILE + s] += weight * e(j, s);
            }
        }
    }
    out
}

/// The worst rounding of a sum of `k` positive terms, relative to the sum.
fn rounding(k: usize) -> f64 {
    (k + 4) as f64 * f64::from(f32::EPSILON)
}

#[test]
fn matmul_agrees_with_float64_for_all_shapes_and_strides() {
    let mut numbers = Numbers::new(1);
    for m in SIZES {
        for k in SIZES {
            let transposed = numbers.below(2) == 0;
            let w = Matrix::random(m, k, transposed, &mut numbers);
            let e = Buffer::rows(k, |_, _| numbers.unit() as f32);
            let start = Buffer::rows(m, |_, _| numbers.unit() as f32);
            let want = products(m, k, &w, |j, s| e.at(j, s));
            each_tier(|kernels| {
                for accumulate in [0, 1] {
                    let mut out = start.copy();
                    let (rs, cs) = (w.row_stride, w.col_stride);
                    // SAFETY: the buffers have the sizes of the contract.
                    unsafe {
                        (kernels.matmul)(
                            m,
                            k,
                            w.values.as_ptr(),
                            rs,
                            cs,
                            e.as_ptr(),
                            out.as_mut_ptr(),
                            accumulate,
                        )
                    };
                    for at in 0..m * TILE {
                        let want = want[at] + accumulate as f64 * f64::from(start[at]);
                        let what = format_args!("{:?} {m}x{k} at {at}", kernels.tier).to_string();
                        assert_near(f64::from(out[at]), want, want * rounding(k), what);
                    }
                }
            });
        }
    }
}
