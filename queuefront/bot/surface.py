"""One definition of a method, for compiled strategies and for Python.

A strategy sees structs: `structref` types when it is compiled, plain objects when it is interpreted. `struct` declares one
and `method` gives it a method that is the same compiled function in both worlds. Only this module knows that there are two.

Annotations of a method's parameters are conversions at the border: ``int`` (floats are truncated, what does not fit
saturates), ``Id`` (the 64 bits of an order id), ``float`` and ``bool``. They keep one machine-code version of each method
whatever a strategy passes.
"""

from __future__ import annotations

import inspect
from collections import defaultdict
from collections.abc import Callable
from functools import partial
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final

import numpy as np
from numba import typeof, types
from numba.core import cgutils, imputils
from numba.core.datamodel import default_manager
from numba.core.runtime import nrtdynmod
from numba.core.typing.templates import AttributeTemplate
from numba.experimental import structref
from numba.extending import (
    NativeValue,
    infer_getattr,
    lower_getattr_generic,
    lower_setattr_generic,
    models,
    register_model,
    typeof_impl,
    unbox,
)

from queuefront.bot.binding import bind_attribute, bind_method, entry_symbol, link
from queuefront.core.clock import INT64_MAX, INT64_MIN
from queuefront.core.code_cache import provide
from queuefront.core.jit import IS_INTERPRETED

__all__ = [
    "LAYOUT",
    "Id",
    "Struct",
    "attribute",
    "entry",
    "fields_of",
    "id_from_python",
    "link_entries",
    "method",
    "struct",
    "struct_type",
]


class Id:
    """Annotation of an order id: any 64-bit integer, kept by its bits."""


def id_from_python(x: Any) -> int:
    """Return the 64 bits of any integer, or of a truncated float, as an int64."""
    bits = int(x) & (2**64 - 1)
    return bits - 2**64 if bits > INT64_MAX else bits


def _int_from_python(x: Any) -> int:
    if x != x:
        return 0
    return int(min(max(x, INT64_MIN), INT64_MAX))


_FROM_PYTHON: Final[dict[str, Callable[[Any], Any]]] = {
    "int": _int_from_python,
    "Id": id_from_python,
    "float": np.float64,
    "bool": bool,
}


def _fingerprint() -> str:
    """Return a hash of the sources that end up inside a strategy's machine code.

    Numba keys cached code by the strategy's own file and its argument types. With this in the types' names, a strategy
    that was compiled against other sources or record layouts is compiled again instead of running on them.
    """
    package = Path(__file__).parent.parent
    digest = blake2b(digest_size=8)
    for source in sorted(p for room in ("core", "book", "bot", "sim") for p in (package / room).glob("*.py")):
        digest.update(source.read_bytes())
    return digest.hexdigest()


FINGERPRINT: Final = _fingerprint()


class Layout:
    """Stands for the sources' fingerprint among the arguments of a function that builds structs from other values."""


LAYOUT: Final = Layout()


class _LayoutType(types.Type):  # type: ignore[misc]
    def __init__(self) -> None:
        super().__init__(name=f"Layout({FINGERPRINT})")


_LAYOUT_TYPE: Final = _LayoutType()
register_model(_LayoutType)(models.OpaqueModel)


@typeof_impl.register(Layout)
def _type_of_layout(_value: Any, _context: Any) -> Any:
    return _LAYOUT_TYPE


@unbox(_LayoutType)
def _unbox_layout(_typ: Any, _value: Any, c: Any) -> NativeValue:
    return NativeValue(c.context.get_dummy_value())


if IS_INTERPRETED:

    class Struct:
        """Base of the structs that strategies see: here a plain object with the declared fields."""

        _fields: tuple[str, ...] = ()

        def __init__(self, *values: Any) -> None:
            for name, value in zip(self._fields, values, strict=True):
                setattr(self, name, value)
else:

    class Struct(structref.StructRefProxy):  # type: ignore[no-redef,misc]
        """Base of the structs that strategies see: here a handle of a compiled one."""

        _fields: tuple[str, ...] = ()


_TYPES: Final[dict[type, Any]] = {}
_ENTRIES: Final[dict[type, list[tuple[Any, list[str]]]]] = defaultdict(list)


def struct(fields: str) -> Callable[[type], type]:
    """Declare a struct with the given space-separated fields; decorates a subclass of `Struct`.

    Compiled code builds one by calling the class with all fields in order. Python builds one through a compiled
    function that does so, because that constructor can be cached.
    """

    def declare(cls: type) -> type:
        cls._fields = tuple(fields.split())  # type: ignore[attr-defined]
        if not IS_INTERPRETED:

            class StructType(types.StructRef):  # type: ignore[misc]
                def __init__(self, fields: Any) -> None:
                    super().__init__(fields)
                    # Numba keys and mangles by name; the whole one has tens of thousands of letters.
                    whole = blake2b(f"{FINGERPRINT}{fields}".encode(), digest_size=8).hexdigest()
                    self.name = f"{type(self).__name__}({whole})"

                def preprocess_fields(self, fields: Any) -> Any:
                    return tuple((name, types.unliteral(field)) for name, field in fields)

            # The class is found again by name when cached code is loaded.
            StructType.__name__ = StructType.__qualname__ = f"{cls.__name__}Type"
            StructType.__module__ = cls.__module__
            inspect.getmodule(cls).__dict__[StructType.__name__] = StructType  # type: ignore[union-attr]
            _register(StructType)
            structref.define_boxing(StructType, cls)
            structref.define_constructor(cls, StructType, list(cls._fields))  # type: ignore[attr-defined]
            _TYPES[cls] = StructType
        return cls

    return declare


