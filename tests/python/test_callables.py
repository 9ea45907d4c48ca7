#!/usr/bin/env python3
"""What @tunable makes of everything that can be called, and how long a plan holds."""
import asyncio
import contextlib
import functools
import inspect
import types
import unittest

import dfopt_client as d
import dfopt_client.runtime
from dfopt_client import context as context_module
from test_tunable import ContextTest

KNOBS = {"a": d.knob(default=2, range=(1, 64))}


def own(name):
    """For one of several functions with that parameter."""
    return {"a": d.knob(default=2, range=(1, 64), id=name)}


def tune(func):
    """Alone, and before there is a context: its id is free. CallablesTest.plan makes it
    known."""
    context_module._functions.clear()
    context, context_module._global_context = context_module._global_context, None
    try:
        return d.tunable(knobs=KNOBS)(func)
    finally:
        context_module._global_context = context


def drive(coroutine):
    """Runs a coroutine that waits for nothing but asyncio.sleep(0)."""
    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(coroutine)
    finally:
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()


def function(a):
    return a


async def coroutine(a):
    await asyncio.sleep(0)
    return a


def generator(a):
    yield a
    yield a


async def async_generator(a):
    yield a
    yield a


class Loader:
    @d.tunable(knobs=own("method"))
    def method(self, a):
        return a

    @d.tunable(knobs=own("outside_class"))
    @classmethod
    def outside_class(cls, a):
        assert cls is Loader
        return a

    @classmethod
    @d.tunable(knobs=own("inside_class"))
    def inside_class(cls, a):
        assert cls is Loader
        return a

    @d.tunable(knobs=own("outside_static"))
    @staticmethod
    def outside_static(a):
        return a

    @staticmethod
    @d.tunable(knobs=own("inside_static"))
    def inside_static(a):
        return a

    @d.tunable(knobs=own("coroutine"))
    async def coroutine(self, a):
        return a

    def of_two(self, b, a):
        return a

    part = d.tunable(knobs=own("part"))(functools.partialmethod(of_two, 1))


def hidden(func):
    """As a decorator that knows nothing of coroutines."""
    @functools.wraps(func)
    def wrapper(*args, **kwargs):
        return func(*args, **kwargs)
    return wrapper


@types.coroutine
def old_coroutine(a):
    yield
    return a


class Callable:
    def __call__(self, a):
        return a


class AsyncCallable:
    async def __call__(self, a):
        return a


async def first_of(items):
    return [item async for item in items][0]


async def _await(what):
    return await what


def by_place(a=2, /):
    return a


def generator_of_one(a):
    yield a


async def async_generator_of_one(a):
    yield a


def entered(manager):
    with manager as value:
        return value


async def entered_later(manager):
    async with manager as value:
        return value


class CallablesTest(ContextTest):
    def plan(self, tuned, **plan):
        """Files a plan for a tunable function, known to the context."""
        t = tuned._tunable
        context_module._functions.clear()
        context_module.note_function(t)
        self.client.enqueue({"plan_id": "p", "knob_id": t.knob_defs("app")["a"].id,
                             "new_value": 8, "target_function": t.func_name, **plan})

    def setUp(self):
        super().setUp()
        self.start()

    def start(self):
        self.forget()
        self.new_peer()
        context_module._functions.clear()
        self.client = self.context().client

    def applied(self, value=8):
        told = self.peer.ack()
        self.assertEqual((told["status"], told["new_value"]), ("applied", value))
        self.assertTrue(self.peer.is_silent("acks", 10))


