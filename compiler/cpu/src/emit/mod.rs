//! Emitting one function: addresses, calls, loops over tiles and groups.
//!
//! The only value that lives through a function is the context pointer; bases are loaded for each call,
//! which costs no more than reloading them from the stack. Kernels are called through the context's table
//! of addresses, so that the code holds no address of its own. Nothing here knows what a step means: that
//! is in [`up`] and [`down`].

mod ahead;
mod down;
mod place;
mod up;

pub(crate) use ahead::{are_tables_far, fetch_ahead};
pub(crate) use place::Place;

use crate::context::Field;
use crate::kernel::Kernel;
use cranelift::codegen::ir::{BlockArg, SigRef};
use cranelift::codegen::isa::{CallConv, TargetFrontendConfig};
use cranelift::prelude::*;
use pcc_ir::plan::{Plan, Step, TILE};
use pcc_ir::{ParamId, VarId};
use pcc_kernels::{Factor, NormalLeaf};

/// Bytes of a row.
pub(crate) const ROW: i64 = TILE as i64 * 4;

const TRUSTED: MemFlagsData = MemFlagsData::trusted();

/// What a kernel is given.
#[derive(Clone, Copy)]
pub(crate) enum Argument {
    /// The tiles of the run.
    Tiles,
    /// A number known now.
    Size(usize),
    /// An address.
    Address(Place),
    /// The 64-bit word at an address.
    Word(Place),
}

/// What steps read at run time besides tables: emitted code holds positions in these.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lists {
    /// Rows of a tile, evidence first.
    pub(crate) rows: Vec<u32>,
    /// Factors of products.
    pub(crate) factors: Vec<Factor>,
    /// Normal leaves.
    pub(crate) normals: Vec<NormalLeaf>,
}

impl Lists {
    /// Appends, for each group, the leaves that its step computes or counts together.
    pub(crate) fn normal_leaves(&mut self, plan: &Plan, leaves: &[(VarId, ParamId)], groups: u32) -> Place {
        let first = self.normals.len();
        for group in 0..groups {
            self.normals.extend(leaves.iter().map(|&(var, id)| {
                let table = plan.table(id);
                let start = u64::from(group / (groups / table.groups)) * table.group_len();
                NormalLeaf { row: var.0, table: table.start + start, stats: table.stats + start }
            }));
        }
        Place::normal_list(first, leaves.len())
    }
}

/// A plan, and where numbers that are derived from its tables lie.
pub(crate) struct Layout<'p> {
    pub(crate) plan: &'p Plan,
    /// Where the row exponents of each table start.
    pub(crate) row_exponents: Vec<u64>,
    /// Whether tables are too large, together, for near caches.
    pub(crate) are_tables_far: bool,
}

/// Whether the step's kernels loop over the tiles of a bundle themselves.
pub(crate) fn takes_tiles(step: &Step) -> bool {
    matches!(
        step,
        Step::Given { .. }
            | Step::Normal { .. }
            | Step::NormalProduct { .. }
            | Step::Multiply { .. }
            | Step::Outer { .. }
            | Step::Sum { .. }
            | Step::SumDown { .. }
            | Step::GatherDown { .. }
            | Step::NormalDown { .. }
            | Step::NormalProductDown { .. }
    )
}

/// The C signature of a function of that many words, without a result.
pub(crate) fn signature(convention: CallConv, n_arguments: usize) -> Signature {
    let mut signature = Signature::new(convention);
    signature.params.resize(n_arguments, AbiParam::new(types::I64));
    signature
}

/// One function in the making.
pub(crate) struct Emitter<'f> {
    builder: FunctionBuilder<'f>,
    convention: CallConv,
    /// The imported signature of functions of so many arguments.
    signatures: [Option<SigRef>; Kernel::MAX_ARGUMENTS + 1],
    context: Value,
    /// The tile that the loop over tiles is at.
    tile: Option<Value>,
    /// The group that the innermost loop is at.
    group: Option<Value>,
    n_calls: usize,
    /// The words of the context that the call being emitted has loaded so far.
    bases: [Option<Value>; Field::COUNT],
}

impl<'f> Emitter<'f> {
    pub(crate) fn new(mut builder: FunctionBuilder<'f>, convention: CallConv) -> Self {
        let entry = builder.create_block();
        builder.append_block_params_for_function_params(entry);
        builder.switch_to_block(entry);
        builder.seal_block(entry);
        let context = builder.block_params(entry)[0];
        let signatures = [None; Kernel::MAX_ARGUMENTS + 1];
        let bases = [None; Field::COUNT];
        Emitter { builder, convention, signatures, context, tile: None, group: None, n_calls: 0, bases }
    }

    pub(crate) fn finish(mut self, target: TargetFrontendConfig) {
        self.builder.ins().return_(&[]);
        self.builder.finalize(target);
    }

    /// How many calls were emitted.
    pub(crate) fn n_calls(&self) -> usize {
        self.n_calls
    }

    /// Emits one step. What it reads at run time is appended to `lists`.
    pub(crate) fn step(&mut self, layout: &Layout, step: &Step, lists: &mut Lists) {
        let plan = layout.plan;
        match step.out() {
            Some(_) => up::Up { plan, layout, lists, emitter: self }.step(step),
            None => down::Down { plan, lists, emitter: self }.step(step),
        }
    }

