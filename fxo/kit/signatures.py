"""Whether a function can be called as its contract says, and whether a class has what a port asks for."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

from fxo.core.plugins import Port

_VARIABLE = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


def hook_misfit(specified: inspect.Signature, implementation: Any) -> str | None:
    """Why the platform cannot call this implementation of a hook as specified; None where it can."""
    if inspect.iscoroutinefunction(implementation):
        return "is async, and hooks are called without awaiting: make it a plain function"
    known = list(specified.parameters)
    offered = ", ".join(known) or "no arguments"
    for name, parameter in inspect.signature(implementation).parameters.items():
        if parameter.kind in _VARIABLE:
            return f"takes *{name}, which nobody fills: name the arguments that it uses, of {offered}"
        if name not in known:
            return f"takes {name!r}, which the hook does not have: it gives {offered}"
        if parameter.default is not parameter.empty:
            return f"gives {name!r} a default, and is then never given the real one: leave the default out"
    return None


def port_misfits(port: Port, offered: Any) -> Iterator[str]:
    """What this provider, as a class or an instance, lacks of the port, in sentences."""
    kind = offered if isinstance(offered, type) else type(offered)
    for name, promise in port.answers.items():
        member = inspect.getattr_static(kind, name, None)
        if not hasattr(offered, name) or member is vars(port.protocol)[name]:
            wanted = "a property or class attribute" if promise.signature is None else f"{name}{_shown(promise.signature)}"
            yield f"has no {name}: add {wanted}"
            continue
        if promise.signature is None:
            if inspect.isfunction(member):
                yield f"has {name} as a method: put @property above it"
            elif isinstance(offered, type) and not isinstance(member, property) and hasattr(kind, name):
                yield from _lie(port, name, getattr(kind, name))
            continue
        if not callable(getattr(offered, name, None)):
            yield f"has {name}, which cannot be called: make it a method"
            continue
        given = _signature(kind, offered, name)
        if inspect.iscoroutinefunction(getattr(offered, name)):
            yield f"has {name} as async, and ports are called without awaiting: make it a plain method"
        elif not _takes(promise.signature, given):
            yield f"has {name}{_shown(given)}, and the port calls {name}{_shown(promise.signature)}: take the same arguments"


def _lie(port: Port, name: str, value: object) -> Iterator[str]:
    try:
        port.check(name, value, {})
    except Exception as error:
        yield f"has a {name} that is not what the port promises: {error}"


def _signature(kind: type, offered: Any, name: str) -> inspect.Signature:
    """The method's signature without `self`."""
    signature = inspect.signature(getattr(offered, name))
    if offered is kind and inspect.isfunction(inspect.getattr_static(kind, name)):
        return signature.replace(parameters=list(signature.parameters.values())[1:])
    return signature


def _takes(promised: inspect.Signature, given: inspect.Signature) -> bool:
    """Whether every call that the promised signature allows reaches the same parameters of the given one."""
    parameters = promised.parameters.values()
    named = {each.name: each.name for each in parameters}
    least = {each.name: each.name for each in parameters if each.default is each.empty}
    placed = [each.name for each in parameters if each.kind is not each.KEYWORD_ONLY]
    only_named = {name: name for name in named if name not in placed}
    loose = any(each.kind in _VARIABLE for each in given.parameters.values())
    try:
        given.bind(**least)
        bound = [given.bind(**named).arguments, given.bind(*placed, **only_named).arguments]
    except TypeError:
        return False
    return loose or all(arguments == named for arguments in bound)


def _shown(signature: inspect.Signature) -> str:
    """The parameters by name, as `(reference, amount, key)`."""
    bare = [each.replace(annotation=each.empty) for each in signature.parameters.values()]
    return str(inspect.Signature(bare))
