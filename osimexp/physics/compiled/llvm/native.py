"""LLVM for this processor: assembly language to object code, and object code to functions."""

import ctypes
from collections.abc import Callable, Iterable
from typing import Any

import llvmlite
import llvmlite.binding as llvm

_CTYPES = {"ptr": ctypes.c_void_p, "i64": ctypes.c_int64, "double": ctypes.c_double}


def has_feature(name: str) -> bool:
    """Return whether this processor has a feature, given LLVM's name for it."""
    return bool(llvm.get_host_cpu_features().get(name, False))


def processor() -> str:
    """Return the LLVM version, processor and features that object code is for."""
    return "|".join(
        (llvmlite.__version__, llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten())
    )


def _target_machine() -> Any:
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    # Position-independent code is near its constants, so that it reads them as operands.
    return llvm.Target.from_default_triple().create_target_machine(
        cpu=llvm.get_host_cpu_name(),
        features=llvm.get_host_cpu_features().flatten(),
        opt=2,
        reloc="pic",
        codemodel="small",
        jit=True,
    )


def object_code(text: str) -> bytes:
    """Return object code for this processor.

    Few optimisation passes are run, because traced programs have no common subexpressions and more
    passes gain nothing.

    Args:
        text: a module in LLVM's assembly language.
    """
    machine = _target_machine()
    module = llvm.parse_assembly(text)
    builder = llvm.create_pass_builder(machine, llvm.create_pipeline_tuning_options())
    passes = llvm.create_new_module_pass_manager()
    passes.add_sroa_pass()
    passes.add_instruction_combine_pass()
    passes.add_simplify_cfg_pass()
    passes.run(module, builder)
    code: bytes = machine.emit_object(module)
    return code


class Code:
    """Loaded object code."""

    def __init__(self, code: bytes) -> None:
        # The engine owns the code.
        self._engine = llvm.create_mcjit_compiler(
            llvm.parse_assembly(""), _target_machine(), use_lmm=True
        )
        self._engine.add_object_file(llvm.ObjectFileRef.from_data(code))
        self._engine.finalize_object()

    def function(self, name: str, parameters: Iterable[str]) -> Callable[..., None]:
        """Return a function of the object code; a call of it releases the interpreter's lock.

        Args:
            name: name of the function.
            parameters: types of the parameters as LLVM writes them: ``ptr``, ``i64``, ``double``.

        Raises:
            ValueError: there is no function of that name.
        """
        address = self._engine.get_function_address(name)
        if not address:
            raise ValueError(f"No {name} was compiled.")
        kinds = (_CTYPES[kind.split()[0]] for kind in parameters)
        return ctypes.CFUNCTYPE(None, *kinds)(address)