    /// Calls a kernel.
    pub(crate) fn call(&mut self, kernel: Kernel, arguments: &[Argument]) {
        assert_eq!(arguments.len(), kernel.n_arguments(), "the arguments of {kernel:?}");
        self.forget_bases();
        let values: Vec<Value> = arguments.iter().map(|&a| self.value(a)).collect();
        let signature = self.signature(arguments.len());
        let table = self.base(Field::Kernels);
        let callee = self.builder.ins().load(types::I64, TRUSTED, table, kernel as i32 * 8);
        self.builder.ins().call_indirect(signature, callee, &values);
        self.n_calls += 1;
    }

    /// Emits the body in a loop over the tiles of the run.
    pub(crate) fn each_tile(&mut self, body: impl FnOnce(&mut Self)) {
        self.repeat(
            |e| e.load(Field::TileCount),
            |e, tile| {
                e.tile = Some(tile);
                body(e);
                e.tile = None;
            },
        );
    }

    /// Emits the body once for each of `n` groups, as a loop where there are several.
    pub(crate) fn each_group(&mut self, n: u32, body: impl FnOnce(&mut Self)) {
        if n == 1 {
            return body(self);
        }
        self.repeat(
            |e| e.builder.ins().iconst(types::I64, i64::from(n)),
            |e, group| {
                e.group = Some(group);
                body(e);
                e.group = None;
            },
        );
    }

    /// Emits a loop whose body is given 0, 1 and so on up to a number of rounds that is never 0.
    fn repeat(&mut self, n: impl FnOnce(&mut Self) -> Value, body: impl FnOnce(&mut Self, Value)) {
        let [head, exit] = [0; 2].map(|_| self.builder.create_block());
        let round = self.builder.append_block_param(head, types::I64);
        let zero = self.builder.ins().iconst(types::I64, 0);
        self.builder.ins().jump(head, &[BlockArg::from(zero)]);
        self.builder.switch_to_block(head);
        body(self, round);
        let next = self.builder.ins().iadd_imm_s(round, 1);
        let n = n(self);
        let is_more = self.builder.ins().icmp(IntCC::UnsignedLessThan, next, n);
        self.builder.ins().brif(is_more, head, &[BlockArg::from(next)], exit, &[]);
        self.builder.seal_block(head);
        self.builder.seal_block(exit);
        self.builder.switch_to_block(exit);
    }

    /// Sets `n_rows` rows to one, four numbers at a time.
    pub(crate) fn fill_ones(&mut self, rows: Place, n_rows: u32) {
        self.forget_bases();
        let first = self.address(rows);
        let one = self.builder.ins().f32const(1.0);
        let ones = self.builder.ins().splat(types::F32X4, one);
        let n_vectors = i64::from(n_rows) * (ROW / 16);
        self.repeat(
            |e| e.builder.ins().iconst(types::I64, n_vectors),
            |e, vector| {
                let offset = e.builder.ins().ishl_imm_u(vector, 4);
                let address = e.builder.ins().iadd(first, offset);
                e.builder.ins().store(TRUSTED, ones, address, 0);
            },
        );
    }

    fn signature(&mut self, n_arguments: usize) -> SigRef {
        let import = || self.builder.import_signature(signature(self.convention, n_arguments));
        *self.signatures[n_arguments].get_or_insert_with(import)
    }

    fn value(&mut self, argument: Argument) -> Value {
        match argument {
            Argument::Tiles => self.context,
            Argument::Size(size) => self.builder.ins().iconst(types::I64, size as i64),
            Argument::Address(place) => self.address(place),
            Argument::Word(place) => {
                let address = self.address(place);
                self.builder.ins().load(types::I64, TRUSTED, address, 0)
            }
        }
    }

    fn load(&mut self, field: Field) -> Value {
        self.builder.ins().load(types::I64, TRUSTED, self.context, field.offset() as i32)
    }

    fn forget_bases(&mut self) {
        self.bases = [None; Field::COUNT];
    }

    /// A pointer of the context, loaded once for each call; in a loop over tiles, that of the tile.
    fn base(&mut self, field: Field) -> Value {
        if let Some(base) = self.bases[field as usize] {
            return base;
        }
        let mut base = self.load(field);
        if let Some(offset) = self.tile.and_then(|tile| self.tile_offset(field, tile)) {
            base = self.builder.ins().iadd(base, offset);
        }
        self.bases[field as usize] = Some(base);
        base
    }

    /// How far on a tile's part is, in bytes, where every tile has one.
    fn tile_offset(&mut self, field: Field, tile: Value) -> Option<Value> {
        let bytes = match field {
            Field::Arena => {
                let numbers = self.load(Field::Stride);
                self.builder.ins().ishl_imm_u(numbers, 2)
            }
            Field::Marks => self.builder.ins().iconst(types::I64, 8),
            Field::Weights => self.builder.ins().iconst(types::I64, ROW),
            _ => return None,
        };
        Some(self.builder.ins().imul(tile, bytes))
    }

    fn address(&mut self, place: Place) -> Value {
        let mut address = self.base(place.field);
        if place.offset != 0 {
            address = self.builder.ins().iadd_imm_s(address, place.offset);
        }
        match self.group {
            Some(group) if place.stride != 0 => {
                let index = match place.divisor {
                    1 => group,
                    divisor => {
                        let divisor = self.builder.ins().iconst(types::I64, divisor);
                        self.builder.ins().udiv(group, divisor)
                    }
                };
                let stride = self.builder.ins().iconst(types::I64, place.stride);
                let step = self.builder.ins().imul(index, stride);
                self.builder.ins().iadd(address, step)
            }
            _ => address,
        }
    }
}