class Kinds(CallablesTest):
    def test_each_is_what_it_is(self):
        for is_kind, plain in ((inspect.iscoroutinefunction, coroutine),
                               (asyncio.iscoroutinefunction, coroutine),
                               (inspect.isgeneratorfunction, generator),
                               (inspect.isasyncgenfunction, async_generator),
                               (inspect.iscoroutinefunction, AsyncCallable())):
            tuned = tune(plain)
            self.assertTrue(is_kind(tuned), plain)
            self.assertFalse(is_kind(tune(function)))
            self.assertEqual(inspect.signature(tuned), inspect.signature(plain))

    def test_applied(self):
        loader = Loader()
        cases = {
            "function": (tune(function), lambda f: f(a=2)),
            "by place": (tune(function), lambda f: f(2)),
            "partial": (tune(functools.partial(function, a=2)),
                        lambda f: f()),
            "partial coroutine": (tune(functools.partial(coroutine, a=2)),
                                  lambda f: drive(f())),
            "object": (tune(Callable()), lambda f: f(a=2)),
            "async object": (tune(AsyncCallable()),
                             lambda f: drive(f(a=2))),
            "coroutine": (tune(coroutine), lambda f: drive(f(a=2))),
            "generator": (tune(generator), lambda f: list(f(a=2))[1]),
            "async generator": (tune(async_generator),
                                lambda f: drive(first_of(f(a=2)))),
            "method": (loader.method, lambda f: f(a=2)),
            "method by place": (loader.method, lambda f: f(2)),
            "classmethod outside": (Loader.outside_class, lambda f: f(a=2)),
            "classmethod inside": (Loader.inside_class, lambda f: f(a=2)),
            "of an object": (loader.inside_class, lambda f: f(2)),
            "staticmethod outside": (Loader.outside_static, lambda f: f(a=2)),
            "staticmethod inside": (loader.inside_static, lambda f: f(a=2)),
            "coroutine method": (loader.coroutine, lambda f: drive(f(a=2))),
            "hidden coroutine": (tune(hidden(coroutine)), lambda f: drive(f(2))),
            "old coroutine": (tune(old_coroutine), lambda f: drive(_await(f(2)))),
            "by place only": (tune(by_place), lambda f: f()),
            "context manager": (tune(contextlib.contextmanager(generator_of_one)),
                                lambda f: entered(f(2))),
            "async context manager": (
                tune(contextlib.asynccontextmanager(async_generator_of_one)),
                lambda f: drive(entered_later(f(2)))),
        }
        part = vars(Loader)["part"].func
        cases["part of a method"] = (part, lambda f: loader.part(a=2))
        for name, (tuned, call) in cases.items():
            with self.subTest(name):
                self.start()
                tuned._tunable.held.clear()
                tuned._tunable.registered_with = None
                self.plan(tuned)
                self.assertEqual(call(tuned), 8)
                self.applied()

    def test_the_body_has_run(self):
        """A coroutine is awaited to its end, a generator has given its first item."""
        started, gate = [], asyncio.new_event_loop()

        @tune
        async def wait(a, until):
            started.append(a)
            await until

        async def run():
            until = gate.create_future()
            task = gate.create_task(wait(a=2, until=until))
            while not started:
                await asyncio.sleep(0)
            self.assertTrue(self.peer.is_silent("acks"))
            until.set_result(None)
            await task

        self.plan(wait)
        gate.run_until_complete(run())
        gate.close()
        self.assertEqual(started, [8])
        self.applied()

        tuned = tune(generator)
        self.start()
        self.plan(tuned)
        items = tuned(a=2)
        self.assertTrue(self.peer.is_silent("acks"))
        self.assertEqual(next(items), 8)
        self.applied()
        self.assertEqual(list(items), [8])

    def test_it_raises(self):
        @tune
        def plain(a):
            raise KeyError(a)

        @tune
        async def awaited(a):
            await asyncio.sleep(0)
            raise KeyError(a)

        @tune
        def yields(a):
            raise KeyError(a)
            yield

        @tune
        async def yields_later(a):
            raise KeyError(a)
            yield

        def raises(a):
            raise KeyError(a)
            yield

        manager = tune(contextlib.contextmanager(raises))
        out_of_sight = tune(hidden(awaited._tunable.func))
        old = tune(types.coroutine(raises))
        for tuned, call in ((plain, lambda: plain(a=2)), (awaited, lambda: drive(awaited(a=2))),
                            (manager, lambda: entered(manager(a=2))),
                            (out_of_sight, lambda: drive(out_of_sight(a=2))),
                            (old, lambda: drive(_await(old(a=2)))),
                            (yields, lambda: list(yields(a=2))),
                            (yields_later, lambda: drive(first_of(yields_later(a=2))))):
            self.start()
            self.plan(tuned)
            with self.assertRaises(KeyError):
                call()
            told = self.peer.ack()
            self.assertEqual((told["status"], told["old_value"]), ("rejected", 2))
            self.assertIn("KeyError", told["reason"])
            self.assertEqual(tuned._tunable.held, {})

    def test_arguments_that_do_not_fit(self):
        """The plan is answered, whatever it is that cannot be called so."""
        for kind in (function, coroutine, old_coroutine, generator, async_generator):
            with self.subTest(kind):
                tuned = tune(kind)
                self.start()
                self.plan(tuned)
                with self.assertRaises(TypeError):
                    called = tuned(a=2, b=3)
                    if inspect.isgenerator(called) and kind is generator:
                        list(called)
                    drive(first_of(called) if inspect.isasyncgen(called) else _await(called))
                self.assertEqual(self.peer.ack()["status"], "rejected")

    def test_what_cannot_be_called(self):
        for thing in (5, None, property(lambda self: 2), functools.cached_property(Loader)):
            with self.assertRaisesRegex(d.ArgumentError, "cannot be called"):
                tune(thing)
        with self.assertRaisesRegex(d.ArgumentError, "_apply_at is 5"):
            tune(function)(2, _apply_at=5)

    def test_cancelled(self):
        tuned = tune(coroutine)
        loop = asyncio.new_event_loop()

        async def run():
            task = loop.create_task(tuned(a=2))
            await asyncio.sleep(0)
            task.cancel()
            with self.assertRaises(asyncio.CancelledError):
                await task

        self.plan(tuned)
        loop.run_until_complete(run())
        loop.close()
        self.assertEqual(self.peer.ack()["status"], "rejected")

    def test_generators_are_driven(self):
        """What is sent and thrown in arrives, and what is returned comes back."""
        closed = []

        @tune
        def echo(a):
            got = []
            try:
                while True:
                    try:
                        got.append((yield a))
                    except ValueError as e:
                        got.append(str(e))
                    if len(got) == 3:
                        return got
            finally:
                closed.append(True)

        items = echo(a=2)
        self.assertEqual((next(items), items.send(1), items.throw(ValueError("x"))), (2, 2, 2))
        with self.assertRaises(StopIteration) as end:
            items.send(3)
        self.assertEqual(end.exception.value, [1, "x", 3])
        items = echo(a=2)
        next(items)
        items.close()
        self.assertEqual(len(closed), 2)
        self.start()

        @tune
        async def echo_later(a):
            try:
                got = yield a
                try:
                    yield got
                except ValueError as e:
                    yield str(e)
            finally:
                closed.append(True)

        async def run():
            items = echo_later(a=2)
            self.assertEqual([await items.__anext__(), await items.asend(7),
                              await items.athrow(ValueError("x"))], [2, 7, "x"])
            with self.assertRaises(StopAsyncIteration):
                await items.__anext__()
            items = echo_later(a=2)
            await items.__anext__()
            await items.aclose()

        drive(run())
        self.assertEqual(len(closed), 4)


