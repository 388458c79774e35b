//! The JIT module of a plan: chunks of steps as functions, and one driver for each direction.
//!
//! One function for a whole circuit would take the code generator far longer than many short ones, so steps
//! are cut into chunks. The code is straight-line calls: there is nothing to optimise, so `opt_level=none`
//! and registers given out in a single pass keep it quick to make (half the time of the other allocator).

use crate::emit::{Emitter, Refs};
use crate::kernel::Kernel;
use crate::{CompileError, Program};
use cranelift::codegen::Context;
use cranelift::jit::{JITBuilder, JITModule};
use cranelift::module::{FuncId, Linkage, Module, default_libcall_names};
use cranelift::prelude::*;
use pcc_ir::plan::Step;
use pcc_ir::{Plan, Verified};
use pcc_kernels::Kernels;

/// A chunk ends after this many calls of kernels.
const CALLS_OF_A_CHUNK: usize = 400;

/// Makes machine code for a plan. Errors: the target is none that Cranelift knows, or memory for code
/// can't be had.
pub fn compile(plan: Verified<Plan>, kernels: &Kernels) -> Result<Program, CompileError> {
    let mut code = Code::new(kernels).map_err(CompileError)?;
    let mut rows = Vec::new();
    let directions = code.directions(&plan, &mut rows).map_err(CompileError)?;
    code.module.finalize_definitions().map_err(|e| CompileError(e.to_string()))?;
    let entries = directions.map(|id| code.module.get_finalized_function(id));
    Ok(Program::new(plan, code.module, entries, rows))
}

/// The Cranelift functions of a plan as text, in the order in which they are made. Errors: as [`compile`].
pub fn emit_text(plan: &Verified<Plan>, kernels: &Kernels) -> Result<String, CompileError> {
    let mut code = Code::new(kernels).map_err(CompileError)?;
    code.text = Some(String::new());
    code.directions(plan, &mut Vec::new()).map_err(CompileError)?;
    Ok(code.text.unwrap_or_default())
}

struct Code {
    module: JITModule,
    context: Context,
    builder_context: FunctionBuilderContext,
    /// The imported function of each kernel and the number of its arguments.
    imports: Vec<(FuncId, usize)>,
    /// Every function as text, when that is asked for.
    text: Option<String>,
}

impl Code {
    fn new(kernels: &Kernels) -> Result<Self, String> {
        let mut builder = JITBuilder::with_isa(target()?, default_libcall_names());
        let entries: Vec<_> = Kernel::ALL.iter().map(|k| (k.symbol(), k.entry(kernels))).collect();
        builder.symbols(entries.iter().map(|(symbol, entry)| (*symbol, entry.address)));
        let mut module = JITModule::new(builder);
        let mut imports = Vec::new();
        for (symbol, entry) in &entries {
            let signature = signature(&module, entry.n_arguments);
            let id = module.declare_function(symbol, Linkage::Import, &signature);
            imports.push((id.map_err(|e| e.to_string())?, entry.n_arguments));
        }
        let context = module.make_context();
        let builder_context = FunctionBuilderContext::new();
        Ok(Code { module, context, builder_context, imports, text: None })
    }

    /// Emits both halves of a plan. Lists of arena rows that steps read are appended to `rows`.
    fn directions(&mut self, plan: &Plan, rows: &mut Vec<u32>) -> Result<[FuncId; 2], String> {
        Ok([self.direction("up", plan, plan.up(), rows)?, self.direction("down", plan, plan.down(), rows)?])
    }

    /// Emits steps as chunks and returns the function that runs them all.
    fn direction(
        &mut self,
        name: &str,
        plan: &Plan,
        steps: &[Step],
        rows: &mut Vec<u32>,
    ) -> Result<FuncId, String> {
        let mut chunks = Vec::new();
        let mut left = steps;
        while !left.is_empty() {
            let chunk = format!("{name}_{}", chunks.len());
            let mut n_done = 0;
            chunks.push(self.function(&chunk, |emitter| {
                while n_done < left.len() && emitter.n_calls() < CALLS_OF_A_CHUNK {
                    emitter.step(plan, &left[n_done], rows);
                    n_done += 1;
                }
            })?);
            left = &left[n_done..];
        }
        self.function(name, |emitter| chunks.iter().for_each(|&chunk| emitter.call_chunk(chunk)))
    }

    /// Defines a function of the context pointer.
    fn function(&mut self, name: &str, body: impl FnOnce(&mut Emitter)) -> Result<FuncId, String> {
        let signature = signature(&self.module, 1);
        let id = self.module.declare_function(name, Linkage::Local, &signature);
        let id = id.map_err(|e| e.to_string())?;
        self.context.func.signature = signature;
        let builder = FunctionBuilder::new(&mut self.context.func, &mut self.builder_context);
        let target = self.module.target_config();
        let mut emitter = Emitter::new(builder, Refs::new(&mut self.module, &self.imports));
        body(&mut emitter);
        emitter.finish(target);
        if let Some(text) = &mut self.text {
            text.push_str(&format!("; {name}\n{}\n", self.context.func.display()));
        }
        self.module.define_function(id, &mut self.context).map_err(|e| format!("{e:?}"))?;
        self.module.clear_context(&mut self.context);
        Ok(id)
    }
}

/// The C signature of a function of that many words, without a result.
fn signature(module: &JITModule, n_arguments: usize) -> Signature {
    let mut signature = module.make_signature();
    let word = AbiParam::new(module.target_config().pointer_type());
    signature.params.resize(n_arguments, word);
    signature
}

/// This machine, with the flags that suit straight-line calls.
fn target() -> Result<isa::OwnedTargetIsa, String> {
    let mut flags = settings::builder();
    let verifier = if cfg!(debug_assertions) { "true" } else { "false" };
    let flag_values = [
        ("opt_level", "none"),
        ("regalloc_algorithm", "single_pass"),
        ("enable_verifier", verifier),
        ("is_pic", "false"),
    ];
    for (flag, value) in flag_values {
        flags.set(flag, value).map_err(|e| e.to_string())?;
    }
    let builder = cranelift::native::builder()?;
    builder.finish(settings::Flags::new(flags)).map_err(|e| e.to_string())
}
