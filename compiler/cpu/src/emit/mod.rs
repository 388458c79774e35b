//! Emitting one function: addresses, calls, loops over groups, and branches on guards.
//!
//! The only value that lives through a function is the context pointer; bases are loaded for each call,
//! which costs no more than reloading them from the stack. Nothing here knows what a step means: that
//! is in [`up`] and [`down`].

mod down;
mod place;
mod up;

pub(crate) use place::Place;

use crate::context::Field;
use crate::kernel::Kernel;
use cranelift::codegen::ir::{BlockArg, FuncRef};
use cranelift::codegen::isa::TargetFrontendConfig;
use cranelift::jit::JITModule;
use cranelift::module::{FuncId, Module};
use cranelift::prelude::*;
use pcc_ir::ParamId;
use pcc_ir::plan::{Plan, Step, TILE};

/// Bytes of a row.
pub(crate) const ROW: i64 = TILE as i64 * 4;

const TRUSTED: MemFlagsData = MemFlagsData::trusted();

/// What a kernel is given.
#[derive(Clone, Copy)]
pub(crate) enum Argument {
    /// A number known now.
    Size(usize),
    /// An address.
    Address(Place),
    /// The bits of a guard of the plan.
    GuardBits(u32),
}

/// Functions that the one being emitted may call.
pub(crate) struct Refs<'m> {
    module: &'m mut JITModule,
    imports: &'m [(FuncId, usize)],
    kernels: Vec<Option<FuncRef>>,
}

impl<'m> Refs<'m> {
    pub(crate) fn new(module: &'m mut JITModule, imports: &'m [(FuncId, usize)]) -> Self {
        Refs { module, imports, kernels: vec![None; imports.len()] }
    }

    fn kernel(&mut self, kernel: Kernel, function: &mut codegen::ir::Function) -> FuncRef {
        let position = kernel as usize;
        let id = self.imports[position].0;
        *self.kernels[position].get_or_insert_with(|| self.module.declare_func_in_func(id, function))
    }
}

/// One function in the making.
pub(crate) struct Emitter<'f, 'm> {
    builder: FunctionBuilder<'f>,
    refs: Refs<'m>,
    context: Value,
    /// The group that the innermost loop is at.
    group: Option<Value>,
    n_calls: usize,
    /// The pointers that the call being emitted has loaded so far.
    bases: [Option<Value>; Field::COUNT],
}

impl<'f, 'm> Emitter<'f, 'm> {
    pub(crate) fn new(mut builder: FunctionBuilder<'f>, refs: Refs<'m>) -> Self {
        let entry = builder.create_block();
        builder.append_block_params_for_function_params(entry);
        builder.switch_to_block(entry);
        builder.seal_block(entry);
        let context = builder.block_params(entry)[0];
        Emitter { builder, refs, context, group: None, n_calls: 0, bases: [None; Field::COUNT] }
    }

    pub(crate) fn finish(mut self, target: TargetFrontendConfig) {
        self.builder.ins().return_(&[]);
        self.builder.finalize(target);
    }

    /// How many calls were emitted.
    pub(crate) fn n_calls(&self) -> usize {
        self.n_calls
    }

    /// Emits one step. Lists of arena rows that it needs at run time are appended to `rows`.
    pub(crate) fn step(&mut self, plan: &Plan, step: &Step, rows: &mut Vec<u32>) {
        match step.out() {
            Some(_) => up::Up { plan, rows, emitter: self }.step(step),
            None => down::Down { plan, rows, emitter: self }.step(step),
        }
    }

    /// Calls another function of this module with the same context.
    pub(crate) fn call_chunk(&mut self, chunk: FuncId) {
        let callee = self.refs.module.declare_func_in_func(chunk, self.builder.func);
        self.builder.ins().call(callee, &[self.context]);
    }

    /// Calls a kernel.
    pub(crate) fn call(&mut self, kernel: Kernel, arguments: &[Argument]) {
        let n_expected = self.refs.imports[kernel as usize].1;
        assert_eq!(arguments.len(), n_expected, "the arguments of {kernel:?}");
        self.bases = [None; Field::COUNT];
        let values: Vec<Value> = arguments.iter().map(|&a| self.value(a)).collect();
        let callee = self.refs.kernel(kernel, self.builder.func);
        self.builder.ins().call(callee, &values);
        self.n_calls += 1;
    }

