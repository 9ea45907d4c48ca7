"""A callable wrapped as what it is: what inspect tells of it stays true, and its caller
learns when its body has run."""
from __future__ import annotations

import contextlib
import functools
import inspect
import types
from typing import (Any, AsyncGenerator, Callable, Dict, Generator, Optional, Protocol, Sequence,
                    Tuple)

from .errors import ArgumentError

__all__ = ["Call", "layers", "wrap"]


class Call(Protocol):
    """A call of the callable: its arguments, and what is to know of its outcome."""

    args: Sequence[Any]
    kwargs: Dict[str, Any]

    def done(self) -> None: ...

    def failed(self, error: BaseException) -> None: ...


Begin = Callable[[Tuple[Any, ...], Dict[str, Any]], Call]


def _function(func: Any, begin: Begin) -> Callable[..., Any]:
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        call = begin(args, kwargs)
        try:
            result = func(*call.args, **call.kwargs)
        except BaseException as e:
            call.failed(e)
            raise
        if inspect.iscoroutine(result):  # the body of what another decorator hides
            return _awaited(result, call)
        call.done()
        return result

    return wrapper


async def _awaited(body: Any, call: Call) -> Any:
    try:
        result = await body
    except BaseException as e:  # cancelled, too
        call.failed(e)
        raise
    call.done()
    return result


def _coroutine(func: Any, begin: Begin) -> Callable[..., Any]:
    async def wrapper(*args: Any, **kwargs: Any) -> Any:
        call = begin(args, kwargs)
        try:
            body = func(*call.args, **call.kwargs)
        except BaseException as e:
            call.failed(e)
            raise
        return await _awaited(body, call)

    return wrapper


def _old_coroutine(func: Any, begin: Begin) -> Callable[..., Any]:
    """Of types.coroutine: a generator function, but awaited to its end."""
    def wrapper(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        call = begin(args, kwargs)
        try:
            result = yield from func(*call.args, **call.kwargs)
        except BaseException as e:
            call.failed(e)
            raise
        call.done()
        return result

    return types.coroutine(wrapper)


def _is_old_coroutine(func: Any) -> bool:
    code = getattr(func, "__code__", None)
    return bool(code and code.co_flags & inspect.CO_ITERABLE_COROUTINE)


def _generator(func: Any, begin: Begin) -> Callable[..., Any]:
    def wrapper(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        call = begin(args, kwargs)
        try:
            items = func(*call.args, **call.kwargs)
            item = next(items)
        except StopIteration as e:
            call.done()
            return e.value
        except BaseException as e:
            call.failed(e)
            raise
        call.done()
        while True:  # what `yield from` does, behind the first item
            try:
                try:
                    sent = yield item
                except GeneratorExit:
                    items.close()
                    raise
                except BaseException as e:
                    item = items.throw(e)
                else:
                    item = items.send(sent)
            except StopIteration as e:
                return e.value

    return wrapper


def _async_generator(func: Any, begin: Begin) -> Callable[..., Any]:
    async def wrapper(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        call = begin(args, kwargs)
        try:
            items = func(*call.args, **call.kwargs)
            item = await items.__anext__()
        except StopAsyncIteration:
            call.done()
            return
        except BaseException as e:
            call.failed(e)
            raise
        call.done()
        while True:
            try:
                try:
                    sent = yield item
                except GeneratorExit:
                    await items.aclose()
                    raise
                except BaseException as e:
                    item = await items.athrow(e)
                else:
                    item = await items.asend(sent)
            except StopAsyncIteration:
                return

    return wrapper


_KINDS: Tuple[Tuple[Callable[[Any], bool], Callable[[Any, Begin], Callable[..., Any]]], ...] = (
    (inspect.iscoroutinefunction, _coroutine), (_is_old_coroutine, _old_coroutine),
    (inspect.isgeneratorfunction, _generator), (inspect.isasyncgenfunction, _async_generator))


_MANAGERS: Tuple[Any, ...] = (contextlib.contextmanager, contextlib.asynccontextmanager)


def layers(func: Any) -> Optional[Callable[[Callable[[Any], Any]], Any]]:
    """For what is no function itself but made of one: makes the same of the function
    decorated. None: func is to be decorated. Raises ArgumentError if it cannot be."""
    if isinstance(func, (classmethod, staticmethod)):
        return lambda decorate: type(func)(decorate(func.__func__))
    if isinstance(func, functools.partialmethod):
        return lambda decorate: functools.partialmethod(decorate(func.func), *func.args,
                                                        **func.keywords)
    for manager in _MANAGERS:  # whose body runs when it is entered
        if getattr(func, "__code__", None) is manager(func).__code__:
            return lambda decorate: manager(decorate(func.__wrapped__))
    if not callable(func):
        raise ArgumentError(f"@tunable: {func!r} cannot be called; decorate the function "
                            "that it is made of")
    return None


def wrap(func: Any, begin: Begin) -> Callable[..., Any]:
    """begin is called when the body is about to run, and may change the arguments."""
    body: Any = func
    while isinstance(body, functools.partial):
        body = body.func
    if not inspect.isroutine(body) and not inspect.isclass(body):
        body = getattr(type(body), "__call__")  # an object
    for is_kind, make in _KINDS:
        if is_kind(body):
            return functools.wraps(func)(make(func, begin))
    return functools.wraps(func)(_function(func, begin))
