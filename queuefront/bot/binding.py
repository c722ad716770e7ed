"""How compiled code finds the methods and attributes of a type.

Numba's `overload_method` compiles a forwarding function for each use and optimizes what it forwards to once more: that
way an edited strategy of sixty lines took four seconds to compile, and this way half a second (`make bench`, cold process).
Here a call is lowered as what it is, a call of the function that is compiled already. An *entry* is called by its address
alone, so that calling code carries no copy of it.
"""

from __future__ import annotations

import inspect
from typing import Any, Final

import llvmlite.binding as llvm
import numpy as np
from numba import types
from numba.core import cgutils, imputils
from numba.core.typing import signature
from numba.core.typing.templates import AbstractTemplate, AttributeTemplate
from numba.extending import infer_getattr, lower_builtin, lower_getattr

from queuefront.core.clock import INT64_MAX, INT64_MIN
from queuefront.core.jit import compiled

__all__ = ["bind_attribute", "bind_in_place", "bind_method", "bind_variants", "entry_symbol", "link"]


@compiled
def saturate(x):
    """Return x as int64: truncated, clamped to the range, 0 for NaN (spec B0.3, B0.9)."""
    if x != x:
        return np.int64(0)
    if x >= 9.223372036854775807e18:
        return np.int64(INT64_MAX)
    if x <= -9.223372036854775808e18:
        return np.int64(INT64_MIN)
    return np.int64(x)


@compiled
def id_bits(x):
    """Return the 64 bits of an order id as int64."""
    return np.int64(x)


#: What an annotated parameter is inside: `int` saturates, `Id` keeps the bits. See `surface`.
_SCALARS: Final = {"int": types.int64, "Id": types.int64, "float": types.float64, "bool": types.boolean}
_CONVERTERS: Final = {"int": saturate, "Id": id_bits}


def entry_symbol(target: Any, struct_type: Any) -> str:
    """Return the symbol of an entry for a struct type."""
    # A struct's name holds a hash of the sources and of its fields, so the symbol means the same code in every process.
    return f"queuefront.{target.py_func.__module__}.{target.py_func.__name__}.{struct_type.name}"


def link(target: Any, struct_type: Any, kinds: list[str]) -> tuple[str, Any]:
    """Return (symbol, description) of an entry for a struct type; machine code may then call the symbol.

    target : compiled function of the struct and annotated scalars; compiled or loaded here if it is not yet.
    """
    symbol = entry_symbol(target, struct_type)
    arguments = (struct_type, *(_SCALARS[kind] for kind in kinds))
    target.compile(arguments)
    result = target.overloads[arguments]
    llvm.add_symbol(symbol, result.library.get_pointer_to_function(result.fndesc.llvm_func_name))
    return symbol, result.fndesc


def bind_attribute(type_class: Any, name: str, target: Any) -> None:
    """Make a compiled function of a type an attribute of it."""

    @infer_getattr
    class _Attribute(AttributeTemplate):  # type: ignore[misc]
        key = type_class

        def generic_resolve(self, typ: Any, attr: str) -> Any:
            return _signature_of(self.context, target, (typ,)).return_type if attr == name else None

    @lower_getattr(type_class, name)
    def _get(context: Any, builder: Any, typ: Any, value: Any) -> Any:
        return _call(context, builder, target, (typ,), (value,))


def bind_method(
    type_class: Any, name: str, target: Any, parameters: list[str], kinds: list[str], *, is_entry: bool
) -> None:
    """Make a compiled function of a type a method of it.

    parameters, kinds : names of the parameters after the type, and what they are annotated with, "" for nothing.
    """
    # What messages of Numba call the method.
    template_key = f"{type_class.__name__.removesuffix('Type')}.{name}"
    python_signature = inspect.Signature(
        [inspect.Parameter(p, inspect.Parameter.POSITIONAL_OR_KEYWORD) for p in parameters]
    )

    class _Method(AbstractTemplate):  # type: ignore[misc]
        key = template_key

        def generic(self, args: Any, kws: Any) -> Any:
            try:
                given = python_signature.bind(*args, **kws).args
            except TypeError:
                return None
            inside = _inside_types(kinds, given)
            if inside is None:
                return None
            this = self.this
            if is_entry:
                result = link(target, this, kinds)[1].restype
            else:
                result = _signature_of(self.context, target, (this, *inside)).return_type
            return signature(result, *given, recvr=this).replace(pysig=python_signature)

    @infer_getattr
    class _Methods(AttributeTemplate):  # type: ignore[misc]
        key = type_class

        def generic_resolve(self, typ: Any, attr: str) -> Any:
            return types.BoundFunction(_Method, typ) if attr == name else None

    @lower_builtin(template_key, type_class, types.VarArg(types.Any))
    def _lower(context: Any, builder: Any, sig: Any, values: Any) -> Any:
        this, *given = sig.args
        inside = _inside_types(kinds, given)
        scalars = [_convert(context, builder, *it) for it in zip(kinds, given, inside or (), values[1:], strict=True)]
        if is_entry:
            return _call_entry(context, builder, target, this, kinds, (values[0], *scalars))
        return _call(context, builder, target, (this, *(inside or ())), (values[0], *scalars))