    /// Emits the body once for each of `n` groups, as a loop where there are several.
    pub(crate) fn each_group(&mut self, n: u32, body: impl FnOnce(&mut Self)) {
        if n == 1 {
            return body(self);
        }
        let [head, exit] = [0; 2].map(|_| self.builder.create_block());
        let group = self.builder.append_block_param(head, types::I64);
        let zero = self.builder.ins().iconst(types::I64, 0);
        self.builder.ins().jump(head, &[BlockArg::from(zero)]);
        self.builder.switch_to_block(head);
        self.group = Some(group);
        body(self);
        self.group = None;
        let next = self.builder.ins().iadd_imm_s(group, 1);
        let is_more = self.builder.ins().icmp_imm_s(IntCC::UnsignedLessThan, next, i64::from(n));
        self.builder.ins().brif(is_more, head, &[BlockArg::from(next)], exit, &[]);
        self.builder.seal_block(head);
        self.builder.seal_block(exit);
        self.builder.switch_to_block(exit);
    }

    /// Emits the body under the condition that terms of the table's sums must be watched.
    pub(crate) fn when_watched(&mut self, table: ParamId, body: impl FnOnce(&mut Self)) {
        self.bases = [None; Field::COUNT];
        let [then, join] = [0; 2].map(|_| self.builder.create_block());
        let is_watched = self.load(Field::Watched, table.index() as i64 * 8);
        self.builder.ins().brif(is_watched, then, &[], join, &[]);
        self.builder.seal_block(then);
        self.builder.switch_to_block(then);
        body(self);
        self.builder.ins().jump(join, &[]);
        self.builder.seal_block(join);
        self.builder.switch_to_block(join);
    }

    /// Sets `n_rows` rows to one, four numbers at a time.
    pub(crate) fn fill_ones(&mut self, rows: Place, n_rows: u32) {
        self.bases = [None; Field::COUNT];
        let first = self.address(rows);
        let one = self.builder.ins().f32const(1.0);
        let ones = self.builder.ins().splat(types::F32X4, one);
        let n_vectors = i64::from(n_rows) * (ROW / 16);
        let [head, exit] = [0; 2].map(|_| self.builder.create_block());
        let offset = self.builder.append_block_param(head, types::I64);
        let zero = self.builder.ins().iconst(types::I64, 0);
        self.builder.ins().jump(head, &[BlockArg::from(zero)]);
        self.builder.switch_to_block(head);
        let address = self.builder.ins().iadd(first, offset);
        self.builder.ins().store(TRUSTED, ones, address, 0);
        let next = self.builder.ins().iadd_imm_s(offset, 16);
        let is_more = self.builder.ins().icmp_imm_s(IntCC::UnsignedLessThan, next, n_vectors * 16);
        self.builder.ins().brif(is_more, head, &[BlockArg::from(next)], exit, &[]);
        self.builder.seal_block(head);
        self.builder.seal_block(exit);
        self.builder.switch_to_block(exit);
    }

    fn value(&mut self, argument: Argument) -> Value {
        match argument {
            Argument::Size(size) => self.builder.ins().iconst(types::I64, size as i64),
            Argument::Address(place) => self.address(place),
            Argument::GuardBits(guard) => self.load(Field::Guards, i64::from(guard) * 8),
        }
    }

    /// The word at an offset from a pointer of the context.
    fn load(&mut self, field: Field, offset: i64) -> Value {
        let address = self.address(Place::of(field, offset));
        self.builder.ins().load(types::I64, TRUSTED, address, 0)
    }

    /// A pointer of the context, loaded once for each call.
    fn base(&mut self, field: Field) -> Value {
        let offset = field.offset() as i32;
        let load = || self.builder.ins().load(types::I64, TRUSTED, self.context, offset);
        *self.bases[field as usize].get_or_insert_with(load)
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
