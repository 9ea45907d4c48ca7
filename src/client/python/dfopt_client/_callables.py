"""A callable wrapped as what it is: what inspect tells of it stays true, and its caller
learns when its body has run."""
from __future__ import annotations

import functools
import inspect
from typing import Any, AsyncGenerator, Callable, Dict, Generator, Protocol, Sequence, Tuple

__all__ = ["Call", "wrap"]


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
        call.done()
        return result

    return wrapper


def _coroutine(func: Any, begin: Begin) -> Callable[..., Any]:
    async def wrapper(*args: Any, **kwargs: Any) -> Any:
        call = begin(args, kwargs)
        try:
            result = await func(*call.args, **call.kwargs)
        except BaseException as e:  # cancelled, too
            call.failed(e)
            raise
        call.done()
        return result

    return wrapper


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
    (inspect.iscoroutinefunction, _coroutine), (inspect.isgeneratorfunction, _generator),
    (inspect.isasyncgenfunction, _async_generator))


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