def bind_in_place(type_class: Any, name: str, result_type: Any, build: Any) -> None:
    """Make a method without parameters that is no function, but a part of the code that calls it.

    result_type : makes the type of the result from the type.   build : (context, builder, type, value) -> result.
    """
    template_key = f"{type_class.__name__.removesuffix('Type')}.{name}"

    class _Method(AbstractTemplate):  # type: ignore[misc]
        key = template_key

        def generic(self, args: Any, kws: Any) -> Any:
            return None if args or kws else signature(result_type(self.this), recvr=self.this)

    @infer_getattr
    class _Methods(AttributeTemplate):  # type: ignore[misc]
        key = type_class

        def generic_resolve(self, typ: Any, attr: str) -> Any:
            return types.BoundFunction(_Method, typ) if attr == name else None

    @lower_builtin(template_key, type_class)
    def _lower(context: Any, builder: Any, sig: Any, values: Any) -> Any:
        return build(context, builder, sig.args[0], values[0])


def _inside_types(kinds: list[str], given: Any) -> tuple[Any, ...] | None:
    """Return the types that a method's arguments are converted to; None where one is no number."""
    if any(kind and not isinstance(typ, types.Number | types.Boolean) for kind, typ in zip(kinds, given, strict=True)):
        return None
    return tuple(_SCALARS.get(kind, typ) for kind, typ in zip(kinds, given, strict=True))


def _convert(context: Any, builder: Any, kind: str, given: Any, inside: Any, value: Any) -> Any:
    if given == inside:
        return value
    if kind == "bool":
        return context.is_true(builder, given, value)
    is_plain = isinstance(given, types.Boolean) or (isinstance(given, types.Integer) and given.signed)
    if kind not in _CONVERTERS or is_plain:
        return context.cast(builder, value, given, inside)
    return _call(context, builder, _CONVERTERS[kind], (given,), (value,))


def _signature_of(typing_context: Any, target: Any, arguments: tuple[Any, ...]) -> Any:
    return typing_context.resolve_function_type(typing_context.resolve_value_type(target), arguments, {})


def _call(context: Any, builder: Any, target: Any, arguments: tuple[Any, ...], values: Any) -> Any:
    """Call a compiled function, which the calling code may inline."""
    typing_context = context.typing_context
    function_type = typing_context.resolve_value_type(target)
    call = context.get_function(function_type, _signature_of(typing_context, target, arguments))
    context.add_linking_libs(getattr(call, "libs", ()))
    return call(builder, values)


def _call_entry(context: Any, builder: Any, target: Any, this: Any, kinds: list[str], values: Any) -> Any:
    """Call a compiled function by its symbol."""
    symbol, description = link(target, this, kinds)
    convention = context.call_conv
    function_type = convention.get_function_type(description.restype, description.argtypes)
    function = cgutils.get_or_insert_function(builder.module, function_type, symbol)
    status, result = convention.call_function(builder, function, description.restype, description.argtypes, values)
    with cgutils.if_unlikely(builder, status.is_error):
        convention.return_status_propagate(builder, status)
    result = imputils.fix_returning_optional(context, builder, signature(description.restype), status, result)
    return imputils.impl_ret_new_ref(context, builder, description.restype, result)


def bind_variants(type_class: Any, name: str) -> None:
    """Make the functions that the types of a class carry, `typ.functions[name]`, methods of them.

    The function is called without the value itself, which has no data.
    """
    template_key = f"{type_class.__name__.removesuffix('Type')}.{name}"

    class _Variant(AbstractTemplate):  # type: ignore[misc]
        key = template_key

        def generic(self, args: Any, kws: Any) -> Any:
            if kws:
                return None
            target = self.this.functions[name]
            return signature(_signature_of(self.context, target, args).return_type, *args, recvr=self.this)

    @infer_getattr
    class _Variants(AttributeTemplate):  # type: ignore[misc]
        key = type_class

        def generic_resolve(self, typ: Any, attr: str) -> Any:
            return types.BoundFunction(_Variant, typ) if attr == name else None

    @lower_builtin(template_key, type_class, types.VarArg(types.Any))
    def _lower(context: Any, builder: Any, sig: Any, values: Any) -> Any:
        return _call(context, builder, sig.args[0].functions[name], tuple(sig.args[1:]), values[1:])
