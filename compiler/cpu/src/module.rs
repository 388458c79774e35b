//! The functions of a plan: chunks of steps, up and down.
//!
//! One function for a whole circuit would take the code generator far longer than many short ones, so steps
//! are cut into chunks. The code is straight-line calls: there is nothing to optimise, so `opt_level=none`
//! and registers given out in a single pass keep it quick to make (half the time of the other allocator).

use crate::emit::{Emitter, Layout, Lists, are_tables_far, fetch_ahead, signature, takes_tiles};
use crate::tables::row_exponent_starts;
use crate::{Code, CompileError, Program};
use cranelift::codegen::Context;
use cranelift::codegen::control::ControlPlane;
use cranelift::prelude::*;
use pcc_ir::plan::Step;
use pcc_ir::{Plan, Verified};
use pcc_kernels::Kernels;

/// A chunk ends after this many calls of kernels.
const CALLS_OF_A_CHUNK: usize = 200;

/// Makes a plan runnable. Errors: as [`emit`], or memory for code can't be had.
pub fn compile(plan: Verified<Plan>, kernels: &Kernels) -> Result<Program, CompileError> {
    let code = emit(&plan)?;
    Program::new(plan, code, kernels)
}

/// Makes machine code for a plan. Errors: this machine is none that the code generator knows.
pub fn emit(plan: &Verified<Plan>) -> Result<Code, CompileError> {
    let mut maker = Maker::new().map_err(CompileError)?;
    maker.halves(plan).map_err(CompileError)?;
    Ok(maker.code)
}

/// The Cranelift functions of a plan as text, in the order in which they are made. Errors: as [`emit`].
pub fn emit_text(plan: &Verified<Plan>) -> Result<String, CompileError> {
    let mut maker = Maker::new().map_err(CompileError)?;
    maker.text = Some(String::new());
    maker.halves(plan).map_err(CompileError)?;
    Ok(maker.text.unwrap_or_default())
}

struct Maker {
    target: isa::OwnedTargetIsa,
    context: Context,
    builder_context: FunctionBuilderContext,
    code: Code,
    /// Every function as text, when that is asked for.
    text: Option<String>,
}

impl Maker {
    fn new() -> Result<Self, String> {
        let (context, builder_context) = (Context::new(), FunctionBuilderContext::new());
        Ok(Maker { target: target()?, context, builder_context, code: Code::default(), text: None })
    }

    fn halves(&mut self, plan: &Plan) -> Result<(), String> {
        let layout =
            Layout { plan, row_exponents: row_exponent_starts(plan), are_tables_far: are_tables_far(plan) };
        self.code.up = self.half("up", &layout, plan.up())?;
        self.code.down = self.half("down", &layout, plan.down())?;
        Ok(())
    }

    /// Emits steps as chunks and gives where these start.
    fn half(&mut self, name: &str, layout: &Layout, steps: &[Step]) -> Result<Vec<u32>, String> {
        let mut lists = std::mem::take(&mut self.code.lists);
        let mut starts = Vec::new();
        let mut left = steps;
        while !left.is_empty() {
            let chunk = format!("{name}_{}", starts.len());
            starts.push(self.function(&chunk, |emitter| {
                while !left.is_empty() && emitter.n_calls() < CALLS_OF_A_CHUNK {
                    left = emit_run(emitter, layout, left, &mut lists);
                }
            })?);
        }
        self.code.lists = lists;
        Ok(starts)
    }

    /// Defines a function of the context pointer and gives where it starts.
    fn function(&mut self, name: &str, body: impl FnOnce(&mut Emitter)) -> Result<u32, String> {
        let convention = self.target.default_call_conv();
        self.context.func.signature = signature(convention, 1);
        let builder = FunctionBuilder::new(&mut self.context.func, &mut self.builder_context);
        let mut emitter = Emitter::new(builder, convention);
        body(&mut emitter);
        emitter.finish(self.target.frontend_config());
        if let Some(text) = &mut self.text {
            text.push_str(&format!("; {name}\n{}\n", self.context.func.display()));
        }
        let compiled = self.context.compile(&*self.target, &mut ControlPlane::default());
        let compiled = compiled.map_err(|e| format!("{:?}", e.inner))?;
        assert!(compiled.buffer.relocs().is_empty(), "emitted code calls through the context alone");
        let start = self.code.push(compiled.code_buffer());
        self.context.clear();
        start
    }
}

/// Emits the next step, or all steps up to the next whose kernels loop over tiles themselves in one loop:
/// a tile's rows then stay in the cache from step to step. Gives the steps that are left.
fn emit_run<'s>(emitter: &mut Emitter, layout: &Layout, steps: &'s [Step], lists: &mut Lists) -> &'s [Step] {
    let n = steps.iter().take(CALLS_OF_A_CHUNK).take_while(|step| !takes_tiles(step)).count();
    if n == 0 {
        fetch_ahead(emitter, layout, steps);
        emitter.step(layout, &steps[0], lists);
        return &steps[1..];
    }
    let (run, left) = steps.split_at(n);
    emitter.each_tile(|emitter| run.iter().for_each(|step| emitter.step(layout, step, lists)));
    left
}

/// This machine, with the flags that suit straight-line calls.
pub(crate) fn target() -> Result<isa::OwnedTargetIsa, String> {
    let mut flags = settings::builder();
    let verifier = if cfg!(debug_assertions) { "true" } else { "false" };
    let flag_values = [
        ("opt_level", "none"),
        ("regalloc_algorithm", "single_pass"),
        ("enable_verifier", verifier),
        ("is_pic", "true"),
    ];
    for (flag, value) in flag_values {
        flags.set(flag, value).map_err(|e| e.to_string())?;
    }
    let builder = cranelift::native::builder()?;
    builder.finish(settings::Flags::new(flags)).map_err(|e| e.to_string())
}