class InForce(CallablesTest):
    def test_an_epoch_loop_stays_tuned(self):
        """The example of the package: the argument is the same in each epoch."""
        for given, expected in ((2, [2, 8, 8, 8]), (5, [5, 8, 8, 8])):
            tuned = tune(lambda files, a: a)
            self.start()
            seen = []
            for epoch in range(4):
                if epoch == 1:
                    self.plan(tuned)
                seen.append(tuned([], a=given))
            self.assertEqual(seen, expected)
            self.applied()

    def test_given_in_no_way(self):
        tuned = tune(lambda a=3: a)
        self.plan(tuned)
        self.assertEqual([tuned(), tuned(), tuned(a=2)], [8, 8, 8])
        told = self.peer.ack()
        self.assertEqual((told["old_value"], told["new_value"]), (3, 8))

    def test_another_plan(self):
        tuned = tune(function)
        self.plan(tuned)
        tuned(a=2)
        self.applied()
        self.plan(tuned, new_value=9)
        self.assertEqual([tuned(a=2), tuned(a=2)], [9, 9])
        told = self.peer.ack()
        self.assertEqual((told["old_value"], told["new_value"]), (8, 9))

    def test_the_caller_sets_it(self):
        """An argument that is new ends it, and is told; the default, the argument as it
        was, and the value in force are not new."""
        tuned = tune(function)
        self.plan(tuned)
        self.assertEqual([tuned(a=4), tuned(a=4), tuned(a=2), tuned(a=8)], [8] * 4)
        self.peer.receive("registry")
        self.assertEqual([tuned(a=5), tuned(a=4), tuned(a=2)], [5, 4, 2])
        self.peer.registered({"a": 5})

    def test_a_plan_that_fails_leaves_the_last(self):
        failing = []

        def load(a):
            if failing:
                raise KeyError(a)
            return a

        tuned = tune(load)
        self.plan(tuned)
        tuned(a=2)
        failing.append(1)
        self.plan(tuned, new_value=9)
        with self.assertRaises(KeyError):
            tuned(a=2)
        failing.clear()
        self.assertEqual(tuned(a=2), 8)

    def test_as_in_dfoptimizer(self):
        """dfopt_client.runtime: for one call, and by keyword only."""
        self.assertEqual(set(dfopt_client.runtime.__all__),
                         {"OptimizerContext", "Window", "knob", "optimizer_context", "tunable"})
        tuned = dfopt_client.runtime.tunable(knobs=KNOBS)(function)
        self.plan(tuned)
        self.assertEqual([tuned(a=2), tuned(a=2)], [8, 2])
        self.applied()
        self.plan(tuned)
        self.assertEqual(tuned(2), 2)
        self.assertEqual(self.peer.ack()["status"], "rejected")


if __name__ == "__main__":
    unittest.main()