def _register(type_class: Any) -> None:
    """Do what `structref.register` does, with fields that can be read without Numba's run-time (see `core.jit.leaf`).

    `structref` asks the run-time where a struct's data lies; here the pointer is read from the struct's header.
    """
    default_manager.register(type_class, models.StructRefModel)

    @infer_getattr
    class _Fields(AttributeTemplate):  # type: ignore[misc]
        key = type_class

        def generic_resolve(self, typ: Any, attr: str) -> Any:
            return typ.field_dict.get(attr)

    @lower_getattr_generic(type_class)
    def _get(context: Any, builder: Any, typ: Any, val: Any, attr: str) -> Any:
        fields = fields_of(context, builder, typ, val)
        return imputils.impl_ret_borrowed(context, builder, typ.field_dict[attr], getattr(fields, attr))

    @lower_setattr_generic(type_class)
    def _set(context: Any, builder: Any, sig: Any, args: Any, attr: str) -> None:
        struct_type, value_type = sig.args
        fields = fields_of(context, builder, struct_type, args[0])
        field_type = struct_type.field_dict[attr]
        value = context.cast(builder, args[1], value_type, field_type)
        if context.data_model_manager[field_type].contains_nrt_meminfo():
            context.nrt.incref(builder, field_type, value)
            context.nrt.decref(builder, field_type, getattr(fields, attr))
        setattr(fields, attr, value)


def fields_of(context: Any, builder: Any, typ: Any, val: Any) -> Any:
    """Return the fields of a struct, for code that builds machine code."""
    struct = cgutils.create_struct_proxy(typ)(context, builder, value=val)
    header = builder.bitcast(struct.meminfo, nrtdynmod._meminfo_struct_type.as_pointer())  # noqa: SLF001
    data = builder.load(cgutils.gep_inbounds(builder, header, 0, 3))
    value_type = context.get_value_type(typ.get_data_type())
    pointer = builder.bitcast(data, value_type.as_pointer())
    return cgutils.create_struct_proxy(typ.get_data_type())(context, builder, ref=pointer)


def struct_type(cls: type) -> Any:
    """Return the Numba type class of a declared struct."""
    return _TYPES[cls]


def method(cls: type, name: str | None = None) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Make a compiled function a method of a struct; its first parameter is the struct."""
    return _expose(cls, name, is_attribute=False)


def attribute(cls: type, name: str | None = None) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Make a compiled function of a struct a read-only attribute of it."""
    return _expose(cls, name, is_attribute=True)


def entry(cls: type, name: str | None = None) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Make a compiled function a method of a struct that compiled code calls by its address.

    Calling code neither inlines the function nor carries a copy of it, so that a strategy that was edited compiles in the
    time that its own text takes. For functions that are long, or are called from many places. Every parameter after the
    struct is annotated. `link_entries` must see the struct before other compiled code does.
    """
    return _expose(cls, name, is_attribute=False, is_entry=True)


def link_entries(value: Any) -> None:
    """Have the entries of a struct's class compiled or loaded for the struct's type when code that names them is loaded."""
    if not IS_INTERPRETED:
        struct_type = typeof(value)
        for target, kinds in _ENTRIES[type(value)]:
            provide(entry_symbol(target, struct_type), partial(link, target, struct_type, kinds))


def _expose(
    cls: type, name: str | None, *, is_attribute: bool, is_entry: bool = False
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    def expose(target: Callable[..., Any]) -> Callable[..., Any]:
        plain = getattr(target, "py_func", target)
        public = name or plain.__name__
        parameters = list(inspect.signature(plain).parameters.values())
        kinds = [p.annotation if isinstance(p.annotation, str) else "" for p in parameters]
        if not IS_INTERPRETED:
            type_class, names = _TYPES[cls], [p.name for p in parameters[1:]]
            inside = getattr(target, "inside", target)
            if is_entry:
                _ENTRIES[cls].append((inside, kinds[1:]))
            if is_attribute:
                bind_attribute(type_class, public, inside)
            else:
                bind_method(type_class, public, inside, names, kinds[1:], is_entry=is_entry)
        converters = [_FROM_PYTHON.get(kind) for kind in kinds[1:]]

        signature = inspect.Signature([p.replace(annotation=inspect.Parameter.empty) for p in parameters])

        def call(self: Any, *args: Any, **kwargs: Any) -> Any:
            if kwargs or len(args) != len(converters):
                args = signature.bind(self, *args, **kwargs).args[1:]
            return target(self, *(a if c is None else c(a) for a, c in zip(args, converters, strict=True)))

        call.__name__, call.__doc__ = public, plain.__doc__
        call.__signature__ = signature  # type: ignore[attr-defined]
        setattr(cls, public, property(call) if is_attribute else call)
        return target

    return expose
